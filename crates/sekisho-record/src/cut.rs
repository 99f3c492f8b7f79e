//! What the framers say: where a frame begins and ends, as offsets, before the bytes are borrowed.

use std::sync::Arc;

use crate::frame::{Columns, FaultReason, Skip};

/// How many bytes before the scan position always stay in the window.
///
/// A framer may look back (and step back) less than this far, whatever the chunking and however long the record.
pub(crate) const LOOKBACK: u64 = 1024;

/// One frame as offsets.
#[derive(Debug)]
pub(crate) enum Cut {
    Record {
        start: u64,
        end: u64,
        columns: Option<Arc<Columns>>,
    },
    Fault {
        start: u64,
        end: u64,
        reason: FaultReason,
        /// No boundary ends it: the object does.
        open: bool,
    },
    Skipped(Skip),
}

/// What one call of a framer gives.
#[derive(Debug)]
pub(crate) enum Step {
    /// A frame.
    Cut(Cut),
    /// All bytes in the window are used up.
    More,
}
