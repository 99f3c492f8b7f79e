//! The replay Lambda: started by a schedule, it answers with what it found and did.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use sekisho_lambda::{deadline, invocation, refused, start_logging};
use sekisho_replay::Scheduled;
use serde::de::IgnoredAny;
use tracing::Instrument as _;

#[tokio::main]
async fn main() -> Result<(), Error> {
    start_logging(&["sekisho_replay"]);
    let replay = Scheduled::start().await.map_err(refused)?;
    let replay = &replay;
    run(service_fn(|event: LambdaEvent<IgnoredAny>| async move {
        let answer = async {
            let deadline = deadline(&event.context);
            replay.answer(deadline).await.map_err(refused)
        };
        answer.instrument(invocation(&event.context)).await
    }))
    .await
}
