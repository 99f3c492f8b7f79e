//! Why an object could not be finished.

use std::sync::Arc;

use sekisho_bulk::BulkError;
use sekisho_object::ObjectError;
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
    /// The bytes stopped coming before the first record.
    #[error("cannot read the first bytes of `{object}`")]
    Head {
        /// Its address.
        object: String,
        /// Why.
        #[source]
        source: std::io::Error,
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
    /// The code that worked on the object panicked.
    #[error("a bug stopped the work on `{object}`: {message}")]
    Panicked {
        /// Its address.
        object: String,
        /// What the panic said.
        message: String,
    },
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
