//! [`Workspace`]: where the repository lies, and how other programs are run in it.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The repository.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the repository that this program was built from.
    pub(crate) fn find() -> Result<Self> {
        let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = crate_folder
            .ancestors()
            .nth(2)
            .context("the crate does not lie in `crates/`")?
            .to_owned();
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(folder) => root.join(folder),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The repository's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Prepares a program that runs in the repository's root.
    pub(crate) fn command(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// Prepares cargo.
    pub(crate) fn cargo(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        self.command(cargo, arguments)
    }
}

/// Builds what is released, the command and the Lambda together: apart they choose other features of the same crates, and everything would compile twice.
pub(crate) fn build_release(workspace: &Workspace) -> Result<()> {
    let mut build = workspace.cargo(["build", "--release", "--locked"]);
    build.args(["--package", "sekisho-cli"]);
    build.args(["--package", "sekisho-ingest", "--package", "sekisho-replay"]);
    build.args(["--package", "sekisho-apply"]);
    run(build)
}

/// Runs a program and fails if it fails; says what it was and how long it took.
pub(crate) fn run(mut command: Command) -> Result<()> {
    let line = line(&command);
    say(&format!("\n$ {line}"));
    let start = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("cannot run `{line}`"))?;
    say(&format!("  ({:.0} s)", start.elapsed().as_secs_f64()));
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    std::iter::once(program)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Prints a line.
pub(crate) fn say(text: &str) {
    // A closed pipe (`| head`) leaves nobody to tell.
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}
