//! What can go wrong with the ledger.

use std::sync::Arc;

use sekisho_bulk::{BulkError, ErrorClass};

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
    /// Something else wrote into the ledger's index.
    #[error("the ledger entry `{id}` of `{index}` cannot be read: {reason}; delete it")]
    Malformed {
        /// The index.
        index: String,
        /// The entry.
        id: String,
        /// Why.
        reason: String,
    },
}

impl LedgerError {
    /// Decides between retry and state fault; documents are never at fault.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unreachable(error) => match error.class() {
                ErrorClass::Retry => ErrorClass::Retry,
                ErrorClass::Document | ErrorClass::State => ErrorClass::State,
            },
            Self::Refused { status, .. } => match status {
                429 | 502..=504 => ErrorClass::Retry,
                _ => ErrorClass::State,
            },
            Self::Contended { .. } => ErrorClass::Retry,
            Self::Malformed { .. } => ErrorClass::State,
        }
    }
}
