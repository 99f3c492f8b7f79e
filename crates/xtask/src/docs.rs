//! `cargo xtask docs` and `cargo xtask golden`: what is generated, checked or rewritten by test binaries.

use anyhow::Result;

use crate::run::{self, Workspace};

#[derive(Debug, Clone, Copy)]
enum Mode {
    Write,
    Check,
}

/// Writes the generated pages.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    generated(workspace, Mode::Write)
}

/// Says which generated pages are stale.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    generated(workspace, Mode::Check)
}

fn generated(workspace: &Workspace, mode: Mode) -> Result<()> {
    let mut pages = workspace.cargo(["test", "--quiet", "--locked"]);
    pages.args(["--package", "sekisho-tests", "--test", "docs"]);
    let mut settings = workspace.cargo(["test", "--quiet", "--locked"]);
    settings.args(["--package", "sekisho-config"]);
    let mut metrics = workspace.cargo(["test", "--quiet", "--locked"]);
    metrics.args(["--package", "sekisho-lambda"]);
    for mut command in [pages, settings, metrics] {
        match mode {
            Mode::Write => command.env("UPDATE_EXPECT", "1"),
            Mode::Check => command.env_remove("UPDATE_EXPECT"),
        };
        run::run(command)?;
    }
    Ok(())
}

/// Runs the cases of parsers; `UPDATE_EXPECT=1` rewrites what they expect.
pub(crate) fn golden(workspace: &Workspace, names: &[&str]) -> Result<()> {
    let mut cases = workspace.cargo(["test", "--quiet", "--locked"]);
    cases.args(["--package", "sekisho-tests", "--test", "golden", "--"]);
    cases.args(names);
    run::run(cases)
}
