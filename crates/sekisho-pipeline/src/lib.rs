//! Takes a list of objects and gives one report each: opens, decompresses, frames, parses, writes in bulk, and settles every record.
//!
//! Each object is read by one blocking thread, whole or by slices that chain through continuations; objects share bulk requests; what waits in memory is bounded by [`PipelineSettings::buffered_bytes`].
//!
//! **Invariant:** an object's books balance (`records = indexed + raw + duplicate + excluded + quarantined`) or the object has failed; nothing here knows AWS, OpenSearch or a parser by name.

mod batcher;
mod buffers;
mod chunk;
mod closing;
mod configure;
mod continuations;
mod error;
mod learnt;
mod object_reader;
mod object_run;
mod parts;
mod pipeline;
mod progress;
mod quarantine;
mod report;
mod run_state;
mod settings;
mod settle;
mod source;
mod summary;

pub use configure::{bulk_settings, object_limits, parser_settings};
pub use continuations::Continuations;
pub use error::{FailureClass, PipelineError, QuarantineError};
pub use object_reader::{ObjectReader, Parsed, Step};
pub use pipeline::{Pipeline, Stages, Work};
pub use progress::{Progress, ProgressSnapshot};
pub use quarantine::{Digest, NoQuarantine, Quarantine, QuarantineEntry};
pub use report::{ObjectReport, Reason};
/// The counts of one object or slice; their home is the ledger.
pub use sekisho_ledger::Books;
pub use settings::{Clock, PipelineSettings, Reading, SystemClock, TimeLimit};
pub use summary::{SourceSummary, Summary};
