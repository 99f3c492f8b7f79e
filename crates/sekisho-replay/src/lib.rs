//! Takes dead-lettered messages and sends them back when what failed them has passed; what failed for its own fault too often is parked with its cause in words.
//!
//! [`Replay::run`] is the one code behind the scheduled Lambda and `sekisho replay`; [`QuarantineReplay`] does the same for single records.
//! The DLQ says nothing about a cause: it is found by the failure note that ingest wrote and by asking the store for the object.
//!
//! **Invariant:** a message is sent or parked first and deleted afterwards; an outage never raises its replay count; while the cluster cannot take writes nothing is sent.

mod cause;
mod cluster;
mod error;
mod fate;
mod inspect;
mod letter;
mod log;
mod numbers;
mod outbox;
mod parked;
mod quarantine;
mod replay;
mod report;
mod returning;
mod scheduled;
mod settings;
#[cfg(test)]
mod world;

pub use cause::Cause;
pub use cluster::ClusterState;
pub use error::ReplayError;
pub use parked::{ParkedMessage, Shelf};
pub use quarantine::{QuarantineReplay, QuarantineReport};
pub use replay::{Mode, OnParked, Replay, ReplayOptions, ReplayParts};
pub use report::{End, ReplayReport, Row};
pub use scheduled::{Scheduled, wire};
pub use settings::ReplaySettings;
