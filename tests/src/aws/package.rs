//! Installs the stand-ins from the Python package index, once, under `target/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The pinned packages: the stand-ins, and what functions of a deployed stack that are written in Python import.
const PACKAGES: [&str; 2] = ["ministack==1.5.33", "boto3==1.43.106"];

/// Gives the folder of the installed packages, for `PYTHONPATH`.
pub(crate) fn install(root: &Path) -> Result<PathBuf> {
    fs::create_dir_all(root)?;
    let root = root.canonicalize()?;
    // Two test binaries may start at once: the second waits for the first one's packages.
    let lock = fs::File::create(root.join("packages.lock"))?;
    lock.lock()
        .context("cannot lock the folder of the AWS stand-ins")?;
    let packages = root.join("packages");
    let wanted = PACKAGES.join(" ");
    let done = packages.join(".complete");
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(packages);
    }
    if packages.exists() {
        fs::remove_dir_all(&packages)?;
    }
    // A folder of its own touches no Python of the machine, and needs no `venv` module, which Debian ships apart.
    let answer = Command::new("python3")
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args([
            "--root-user-action=ignore",
            "--no-warn-conflicts",
            "--target",
        ])
        .arg(&packages)
        .args(PACKAGES)
        .output()
        .with_context(|| {
            format!("`python3` is missing; install Python 3.10 or newer with pip for `{wanted}`")
        })?;
    if !answer.status.success() {
        bail!(
            "`python3 -m pip install {wanted}` failed; install pip (Debian: python3-pip) or allow the package index:\n{}",
            String::from_utf8_lossy(&answer.stderr)
        );
    }
    fs::write(done, wanted)?;
    Ok(packages)
}
