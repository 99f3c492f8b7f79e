//! The simulated account: one MiniStack process, and the few requests that are made to it by hand.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::http;
use crate::parts::package;
use crate::parts::run_folder::{run_folder, shared};

/// A start takes 0.4 s on a quiet machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The region that it plays.
pub(super) const REGION: &str = "us-east-1";
/// The account that it plays.
pub(super) const ACCOUNT: &str = "000000000000";

/// A running account; ends with the value, and with the process if the value is never dropped.
#[derive(Debug)]
pub(super) struct Account {
    url: String,
    folder: PathBuf,
    process: Child,
    /// Ends the account and the functions that it started when this process ends without dropping.
    watchdog: Child,
}

impl Account {
    /// Starts an empty account.
    pub(super) fn start() -> Result<Self> {
        let root = shared("aws");
        let packages = package::install(&root)?;
        let folder = run_folder(&root, "demo")?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let url = format!("http://127.0.0.1:{port}");
        let log = fs::File::create(folder.join("account.log"))?;
        let mut command = Command::new("python3");
        command.args(["-m", "ministack"]).current_dir(&folder);
        // Functions inherit this environment, so nothing of the caller's may be in it.
        command.env_clear();
        for name in ["PATH", "HOME", "LANG"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        command
            .env("PYTHONPATH", packages)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("LAMBDA_EXECUTOR", "local")
            .envs(environment(&url))
            // These would listen on fixed ports.
            .env("SFTP_ENABLED", "0")
            .env("IOT_MTLS_ENABLED", "0")
            .env("TMPDIR", folder.join("tmp"))
            .env("STATE_DIR", folder.join("state"))
            .env("S3_DATA_DIR", folder.join("s3"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Functions are its children: one group, so that all of them end together.
            .process_group(0);
        let process = command.spawn().context("cannot start `python3`")?;
        let watchdog = watchdog(process.id())?;
        let mut account = Self {
            url,
            folder,
            process,
            watchdog,
        };
        account.wait()?;
        Ok(account)
    }

    /// The one address of every service.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A folder of this run.
    pub(super) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Puts an object.
    pub(super) fn put(&self, bucket: &str, key: &str, bytes: &[u8]) -> Result<()> {
        let url = format!("{}/{bucket}/{}", self.url, http::encode(key));
        http::call("PUT", &url, &[scope("s3")], bytes)?;
        Ok(())
    }

    /// Gives an object as text.
    pub(super) fn get(&self, bucket: &str, key: &str) -> Result<String> {
        let url = format!("{}/{bucket}/{}", self.url, http::encode(key));
        http::call("GET", &url, &[scope("s3")], b"")
    }

    /// Lists the keys under a prefix.
    pub(super) fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        let prefix = http::encode(prefix);
        let url = format!("{}/{bucket}?list-type=2&prefix={prefix}", self.url);
        let text = http::call("GET", &url, &[scope("s3")], b"")?;
        let keys = text.split("<Key>").skip(1);
        Ok(keys
            .filter_map(|rest| rest.split_once("</Key>"))
            .map(|(key, _)| key.to_owned())
            .collect())
    }

    /// Makes a call of SQS and gives its answer.
    pub(super) fn sqs(&self, queue: &str, action: &str, rest: &str) -> Result<String> {
        let queue = http::encode(queue);
        let body = format!("Action={action}&QueueUrl={queue}&Version=2012-11-05{rest}");
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        let url = format!("{}/", self.url);
        http::call("POST", &url, &[scope("sqs"), form], body.as_bytes())
    }

    /// How many messages a queue has, whether anyone sees them or not.
    pub(super) fn waiting(&self, queue: &str) -> Result<u64> {
        let text = self.sqs(queue, "GetQueueAttributes", "&AttributeName.1=All")?;
        let of = |name: &str| {
            let (_, rest) = text.split_once(&format!("<Name>{name}</Name>"))?;
            let value = rest.split_once("<Value>")?.1.split_once("</Value>")?.0;
            value.parse::<u64>().ok()
        };
        let visible = of("ApproximateNumberOfMessages").context("a queue without a number")?;
        Ok(visible + of("ApproximateNumberOfMessagesNotVisible").unwrap_or_default())
    }

    /// The name of a queue's dead-letter queue: the end of an ARN in its redrive policy.
    pub(super) fn dead_letters(&self, queue: &str) -> Result<String> {
        let text = self.sqs(queue, "GetQueueAttributes", "&AttributeName.1=All")?;
        let policy = text.split_once("<Name>RedrivePolicy</Name>");
        let arn = policy.and_then(|(_, rest)| {
            let (_, rest) = rest.split_once("arn:aws:sqs:")?;
            rest.split(['"', '&', '<']).next()
        });
        let name = arn.and_then(|arn| arn.rsplit(':').next());
        name.map(str::to_owned)
            .context("the queue has no dead-letter queue")
    }

    /// Invokes a function and gives its answer.
    pub(super) fn invoke(&self, function: &str) -> Result<String> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url);
        http::call("POST", &url, &[scope("lambda")], b"{}")
    }

    /// Lists the names of the functions.
    pub(super) fn functions(&self) -> Result<Vec<String>> {
        let url = format!("{}/2015-03-31/functions/", self.url);
        let text = http::call("GET", &url, &[scope("lambda")], b"")?;
        let names = text.split("\"FunctionName\":").skip(1);
        Ok(names
            .filter_map(|rest| rest.split('"').nth(1))
            .map(str::to_owned)
            .collect())
    }

    /// The last lines that the account and the functions wrote.
    pub(super) fn tail(&self, lines: usize) -> String {
        let text = fs::read_to_string(self.folder.join("account.log")).unwrap_or_default();
        let all: Vec<&str> = text.lines().collect();
        let from = all.len().saturating_sub(lines);
        all.get(from..).unwrap_or_default().join("\n")
    }

    fn wait(&mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_LIMIT {
            if let Some(status) = self.process.try_wait()? {
                bail!(
                    "the simulated account ended with {status}:\n{}",
                    self.tail(12)
                );
            }
            let url = format!("{}/_ministack/health", self.url);
            if http::call("GET", &url, &[], b"").is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(100));
        }
        bail!("the simulated account did not start:\n{}", self.tail(12))
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // The watchdog first: its group number is free for others once the account is reaped.
        drop(self.watchdog.kill());
        drop(self.watchdog.wait());
        let group = format!("-{}", self.process.id());
        drop(Command::new("kill").args(["-KILL", "--", &group]).status());
        drop(self.process.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// What every AWS SDK needs to talk to the account and to nothing else.
pub(super) fn environment(url: &str) -> [(&'static str, String); 8] {
    [
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("AWS_ENDPOINT_URL", url.to_owned()),
        ("AWS_ENDPOINT_URL_S3", url.to_owned()),
        ("CDK_DISABLE_CLI_TELEMETRY", "1".to_owned()),
    ]
}

/// The account tells its services apart by the scope of a signature; it does not check the signature.
fn scope(service: &'static str) -> (&'static str, &'static str) {
    let value = match service {
        "s3" => {
            "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
        }
        "sqs" => {
            "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
        }
        _ => {
            "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
        }
    };
    ("Authorization", value)
}

/// Waits on a pipe that only this process holds; in a group of its own, since Ctrl-C goes to ours.
///
/// The `kill` of some shells knows no groups behind `--`, the program does.
pub(super) fn watchdog(leader: u32) -> Result<Child> {
    Command::new("sh")
        .args(["-c", "cat >/dev/null; env kill -9 -- \"-$1\"", "watchdog"])
        .arg(leader.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("cannot start `sh`")
}
