//! [`audit`]: objects against the ledger.

use std::collections::HashSet;
use std::fmt;

use chrono::{DateTime, Utc};
use sekisho_event::ObjectRef;
use serde::Serialize;

use crate::{Ledger, LedgerEntry, LedgerError, Next, SliceKey};

/// Keys of one look-up: their answer stays well under a megabyte.
const KEYS_PER_FIND: usize = 500;

/// An object as a listing names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListedObject {
    /// Its bucket.
    pub bucket: String,
    /// Its decoded key.
    pub key: String,
    /// Its ETag without quotes.
    pub etag: Option<String>,
    /// When it was put.
    pub last_modified: DateTime<Utc>,
}

impl ListedObject {
    /// Takes what a listing gives; `None` without a time.
    pub fn of(object: &ObjectRef) -> Option<Self> {
        Some(Self {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            etag: object.etag.clone(),
            last_modified: object.event_time?,
        })
    }

    fn slice(&self, start: u64) -> SliceKey {
        SliceKey {
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            etag: self.etag.clone(),
            start,
            last_modified: self.last_modified,
        }
    }
}

impl fmt::Display for ListedObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// What is wrong with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingKind {
    /// Nothing of it is in the ledger.
    Missing,
    /// A slice is not finished, or its books do not balance.
    Unbalanced,
    /// A slice ends before the object does, and nothing follows it.
    Gapped,
    /// Records did not parse and are indexed as raw.
    Raw,
    /// Records or the rest of the object could not be indexed at all.
    Quarantined,
}

impl FindingKind {
    /// Tells whether records may be missing from the index, so that reading the object again helps.
    pub fn is_incomplete(self) -> bool {
        match self {
            Self::Missing | Self::Unbalanced | Self::Gapped => true,
            Self::Raw | Self::Quarantined => false,
        }
    }

    /// The word of the table and of the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unbalanced => "unbalanced",
            Self::Gapped => "gapped",
            Self::Raw => "raw",
            Self::Quarantined => "quarantined",
        }
    }
}

/// One object and one thing that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The object.
    pub object: ListedObject,
    /// What is wrong.
    pub kind: FindingKind,
    /// Where and how much.
    pub detail: String,
}

impl Finding {
    /// Says what helps.
    pub fn remedy(&self) -> String {
        let object = &self.object;
        match self.kind {
            FindingKind::Missing => {
                format!("wait if it is new, else `sekisho load {object} --to URL`")
            }
            FindingKind::Unbalanced | FindingKind::Gapped => format!(
                "its messages come back by themselves or with `sekisho replay`; else `sekisho load {object} --to URL`, which doubles nothing"
            ),
            FindingKind::Raw => {
                format!("fix or add its parser, then `sekisho reload {object} --outcome raw`")
            }
            FindingKind::Quarantined => {
                "remove the reason that the quarantine entry names, then `sekisho replay --quarantine`"
                    .to_owned()
            }
        }
    }
}

/// Walks the slices of each object from its start to its end and tells what is wrong, in the order of `objects`; an object may have several findings.
///
/// Slices may overlap: two attempts at once may have stopped at different ends.
///
/// # Errors
/// When the ledger cannot be asked.
pub async fn audit(
    ledger: &dyn Ledger,
    objects: &[ListedObject],
) -> Result<Vec<Finding>, LedgerError> {
    let mut walks: Vec<Walk<'_>> = objects.iter().map(Walk::new).collect();
    loop {
        let mut open: Vec<_> = walks.iter_mut().filter(|walk| walk.at.is_some()).collect();
        if open.is_empty() {
            break;
        }
        for group in open.chunks_mut(KEYS_PER_FIND) {
            let keys: Vec<_> = group.iter().map(|walk| walk.key()).collect();
            let found = ledger.find(&keys).await?;
            // A short answer must not walk in circles.
            let found = found.into_iter().chain(std::iter::repeat(None));
            for (walk, entry) in group.iter_mut().zip(found) {
                walk.step(entry);
            }
        }
    }
    Ok(walks.into_iter().flat_map(Walk::findings).collect())
}

