//! [`PipelineSettings`] and [`Clock`].

use chrono::{DateTime, Utc};
use sekisho_bulk::WriteMode;
use tokio::time::Instant;

/// What bounds a run.
#[derive(Debug, Clone)]
pub struct PipelineSettings {
    /// How many objects are read at once.
    pub objects_in_flight: usize,
    /// How many bytes of documents, and of the records that they came from, may wait in memory over all objects.
    ///
    /// Beside it each object in flight holds one chunk under construction and the window of its framer.
    pub buffered_bytes: usize,
    /// When a chunk of an object goes to the batcher, in bytes of documents.
    pub chunk_bytes: usize,
    /// When the gathered chunks become one bulk request, in bytes of documents.
    pub max_bulk_bytes: usize,
    /// How many bulk requests may be under way.
    pub bulks_in_flight: usize,
    /// How long the batcher waits for more, in milliseconds, before it sends what it has.
    pub linger_ms: u64,
    /// How many reasons of one object a report keeps.
    pub max_reasons: usize,
    /// Plain lines larger than this many bytes are cut into slices of this size, for as many invocations; 0 for never.
    pub split_bytes: u64,
    /// Where objects are read.
    pub reading: Reading,
    /// Whether documents are created or replaced: only a reload replaces.
    pub write_mode: WriteMode,
}

/// Where objects are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reading {
    /// Each on a thread that may block: what bytes of a network need.
    #[default]
    OwnThread,
    /// On the task itself, for bodies that never block: everything then runs on one thread, under a clock that a test moves.
    Inline,
}

/// How much time a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeLimit {
    /// When to stop reading: what is left then becomes a continuation.
    pub stop_at: Option<Instant>,
    /// When to give up what is not finished.
    pub give_up_at: Option<Instant>,
}

impl Default for PipelineSettings {
    fn default() -> Self {
        Self {
            objects_in_flight: 8,
            buffered_bytes: 48 << 20,
            // Small enough that several objects share a request, large enough that the hand-over costs nothing.
            chunk_bytes: 256 << 10,
            max_bulk_bytes: 5 << 20,
            bulks_in_flight: 4,
            linger_ms: 500,
            max_reasons: 20,
            split_bytes: 0,
            reading: Reading::OwnThread,
            write_mode: WriteMode::Create,
        }
    }
}

/// Tells the time, for durations in reports; nothing of a document depends on it.
pub trait Clock: Send + Sync {
    /// The time.
    fn now(&self) -> DateTime<Utc>;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one clock of the pipeline")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
