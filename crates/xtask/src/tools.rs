//! The programs that the tests need beside Rust: which are missing, and what to install.

mod java;

use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{Workspace, say};

/// Checks them all before anything is compiled, and names every missing one.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut missing = Vec::new();
    // 2.x needs the security manager, which Java 24 removed; for 3.x the tests install a Java by pip where there is none.
    if !java::majors().iter().any(|major| (11..=23).contains(major)) {
        missing.push("java 11 to 23, in `JAVA_HOME`, on the path or in /usr/lib/jvm: OpenSearch 2.19 runs on it (Debian: openjdk-17-jre-headless)");
    }
    if answer("mvn", "-version").is_none() {
        missing.push("mvn: fetches the OpenSearch nodes (Debian: maven)");
    }
    if answer("python3", "--version").is_none() {
        missing.push("python3: runs the stand-ins for AWS (3.10 or newer)");
    } else if !python_has("pip") {
        missing.push(
            "pip for python3: installs the stand-ins for AWS into target/ (Debian: python3-pip)",
        );
    }
    if workspace.root().join("infra/package.json").is_file()
        && answer("node", "--version").is_none()
    {
        missing.push("node: builds and tests `infra/` (20 or newer)");
    }
    if missing.is_empty() {
        return Ok(());
    }
    bail!("these programs are missing:\n- {}", missing.join("\n- "))
}

/// Gives what a program answers, or nothing where it cannot be run.
pub(crate) fn answer(program: &str, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

fn python_has(module: &str) -> bool {
    Command::new("python3")
        .args(["-m", module, "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Gives a cargo subcommand that rustup does not bring, installing it under `target/tools` if it is missing.
pub(crate) fn cargo_tool(workspace: &Workspace, name: &str, version: &str) -> Result<String> {
    let own = workspace.root().join("target/tools/bin").join(name);
    for program in [name.to_owned(), own.to_string_lossy().into_owned()] {
        if answer(&program, "--version").is_some() {
            return Ok(program);
        }
    }
    say(&format!(
        "{name} is missing and is built now, once, under target/tools"
    ));
    // Unoptimized: it reads one lock file, and is compiled five times as fast.
    let mut install = workspace.cargo(["install", name, "--version", version]);
    install
        .args(["--locked", "--debug", "--quiet", "--root", "target/tools"])
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env_remove("CARGO_TARGET_DIR");
    crate::run::run(install)?;
    Ok(own.to_string_lossy().into_owned())
}
