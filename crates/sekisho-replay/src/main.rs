//! The replay Lambda: started by a schedule, it answers with what it found and did.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, Error, LambdaEvent, run, service_fn};
use sekisho_replay::{Scheduled, log};
use serde::de::IgnoredAny;
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log::start();
    let replay = Scheduled::start().await.map_err(log::refused)?;
    let replay = &replay;
    run(service_fn(|event: LambdaEvent<IgnoredAny>| async move {
        let deadline = Instant::now() + time_left(&event.context);
        replay.answer(deadline).await.map_err(log::refused)
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
