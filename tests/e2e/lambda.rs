//! The release binary of the Lambda between stand-ins for AWS and a real OpenSearch: bucket, notification, queue, function, index.

#[path = "lambda/answers.rs"]
mod answers;
#[path = "lambda/bundles.rs"]
mod bundles;
#[path = "lambda/delivery.rs"]
mod delivery;
#[path = "lambda/metrics.rs"]
mod metrics;
#[path = "lambda/store.rs"]
mod store;
#[path = "lambda/world.rs"]
mod world;

use std::process::ExitCode;

use anyhow::Result;
use libtest_mimic::Arguments;
use sekisho_tests::trials;
use world::World;

#[expect(clippy::print_stderr, reason = "the stand-ins' log explains a failure")]
fn main() -> Result<ExitCode> {
    let arguments = Arguments::from_args();
    let groups = [
        ("delivery", delivery::CASES),
        ("answers", answers::CASES),
        ("bundles", bundles::CASES),
        ("metrics", metrics::CASES),
        ("store", store::CASES),
    ];
    trials::run(&arguments, World::start, &groups, |world| {
        eprintln!("{}", world.aws.log());
    })
}
