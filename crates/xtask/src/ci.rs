//! `cargo xtask ci`: what has to hold before a change lands, in one list for people and machines.

use anyhow::{Result, bail};

use crate::run::{self, Workspace, say};
use crate::{demo, infra, test, tidy, tools};

/// The pinned version of the licence and ban checker.
const CARGO_DENY: &str = "0.20.2";

/// Runs every check, also after one has failed, and names those that did.
pub(crate) fn run_all(workspace: &Workspace, steps: &[Step]) -> Result<()> {
    let mut failed = Vec::new();
    for (name, step) in steps {
        say(&format!("\n== {name}"));
        if let Err(error) = step(workspace) {
            say(&format!("error: {error:#}"));
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        say("\nall checks passed");
        return Ok(());
    }
    bail!("failed: {}", failed.join(", "))
}

/// A check and its name.
type Step = (&'static str, fn(&Workspace) -> Result<()>);

/// Runs the list. The generated pages are checked by the tests.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    tools::check(workspace)?;
    run_all(
        workspace,
        &[
            ("format", format),
            ("tidy", tidy::run),
            ("lints", lints),
            ("documentation", documentation),
            ("licences and bans", deny),
            ("infra", infra::run),
            ("tests", |workspace| test::run(workspace, &[])),
            // Last: the tests have built the released binaries.
            ("demo", |workspace| {
                demo::run(workspace, &demo::Options::read(&["--once"])?)
            }),
        ],
    )
}

fn format(workspace: &Workspace) -> Result<()> {
    run::run(workspace.cargo(["fmt", "--all", "--check"]))
}

fn lints(workspace: &Workspace) -> Result<()> {
    run::run(workspace.cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))
}

fn documentation(workspace: &Workspace) -> Result<()> {
    let mut doc = workspace.cargo(["doc", "--workspace", "--no-deps", "--locked", "--quiet"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    run::run(doc)
}

/// Advisories are left out, see `.deny.toml`.
fn deny(workspace: &Workspace) -> Result<()> {
    let deny = tools::cargo_tool(workspace, "cargo-deny", CARGO_DENY)?;
    run::run(workspace.command(
        deny,
        [
            "--config",
            ".deny.toml",
            "--locked",
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ],
    ))
}
