//! The binary of the ingest Lambda under faults: a node that dies, blocks and full queues, a store that breaks off, processes that are killed.
//!
//! The consumer is the test's own, not the stand-ins' event source mapping: it decides when a process dies and sees each answer.
//! So are the proxies: they count who reads what, and kill at the request that a seed chooses.

#[path = "faults/chance.rs"]
mod chance;
#[path = "faults/cluster.rs"]
mod cluster;
#[path = "faults/consumer.rs"]
mod consumer;
#[path = "faults/crash.rs"]
mod crash;
#[path = "faults/logs.rs"]
mod logs;
#[path = "faults/network.rs"]
mod network;
#[path = "faults/site.rs"]
mod site;
#[path = "faults/store.rs"]
mod store;
#[path = "faults/world.rs"]
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

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // They break the one node for each other.
    arguments.test_threads = Some(1);
    let runtime = Arc::new(Runtime::new()?);
    let world = match arguments.list {
        true => None,
        false => Some(Arc::new(runtime.block_on(World::start())?)),
    };
    let groups = [
        ("store", store::CASES),
        ("network", network::CASES),
        ("crash", crash::CASES),
        ("cluster", cluster::CASES),
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
        println!("the function's logs: {}", world.keep_logs().display());
    }
    Ok(conclusion.exit_code())
}
