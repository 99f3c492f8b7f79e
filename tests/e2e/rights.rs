//! What the functions ask AWS and the cluster for, recorded for the proof of their rights in `infra/test/iam`, and buckets that are read through a role of another account.

#[path = "rights/call.rs"]
mod call;
#[path = "rights/functions.rs"]
mod functions;
#[path = "rights/lifecycle.rs"]
mod lifecycle;
#[path = "rights/roles.rs"]
mod roles;
#[path = "rights/site.rs"]
mod site;
#[path = "rights/world.rs"]
mod world;

use std::process::ExitCode;

use anyhow::Result;
use libtest_mimic::Arguments;
use sekisho_tests::trials;
use world::World;

#[expect(clippy::print_stderr, reason = "the stand-ins' log explains a failure")]
fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // The cases of a foreign bucket share it.
    arguments.test_threads = Some(1);
    let groups = [("functions", functions::CASES), ("roles", roles::CASES)];
    trials::run(&arguments, World::start, &groups, |world| {
        eprintln!("{}", world.aws.log());
    })
}
