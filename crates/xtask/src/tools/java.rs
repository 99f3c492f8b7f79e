//! Which Java releases this machine has, found where the tests look for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Gives the major version of each Java in `JAVA_HOME`, on the path and in the system's folder.
pub(super) fn majors() -> Vec<u32> {
    let home = std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    let system = fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten();
    home.into_iter()
        .chain([PathBuf::from("java")])
        .chain(system.map(|entry| entry.path().join("bin/java")))
        .filter_map(|java| major(&java))
        .collect()
}

fn major(java: &Path) -> Option<u32> {
    let answer = Command::new(java).arg("-version").output().ok()?;
    read(&String::from_utf8_lossy(&answer.stderr))
}

/// Reads `openjdk version "17.0.15" …`; releases before 9 call themselves 1.x.
fn read(text: &str) -> Option<u32> {
    let number = text.split('"').nth(1)?;
    number.split(['.', '-']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_major_versions() {
        assert_eq!(read("openjdk version \"17.0.15\" 2025-04-15\n"), Some(17));
        assert_eq!(read("openjdk version \"25\" 2025-09-16\n"), Some(25));
        assert_eq!(read("java version \"1.8.0_402\"\n"), Some(1));
        assert_eq!(read("command not found"), None);
    }
}
