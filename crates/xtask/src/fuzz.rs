//! `cargo xtask fuzz`: hostile input for every family of formats, longer than the tests do.

use anyhow::{Context as _, Result, bail};

use crate::run::{self, Workspace};

/// Runs each family, or the named ones, for some minutes from a new seed.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let (minutes, families) = match arguments {
        ["--minutes", minutes, families @ ..] => {
            let minutes: u64 = minutes
                .parse()
                .with_context(|| format!("`--minutes {minutes}` is no number"))?;
            (minutes, families)
        }
        families => (1, families),
    };
    if let Some(option) = families.iter().find(|family| family.starts_with('-')) {
        bail!("unknown option `{option}`; give `--minutes N` first, then families");
    }
    let mut fuzz = workspace.cargo(["test", "--quiet", "--locked"]);
    fuzz.args(["--package", "sekisho-tests", "--test", "fuzz", "--"]);
    fuzz.args(families)
        .env("SEKISHO_FUZZ_SECONDS", (minutes * 60).to_string());
    run::run(fuzz)
}
