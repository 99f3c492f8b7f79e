//! What can go wrong with a reload, beside what goes wrong with an object.

use sekisho_bulk::BulkError;
use sekisho_ledger::LedgerError;
use sekisho_object::ObjectError;

/// Why a reload is not finished: what it replaced stays replaced, and the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// Nobody says which bytes the object has.
    #[error("cannot find `{object}`")]
    Head {
        /// Its address.
        object: String,
        /// Why.
        #[source]
        source: ObjectError,
    },
    /// The documents that are there could not be looked up.
    #[error("cannot find the documents of before; run `sekisho reload` again")]
    LookUp(#[source] BulkError),
    /// The old documents could not be looked up behind the new ones.
    #[error("cannot find the old documents of `{object}`; run `sekisho reload` again")]
    Sweep {
        /// Its address.
        object: String,
        /// Why.
        #[source]
        source: BulkError,
    },
    /// Searches could not be made to show what was written.
    #[error(
        "cannot find the old documents of `{object}` behind the new ones: {reason}; run `sekisho reload` again"
    )]
    Unseen {
        /// Its address.
        object: String,
        /// Why.
        reason: String,
    },
    /// An old document could not be deleted.
    #[error(
        "cannot delete the old document `{id}` of `{index}`, which is replaced: {status} {reason}; remove the reason and run `sekisho reload` again"
    )]
    Delete {
        /// The `_index`.
        index: String,
        /// The `_id`.
        id: String,
        /// The item's status.
        status: u16,
        /// What the cluster said.
        reason: String,
    },
    /// The new books could not be written.
    #[error("cannot close the books of `{object}`; run `sekisho reload` again")]
    Ledger {
        /// Its address.
        object: String,
        /// Why.
        #[source]
        source: LedgerError,
    },
}
