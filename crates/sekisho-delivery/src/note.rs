//! [`FailureNote`]: why a message failed, kept beside the queue because SQS moves a message to its DLQ without a cause.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sekisho_event::ObjectRef;
use sekisho_pipeline::FailureClass;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Where the note of one object in one message lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NoteKey(String);

impl NoteKey {
    /// The prefix of all notes in the quarantine bucket.
    pub const PREFIX: &str = "failures/";

    /// Names the note of an object in a message; without an object, of the message itself.
    ///
    /// Bucket, key and ETag are those of the message, before anything is opened.
    pub fn new(object: Option<&ObjectRef>, message_id: &str) -> Self {
        let part = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let parts = [
            part(object.map(|object| &*object.bucket)),
            part(object.map(|object| &*object.key)),
            part(object.and_then(|object| object.etag.as_deref())),
            message_id.to_owned(),
        ];
        let mut hash = Sha256::new();
        for part in parts {
            // Lengths keep the parts apart.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{}{hex}.json", Self::PREFIX))
    }

    /// Gives the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose fault it was that a message failed, as ingest saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CauseClass {
    /// Nobody's: the same read may succeed later.
    Transient,
    /// A permission that somebody has to grant.
    Permission,
    /// The object is gone.
    Missing,
    /// The cluster or the installation refuses, whatever the object; the brake is of this class too.
    State,
    /// The message itself cannot be understood.
    Message,
    /// The object cannot be finished by this version: a bug, or a deadline without progress.
    Object,
    /// The process ended while it worked on this message alone: the note was written before.
    Crashed,
}

impl From<FailureClass> for CauseClass {
    fn from(class: FailureClass) -> Self {
        match class {
            FailureClass::Transient => Self::Transient,
            FailureClass::Permission => Self::Permission,
            FailureClass::Missing => Self::Missing,
            FailureClass::State => Self::State,
            FailureClass::Object | FailureClass::Bug => Self::Object,
        }
    }
}

/// Why a message failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureNote {
    /// Whose fault it was.
    pub class: CauseClass,
    /// The error with its causes, for people.
    pub error: String,
    /// The message.
    pub message_id: String,
    /// The object's address; `None` where the message names none.
    pub object: Option<String>,
    /// How often the message had been received.
    pub receive_count: u32,
    /// When it failed first.
    pub first: DateTime<Utc>,
    /// When it failed last.
    pub last: DateTime<Utc>,
    /// Since when nothing is written at all, where that is why: processes end while messages wait, and the next one learns it here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub braked_since: Option<DateTime<Utc>>,
}

impl FailureNote {
    /// Writes it as the file's bytes.
    pub fn to_bytes(&self) -> Bytes {
        // A struct of texts and numbers cannot fail to serialize.
        serde_json::to_vec_pretty(self).unwrap_or_default().into()
    }

    /// Reads it; a file that is none is like no note.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_objects_and_messages_apart() {
        let object = ObjectRef::new("b", "k");
        let other = ObjectRef {
            etag: Some("e".to_owned()),
            ..object.clone()
        };
        let keys = [
            NoteKey::new(Some(&object), "1"),
            NoteKey::new(Some(&object), "2"),
            NoteKey::new(Some(&other), "1"),
            NoteKey::new(None, "1"),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{key:?}");
        }
        assert_eq!(keys[0], NoteKey::new(Some(&object), "1"));
        assert!(keys[0].as_str().starts_with("failures/"));
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let note = FailureNote {
            class: CauseClass::State,
            error: "x".to_owned(),
            message_id: "1".to_owned(),
            object: None,
            receive_count: 2,
            first: DateTime::UNIX_EPOCH,
            last: DateTime::UNIX_EPOCH,
            braked_since: None,
        };
        assert_eq!(FailureNote::read(&note.to_bytes()), Some(note));
        assert_eq!(FailureNote::read(b"{"), None);
    }
}
