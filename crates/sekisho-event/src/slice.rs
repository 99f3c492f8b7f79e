//! [`ObjectSlice`]: part of an object, and the continuation message that asks for it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::MessageError;
use crate::object_ref::ObjectRef;

/// The version of the message; a newer one is refused rather than misread.
const VERSION: u32 = 1;

/// Part of an object, and how its first record is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectSlice {
    /// The object, pinned as far as is known.
    pub object: ObjectRef,
    /// Records that start before this offset of the decompressed stream belong to others.
    pub start: u64,
    /// Records that start at or behind this offset belong to others; `None` for all to the object's end.
    pub end: Option<u64>,
    /// How the first record is reached.
    pub reach: Reach,
    /// The fingerprint of the rules (framing, identity, index) that the slices before it were read by.
    pub rules: Option<String>,
    /// How many slices of its chain came before it.
    pub hops: u32,
}

/// How the first record of a slice is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// By framing everything before it: packed objects, and formats with a header.
    Stream,
    /// By reading from that byte on: plain lines, of which each tells where it begins.
    Range,
}

impl ObjectSlice {
    /// Names a whole object.
    pub fn whole(object: ObjectRef) -> Self {
        Self {
            object,
            start: 0,
            end: None,
            reach: Reach::Stream,
            rules: None,
            hops: 0,
        }
    }

    /// Tells whether the slice is the object.
    pub fn is_whole(&self) -> bool {
        self.start == 0 && self.end.is_none()
    }

    /// Writes the body of the message that asks for this slice.
    pub fn to_message(&self) -> String {
        let object = &self.object;
        let message = Continuation {
            sekisho: Marker::Continuation,
            version: VERSION,
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            size: object.size,
            etag: object.etag.clone(),
            version_id: object.version_id.clone(),
            event_time: object.event_time,
            start: self.start,
            end: self.end,
            reach: self.reach,
            rules: self.rules.clone(),
            hops: self.hops,
        };
        // A struct of texts and numbers cannot fail to serialize.
        serde_json::to_string(&message).unwrap_or_default()
    }

    /// Reads the body of such a message.
    pub(crate) fn from_message(body: &str) -> Result<Self, MessageError> {
        let message: Continuation = serde_json::from_str(body)
            .map_err(|error| MessageError::UnknownShape(error.to_string()))?;
        if message.version > VERSION {
            return Err(MessageError::UnknownShape(format!(
                "a continuation of version {}; this is an older Sekisho",
                message.version
            )));
        }
        Ok(Self {
            object: ObjectRef {
                size: message.size,
                etag: message.etag,
                version_id: message.version_id,
                event_time: message.event_time,
                ..ObjectRef::new(message.bucket, message.key)
            },
            start: message.start,
            end: message.end,
            reach: message.reach,
            rules: message.rules,
            hops: message.hops,
        })
    }
}

impl From<ObjectRef> for ObjectSlice {
    fn from(object: ObjectRef) -> Self {
        Self::whole(object)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Marker {
    Continuation,
}

/// The message: decoded key, no other envelope.
#[derive(Serialize, Deserialize)]
struct Continuation {
    sekisho: Marker,
    version: u32,
    bucket: String,
    key: String,
    size: Option<u64>,
    etag: Option<String>,
    version_id: Option<String>,
    /// Absent where the delay of the slice says nothing of freshness, since an earlier message of its chain was a replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_time: Option<DateTime<Utc>>,
    start: u64,
    end: Option<u64>,
    reach: Reach,
    rules: Option<String>,
    hops: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_carries_the_slice() {
        let slice = ObjectSlice {
            object: ObjectRef {
                size: Some(9),
                etag: Some("e".to_owned()),
                version_id: Some("v".to_owned()),
                event_time: DateTime::from_timestamp_millis(1_780_000_000_123),
                ..ObjectRef::new("b", "a+b/日本 .log")
            },
            start: 7,
            end: Some(70),
            reach: Reach::Range,
            rules: Some("r".to_owned()),
            hops: 3,
        };
        let read = ObjectSlice::from_message(&slice.to_message()).unwrap();
        assert_eq!(read, slice);
        assert!(!read.is_whole());
    }

    #[test]
    fn a_message_of_a_newer_version_is_refused() {
        let message = ObjectSlice::whole(ObjectRef::new("b", "k")).to_message();
        let newer = message.replace("\"version\":1", "\"version\":2");
        let error = ObjectSlice::from_message(&newer).unwrap_err().to_string();
        assert!(error.contains("version 2"), "{error}");
    }
}
