//! The binary of the ingest Lambda, as it is deployed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::node::setting;

/// Builds the release binary of `sekisho-ingest`; `SEKISHO_TEST_INGEST` names another.
///
/// # Errors
/// When it cannot be built or found.
pub fn ingest_binary() -> Result<PathBuf> {
    if let Some(path) = setting("SEKISHO_TEST_INGEST") {
        return Ok(Path::new(&path).canonicalize()?);
    }
    let build = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--locked",
            "--package",
            "sekisho-ingest",
        ])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(
        build.status.success(),
        "cannot build the release binary of `sekisho-ingest`"
    );
    let messages = String::from_utf8(build.stdout)?;
    let executable = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    });
    executable.context("cargo names no executable of `sekisho-ingest`")
}
