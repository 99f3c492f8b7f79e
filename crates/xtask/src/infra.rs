//! The CDK application: its tests, and its templates under the linter of CloudFormation.
//!
//! No Rust is compiled: the functions' code is a folder of files that are none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run::{self, Workspace};
use crate::tools::answer;

/// The pinned linter of templates, from the Python package index.
const CFN_LINT: &str = "cfn-lint==1.58.0";
/// The oldest Node that CDK and the tests run on.
const NODE: u32 = 20;
/// Beside the defaults: the files in `infra/deployments`.
const DEPLOYMENTS: [&str; 3] = ["existing-domain", "imported-buckets", "new-vpc"];
const BINARIES: [&str; 3] = ["sekisho-ingest", "sekisho-replay", "sekisho-apply"];

/// Installs what the application needs, tests it, synthesizes its variants and lints them.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    check_node()?;
    let folder = workspace.root().join("infra");
    let target = workspace.target().join("infra");
    fs::create_dir_all(&target)?;
    let mut install = npm(&folder, &target, &["ci"]);
    install.args(["--no-audit", "--no-fund"]);
    run::run(install).context(
        "`npm ci` failed; allow the npm registry, or set its address in the npm settings",
    )?;
    run::run(npm(&folder, &target, &["test"]))?;
    let templates = synthesize(&folder, &target)?;
    lint(workspace, &templates)
}

fn check_node() -> Result<()> {
    let version = answer("node", "--version").unwrap_or_default();
    let major = version.trim().trim_start_matches('v').split('.').next();
    let major: Option<u32> = major.and_then(|text| text.parse().ok());
    if major.is_none_or(|major| major < NODE) {
        bail!(
            "node {NODE} or newer is missing (found `{}`)",
            version.trim()
        );
    }
    if answer("npm", "--version").is_none() {
        bail!("npm is missing; it comes with node (Debian: npm)");
    }
    Ok(())
}

fn npm(folder: &Path, target: &Path, arguments: &[&str]) -> Command {
    let mut npm = Command::new("npm");
    npm.args(arguments)
        .current_dir(folder)
        .env("npm_config_cache", target.join("npm-cache"))
        .env("CI", "1");
    npm
}

/// Synthesizes every variant with cdk-nag, whose findings fail it, and gives the templates.
fn synthesize(folder: &Path, target: &Path) -> Result<Vec<PathBuf>> {
    let binaries = target.join("binaries");
    fs::create_dir_all(&binaries)?;
    for binary in BINARIES {
        fs::write(binaries.join(binary), binary)?;
    }
    let mut templates = Vec::new();
    for variant in std::iter::once("defaults").chain(DEPLOYMENTS) {
        let output = target.join("templates").join(variant);
        let mut synth = npm(folder, target, &["exec", "--", "cdk", "synth", "--quiet"]);
        synth
            .args(["--no-notices", "--output"])
            .arg(&output)
            .arg("--context")
            .arg(format!("binaries={}", binaries.display()))
            .env("CDK_DISABLE_CLI_TELEMETRY", "1");
        if variant != "defaults" {
            synth.args(["--context", &format!("deployment=deployments/{variant}.ts")]);
        }
        run::run(synth)?;
        templates.push(output.join("Sekisho.template.json"));
    }
    Ok(templates)
}

/// W3005 speaks of dependencies that are written twice; CDK writes them.
fn lint(workspace: &Workspace, templates: &[PathBuf]) -> Result<()> {
    let packages = workspace.root().join("target/tools/cfn-lint");
    let done = packages.join(".complete");
    if !fs::read_to_string(&done).is_ok_and(|installed| installed == CFN_LINT) {
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        let mut install = workspace.command("python3", pip);
        install
            .args([
                "--root-user-action=ignore",
                "--no-warn-conflicts",
                "--upgrade",
                "--target",
            ])
            .arg(&packages)
            .arg(CFN_LINT);
        run::run(install).with_context(|| {
            format!("cannot install `{CFN_LINT}`; it needs Python 3.10 or newer with pip, and the package index")
        })?;
        fs::write(&done, CFN_LINT)?;
    }
    let mut lint = workspace.command("python3", [packages.join("bin/cfn-lint")]);
    lint.args(["--ignore-checks", "W3005", "--"]);
    lint.args(templates).env("PYTHONPATH", &packages);
    run::run(lint)
}
