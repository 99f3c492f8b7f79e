//! [`ParkedMessage`]: a message that left the DLQ for a file, so that SQS cannot forget it.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use sekisho_delivery::Outgoing;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::cause::Cause;
use crate::inspect::Finding;
use crate::letter::{Letter, outgoing};

/// Which parked messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shelf {
    /// Those that return by themselves once the cluster takes writes.
    Waiting,
    /// Those that stay until somebody asks for them.
    Kept,
}

impl Shelf {
    /// The prefix of their files in the quarantine bucket.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Waiting => "parked/waiting/",
            Self::Kept => "parked/kept/",
        }
    }
}

/// A message that left the DLQ for a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedMessage {
    /// Why it was dead-lettered.
    pub cause: Cause,
    /// The error, for people.
    pub error: String,
    /// Whether it returns by itself once the cluster takes writes.
    pub returns: bool,
    /// The object's address; `None` where the message names none.
    pub object: Option<String>,
    /// Its message id.
    pub message_id: String,
    /// When it was sent.
    pub sent: DateTime<Utc>,
    /// When it failed first and last, where a note said it.
    pub first: Option<DateTime<Utc>>,
    /// See `first`.
    pub last: Option<DateTime<Utc>>,
    /// When it was parked.
    pub parked: DateTime<Utc>,
    /// How often it was received.
    pub receive_count: u32,
    /// The replay count that it returns with.
    pub replays: u32,
    /// Whether it is to be worked on alone when it returns.
    pub alone: bool,
    /// What is sent back.
    pub body: String,
}

impl ParkedMessage {
    pub(crate) fn new(
        letter: &Letter,
        finding: &Finding,
        shelf: Shelf,
        now: DateTime<Utc>,
    ) -> Self {
        let received = &letter.received;
        Self {
            cause: finding.cause,
            error: finding.error.clone(),
            returns: shelf == Shelf::Waiting,
            object: finding.object.clone(),
            message_id: received.id.clone(),
            sent: received.sent,
            first: finding.first,
            last: finding.last,
            parked: now,
            receive_count: received.receive_count,
            replays: letter.replays,
            alone: letter.alone || finding.cause == Cause::Crashed,
            body: letter.body.clone(),
        }
    }

    /// The file's key: the same message has the same, so that a second run keeps one.
    pub fn key(&self) -> String {
        let shelf = if self.returns {
            Shelf::Waiting
        } else {
            Shelf::Kept
        };
        let mut hash = Sha256::new();
        hash.update(&self.message_id);
        hash.update([0]);
        hash.update(&self.body);
        let digest = hash.finalize();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}{hex}.json", shelf.prefix())
    }

    /// Writes it as the file's bytes.
    pub fn to_bytes(&self) -> Bytes {
        // A struct of texts and numbers cannot fail to serialize.
        serde_json::to_vec_pretty(self).unwrap_or_default().into()
    }

    /// Reads it; `None` for a file of another shape.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Writes the message that returns; one that somebody asks for has all its tries again.
    pub(crate) fn outgoing(&self) -> Outgoing {
        let replays = if self.returns { self.replays } else { 0 };
        outgoing(self.body.clone(), replays, self.alone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parked(returns: bool) -> ParkedMessage {
        ParkedMessage {
            cause: Cause::Missing,
            error: "gone".to_owned(),
            returns,
            object: Some("s3://b/k".to_owned()),
            message_id: "1".to_owned(),
            sent: DateTime::UNIX_EPOCH,
            first: None,
            last: Some(DateTime::UNIX_EPOCH),
            parked: DateTime::UNIX_EPOCH,
            receive_count: 11,
            replays: 2,
            alone: true,
            body: "{}".to_owned(),
        }
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let message = parked(true);
        assert_eq!(ParkedMessage::read(&message.to_bytes()), Some(message));
        assert_eq!(ParkedMessage::read(b"{}"), None);
    }

    #[test]
    fn the_key_is_a_function_of_the_message() {
        let mut again = parked(false);
        again.parked += chrono::TimeDelta::hours(1);
        again.cause = Cause::Object;
        assert_eq!(again.key(), parked(false).key());
        assert!(again.key().starts_with("parked/kept/"));
        assert!(parked(true).key().starts_with("parked/waiting/"));
        again.message_id = "2".to_owned();
        assert_ne!(again.key(), parked(false).key());
    }

    #[test]
    fn what_returns_by_itself_keeps_its_count() {
        let replays = |returns| {
            parked(returns)
                .outgoing()
                .attributes
                .remove("sekisho.replays")
        };
        assert_eq!(replays(true).as_deref(), Some("2"));
        assert_eq!(replays(false).as_deref(), Some("0"));
    }
}
