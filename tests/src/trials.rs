//! Trials over one world that is started once: a node, stand-ins and the Lambda between them.

use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

/// One case, in a bucket of its own.
pub type Case<W> = (&'static str, fn(Arc<W>) -> Running);
/// A case under way.
pub type Running = Pin<Box<dyn Future<Output = Result<()>>>>;

/// Names the cases of a module after their functions, over a world.
#[macro_export]
macro_rules! cases {
    ($world:ty; $($name:ident),* $(,)?) => {
        pub(crate) const CASES: &[$crate::trials::Case<$world>] = &[$((stringify!($name), |world| Box::pin($name(world)))),*];
    };
}

/// Starts the world, unless the cases are only listed, and runs them; `explain` prints what explains a failure.
///
/// # Errors
/// When the world cannot be started.
pub fn run<W: Send + Sync + 'static>(
    arguments: &Arguments,
    start: impl AsyncFnOnce() -> Result<W>,
    groups: &[(&str, &'static [Case<W>])],
    explain: impl FnOnce(&W),
) -> Result<ExitCode> {
    let runtime = Arc::new(Runtime::new()?);
    let world = match arguments.list {
        true => None,
        false => Some(Arc::new(runtime.block_on(start())?)),
    };
    let mut trials = Vec::new();
    for (group, cases) in groups {
        for &(name, case) in *cases {
            let (world, runtime) = (world.clone(), Arc::clone(&runtime));
            trials.push(Trial::test(format!("{group}::{name}"), move || {
                let Some(world) = world else { return Ok(()) };
                runtime
                    .block_on(case(world))
                    .map_err(|error| format!("{error:#}").into())
            }));
        }
    }
    let conclusion = libtest_mimic::run(arguments, trials);
    if let Some(world) = world.filter(|_| conclusion.num_failed > 0) {
        explain(&world);
    }
    Ok(conclusion.exit_code())
}
