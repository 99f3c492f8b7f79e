//! [`HeldLedger`]: keeps the books of finished objects back until their old documents are gone.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sekisho_event::ObjectRef;
use sekisho_ledger::{Attempt, Ledger, LedgerEntry, LedgerError, SliceKey};

/// A ledger in which an object looks as before until it is swept.
///
/// Else a reload that stops between the two would leave raw documents that the ledger knows nothing of, and the next `--outcome raw` would not find the object.
pub(crate) struct HeldLedger {
    ledger: Arc<dyn Ledger>,
    held: Mutex<Vec<Attempt>>,
}

impl HeldLedger {
    pub(crate) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self {
            ledger,
            held: Mutex::default(),
        }
    }

    /// Gives the attempt that finished an object.
    pub(crate) fn take(&self, object: &ObjectRef) -> Option<Attempt> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let at = held.iter().position(|attempt| {
            let SliceKey {
                bucket, key, etag, ..
            } = &attempt.slice;
            *bucket == object.bucket && *key == object.key && *etag == object.etag
        })?;
        Some(held.swap_remove(at))
    }
}

#[async_trait]
impl Ledger for HeldLedger {
    async fn find(&self, keys: &[SliceKey]) -> Result<Vec<Option<LedgerEntry>>, LedgerError> {
        self.ledger.find(keys).await
    }

    async fn record(&self, attempt: Attempt) -> Result<LedgerEntry, LedgerError> {
        if attempt.error.is_some() {
            return self.ledger.record(attempt).await;
        }
        let entry = LedgerEntry::default().with(attempt.clone());
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.push(attempt);
        Ok(entry)
    }

    async fn sent(&self, slice: &SliceKey, end: u64) -> Result<(), LedgerError> {
        self.ledger.sent(slice, end).await
    }

    async fn divided(&self, first: &SliceKey, at: u64) -> Result<(), LedgerError> {
        self.ledger.divided(first, at).await
    }
}
