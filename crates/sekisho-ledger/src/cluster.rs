//! [`ClusterLedger`]: entries as documents of the cluster.

mod find;
mod patience;
mod record;
mod shelf;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sekisho_bulk::ClusterApi;

use crate::group::Grouping;
use crate::{Attempt, Ledger, LedgerEntry, LedgerError, SliceKey};

use find::Finder;
use record::{Change, Recorder};
use shelf::Shelf;

/// Long enough to meet the others of a batch, short against one request.
const LINGER: Duration = Duration::from_millis(5);
/// Callers of one group: an entry has about a kilobyte.
const GROUP: usize = 500;

/// Keeps entries in `<prefix>sekisho-ledger-YYYY.MM.DD`.
///
/// Concurrent callers share requests, and an entry is only written over the state that was read: attempts of many processes at one slice all count.
pub struct ClusterLedger {
    records: Grouping<Recorder>,
    finds: Grouping<Finder>,
}

impl ClusterLedger {
    /// Takes the cluster and the installation's index prefix.
    pub fn new(api: Arc<dyn ClusterApi>, prefix: impl Into<String>) -> Self {
        let shelf = Arc::new(Shelf::new(api, prefix.into()));
        Self {
            records: Grouping::new(Recorder::new(Arc::clone(&shelf)), LINGER, GROUP),
            finds: Grouping::new(Finder::new(shelf), LINGER, GROUP),
        }
    }
}

#[async_trait]
impl Ledger for ClusterLedger {
    async fn find(&self, keys: &[SliceKey]) -> Result<Vec<Option<LedgerEntry>>, LedgerError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.finds.submit(keys.to_vec()).await
    }

    async fn record(&self, attempt: Attempt) -> Result<LedgerEntry, LedgerError> {
        let change = Change::Attempt(Box::new(attempt));
        self.records.submit(change.into()).await
    }

    async fn sent(&self, slice: &SliceKey, end: u64) -> Result<(), LedgerError> {
        let slice = slice.clone();
        let change = Change::Sent { slice, end };
        self.records.submit(change.into()).await.map(drop)
    }

    async fn divided(&self, first: &SliceKey, at: u64) -> Result<(), LedgerError> {
        let first = first.clone();
        let change = Change::Divided { first, at };
        self.records.submit(change.into()).await.map(drop)
    }
}

#[cfg(test)]
mod tests;
