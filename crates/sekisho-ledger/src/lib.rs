//! The ledger: one document per object slice, in `sekisho-ledger-YYYY.MM.DD` by LastModified, that says how its records ended.
//!
//! [`Books`] are the counts of one attempt, a [`LedgerEntry`] is what all attempts at a slice left; slices of an object chain from offset 0 up to `eof`.
//!
//! **Invariant:** the id of an entry is a pure function of bucket, key, ETag and start offset; counts never fall, whatever attempts follow (only a reload, which replaces documents, starts them anew).

mod audit;
mod books;
mod cluster;
mod entry;
mod error;
mod group;
mod ledger;

pub use audit::{Finding, FindingKind, ListedObject, audit, finished};
pub use books::Books;
pub use cluster::ClusterLedger;
pub use entry::{Attempt, LedgerEntry, Next, Outcomes, SliceKey};
pub use error::LedgerError;
pub use ledger::{Ledger, NoLedger};
