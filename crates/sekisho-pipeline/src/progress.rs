//! [`Progress`]: how records end, live, over a run.

use std::sync::atomic::{AtomicU64, Ordering};

use sekisho_ledger::Books;

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
