//! What surrounds the pipeline: [`Queue`]s of messages, [`Files`] in the quarantine bucket, and the [`FailureNote`]s that say why a message failed, which SQS itself forgets.
//!
//! **Invariant:** nothing here knows AWS or OpenSearch; a note's name is a pure function of the object and the message.

mod continuations;
mod error;
mod files;
mod note;
mod queue;

pub use continuations::QueueContinuations;
pub use error::DeliveryError;
pub use files::{Files, NoFiles, Page};
pub use note::{CauseClass, FailureNote, NoteKey};
pub use queue::{Outgoing, Queue, Received};
