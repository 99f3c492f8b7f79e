//! The binaries of the Lambdas, as they are deployed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::node::setting;

/// Builds the release binary of a Lambda; `SEKISHO_TEST_BINARIES` names a folder with built ones.
///
/// # Errors
/// When it cannot be built or found.
pub fn function_binary(name: &str) -> Result<PathBuf> {
    if let Some(folder) = setting("SEKISHO_TEST_BINARIES") {
        let path = Path::new(&folder).join(name);
        return path
            .canonicalize()
            .with_context(|| format!("no binary `{}`", path.display()));
    }
    let build = Command::new(env!("CARGO"))
        .args(["build", "--release", "--locked", "--package", name])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(
        build.status.success(),
        "cannot build the release binary of `{name}`"
    );
    let messages = String::from_utf8(build.stdout)?;
    let executable = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    });
    executable.with_context(|| format!("cargo names no executable of `{name}`"))
}
