//! A real OpenSearch node for the tests, resolved from the package registries and started here.
//!
//! One node per test binary: a start costs about ten seconds on a quiet machine.
//! `SEKISHO_OPENSEARCH_URL` uses an existing node instead, but for the one with the security plugin.

mod home;
mod java;
mod security;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::run_folder::{run_folder, shared};

pub use home::Version;
pub use security::{ADMIN, login};

/// A start takes 9 s on a quiet machine and was seen to take 56 s on a loaded one.
const START_LIMIT: Duration = Duration::from_secs(180);
/// A node ends within 3 s of a SIGTERM.
const STOP_LIMIT: Duration = Duration::from_secs(30);
const NOT_OURS: &str =
    "the node of `SEKISHO_OPENSEARCH_URL` is not stopped; leave the variable out";

/// One running OpenSearch; ends with the value, and with the process if the value is never dropped.
#[derive(Debug)]
pub struct Node {
    url: String,
    version: Version,
    own: Option<Process>,
}

/// How a node is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As a crash or a lack of memory does it.
    Kill,
    /// As an operator does it.
    Terminate,
}

/// A node that was started here, and what it takes to start it again.
#[derive(Debug)]
struct Process {
    java: PathBuf,
    home: PathBuf,
    folder: PathBuf,
    /// `None` between an end and the next start.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    node: Child,
    /// Kills the node when this process ends without dropping (a static, a signal).
    watchdog: Child,
}

impl Node {
    /// Starts a node of `version`, or takes the one that `SEKISHO_OPENSEARCH_URL` names.
    ///
    /// # Errors
    /// Says which tool is missing (Java, Maven), or ends with the node's own last errors.
    pub fn start(version: Version) -> Result<Self> {
        match setting("SEKISHO_OPENSEARCH_URL").filter(|_| !version.is_secured()) {
            Some(url) => Ok(Self {
                url: url.trim_end_matches('/').to_owned(),
                version,
                own: None,
            }),
            None => Self::start_own(version),
        }
    }

    /// Starts the nodes that a test binary runs against: all versions, or the one existing node.
    ///
    /// # Errors
    /// As [`Node::start`].
    pub fn start_all() -> Result<Vec<Self>> {
        if setting("SEKISHO_OPENSEARCH_URL").is_some() {
            return Ok(vec![Self::start(Version::Newest)?]);
        }
        let starts: Vec<_> = Version::ALL
            .map(|version| std::thread::spawn(move || Self::start_own(version)))
            .into();
        starts
            .into_iter()
            .map(|start| {
                start
                    .join()
                    .unwrap_or_else(|_panic| Err(anyhow!("a node start panicked")))
            })
            .collect()
    }

    /// The node's base URL, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The self-signed certificate of a secured node, as PEM.
    pub fn ca_file(&self) -> Option<PathBuf> {
        let own = self.own.as_ref()?;
        (self.version.is_secured()).then(|| security::certificate(&own.folder))
    }

    /// The version that was asked for; an existing node may differ.
    pub fn version(&self) -> Version {
        self.version
    }

    fn start_own(version: Version) -> Result<Self> {
        let root = shared("opensearch");
        let java = java::find(version, &root)?;
        let home = home::lay_out(version, &root)?;
        let folder = node_folder(&root, version)?;
        if version.is_secured() {
            security::configure(&home, &folder)?;
        }
        let mut process = Process {
            java,
            home,
            folder,
            running: None,
        };
        let url = process.start(version, &[])?;
        Ok(Self {
            url,
            version,
            own: Some(process),
        })
    }

    /// Ends the node and keeps its data.
    ///
    /// # Errors
    /// When it was not started here or cannot be ended.
    pub fn stop(&mut self, end: End) -> Result<()> {
        let process = self.own.as_mut().context(NOT_OURS)?;
        process.stop(end)
    }

    /// Starts the node over the data that it left, with further settings and at another address.
    ///
    /// # Errors
    /// When it was not started here or does not start.
    pub fn start_again(&mut self, settings: &[(&str, &str)]) -> Result<()> {
        let process = self.own.as_mut().context(NOT_OURS)?;
        self.url = process.start(self.version, settings)?;
        Ok(())
    }

    /// The resident memory of a node that was started here, in KiB.
    pub fn resident_kib(&self) -> Option<u64> {
        let pid = self.own.as_ref()?.running.as_ref()?.node.id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }
}

