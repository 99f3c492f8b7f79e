//! The ingest Lambda.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use sekisho_ingest::start;
use sekisho_lambda::{deadline, invocation, refused, start_logging};
use serde_json::value::RawValue;
use tracing::Instrument as _;

#[tokio::main]
async fn main() -> Result<(), Error> {
    start_logging(&["sekisho_ingest"]);
    let ingest = start().await.map_err(refused)?;
    let ingest = &ingest;
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| async move {
        let answer = async {
            let deadline = deadline(&event.context);
            let answer = ingest.answer(event.payload.get(), deadline).await;
            answer.map_err(refused)
        };
        answer.instrument(invocation(&event.context)).await
    }))
    .await
}
