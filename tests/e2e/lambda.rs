//! The release binary of the Lambda between stand-ins for AWS and a real OpenSearch: bucket, notification, queue, function, index.

#[path = "lambda/answers.rs"]
mod answers;
#[path = "lambda/delivery.rs"]
mod delivery;
#[path = "lambda/store.rs"]
mod store;
#[path = "lambda/world.rs"]
mod world;

use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;
use world::World;

/// One case, in a bucket of its own.
type Case = (&'static str, fn(Arc<World>) -> Running);
type Running = Pin<Box<dyn Future<Output = Result<()>>>>;

/// Names a case after its function.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub(crate) const CASES: &[crate::Case] = &[$((stringify!($name), |world| Box::pin($name(world)))),*];
    };
}
pub(crate) use cases;

#[expect(clippy::print_stderr, reason = "the stand-ins' log explains a failure")]
fn main() -> Result<ExitCode> {
    let arguments = Arguments::from_args();
    let runtime = Arc::new(Runtime::new()?);
    let world = match arguments.list {
        true => None,
        false => Some(Arc::new(runtime.block_on(World::start())?)),
    };
    let groups = [
        ("delivery", delivery::CASES),
        ("answers", answers::CASES),
        ("store", store::CASES),
    ];
    let mut trials = Vec::new();
    for (group, cases) in groups {
        for &(name, case) in cases {
            let (world, runtime) = (world.clone(), Arc::clone(&runtime));
            trials.push(Trial::test(format!("{group}::{name}"), move || {
                let Some(world) = world else { return Ok(()) };
                runtime
                    .block_on(case(world))
                    .map_err(|error| format!("{error:#}").into())
            }));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(world) = world.filter(|_| conclusion.num_failed > 0) {
        eprintln!("{}", world.aws.log());
    }
    Ok(conclusion.exit_code())
}
