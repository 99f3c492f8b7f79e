//! [`DocumentId`]: what makes a record one document, however often it is read.
//!
//! SHA-256 cut to 128 bits: whoever writes the logs knows the input and must not be able to steer two records to one id, since a `create` on a taken id is a silent duplicate.
//! Every variable part is preceded by its length, so no two inputs share a byte string.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A document's `_id`: 128 bits, written as 22 URL-safe characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DocumentId([u8; 16]);

impl DocumentId {
    fn cut(hash: Sha256) -> Self {
        let digest: [u8; 32] = hash.finalize().into();
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        Self(id)
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// The part of an identity that all records of one object share, hashed once.
///
/// Version id and ETag are no part of it: an object put again, copied or read by a listing gives the same ids.
#[derive(Debug, Clone)]
pub struct ObjectIdentity {
    position: Sha256,
}

impl ObjectIdentity {
    /// Starts from the bucket, the decoded key and, inside an archive, the entry's name.
    pub fn new(bucket: &str, key: &str, entry: Option<&str>) -> Self {
        let mut position = Sha256::new();
        position.update(b"sekisho position 1");
        add(&mut position, bucket.as_bytes());
        add(&mut position, key.as_bytes());
        add(&mut position, entry.unwrap_or_default().as_bytes());
        Self { position }
    }

    /// Gives the id of the record at a byte offset of the decompressed stream: two equal lines are two documents.
    pub fn by_position(&self, offset: u64, record: &[u8]) -> DocumentId {
        let mut hash = self.position.clone();
        hash.update(offset.to_be_bytes());
        hash.update(record);
        DocumentId::cut(hash)
    }

    /// Gives the id of a record whose bytes are unique in the world (`unique_by`): the same event through two trails is one document.
    pub fn by_content(dataset: &str, record: &[u8]) -> DocumentId {
        let mut hash = Sha256::new();
        hash.update(b"sekisho content 1");
        add(&mut hash, dataset.as_bytes());
        hash.update(record);
        DocumentId::cut(hash)
    }
}

fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_be_bytes());
    hash.update(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(bucket: &str, key: &str, offset: u64, record: &str) -> String {
        ObjectIdentity::new(bucket, key, None)
            .by_position(offset, record.as_bytes())
            .to_string()
    }

    #[test]
    fn is_22_url_safe_characters_and_stable() {
        assert_eq!(id("b", "k", 0, "line"), id("b", "k", 0, "line"));
        assert_eq!(id("b", "k", 0, "line").len(), 22);
        assert!(
            id("b", "k", 0, "line")
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
        );
    }

    #[test]
    fn differs_by_each_part() {
        let base = id("b", "k", 0, "line");
        for other in [
            id("c", "k", 0, "line"),
            id("b", "l", 0, "line"),
            id("b", "k", 5, "line"),
            id("b", "k", 0, "lime"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(id("ab", "c", 0, ""), id("a", "bc", 0, ""));
    }

    #[test]
    fn content_is_independent_of_the_object() {
        assert_eq!(
            ObjectIdentity::by_content("aws.cloudtrail", b"{}"),
            ObjectIdentity::by_content("aws.cloudtrail", b"{}")
        );
        assert_ne!(
            ObjectIdentity::by_content("aws.cloudtrail", b"{}"),
            ObjectIdentity::by_content("aws.guardduty", b"{}")
        );
    }
}
