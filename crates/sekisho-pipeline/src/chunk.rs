//! [`Chunk`]: some documents of one object on their way to a bulk request, and what is needed if one is refused.
//!
//! The bytes of every record under way are kept beside its document until the verdict: a document that the cluster refuses is made again as raw, and one that is refused even so goes to quarantine with its bytes.
//! Reading the object a second time instead would need no such copy, but the object may be gone or changed by then, and one refused document in a 10 GB object would cost 10 GB.

use std::ops::Range;
use std::sync::Arc;

use sekisho_bulk::{BulkBatch, BulkError, BulkItem, Verdict};
use sekisho_document::DocumentHead;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::buffers::{Buffer, Buffers};
use crate::parts::PartId;

/// The unit of the budget: permits of a semaphore are 32 bits wide.
pub(crate) const BUDGET_UNIT: usize = 1 << 10;

/// What a full chunk may hold over its size, in bytes: its last record seldom ends where it is full.
pub(crate) const OVERHANG: usize = 32 << 10;

/// Some documents of one object.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The documents' bodies; parsers write straight into it.
    pub(crate) documents: Buffer,
    /// The documents, in the order of their bodies.
    pub(crate) items: Vec<BulkItem>,
    /// What each of them came from.
    pub(crate) held: Vec<Held>,
    /// The bytes of those records.
    pub(crate) records: Buffer,
    object: usize,
    /// The part of the slice that its records belong to.
    pub(crate) part: PartId,
    /// The share of the budget; given back when the last record of the chunk is settled.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

/// A record whose document is under way.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) offset: u64,
    pub(crate) form: Form,
    span: Range<usize>,
}

/// Which document of a record is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Parsed,
    /// With this many fields moved out of the way.
    Repaired(u8),
    Raw,
}

/// A chunk and what became of its documents.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) chunk: Chunk,
    pub(crate) verdicts: Result<Vec<Answered>, WriteFault>,
}

/// A verdict, and the document where it may be repaired.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) verdict: Verdict,
    pub(crate) refused: Option<Refused>,
}

/// A document that the destination did not take for its own sake.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) head: DocumentHead,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    pub(crate) fn new(verdict: Verdict, item: &BulkItem, batch: &BulkBatch) -> Self {
        let repairable = matches!(verdict, Verdict::DocumentFault { field: Some(_), .. });
        let refused = batch.body(item).filter(|_| repairable && !item.raw);
        let refused = refused.map(|body| Refused {
            head: DocumentHead {
                id: item.id,
                index: Arc::clone(&item.index),
                ingested_at: item.ingested_at,
            },
            body: body.to_vec(),
        });
        Self { verdict, refused }
    }
}

/// Why a whole request failed.
#[derive(Debug, Clone)]
pub(crate) enum WriteFault {
    Bulk(Arc<BulkError>),
    Verdicts { documents: usize, verdicts: usize },
    Panicked(String),
}

/// A chunk with the way back to its object.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) chunk: Chunk,
    pub(crate) reply: mpsc::UnboundedSender<Settled>,
}

impl Chunk {
    pub(crate) fn new(object: usize, part: PartId) -> Self {
        Self {
            documents: Buffer::default(),
            items: Vec::new(),
            held: Vec::new(),
            records: Buffer::default(),
            object,
            part,
            permit: None,
        }
    }

    /// A chunk with room for what makes it full.
    pub(crate) fn with_room(object: usize, part: PartId, buffers: &Arc<Buffers>) -> Self {
        Self {
            documents: buffers.take(),
            records: buffers.take(),
            ..Self::new(object, part)
        }
    }

    /// Gives back the room that a chunk did not need.
    pub(crate) fn shrink(&mut self) {
        self.documents.shrink();
        self.records.shrink();
    }

    /// Takes note of the document that was appended to `documents` from `start` on.
    pub(crate) fn add(
        &mut self,
        head: DocumentHead,
        start: usize,
        offset: u64,
        record: &[u8],
        form: Form,
    ) {
        let from = self.records.len();
        self.records.extend_from_slice(record);
        self.held.push(Held {
            offset,
            form,
            span: from..self.records.len(),
        });
        self.items.push(BulkItem {
            id: head.id,
            index: head.index,
            ingested_at: head.ingested_at,
            body: start..self.documents.len(),
            offset,
            object: self.object,
            raw: form == Form::Raw,
        });
    }

    pub(crate) fn record(&self, held: &Held) -> &[u8] {
        self.records.get(held.span.clone()).unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Tells whether it is time to send.
    pub(crate) fn full(&self, chunk_bytes: usize) -> bool {
        self.documents.len() >= chunk_bytes || self.records.len() >= chunk_bytes
    }

    /// What the chunk takes of the budget, in [`BUDGET_UNIT`]s; never more than half of it, so that one giant record can always pass.
    pub(crate) fn weight(&self, budget: u32) -> u32 {
        let bytes = self.documents.capacity()
            + self.records.capacity()
            + self.items.capacity() * size_of::<BulkItem>()
            + self.held.capacity() * size_of::<Held>();
        u32::try_from(bytes / BUDGET_UNIT + 1)
            .unwrap_or(u32::MAX)
            .min((budget / 2).max(1))
    }
}
