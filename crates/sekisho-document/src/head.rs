//! [`DocumentHead`]: what a bulk item needs to know of a document besides its body.

use std::sync::Arc;

use crate::DocumentId;

/// `_id`, `_index` and the place where `event.ingested` goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentHead {
    /// The `_id`.
    pub id: DocumentId,
    /// The `_index`, with prefix and day.
    pub index: Arc<str>,
    /// Offset in the body just before the closing brace of `event`, where the bulk splices `,"ingested":"…"`.
    ///
    /// The time of ingestion is no part of the identity, so the body is made without it.
    pub ingested_at: usize,
}
