//! The ingest Lambda: a batch of SQS messages (or one S3 notification) in, documents in OpenSearch, and the ids of the messages that failed out.
//!
//! **Invariant:** an answer holds exact message ids or is an error; it is never null and never an empty id.

mod batch;
mod gate;
mod ingest;
mod log;
mod start;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main]
async fn main() -> Result<(), Error> {
    log::start();
    let ingest = start::ingest().await.map_err(log::refused)?;
    let ingest = &ingest;
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| async move {
        ingest
            .answer(event.payload.get())
            .await
            .map_err(log::refused)
    }))
    .await
}
