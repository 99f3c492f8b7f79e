//! [`Discard`]: takes everything and keeps nothing, for counting and measuring.

use async_trait::async_trait;
use sekisho_bulk::{BulkBatch, BulkError, Destination, Verdict};
use sekisho_pipeline::{Quarantine, QuarantineEntry, QuarantineError};

/// Takes everything and keeps nothing.
pub(crate) struct Discard;

#[async_trait]
impl Destination for Discard {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        Ok(vec![Verdict::Indexed; batch.items.len()])
    }
}

#[async_trait]
impl Quarantine for Discard {
    async fn put(&self, _: QuarantineEntry) -> Result<(), QuarantineError> {
        Ok(())
    }
}
