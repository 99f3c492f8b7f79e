//! Deploys `infra/` into the simulated account, with the CDK's own commands.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::account::{ACCOUNT, Account, REGION, environment};
use crate::run::{self, Workspace};
use crate::tools::answer;

/// The stack's name.
const STACK: &str = "Sekisho";

/// What the deployment made.
#[derive(Debug)]
pub(super) struct Site {
    /// Logs go here.
    pub(super) bucket: String,
    /// What could not be indexed goes here.
    pub(super) quarantine: String,
    /// The queue of the ingest function.
    pub(super) queue: String,
    /// Its dead-letter queue.
    pub(super) dead_letters: String,
    /// The replay function.
    pub(super) replay: String,
}

/// Says when what only the demo needs is missing.
pub(super) fn check() -> Result<()> {
    let missing: Vec<&str> = ["node", "npm"]
        .into_iter()
        .filter(|program| answer(program, "--version").is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "missing: {}; the CDK needs Node.js 20 or newer with npm (Debian: nodejs, npm)",
        missing.join(", ")
    )
}

/// Installs the CDK as `infra/package-lock.json` pins it, unless it is there.
pub(super) fn install(workspace: &Workspace) -> Result<()> {
    let infra = workspace.root().join("infra");
    let modified = |file: &str| fs::metadata(infra.join(file)).and_then(|meta| meta.modified());
    let is_there = match (
        modified("package-lock.json"),
        modified("node_modules/.package-lock.json"),
    ) {
        (Ok(wanted), Ok(installed)) => wanted <= installed,
        _ => false,
    };
    if is_there {
        return Ok(());
    }
    let mut npm = workspace.command("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    npm.current_dir(infra);
    run::run(npm)
}

impl Site {
    /// Bootstraps the account, synthesizes the stack with these binaries and deploys it.
    pub(super) fn deploy(
        workspace: &Workspace,
        account: &Account,
        node: &str,
        binaries: &Path,
    ) -> Result<Self> {
        let infra = workspace.root().join("infra");
        let folder = account.folder();
        let deployment = folder.join("deployment.ts");
        fs::write(&deployment, describe(account.url(), node))?;
        let out = folder.join("cdk.out");
        let cdk = |arguments: &[&str]| -> Command {
            let mut cdk = Command::new(infra.join("node_modules/.bin/cdk"));
            cdk.args(arguments).args(["--no-notices", "--ci"]);
            cdk.current_dir(&infra).envs(environment(account.url()));
            cdk
        };
        let mut bootstrap = cdk(&["bootstrap", &format!("aws://{ACCOUNT}/{REGION}"), "--quiet"]);
        // In the folder of an application it would synthesize that first.
        bootstrap.current_dir(&folder);
        quietly(bootstrap, &folder.join("bootstrap.log"))?;
        let mut synth = cdk(&["synth", "--quiet"]);
        synth.arg("--output").arg(&out);
        for (name, value) in [
            ("deployment", deployment.display().to_string()),
            ("binaries", binaries.display().to_string()),
            ("architecture", native()?.to_owned()),
        ] {
            synth.arg("--context").arg(format!("{name}={value}"));
        }
        quietly(synth, &folder.join("synth.log"))?;
        let outputs = folder.join("outputs.json");
        let mut deploy = cdk(&["deploy", STACK, "--require-approval", "never"]);
        deploy.arg("--app").arg(&out);
        deploy.arg("--outputs-file").arg(&outputs);
        quietly(deploy, &folder.join("deploy.log"))?;
        let text = fs::read_to_string(outputs).context("the deployment left no outputs")?;
        Self::read(account, &text)
    }

    fn read(account: &Account, outputs: &str) -> Result<Self> {
        let queue = output(outputs, "Queuemain")?;
        // The URL's host is a name that the account gives itself.
        let path = queue
            .splitn(4, '/')
            .nth(3)
            .context("a queue without path")?;
        let (account_path, _name) = path.rsplit_once('/').context("a queue without path")?;
        let queue = format!("{}/{path}", account.url());
        let dead_letters = account.dead_letters(&queue)?;
        let functions = account.functions()?;
        let replay = functions.into_iter().find(|name| name.contains("Replay"));
        Ok(Self {
            bucket: output(outputs, "LogBucket1")?,
            quarantine: output(outputs, "QuarantineBucket")?,
            dead_letters: format!("{}/{account_path}/{dead_letters}", account.url()),
            queue,
            replay: replay.context("the deployment made no replay function")?,
        })
    }
}

/// Runs a program whose words only matter if it fails.
fn quietly(mut command: Command, log: &PathBuf) -> Result<()> {
    let file = fs::File::create(log)?;
    command.stdout(file.try_clone()?).stderr(file);
    run::run(command).with_context(|| fs::read_to_string(log).unwrap_or_default())
}

/// The deployment file: an existing domain that is our node, reached without TLS or signature.
fn describe(account: &str, node: &str) -> String {
    format!(
        r#"export default {{
  domain: {{ domainArn: "arn:aws:es:{REGION}:{ACCOUNT}:domain/demo", endpoint: "demo.invalid" }},
  // The simulated account refuses alarms of metric math.
  monitoring: false,
  settings: {{
    opensearch: {{ url: "{node}", auth: "none" }},
    s3: {{ endpoint_url: "{account}", force_path_style: true }},
    access: {{ enabled: false }},
    // The disk of a laptop may be full enough to close the gate that protects a domain.
    replay: {{ free_storage_percent: 0 }},
  }},
}};
"#
    )
}

/// What Lambda calls the processor of this machine, whose binaries run as they are.
fn native() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("x86_64"),
        "aarch64" => Ok("arm64"),
        other => bail!("Lambda has no `{other}`; the demo runs on x86_64 and aarch64"),
    }
}

/// Reads one output of the file that the CDK wrote.
fn output(text: &str, name: &str) -> Result<String> {
    let found = text.split_once(&format!("\"{name}\": \""));
    let value = found.and_then(|(_, rest)| rest.split('"').next());
    value
        .map(str::to_owned)
        .with_context(|| format!("the stack has no output `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_outputs() {
        let text = "{\n  \"Sekisho\": {\n    \"LogBucket1\": \"logs\"\n  }\n}";
        assert_eq!(output(text, "LogBucket1").unwrap(), "logs");
        assert!(output(text, "LogBucket2").is_err());
    }
}
