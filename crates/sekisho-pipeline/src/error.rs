//! Why an object could not be finished.

use std::sync::Arc;

use sekisho_bulk::{self as bulk, BulkError};
use sekisho_ledger::LedgerError;
use sekisho_object::{self as object, ObjectError};
use sekisho_parser::ParserError;
use sekisho_record::RecordError;

use crate::Books;

/// Why one object could not be finished now; its message goes back to the queue.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The store did not give the object.
    #[error("cannot open `{object}`")]
    Open {
        /// Its address.
        object: String,
        /// Why.
        #[source]
        source: ObjectError,
    },
    /// The bytes stopped coming.
    #[error("cannot read `{object}`")]
    Read {
        /// Its address.
        object: String,
        /// Why.
        #[source]
        source: RecordError,
    },
    /// The parser of this key cannot be used.
    #[error("no plan for `{object}`")]
    Plan {
        /// Its address.
        object: String,
        /// Why.
        #[source]
        source: ParserError,
    },
    /// The destination did not take a bulk request.
    #[error("cannot write documents of `{object}`")]
    Write {
        /// Its address.
        object: String,
        /// Why; shared by all objects of the request.
        #[source]
        source: Arc<BulkError>,
    },
    /// The destination refused a document for its own state, not for the document's.
    #[error("the destination refused the record at byte `{offset}` of `{object}`: {reason}")]
    Refused {
        /// Its address.
        object: String,
        /// The first such record.
        offset: u64,
        /// What the destination said.
        reason: String,
    },
    /// The destination had no room, or gave no answer, until the retry budget ended.
    #[error("the destination did not take the record at byte `{offset}` of `{object}`: {reason}")]
    Rejected {
        /// Its address.
        object: String,
        /// The first such record.
        offset: u64,
        /// What the destination said.
        reason: String,
    },
    /// The destination answered for another number of documents than it was sent.
    #[error(
        "the destination gave {verdicts} verdicts for {documents} documents of a request with `{object}`"
    )]
    Verdicts {
        /// Its address.
        object: String,
        /// How many documents were sent.
        documents: usize,
        /// How many verdicts came.
        verdicts: usize,
    },
    /// A record that cannot be indexed could not be kept either.
    #[error("cannot quarantine the record at byte `{offset}` of `{object}`")]
    Quarantine {
        /// Its address.
        object: String,
        /// The record.
        offset: u64,
        /// Why.
        #[source]
        source: QuarantineError,
    },
    /// Records and outcomes differ.
    #[error("the books of `{object}` do not balance: {books}")]
    Unbalanced {
        /// Its address.
        object: String,
        /// Both sides of the sum.
        books: Books,
    },
    /// The ledger could not be asked or written.
    #[error("cannot close the books of `{object}`")]
    Ledger {
        /// Its address.
        object: String,
        /// Why.
        #[source]
        source: LedgerError,
    },
    /// The message for the rest of the object could not be sent.
    #[error("cannot send on the rest of `{object}` behind byte `{offset}`")]
    Continuation {
        /// Its address.
        object: String,
        /// Where the rest begins.
        offset: u64,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The object needs a continuation, and there is no queue for it.
    #[error(
        "`{object}` is not finished at byte `{offset}` and there is no queue for the rest; set `queue.url`, or give the function more time"
    )]
    NoQueue {
        /// Its address.
        object: String,
        /// Where the rest begins.
        offset: u64,
    },
    /// The time was up before the first record of the slice.
    #[error(
        "no progress on `{object}`: the time was up at byte `{reached}`, before the first record of the slice from byte `{start}` on; give the function more time or memory"
    )]
    NoProgress {
        /// Its address.
        object: String,
        /// Where the slice starts.
        start: u64,
        /// How far the stream was read.
        reached: u64,
    },
    /// The parser cuts or names records otherwise than when the slices before this one were read.
    #[error(
        "the rules of `{parser}` changed since the slices of `{object}` before byte `{start}` were read; run `sekisho reload {object}`"
    )]
    RulesChanged {
        /// Its address.
        object: String,
        /// Where the slice starts.
        start: u64,
        /// What parses it now.
        parser: String,
    },
    /// The time was up.
    #[error("the time was up before `{object}` was finished; it is read again")]
    TimeUp {
        /// Its address.
        object: String,
    },
    /// The destination takes nothing at all, so the object was not begun.
    #[error("`{object}` was not read since the destination takes nothing: {reason}")]
    Refusing {
        /// Its address.
        object: String,
        /// What the destination said.
        reason: String,
    },
    /// The code that worked on the object panicked.
    #[error("a bug stopped the work on `{object}`: {message}")]
    Panicked {
        /// Its address.
        object: String,
        /// What the panic said.
        message: String,
    },
}

/// Whose fault a failure is, which decides what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// Nobody's: the same read may succeed later.
    Transient,
    /// A permission or setting that somebody has to grant or change.
    Permission,
    /// The object is gone.
    Missing,
    /// The cluster or the installation refuses, whatever the object.
    State,
    /// The object's, with the settings and the parser as they are.
    Object,
    /// Ours.
    Bug,
}

impl FailureClass {
    /// Gives the word for logs and notes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Permission => "permission",
            Self::Missing => "missing",
            Self::State => "state",
            Self::Object => "object",
            Self::Bug => "bug",
        }
    }
}

impl PipelineError {
    /// Says whose fault it is.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Open { source, .. } => match source.class() {
                object::ErrorClass::Retry => FailureClass::Transient,
                object::ErrorClass::Permission => FailureClass::Permission,
                object::ErrorClass::Missing => FailureClass::Missing,
                // Such an object is finished with a reason; only its reader could say it here.
                object::ErrorClass::Superseded | object::ErrorClass::Corrupt => FailureClass::Bug,
            },
            Self::Write { source, .. } => match source.class() {
                bulk::ErrorClass::Retry => FailureClass::Transient,
                bulk::ErrorClass::State => FailureClass::State,
                bulk::ErrorClass::Document => FailureClass::Bug,
            },
            Self::Ledger { source, .. } => match source {
                LedgerError::Unreachable(_) | LedgerError::Contended { .. } => {
                    FailureClass::Transient
                }
                LedgerError::Refused { .. } | LedgerError::Malformed { .. } => FailureClass::State,
            },
            Self::Read { .. }
            | Self::Rejected { .. }
            | Self::Continuation { .. }
            | Self::TimeUp { .. } => FailureClass::Transient,
            Self::Plan { .. }
            | Self::Refused { .. }
            | Self::Refusing { .. }
            | Self::Quarantine { .. } => FailureClass::State,
            Self::NoQueue { .. } | Self::NoProgress { .. } | Self::RulesChanged { .. } => {
                FailureClass::Object
            }
            Self::Verdicts { .. } | Self::Unbalanced { .. } | Self::Panicked { .. } => {
                FailureClass::Bug
            }
        }
    }
}

/// Why an entry could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum QuarantineError {
    /// The installation has no quarantine.
    #[error("there is no quarantine; set `quarantine.bucket`")]
    None,
    /// Its store refused.
    #[error("cannot write to the quarantine")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}
