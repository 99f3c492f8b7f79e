//! Stand-ins for AWS on loopback: S3, S3 notifications, SQS and a Lambda that runs our binary.
//!
//! One process of `ministack` (PyPI, MIT) gives all of them without a container; it installs itself under `target/aws`.

mod binary;
mod deployment;
mod event;
mod package;
mod runtime;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};

use crate::run_folder::{run_folder, shared};

pub use binary::function_binary;
pub use deployment::{Deployment, Function, QueueOptions};
pub use event::queue_event;
pub use runtime::{Answer, Bootstrap};

/// A start takes 0.4 s on a quiet machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// The region that the stand-ins play.
const REGION: &str = "us-east-1";
/// The stand-ins take any credentials.
const CREDENTIAL: &str = "test";

/// One running set of stand-ins; ends with the value, and with the process if the value is never dropped.
#[derive(Debug)]
pub struct Aws {
    url: String,
    http: reqwest::Client,
    process: Process,
}

#[derive(Debug)]
struct Process {
    child: Child,
    /// Ends the stand-ins and the functions that they started when this process ends without dropping.
    watchdog: Child,
    folder: PathBuf,
}

impl Aws {
    /// Starts the stand-ins on a free port.
    ///
    /// # Errors
    /// Says when `python3` or `pip` is missing, or ends with the stand-ins' own last lines.
    pub fn start() -> Result<Self> {
        let root = shared("aws");
        let packages = package::install(&root)?;
        let folder = run_folder(&root, "aws")?;
        let address = free_address()?;
        let log = folder.join("ministack.log");
        let child = command(&packages, &folder, address)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&log)?)
            .stderr(fs::File::options().append(true).open(&log)?)
            // Functions are children of the stand-ins: one group, so that all of them end together.
            .process_group(0)
            .spawn()
            .context("cannot start `python3`")?;
        let watchdog = watchdog(child.id())?;
        let mut process = Process {
            child,
            watchdog,
            folder,
        };
        wait_for(&mut process, address, &log).context("the AWS stand-ins did not start")?;
        Ok(Self {
            url: format!("http://{address}"),
            http: reqwest::Client::new(),
            process,
        })
    }

    /// The one address of every service, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The environment that an AWS SDK needs to talk to the stand-ins.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        self.environment_at(&self.url)
    }

    /// The same, where `url` leads to the stand-ins.
    pub fn environment_at(&self, url: &str) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ACCESS_KEY_ID", CREDENTIAL.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", CREDENTIAL.to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("SEKISHO_S3_ENDPOINT_URL", url.to_owned()),
            ("SEKISHO_S3_FORCE_PATH_STYLE", "true".to_owned()),
        ]
    }

    /// An S3 client of the stand-ins.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(credentials())
            .endpoint_url(&self.url)
            .force_path_style(true)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// An SQS client of the stand-ins.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(credentials())
            .endpoint_url(&self.url)
            .build();
        aws_sdk_sqs::Client::from_conf(config)
    }

    /// What the stand-ins and the functions have written so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.process.folder.join("ministack.log")).unwrap_or_default()
    }
}

fn credentials() -> Credentials {
    Credentials::new(CREDENTIAL, CREDENTIAL, None, None, "stand-in")
}

impl Drop for Process {
    fn drop(&mut self) {
        // The watchdog first: its group number is free for others once the stand-ins are reaped.
        drop(self.watchdog.kill());
        drop(self.watchdog.wait());
        kill_group(self.child.id());
        drop(self.child.wait());
        if !std::thread::panicking() {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

/// Ends the process group that `start` made.
fn kill_group(leader: u32) {
    let group = format!("-{leader}");
    drop(
        Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status(),
    );
}

/// The stand-ins cannot choose a port themselves.
fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}

fn command(packages: &Path, folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new("python3");
    command.args(["-m", "ministack"]).current_dir(folder);
    // Functions inherit this environment, so nothing of the caller's may be in it.
    command.env_clear();
    for name in ["PATH", "HOME", "LANG"] {
        command.envs(super::node::setting(name).map(|value| (name, value)));
    }
    command
        .env("PYTHONPATH", packages)
        .env("BIND_HOST", address.ip().to_string())
        .env("GATEWAY_PORT", address.port().to_string())
        .env("LAMBDA_EXECUTOR", "local")
        .env("AWS_ENDPOINT_URL", format!("http://{address}"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("SERVICES", "s3,sqs,lambda,iam,sts,logs")
        // These would listen on fixed ports.
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .env("TMPDIR", folder.join("tmp"))
        .env("STATE_DIR", folder.join("state"))
        .env("S3_DATA_DIR", folder.join("s3"));
    command
}

/// Waits on a pipe that only this process holds; its end is this process's end.
fn watchdog(leader: u32) -> Result<Child> {
    Command::new("sh")
        .args([
            "-c",
            "cat >/dev/null; env kill -9 -- \"-$1\"",
            "watchdog",
            &leader.to_string(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start `sh`")
}

fn wait_for(process: &mut Process, address: SocketAddr, log: &Path) -> Result<()> {
    let started = Instant::now();
    while started.elapsed() < START_LIMIT {
        if let Some(status) = process.child.try_wait()? {
            bail!("they ended with {status}:\n{}", tail(log));
        }
        if is_ready(address) {
            return Ok(());
        }
        sleep(Duration::from_millis(50));
    }
    bail!(
        "no answer within {} s:\n{}",
        START_LIMIT.as_secs(),
        tail(log)
    )
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(
            b"GET /_ministack/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )?;
        let mut answer = [0_u8; 12];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(12)..)
        .unwrap_or_default()
        .join("\n")
}
