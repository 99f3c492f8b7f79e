//! [`LedgerEntry`]: what all attempts at a slice left, and [`Attempt`]: one of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Books;

/// Names the entry of one slice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SliceKey {
    /// The object's bucket.
    pub bucket: String,
    /// Its decoded key.
    pub key: String,
    /// Its ETag without quotes: an object put again has entries of its own.
    pub etag: Option<String>,
    /// The slice's first byte in the decompressed stream.
    pub start: u64,
    /// When the object was put: the day of the entry's index.
    pub last_modified: DateTime<Utc>,
}

impl SliceKey {
    /// Gives the `_id`: 128 bits of SHA-256 over bucket, key, ETag and start, in hexadecimal.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        for part in [
            &*self.bucket,
            &*self.key,
            self.etag.as_deref().unwrap_or(""),
        ] {
            // Lengths keep the parts apart.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(self.start.to_be_bytes());
        let digest = hash.finalize();
        digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Gives the `_index` below an installation's prefix; its days are UTC's.
    pub fn index(&self, prefix: &str) -> String {
        format!(
            "{prefix}sekisho-ledger-{}",
            self.last_modified.format("%Y.%m.%d")
        )
    }
}

/// One attempt at a slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The slice.
    pub slice: SliceKey,
    /// The version that was read, where the bucket has versions.
    pub version_id: Option<String>,
    /// Where the next slice starts; for a failed attempt how far it came.
    pub end: u64,
    /// Whether the slice reaches the object's end.
    pub eof: bool,
    /// What follows behind `end`, where something does.
    pub next: Option<Next>,
    /// The counts of this attempt.
    pub books: Books,
    /// Documents that were sent as raw and are in the index now, whether this attempt or an earlier one put them there.
    pub raw_seen: u64,
    /// Decompressed bytes read.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// `event.dataset`; `None` where that was never decided.
    pub dataset: Option<String>,
    /// What parsed it, with its version.
    pub parser: String,
    /// The fingerprint of framing, identity and index rules.
    pub rules: String,
    /// Why the rest of the object's own bytes could not be read, where they ended early.
    pub cut: Option<String>,
    /// Why the slice is not finished; `None` closes its books.
    pub error: Option<String>,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Whether it replaced documents (a reload), so that the counts of earlier attempts no longer hold.
    pub replaced: bool,
}

/// What follows a slice that does not reach the object's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Next {
    /// The messages for the rest are not known to be sent.
    Pending,
    /// They are sent.
    Sent,
}

/// How many records ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcomes {
    /// Records that framing gave.
    pub records: u64,
    /// Documents written.
    pub indexed: u64,
    /// Documents written for records that did not parse.
    pub raw: u64,
    /// Documents that were there already.
    pub duplicate: u64,
    /// Records left out by a named rule.
    pub excluded: u64,
    /// Records that cannot be indexed even raw.
    pub quarantined: u64,
}

/// What all attempts at a slice left: the document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LedgerEntry {
    /// When the last attempt ended.
    #[serde(rename = "@timestamp")]
    pub at: DateTime<Utc>,
    /// The object's bucket.
    pub bucket: String,
    /// Its decoded key.
    pub key: String,
    /// Its ETag without quotes.
    pub etag: Option<String>,
    /// The version that was read.
    pub version_id: Option<String>,
    /// When the object was put.
    pub last_modified: DateTime<Utc>,
    /// The slice's first byte in the decompressed stream.
    pub start: u64,
    /// Where the next slice starts.
    pub end: u64,
    /// Whether the slice reaches the object's end.
    pub eof: bool,
    /// What follows behind `end`.
    pub next: Option<Next>,
    /// Where the second of the slices begins that the object was divided into before it was read, in bytes; all their messages are sent.
    pub divided_at: Option<u64>,
    /// Whether an attempt finished with balanced books.
    pub closed: bool,
    /// How many attempts ended, finished or not; an attempt that took its process with it left no count.
    pub attempts: u32,
    /// The counts of the last attempt.
    pub last: Books,
    /// Per outcome, the highest of any attempt.
    pub highest: Outcomes,
    /// The most documents of this slice that were seen to be raw.
    pub raw_seen: u64,
    /// Decompressed bytes read by the last attempt.
    pub bytes: u64,
    /// How long the last attempt took, in milliseconds.
    pub duration_ms: u64,
    /// `event.dataset`.
    pub dataset: Option<String>,
    /// What parsed it, with its version.
    pub parser: String,
    /// The fingerprint of framing, identity and index rules.
    pub rules: String,
    /// Why the rest of the object's own bytes could not be read.
    pub cut: Option<String>,
    /// Why the last attempt did not finish; kept until one does.
    pub error: Option<String>,
}

