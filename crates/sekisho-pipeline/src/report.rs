//! [`ObjectReport`]: how one object ended.

use chrono::{DateTime, Utc};
use sekisho_event::ObjectRef;
use sekisho_ledger::Next;
use serde::Serialize;

use crate::{Books, PipelineError};

/// How one object ended.
#[derive(Debug)]
pub struct ObjectReport {
    /// The object.
    pub object: ObjectRef,
    /// What parsed it; `None` where that was never decided.
    pub dataset: Option<String>,
    /// Its records and their outcomes.
    pub books: Books,
    /// Where the slice began: 0 for a whole object.
    pub start: u64,
    /// Where the next slice begins; where the object ended, at its end.
    pub end: u64,
    /// Whether the object was read to its end.
    pub eof: bool,
    /// What follows behind `end`, where something does.
    pub next: Option<Next>,
    /// Documents that were sent as raw and are in the index now, whoever put them there.
    pub raw_seen: u64,
    /// Decompressed bytes read.
    pub bytes: u64,
    /// The first reasons why records were not indexed as they should.
    pub reasons: Vec<Reason>,
    /// The newest time that a record said of itself.
    pub newest: Option<DateTime<Utc>>,
    /// Why the object could not be read to its end although it is finished: reading it again gives the same.
    pub cut: Option<Reason>,
    /// Why the object was not read at all although it is finished, such as a key that is no log.
    pub ignored: Option<String>,
    /// Why the object is not finished; it has to be read again.
    pub error: Option<PipelineError>,
    /// When its reading began.
    pub started: DateTime<Utc>,
    /// When its last record was settled.
    pub ended: DateTime<Utc>,
}

/// Why a record, or the rest of an object, did not become the document that it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Where, in the decompressed stream.
    pub offset: u64,
    /// Why, for people.
    pub reason: String,
}

impl ObjectReport {
    /// Begins the report of an object.
    pub(crate) fn new(object: ObjectRef, started: DateTime<Utc>) -> Self {
        Self {
            object,
            dataset: None,
            books: Books::default(),
            start: 0,
            end: 0,
            eof: false,
            next: None,
            raw_seen: 0,
            bytes: 0,
            reasons: Vec::new(),
            newest: None,
            cut: None,
            ignored: None,
            error: None,
            started,
            ended: started,
        }
    }

    /// Tells whether every record was accounted for and nothing was left raw, quarantined or unread.
    pub fn clean(&self) -> bool {
        self.error.is_none()
            && self.cut.is_none()
            && self.books.raw == 0
            && self.books.quarantined == 0
    }
}
