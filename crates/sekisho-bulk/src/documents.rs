//! Single documents of a cluster: read by id, written one by one or many at once, found by a query.
//!
//! For what is not a stream of records: the ledger's entries, and what a reload replaces.

mod get;
mod search;
mod write;

use crate::answer::refusal;
use crate::{ApiAnswer, BulkError};

pub use get::{Found, Want, mget};
pub use search::{Hit, Search, refresh, search_page};
pub use write::{DocumentWrite, WriteAnswer, WriteOp, write_documents};

/// Gives the answer of a call that must be a 2xx.
fn accepted(call: &str, answer: ApiAnswer) -> Result<ApiAnswer, BulkError> {
    if (200..=299).contains(&answer.status) {
        return Ok(answer);
    }
    let reason = refusal(&answer.body, |complaint| match complaint.kind {
        "" => answer.excerpt(),
        kind => format!("{kind}: {}", complaint.reason),
    });
    Err(BulkError::Refused {
        call: call.to_owned(),
        status: answer.status,
        reason,
    })
}

/// Says that an answer is not of the shape that its call gives.
fn unreadable(call: &str, source: serde_json::Error) -> BulkError {
    BulkError::Unreadable {
        call: call.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
