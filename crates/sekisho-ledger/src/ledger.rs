//! [`Ledger`]: where entries are kept.

use async_trait::async_trait;

use crate::{Attempt, LedgerEntry, LedgerError, SliceKey};

/// Keeps one entry per object slice.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Looks entries up by their keys, in real time: what [`Ledger::record`] gave back is found.
    ///
    /// # Errors
    /// When the ledger cannot be asked.
    async fn find(&self, keys: &[SliceKey]) -> Result<Vec<Option<LedgerEntry>>, LedgerError>;

    /// Adds an attempt to the entry of its slice and gives the entry as it now is; it is durable then.
    ///
    /// Many callers at once share requests.
    ///
    /// # Errors
    /// When it cannot be written: a slice whose books are not in the ledger is not finished.
    async fn record(&self, attempt: Attempt) -> Result<LedgerEntry, LedgerError>;

    /// Notes that the messages for what lies behind `end` of a slice are sent: [`Next::Sent`](crate::Next::Sent).
    ///
    /// `end` is that of the attempt which sent them; another attempt may have noted another end since.
    ///
    /// # Errors
    /// When it cannot be written; then they are sent again when the slice's message returns.
    async fn sent(&self, slice: &SliceKey, end: u64) -> Result<(), LedgerError>;

    /// Notes, with the first slice of an object, that the messages for all its slices from `at` on are sent: [`LedgerEntry::divided_at`].
    ///
    /// # Errors
    /// When it cannot be written; then they are sent again when the object's message returns.
    async fn divided(&self, first: &SliceKey, at: u64) -> Result<(), LedgerError>;
}

/// The ledger of a run that has none, like a load into a folder: nothing is found, and everything counts as recorded.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLedger;

#[async_trait]
impl Ledger for NoLedger {
    async fn find(&self, keys: &[SliceKey]) -> Result<Vec<Option<LedgerEntry>>, LedgerError> {
        Ok(vec![None; keys.len()])
    }

    async fn record(&self, attempt: Attempt) -> Result<LedgerEntry, LedgerError> {
        Ok(LedgerEntry::default().with(attempt))
    }

    async fn sent(&self, _: &SliceKey, _: u64) -> Result<(), LedgerError> {
        Ok(())
    }

    async fn divided(&self, _: &SliceKey, _: u64) -> Result<(), LedgerError> {
        Ok(())
    }
}
