//! [`Books`]: how the records of an object ended, and [`Progress`]: the same, live, over a run.

use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// How many records an object held and how each of them ended.
///
/// `records` and `skipped` are counted by framing, the outcomes by the parser and by the verdicts of the destination: two independent counts of the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Books {
    /// Records that framing gave.
    pub records: u64,
    /// Headers, blank lines and comments; outside the sum.
    pub skipped: u64,
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

impl Books {
    /// Adds up the outcomes.
    pub fn outcomes(&self) -> u64 {
        self.indexed + self.raw + self.duplicate + self.excluded + self.quarantined
    }

    /// Tells whether every record has exactly one outcome.
    pub fn balanced(&self) -> bool {
        self.records == self.outcomes()
    }
}

impl AddAssign for Books {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.skipped += other.skipped;
        self.indexed += other.indexed;
        self.raw += other.raw;
        self.duplicate += other.duplicate;
        self.excluded += other.excluded;
        self.quarantined += other.quarantined;
    }
}

impl fmt::Display for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            records,
            indexed,
            raw,
            duplicate,
            excluded,
            quarantined,
            ..
        } = self;
        let sign = if self.balanced() { "=" } else { "≠" };
        write!(
            f,
            "{records} records {sign} {indexed} indexed + {raw} raw + {duplicate} duplicate + {excluded} excluded + {quarantined} quarantined"
        )
    }
}

/// Live counters of a run, for whoever shows progress; relaxed atomics, added to once a chunk.
#[derive(Debug, Default)]
pub struct Progress {
    objects: AtomicU64,
    bytes: AtomicU64,
    records: AtomicU64,
    indexed: AtomicU64,
    raw: AtomicU64,
    duplicate: AtomicU64,
    excluded: AtomicU64,
    quarantined: AtomicU64,
}

/// What [`Progress`] said at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProgressSnapshot {
    /// Objects with a report.
    pub objects: u64,
    /// Decompressed bytes read.
    pub bytes: u64,
    /// Records framed, and the outcomes known so far.
    pub books: Books,
}

impl Progress {
    /// Reads the counters.
    pub fn snapshot(&self) -> ProgressSnapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ProgressSnapshot {
            objects: get(&self.objects),
            bytes: get(&self.bytes),
            books: Books {
                records: get(&self.records),
                skipped: 0,
                indexed: get(&self.indexed),
                raw: get(&self.raw),
                duplicate: get(&self.duplicate),
                excluded: get(&self.excluded),
                quarantined: get(&self.quarantined),
            },
        }
    }

    /// Adds bytes and the difference between two states of an object's books.
    pub(crate) fn add(&self, bytes: u64, before: &Books, now: &Books) {
        let add = |counter: &AtomicU64, before: u64, now: u64| {
            counter.fetch_add(now.saturating_sub(before), Ordering::Relaxed);
        };
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        add(&self.records, before.records, now.records);
        add(&self.indexed, before.indexed, now.indexed);
        add(&self.raw, before.raw, now.raw);
        add(&self.duplicate, before.duplicate, now.duplicate);
        add(&self.excluded, before.excluded, now.excluded);
        add(&self.quarantined, before.quarantined, now.quarantined);
    }

    pub(crate) fn object_ended(&self) {
        self.objects.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balance_and_show_the_sum() {
        let mut books = Books {
            records: 3,
            skipped: 9,
            indexed: 2,
            ..Books::default()
        };
        assert!(!books.balanced());
        assert_eq!(
            books.to_string(),
            "3 records ≠ 2 indexed + 0 raw + 0 duplicate + 0 excluded + 0 quarantined"
        );
        books += Books {
            excluded: 1,
            ..Books::default()
        };
        assert!(books.balanced());
    }
}
