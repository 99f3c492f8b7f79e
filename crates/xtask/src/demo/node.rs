//! One OpenSearch node, laid out as the end-to-end tests lay it out; of its start only what the demo needs.

/// The tests' crate takes minutes to compile, so their files are read here once more.
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the tests need more of it than the demo"
)]
#[path = "../../../../tests/src/node/home.rs"]
mod home;
#[path = "../../../../tests/src/node/java.rs"]
mod java;

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::account::watchdog;
use super::http;
use crate::parts::run_folder::{run_folder, shared};
use home::Version;

/// A start takes 9 s on a quiet machine and was seen to take 56 s on a loaded one.
const START_LIMIT: Duration = Duration::from_secs(180);

/// One running OpenSearch; ends with the value, and with the process if the value is never dropped.
#[derive(Debug)]
pub(super) struct Node {
    url: String,
    process: Child,
    watchdog: Child,
    folder: PathBuf,
}

impl Node {
    /// Starts an empty node.
    pub(super) fn start() -> Result<Self> {
        let root = shared("opensearch");
        let java = java::find(Version::Newest, &root)?;
        let home = home::lay_out(Version::Newest, &root)?;
        let folder = run_folder(&root, "demo")?;
        for part in ["config", "data", "logs"] {
            fs::create_dir_all(folder.join(part))?;
        }
        fs::write(folder.join("config/log4j2.properties"), home::LOG4J)?;
        fs::write(folder.join("config/opensearch.yml"), home::SETTINGS)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let log = fs::File::create(folder.join("node.log"))?;
        let mut command = command(&java, &home, &folder);
        command
            .arg(format!("-Ehttp.port={port}"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        let process = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", java.display()))?;
        let watchdog = watchdog(process.id())?;
        let mut node = Self {
            url: format!("http://127.0.0.1:{port}"),
            process,
            watchdog,
            folder,
        };
        node.wait()?;
        Ok(node)
    }

    /// Its address.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    fn wait(&mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < START_LIMIT {
            let ended = self.process.try_wait()?;
            if let Some(status) = ended {
                let log = fs::read_to_string(self.folder.join("node.log")).unwrap_or_default();
                bail!("OpenSearch ended with {status}:\n{log}");
            }
            if http::call("GET", &self.url, &[], b"").is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(200));
        }
        bail!(
            "OpenSearch did not start within {} s",
            START_LIMIT.as_secs()
        )
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // The watchdog first: the node's group number is free for others once it is reaped.
        for child in [&mut self.watchdog, &mut self.process] {
            drop(child.kill());
            drop(child.wait());
        }
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn command(java: &Path, home: &Path, folder: &Path) -> Command {
    let mut command = Command::new(java);
    command
        .args(["-Xms512m", "-Xmx512m", "-XX:+UseSerialGC"])
        .arg("-XX:TieredStopAtLevel=1")
        // Without its native library JNA cannot ask who runs the node, and root may.
        .args(["-Djna.nosys=true", "-Djna.nounpack=true"])
        .args(["-Djava.awt.headless=true", "-Dfile.encoding=UTF-8"])
        .arg("-Dio.netty.noUnsafe=true")
        .arg("-Dlog4j.shutdownHookEnabled=false")
        .args(Version::Newest.java_flags())
        .arg(format!("-Djava.io.tmpdir={}", folder.join("tmp").display()))
        .arg(format!("-Dopensearch.path.home={}", home.display()))
        .arg(format!(
            "-Dopensearch.path.conf={}",
            folder.join("config").display()
        ))
        .args(["-cp", &format!("{}/lib/*", home.display())])
        .args(["org.opensearch.bootstrap.OpenSearch", "-Etransport.port=0"])
        .arg(format!("-Epath.data={}", folder.join("data").display()))
        .arg(format!("-Epath.logs={}", folder.join("logs").display()));
    command
}

/// What the tests' files ask of the module above them.
#[expect(
    clippy::disallowed_methods,
    reason = "a task of the repository has no settings file"
)]
fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The demo's node has no security plugin.
mod security {
    use std::path::Path;

    use anyhow::{Result, bail};

    pub(super) fn repair(_home: &Path) -> Result<()> {
        bail!("the demo has no secured node")
    }
}
