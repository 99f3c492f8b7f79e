//! What every function of Sekisho needs of Lambda: JSON logging and the deadline.
//!
//! **Invariant:** a log line is one JSON object on standard output, which Lambda keeps.

mod deadline;
mod log;

pub use deadline::deadline;
pub use log::{refused, start_logging};
