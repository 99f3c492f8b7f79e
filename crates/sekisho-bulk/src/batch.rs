//! [`BulkBatch`]: documents of any number of objects, waiting to be written together.

use std::ops::Range;
use std::sync::Arc;

use sekisho_document::{DocumentHead, DocumentId};
use tokio::time::Instant;

/// One document of a batch, tied to the record that it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkItem {
    /// The `_id`.
    pub id: DocumentId,
    /// The `_index`.
    pub index: Arc<str>,
    /// Offset in the body just before the closing brace of `event`.
    pub ingested_at: usize,
    /// Where the body lies in [`BulkBatch::bytes`].
    pub body: Range<usize>,
    /// The record's byte offset in the decompressed object.
    pub offset: u64,
    /// The ordinal of the object in the run.
    pub object: usize,
    /// Whether this is the raw form of the record.
    pub raw: bool,
}

/// What is done where the `_id` is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WriteMode {
    /// The document there stays, and the item is a duplicate.
    #[default]
    Create,
    /// The document there is replaced: only a reload does that.
    Index,
}

/// Document bodies in one buffer, and what is known of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkBatch {
    /// Whether documents are created or replaced.
    pub mode: WriteMode,
    /// When to give up on rejected items, where that is earlier than the retry budget's end.
    pub until: Option<Instant>,
    /// The bodies; parsers write straight into it.
    pub bytes: Vec<u8>,
    /// The documents, in the order of their bodies.
    pub items: Vec<BulkItem>,
}

impl BulkBatch {
    /// Ties the body that was just written, from `start` to the end of the buffer, to its record.
    pub fn push(
        &mut self,
        head: DocumentHead,
        start: usize,
        offset: u64,
        object: usize,
        raw: bool,
    ) {
        self.items.push(BulkItem {
            id: head.id,
            index: head.index,
            ingested_at: head.ingested_at,
            body: start..self.bytes.len(),
            offset,
            object,
            raw,
        });
    }

    /// Gives the body of an item of this batch.
    pub fn body(&self, item: &BulkItem) -> Option<&[u8]> {
        self.bytes.get(item.body.clone())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Empties the batch and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
    }
}
