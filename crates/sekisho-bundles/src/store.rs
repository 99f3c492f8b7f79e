//! [`BundleStore`]: where bundles and the pointer lie.

use async_trait::async_trait;
use bytes::Bytes;

/// What a store says when it does not do what was asked.
pub type StoreError = Box<dyn std::error::Error + Send + Sync>;

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// There is no such object.
    Nothing,
    /// It is still the one that the reader knows.
    Unchanged,
    /// The object.
    Object {
        /// Its bytes.
        bytes: Bytes,
        /// What names this content of it.
        etag: String,
    },
}

/// What must hold for a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnlyIf {
    /// There is no such object.
    Absent,
    /// It is still this one.
    Etag(String),
}

/// How a write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is written.
    Done,
    /// The condition does not hold; nothing was written.
    Refused,
}

/// Objects by key, with conditional reads and writes.
#[async_trait]
pub trait BundleStore: Send + Sync {
    /// Reads an object, unless it is still the one with this ETag.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn get(&self, key: &str, unless: Option<&str>) -> Result<Found, StoreError>;

    /// Writes an object, if the condition holds.
    ///
    /// # Errors
    /// When it cannot be written.
    async fn put(&self, key: &str, bytes: Bytes, only_if: OnlyIf) -> Result<Put, StoreError>;
}
