//! `cargo xtask test`: every test, with the real parts that they start themselves.

use anyhow::Result;

use crate::run::{self, Workspace};
use crate::tools;

/// Builds the release Lambdas that the end-to-end tests deploy, then runs the tests of the workspace.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    tools::check(workspace)?;
    run::build_release(workspace)?;
    // The same selection as clippy's: other packages or targets would choose other features and compile everything again.
    let mut test = workspace.cargo(["test", "--workspace", "--locked", "--no-fail-fast"]);
    // Whoever runs every test wants to know what differs, not to rewrite it.
    test.args(arguments)
        .env_remove("UPDATE_EXPECT")
        .env("SEKISHO_TEST_BINARIES", workspace.target().join("release"));
    run::run(test)
}
