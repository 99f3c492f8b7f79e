//! What can go wrong with the ledger.

use std::sync::Arc;

use sekisho_bulk::BulkError;

/// Why the ledger could not be asked or written.
/// One request carries many slices, so each of them gets its own copy.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The cluster did not answer.
    #[error("cannot reach the ledger")]
    Unreachable(#[source] Arc<BulkError>),
    /// The cluster refused.
    #[error("the ledger refused `{call}` with {status}: {reason}")]
    Refused {
        /// What was asked.
        call: String,
        /// The HTTP status, or that of the item.
        status: u16,
        /// What the cluster said, with the remedy.
        reason: String,
    },
    /// Others wrote the same entry each time between read and write.
    #[error(
        "the ledger entry `{id}` changed {attempts} times while it was written; it is tried again"
    )]
    Contended {
        /// The entry.
        id: String,
        /// How often it was tried.
        attempts: u32,
    },
}
