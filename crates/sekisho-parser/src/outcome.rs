//! [`Outcome`]: how a record ended in the parser, and [`ObjectContext`]: what it may know of its object.

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use sekisho_document::{DocumentHead, key_date};

/// How one record ended; it has exactly one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A document was appended to the body.
    Document(DocumentHead),
    /// No parser could read the record; a document with its original was appended to the body.
    Raw {
        /// The head of that document.
        head: DocumentHead,
        /// Why, for people.
        reason: String,
    },
    /// A rule of the parser leaves this record out.
    Excluded {
        /// The rule's name.
        rule: Arc<str>,
    },
    /// The record cannot be a document, not even a raw one.
    Quarantined {
        /// Why, for people.
        reason: String,
    },
}

/// What a record may know of its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectContext {
    /// The bucket's name.
    pub bucket: String,
    /// The decoded key.
    pub key: String,
    /// The entry's name inside an archive.
    pub entry: Option<String>,
    /// The ETag without quotes.
    pub etag: Option<String>,
    /// When S3 stored the object.
    pub last_modified: DateTime<Utc>,
}

impl ObjectContext {
    /// Gives the object's own time: what its key says, else LastModified.
    ///
    /// A key's date stays when the object is put again, copied or replicated later; LastModified does not.
    pub fn time(&self) -> NaiveDateTime {
        key_date(&self.key).unwrap_or(self.last_modified.naive_utc())
    }
}
