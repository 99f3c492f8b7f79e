//! [`Quarantine`]: where records go that cannot be indexed even raw.

use std::borrow::Cow;
use std::fmt;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sekisho_event::ObjectRef;
use sekisho_parser::ObjectPlan;
use serde_json::json;
use sha2::Digest as _;

use crate::QuarantineError;

/// How many bytes of a record an entry keeps, for people to look at.
pub(crate) const KEPT_BYTES: usize = 64 << 10;

/// Keeps what cannot be indexed.
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Keeps one entry; the same entry put twice is one entry.
    ///
    /// # Errors
    /// When it cannot be kept: the object then fails, since nothing may vanish.
    async fn put(&self, entry: QuarantineEntry) -> Result<(), QuarantineError>;
}

/// One record, or the rest of one object, that cannot be indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineEntry {
    /// The object, pinned by its ETag where that is known.
    pub object: ObjectRef,
    /// Offset of the first byte in the decompressed stream.
    pub offset: u64,
    /// Length in bytes; of a rest that was not read, what is known of it.
    pub length: u64,
    /// Why, for people.
    pub reason: String,
    /// The parser that had the record.
    pub parser: String,
    /// The bytes, at most the first 64 KiB, without the secrets in them.
    pub bytes: Vec<u8>,
    /// SHA-256 of the whole.
    pub digest: Digest,
}

impl QuarantineEntry {
    pub(crate) fn new(
        object: &ObjectRef,
        parser: &str,
        offset: u64,
        bytes: &[u8],
        reason: String,
    ) -> Self {
        Self {
            object: object.clone(),
            offset,
            length: bytes.len() as u64,
            reason,
            parser: parser.to_owned(),
            bytes: bytes.iter().take(KEPT_BYTES).copied().collect(),
            digest: Digest::of(bytes),
        }
    }

    /// Puts what is known of the whole record in the place of what its kept bytes say.
    pub(crate) fn of_whole(
        self,
        length: u64,
        digest: Option<Digest>,
        shown: Option<Vec<u8>>,
    ) -> Self {
        Self {
            length,
            digest: digest.unwrap_or(self.digest),
            bytes: shown.unwrap_or(self.bytes),
            ..self
        }
    }

    /// Takes the secrets out of the bytes; length and digest stay those of the record.
    pub(crate) fn redacted(mut self, plan: &ObjectPlan) -> Self {
        if let Cow::Owned(bytes) = plan.redacted(&self.bytes) {
            self.bytes = bytes;
        }
        self
    }

    /// Gives the name of its file below the quarantine's prefix: the same entry has the same one, so that a redelivery keeps one.
    pub fn name(&self) -> String {
        let end = self.offset.saturating_add(self.length);
        let folder = Self::folder(&self.object);
        format!("{folder}{:020}-{end:020}.json", self.offset)
    }

    /// Gives the folder of an object's entries; keys may fill all 1,024 bytes that S3 has for one, so this one's is hashed.
    pub fn folder(object: &ObjectRef) -> String {
        let pin = object
            .etag
            .as_deref()
            .or(object.version_id.as_deref())
            .unwrap_or_default();
        let identity = [object.bucket.as_str(), object.key.as_str(), pin].join("\n");
        let digest = Digest::of(identity.as_bytes()).to_string();
        let hash: String = digest.chars().take(32).collect();
        format!("{}/{hash}/", object.bucket)
    }

    /// Writes the entry as one JSON object; the bytes are for people: as text where they are text.
    pub fn to_json(&self) -> String {
        let text = std::str::from_utf8(&self.bytes).ok();
        let base64 = text.is_none().then(|| STANDARD.encode(&self.bytes));
        json!({
            "address": self.object.to_string(),
            "bucket": self.object.bucket,
            "key": self.object.key,
            "etag": self.object.etag,
            "version_id": self.object.version_id,
            "offset": self.offset,
            "length": self.length,
            "reason": self.reason,
            "parser": self.parser,
            "sha256": self.digest.to_string(),
            "text": text,
            "base64": base64,
        })
        .to_string()
    }
}

/// A SHA-256, shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Hashes bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The quarantine of an installation that has none: an object with such a record fails.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoQuarantine;

#[async_trait]
impl Quarantine for NoQuarantine {
    async fn put(&self, _: QuarantineEntry) -> Result<(), QuarantineError> {
        Err(QuarantineError::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(etag: &str, bytes: &[u8]) -> QuarantineEntry {
        let object = ObjectRef {
            etag: Some(etag.to_owned()),
            ..ObjectRef::new("b", "a/日本.gz")
        };
        QuarantineEntry::new(&object, "aws.waf", 7, bytes, "too long".to_owned())
    }

    #[test]
    fn the_name_is_a_function_of_the_entry() {
        let first = entry("e", b"abc").name();
        assert_eq!(first, entry("e", b"abc").name());
        assert!(
            first.starts_with("b/")
                && first.ends_with("/00000000000000000007-00000000000000000010.json"),
            "{first}"
        );
        assert_ne!(first, entry("f", b"abc").name());
        assert_ne!(first, entry("e", b"abcd").name());
    }
}
