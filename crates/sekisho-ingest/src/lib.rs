//! The ingest Lambda as a library: a batch of SQS messages (or one S3 notification) in, documents in OpenSearch, and the ids of the messages that failed out.
//!
//! **Invariant:** an answer holds exact message ids or is an error; it is never null and never an empty id.
//! A message that failed leaves a note in the quarantine bucket; one without a note took its process with it.

mod batch;
mod brake;
mod gate;
mod ingest;
mod log;
mod notes;
mod returns;
mod start;
mod suspects;
mod tally;

pub use brake::BrakeSettings;
pub use gate::Gate;
pub use ingest::{Ingest, IngestSettings, Parts};
pub use start::start;
