//! [`ObjectRef`]: the one name of an S3 object, wherever it came from.

use std::fmt;

use chrono::{DateTime, Utc};

/// Names one S3 object and, where the notification or listing carried them, what pins the read.
///
/// `key` is decoded: it is the key as `GetObject` takes it.
/// `etag` carries no quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// The bucket's name.
    pub bucket: String,
    /// The decoded key.
    pub key: String,
    /// Compressed size in bytes, where known.
    pub size: Option<u64>,
    /// The ETag without its quotes; pins the read by `If-Match` where there is no version id.
    pub etag: Option<String>,
    /// The version id of a versioned bucket; pins the read.
    pub version_id: Option<String>,
    /// When S3 says that the object was created (`eventTime`), for freshness only; `None` also where the message is a replay, whose delay says nothing of it.
    pub event_time: Option<DateTime<Utc>>,
}

impl ObjectRef {
    /// Names an object by bucket and decoded key alone.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            key: key.into(),
            size: None,
            etag: None,
            version_id: None,
            event_time: None,
        }
    }

    /// Tells the console's folder: an empty object whose key ends with `/`.
    pub fn is_folder(&self) -> bool {
        self.key.ends_with('/') && self.size == Some(0)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}
