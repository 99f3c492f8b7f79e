//! An installation in memory: store, queue, bucket, cluster and clock, which outlive the processes that use them and fail on demand.
//!
//! State is plain and lies behind a mutex; each call asks a [`Chaos`] before and after its effect.

mod chaos;
mod clock;
mod files;
mod opensearch;
mod queue;
mod store;

pub use chaos::{Call, Calm, Chaos, Failure, Fault, Gate, ItemFault, Moment, Place};
pub use clock::FakeClock;
pub use files::FakeFiles;
pub use opensearch::{Answered, Document, FakeOpenSearch, Rule, Symptom};
pub use queue::{Batch, FakeQueue, QueueSettings, Waiting};
pub use store::{FakeStore, Version};
