//! [`Discard`]: takes everything and keeps nothing, for counting and measuring.

use std::time::Duration;

use async_trait::async_trait;
use sekisho_bulk::{BulkBatch, BulkError, Destination, Verdict};
use sekisho_pipeline::{Quarantine, QuarantineEntry, QuarantineError};

/// Takes everything and keeps nothing.
#[derive(Default)]
pub(crate) struct Discard {
    /// How long each request takes, as if there were a cluster.
    pub(crate) latency: Duration,
}

#[async_trait]
impl Destination for Discard {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        tokio::time::sleep(self.latency).await;
        Ok(vec![Verdict::Indexed; batch.items.len()])
    }
}

#[async_trait]
impl Quarantine for Discard {
    async fn put(&self, _: QuarantineEntry) -> Result<(), QuarantineError> {
        Ok(())
    }
}