impl Process {
    fn start(&mut self, version: Version, settings: &[(&str, &str)]) -> Result<String> {
        let log = self.folder.join("node.log");
        let node = command(&self.java, version, &self.home, &self.folder)
            .args(
                settings
                    .iter()
                    .map(|(name, value)| format!("-E{name}={value}")),
            )
            .stdin(Stdio::null())
            .stdout(fs::File::create(&log)?)
            .stderr(fs::File::options().append(true).open(&log)?)
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.java.display()))?;
        let watchdog = watchdog(node.id())?;
        let running = self.running.insert(Running { node, watchdog });
        wait_for(running, version, &self.folder, &log)
            .with_context(|| format!("opensearch {} did not start", version.name()))
    }

    fn stop(&mut self, end: End) -> Result<()> {
        let mut running = self.running.take().context("the node does not run")?;
        if end == End::Terminate {
            let pid = running.node.id().to_string();
            Command::new("kill").args(["-TERM", &pid]).status()?;
            let started = Instant::now();
            while running.node.try_wait()?.is_none() && started.elapsed() < STOP_LIMIT {
                sleep(Duration::from_millis(50));
            }
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The watchdog first: the node's pid is free for others once it is reaped.
        for child in [&mut self.watchdog, &mut self.node] {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.running.take());
        if !std::thread::panicking() {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

/// Reads one setting of the harness.
#[expect(
    clippy::disallowed_methods,
    reason = "the test harness has no settings file"
)]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Makes this node's own folder with its settings.
fn node_folder(root: &Path, version: Version) -> Result<PathBuf> {
    let folder = run_folder(root, version.name())?;
    for part in ["config", "data", "logs"] {
        fs::create_dir_all(folder.join(part))?;
    }
    fs::write(folder.join("config/log4j2.properties"), home::LOG4J)?;
    fs::write(folder.join("config/opensearch.yml"), home::SETTINGS)?;
    Ok(folder)
}

fn command(java: &Path, version: Version, home: &Path, folder: &Path) -> Command {
    let mut command = Command::new(java);
    command
        .args(["-Xms512m", "-Xmx512m", "-XX:+UseSerialGC"])
        .arg("-XX:TieredStopAtLevel=1")
        // Without its native library JNA cannot ask who runs the node, and root may.
        .args(["-Djna.nosys=true", "-Djna.nounpack=true"])
        .args(["-Djava.awt.headless=true", "-Dfile.encoding=UTF-8"])
        .args([
            "-Dio.netty.noUnsafe=true",
            "-Dio.netty.noKeySetOptimization=true",
        ])
        .arg("-Dio.netty.recycler.maxCapacityPerThread=0")
        .args([
            "-Dlog4j.shutdownHookEnabled=false",
            "-Dlog4j2.disable.jmx=true",
        ])
        .args(version.java_flags())
        .arg(format!("-Djava.io.tmpdir={}", folder.join("tmp").display()))
        .arg(format!("-Dopensearch.path.home={}", home.display()))
        .arg(format!(
            "-Dopensearch.path.conf={}",
            folder.join("config").display()
        ))
        .args(["-cp", &format!("{}/lib/*", home.display())])
        .arg("org.opensearch.bootstrap.OpenSearch")
        .args(["-Ehttp.port=0", "-Etransport.port=0"])
        .arg(format!("-Epath.data={}", folder.join("data").display()))
        .arg(format!("-Epath.logs={}", folder.join("logs").display()));
    command
}

/// Waits on a pipe that only this process holds; its end is this process's end.
fn watchdog(pid: u32) -> Result<Child> {
    Command::new("sh")
        .args([
            "-c",
            "cat >/dev/null; kill -9 \"$1\"",
            "watchdog",
            &pid.to_string(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start `sh`")
}

fn wait_for(running: &mut Running, version: Version, folder: &Path, log: &Path) -> Result<String> {
    let started = Instant::now();
    while started.elapsed() < START_LIMIT {
        if let Some(status) = running.node.try_wait()? {
            bail!("the node ended with {status}:\n{}", errors(log));
        }
        let text = fs::read_to_string(log).unwrap_or_default();
        if let Some(address) = http_address(&text) {
            let is_secured = version.is_secured();
            if is_secured && security::is_ready(address, folder) {
                return Ok(security::url(address));
            }
            if !is_secured && is_ready(address) {
                return Ok(format!("http://{address}"));
            }
        }
        sleep(Duration::from_millis(200));
    }
    bail!(
        "no answer within {} s:\n{}",
        START_LIMIT.as_secs(),
        errors(log)
    )
}

/// Finds the port that the node chose: `…HttpServerTransport] [n1] publish_address {127.0.0.1:N}`.
fn http_address(log: &str) -> Option<SocketAddr> {
    let line = log
        .lines()
        .find(|line| line.contains("HttpServerTransport") && line.contains("publish_address"))?;
    let (_, rest) = line.split_once("publish_address {")?;
    rest.split_once('}')?.0.parse().ok()
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(
            b"GET /_cluster/health?wait_for_status=yellow&timeout=4s HTTP/1.1\r\n\
              Host: node\r\nConnection: close\r\n\r\n",
        )?;
        let mut answer = [0_u8; 12];
        stream.read_exact(&mut answer)?;
        Ok(&answer == b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

fn errors(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let is_error = |line: &&str| {
        ["ERROR", "Caused by", "Exception"]
            .iter()
            .any(|word| line.contains(word))
    };
    let found: Vec<_> = text.lines().filter(is_error).take(8).collect();
    if found.is_empty() {
        let lines: Vec<_> = text.lines().collect();
        let tail = lines.len().saturating_sub(8);
        return lines.get(tail..).unwrap_or_default().join("\n");
    }
    found.join("\n")
}