/// Gives the objects whose slices are all done up to the object's end, whatever became of single records.
///
/// # Errors
/// When the ledger cannot be asked.
pub async fn finished(
    ledger: &dyn Ledger,
    objects: &[ListedObject],
) -> Result<HashSet<ListedObject>, LedgerError> {
    let mut finished: HashSet<_> = objects.iter().cloned().collect();
    for finding in audit(ledger, objects).await? {
        if finding.kind.is_incomplete() {
            finished.remove(&finding.object);
        }
    }
    Ok(finished)
}

/// One object on its way from slice to slice.
struct Walk<'o> {
    object: &'o ListedObject,
    /// Where the next slice starts; `None` at the end.
    at: Option<u64>,
    /// What the slice before said about what follows it.
    next: Option<Next>,
    /// What ended the walk early.
    stopped: Option<(FindingKind, String)>,
    raw: u64,
    quarantined: u64,
    cut: Option<String>,
}

impl<'o> Walk<'o> {
    fn new(object: &'o ListedObject) -> Self {
        Self {
            object,
            at: Some(0),
            next: None,
            stopped: None,
            raw: 0,
            quarantined: 0,
            cut: None,
        }
    }

    fn key(&self) -> SliceKey {
        self.object.slice(self.at.unwrap_or_default())
    }

    fn step(&mut self, entry: Option<LedgerEntry>) {
        let Some(at) = self.at.take() else {
            return;
        };
        let Some(entry) = entry.filter(|entry| self.is_of(entry)) else {
            self.stopped = Some(self.nothing_at(at));
            return;
        };
        self.raw += entry.raw_seen.max(entry.highest.raw);
        self.quarantined += entry.highest.quarantined;
        self.cut = self.cut.take().or_else(|| entry.cut.clone());
        if !entry.closed {
            self.stopped = Some((FindingKind::Unbalanced, unfinished(&entry)));
        } else if !entry.eof && entry.end <= at {
            let detail = format!("the slice at byte {at} ends where it starts");
            self.stopped = Some((FindingKind::Gapped, detail));
        } else if !entry.eof {
            self.at = Some(entry.end);
            self.next = entry.next;
        }
    }

    /// A file has no ETag that would tell it from an earlier version of itself.
    fn is_of(&self, entry: &LedgerEntry) -> bool {
        self.object.etag.is_some() || entry.last_modified == self.object.last_modified
    }

    fn nothing_at(&self, at: u64) -> (FindingKind, String) {
        if at == 0 {
            let detail = "the ledger has no entry of this object and ETag".to_owned();
            return (FindingKind::Missing, detail);
        }
        let why = match self.next {
            Some(Next::Pending) => "the message for it was not sent",
            Some(Next::Sent) => "the message for it is on its way, dead-lettered or lost",
            None => "it is the part of another message",
        };
        (
            FindingKind::Gapped,
            format!("nothing starts at byte {at}: {why}"),
        )
    }

    fn findings(self) -> Vec<Finding> {
        let Self {
            object,
            stopped,
            raw,
            quarantined,
            cut,
            ..
        } = self;
        let mut findings: Vec<_> = stopped.into_iter().collect();
        if raw > 0 {
            findings.push((FindingKind::Raw, format!("{raw} records did not parse")));
        }
        if let Some(cut) = cut {
            let detail = format!("{quarantined} records; the rest of the object: {cut}");
            findings.push((FindingKind::Quarantined, detail));
        } else if quarantined > 0 {
            let detail = format!("{quarantined} records could not be indexed");
            findings.push((FindingKind::Quarantined, detail));
        }
        let finding = |(kind, detail)| Finding {
            object: object.clone(),
            kind,
            detail,
        };
        findings.into_iter().map(finding).collect()
    }
}

fn unfinished(entry: &LedgerEntry) -> String {
    let (start, attempts, books) = (entry.start, entry.attempts, &entry.last);
    match &entry.error {
        Some(error) => {
            format!("the slice at byte {start} is not finished after {attempts} attempts: {error}")
        }
        None => format!("the books of the slice at byte {start} do not balance: {books}"),
    }
}

#[cfg(test)]
mod tests;
