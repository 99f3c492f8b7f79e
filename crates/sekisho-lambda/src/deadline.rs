//! When an invocation ends.

use std::time::SystemTime;

use lambda_runtime::Context;
use tokio::time::Instant;

/// Gives the moment at which Lambda ends the invocation; it says so by the clock of the day.
#[expect(
    clippy::disallowed_methods,
    reason = "the deadline is given by the clock of the day"
)]
pub fn deadline(context: &Context) -> Instant {
    let left = context.deadline().duration_since(SystemTime::now());
    Instant::now() + left.unwrap_or_default()
}