impl LedgerEntry {
    /// Adds an attempt.
    ///
    /// A finished slice stays finished: a later attempt that fails, or stops earlier, adds its counts and moves nothing back.
    #[must_use]
    pub fn with(mut self, attempt: Attempt) -> Self {
        let Attempt { slice, books, .. } = attempt;
        let finished = attempt.error.is_none();
        // A chain that is on its way is followed; only the object's end makes it needless.
        let further = attempt.eof || (attempt.end >= self.end && self.next != Some(Next::Sent));
        if !self.closed || (finished && further && !self.eof) || attempt.replaced {
            self.end = attempt.end;
            self.eof = attempt.eof;
            self.next = attempt.next;
            self.error = attempt.error;
            self.cut = attempt.cut;
        }
        let closes = finished && books.balanced();
        self.closed |= closes;
        if attempt.replaced {
            self.closed = closes;
            self.highest = Outcomes::default();
            self.raw_seen = 0;
        }
        self.at = attempt.at;
        self.bucket = slice.bucket;
        self.key = slice.key;
        self.etag = slice.etag;
        self.start = slice.start;
        self.last_modified = slice.last_modified;
        self.version_id = attempt.version_id.or(self.version_id);
        self.attempts += 1;
        self.last = books;
        self.highest.raise(&books);
        self.raw_seen = self.raw_seen.max(attempt.raw_seen);
        self.bytes = attempt.bytes;
        self.duration_ms = attempt.duration_ms;
        self.dataset = attempt.dataset.or(self.dataset);
        self.parser = attempt.parser;
        self.rules = attempt.rules;
        self
    }

    /// Notes that the messages for what lies behind `end` are sent, by an attempt that finished up to there; `None` where that changes nothing.
    ///
    /// Two attempts at once may stop at different ends.
    /// The chain follows the one whose messages are known to be sent, else `audit` would walk into a gap where none is.
    #[must_use]
    pub fn sent(self, end: u64) -> Option<Self> {
        let waits = self.closed && !self.eof && self.next == Some(Next::Pending);
        waits.then_some(Self {
            end,
            next: Some(Next::Sent),
            ..self
        })
    }

    /// Notes that the messages for all slices from `at` on are sent, whatever becomes of this first one: it may fail and return often, they are not sent again.
    #[must_use]
    pub fn divided(mut self, slice: &SliceKey, at: u64) -> Self {
        let slice = slice.clone();
        self.bucket = slice.bucket;
        self.key = slice.key;
        self.etag = slice.etag;
        self.start = slice.start;
        self.last_modified = slice.last_modified;
        self.divided_at = Some(at);
        self
    }

    /// Tells whether nothing is left to do for this slice: its books are closed, and what follows it is on its way.
    pub fn is_done(&self) -> bool {
        self.closed && self.next != Some(Next::Pending)
    }
}

impl Outcomes {
    fn raise(&mut self, books: &Books) {
        self.records = self.records.max(books.records);
        self.indexed = self.indexed.max(books.indexed);
        self.raw = self.raw.max(books.raw);
        self.duplicate = self.duplicate.max(books.duplicate);
        self.excluded = self.excluded.max(books.excluded);
        self.quarantined = self.quarantined.max(books.quarantined);
    }
}
