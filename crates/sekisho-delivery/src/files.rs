//! [`Files`]: small files in the quarantine bucket: notes, parked messages, quarantine entries.

use async_trait::async_trait;
use bytes::Bytes;

use crate::DeliveryError;

/// The keys of one page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The keys, in their order.
    pub keys: Vec<String>,
    /// What asks for the next page; `None` at the end.
    pub next: Option<String>,
}

/// Keeps small files by key.
#[async_trait]
pub trait Files: Send + Sync {
    /// Tells whether there is a place for files at all.
    fn is_set(&self) -> bool {
        true
    }

    /// Writes a file, replacing what is there.
    ///
    /// # Errors
    /// When it cannot be written.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), DeliveryError>;

    /// Reads a file; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, DeliveryError>;

    /// Deletes a file; one that is not there is deleted already. Ingest has no permission for it.
    ///
    /// # Errors
    /// When it cannot be deleted.
    async fn delete(&self, key: &str) -> Result<(), DeliveryError>;

    /// Lists keys that start with a prefix, up to 1,000 at a time.
    ///
    /// # Errors
    /// When it cannot be listed.
    async fn list(&self, prefix: &str, next: Option<&str>) -> Result<Page, DeliveryError>;
}

/// The files of an installation without a quarantine bucket: nothing is kept, and nothing is found.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

const UNSET: DeliveryError = DeliveryError::Unset {
    what: "quarantine bucket",
    setting: "quarantine.bucket",
};

#[async_trait]
impl Files for NoFiles {
    fn is_set(&self) -> bool {
        false
    }

    async fn put(&self, _: &str, _: Bytes) -> Result<(), DeliveryError> {
        Err(UNSET)
    }

    async fn get(&self, _: &str) -> Result<Option<Bytes>, DeliveryError> {
        Ok(None)
    }

    async fn delete(&self, _: &str) -> Result<(), DeliveryError> {
        Err(UNSET)
    }

    async fn list(&self, _: &str, _: Option<&str>) -> Result<Page, DeliveryError> {
        Ok(Page::default())
    }
}
