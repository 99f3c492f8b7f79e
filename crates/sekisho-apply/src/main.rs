//! The apply Lambda: invoked after a deployment or by hand, it answers with what it changed.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use sekisho_apply::Apply;
use sekisho_lambda::{refused, start_logging};
use serde::de::IgnoredAny;

#[tokio::main]
async fn main() -> Result<(), Error> {
    start_logging(&["sekisho_apply"]);
    let apply = Apply::start().await.map_err(refused)?;
    let apply = &apply;
    run(service_fn(|_any: LambdaEvent<IgnoredAny>| async move {
        apply.answer().await.map_err(refused)
    }))
    .await
}
