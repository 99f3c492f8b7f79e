//! What every function of Sekisho needs of Lambda: JSON logging, the deadline, metrics.
//!
//! **Invariant:** a line on standard output is one JSON object: a log line, or a batch's numbers in CloudWatch's embedded metric format.
//! An installation has a bounded number of metrics, whatever its logs contain.

mod deadline;
mod emf;
mod log;
mod metric;
mod metrics;
mod numbers;

pub use deadline::deadline;
pub use emf::{NAMESPACE, OTHER};
pub use log::{invocation, refused, start_logging};
pub use metric::{Dimensions, Function, Metric, Shape, Unit};
pub use metrics::{LineSink, Metrics};
pub use numbers::Numbers;
