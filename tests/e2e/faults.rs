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

use std::process::ExitCode;

use anyhow::Result;
use libtest_mimic::Arguments;
use sekisho_tests::trials;
use world::World;

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // They break the one node for each other.
    arguments.test_threads = Some(1);
    let groups = [
        ("store", store::CASES),
        ("network", network::CASES),
        ("crash", crash::CASES),
        ("cluster", cluster::CASES),
    ];
    trials::run(&arguments, World::start, &groups, |world| {
        println!("the function's logs: {}", world.keep_logs().display());
    })
}
