//! The ingest Lambda.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, Error, LambdaEvent, run, service_fn};
use sekisho_ingest::{log, start};
use serde_json::value::RawValue;
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log::start();
    let ingest = start().await.map_err(log::refused)?;
    let ingest = &ingest;
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| async move {
        let deadline = Instant::now() + time_left(&event.context);
        ingest
            .answer(event.payload.get(), deadline)
            .await
            .map_err(log::refused)
    }))
    .await
}

/// Lambda says when it will end the invocation by the clock of the day.
#[expect(
    clippy::disallowed_methods,
    reason = "the deadline is given by the clock of the day"
)]
fn time_left(context: &Context) -> Duration {
    let now = SystemTime::now();
    context.deadline().duration_since(now).unwrap_or_default()
}
