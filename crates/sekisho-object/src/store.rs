//! [`ObjectStore`]: where objects come from.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sekisho_event::ObjectRef;

use crate::body::Body;
use crate::error::ObjectError;

/// Opens objects by name, pinned to the version or ETag that the name carries.
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Opens one object; its bytes flow only as they are read.
    ///
    /// # Errors
    ///
    /// [`ObjectError::class`] says whether the object is gone, superseded, forbidden, or may be tried again.
    async fn open(&self, object: &ObjectRef) -> Result<OpenObject, ObjectError>;

    /// Opens one object from a byte of its stored form on; `meta` is that of the whole object.
    ///
    /// # Errors
    ///
    /// As [`ObjectStore::open`]; a start behind the object's end is an object without bytes.
    async fn open_from(&self, object: &ObjectRef, from: u64) -> Result<OpenObject, ObjectError>;

    /// Asks for what is known of an object, without its bytes.
    ///
    /// # Errors
    ///
    /// As [`ObjectStore::open`].
    async fn head(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError>;
}

/// An object that is being read.
#[derive(Debug)]
pub struct OpenObject {
    /// What the store knows about it.
    pub meta: ObjectMeta,
    /// Its bytes.
    pub body: Body,
}

/// What a store knows about the very bytes that it opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The ETag without its quotes, where the store has one.
    pub etag: Option<String>,
    /// The version id of a versioned bucket.
    pub version_id: Option<String>,
    /// When the object was put.
    pub last_modified: DateTime<Utc>,
    /// Stored size in bytes.
    pub size: Option<u64>,
}
