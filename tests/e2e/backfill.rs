//! The command between a store that speaks S3 and a real OpenSearch: `load s3://…` page by page, resumed by the ledger, and `audit`.
//!
//! This binary runs itself as the command, so that its environment is its own.

#[path = "backfill/reload.rs"]
mod reload;

use std::ops::Range;
use std::path::Path;
use std::process::{Command, ExitCode, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser as _;
use libtest_mimic::{Arguments, Trial};
use sekisho_bulk::Method;
use sekisho_cli::Finish;
use sekisho_cli::args::Cli;
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_tests::aws::Aws;
use sekisho_tests::node::{Node, Version, setting};
use sekisho_tests::opensearch::Cluster;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// Turns this binary into the command.
const AS_COMMAND: &str = "SEKISHO_TEST_AS_COMMAND";
/// More than one page of a listing.
const MANY: usize = 1_050;

/// One case, in a bucket of its own.
type Case = (&'static str, fn(&World, &Runtime) -> Result<()>);

const CASES: &[Case] = &[
    ("a_bucket_of_two_pages_is_loaded_and_resumed", two_pages),
    ("files_that_stand_for_a_bucket_double_nothing", stands_for),
    ("only_objects_of_the_time_are_read", times),
    ("a_rate_is_a_ceiling", rate),
    ("the_quarantine_bucket_is_refused", quarantine),
    ("audit_names_raw_records", raw),
    ("reload_replaces_what_was_raw", reload::reload),
    ("reload_reads_by_a_published_parser", reload::published),
    ("a_cluster_that_takes_nothing_stops_the_load", refusing),
];

fn main() -> Result<ExitCode> {
    if setting(AS_COMMAND).is_some() {
        return Ok(match sekisho_cli::run(Cli::parse())? {
            Finish::Clean => ExitCode::SUCCESS,
            Finish::Left => ExitCode::from(1),
        });
    }
    let mut arguments = Arguments::from_args();
    // One case blocks the writes of the whole cluster.
    arguments.test_threads = Some(1);
    let runtime = Arc::new(Runtime::new()?);
    let world = match arguments.list {
        true => None,
        false => Some(Arc::new(World::start(&runtime)?)),
    };
    let mut trials = Vec::new();
    for &(name, case) in CASES {
        let (world, runtime) = (world.clone(), Arc::clone(&runtime));
        trials.push(Trial::test(name, move || {
            let Some(world) = world else { return Ok(()) };
            case(&world, &runtime).map_err(|error| format!("{error:#}").into())
        }));
    }
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

struct World {
    aws: Aws,
    node: Node,
    cluster: Cluster,
}

impl World {
    fn start(runtime: &Runtime) -> Result<Self> {
        let aws = Aws::start()?;
        let node = Node::start(Version::Newest)?;
        let cluster = Cluster::connect(node.url())?;
        let catalog = Catalog::builtin(ParserSettings::default())?;
        runtime.block_on(cluster.apply(&catalog.mappings()?))?;
        Ok(Self { aws, node, cluster })
    }

    /// Runs the command against the stand-ins; gives status, what it says as JSON lines, and how long it took.
    fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Ran> {
        let began = Instant::now();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .env(AS_COMMAND, "1")
            .envs(self.aws.environment())
            .envs(environment.iter().copied())
            .arg("--json")
            .args(arguments);
        let Output {
            status,
            stdout,
            stderr,
        } = command.output()?;
        let lines = stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        Ok(Ran {
            status: status.code().context("it was killed")?,
            lines: lines
                .map(serde_json::from_slice)
                .collect::<Result<_, _>>()?,
            errors: String::from_utf8_lossy(&stderr).into_owned(),
            took: began.elapsed(),
        })
    }

    fn load(&self, from: &str, more: &[&str], environment: &[(&str, &str)]) -> Result<Ran> {
        let arguments = [&["load", from, "--to", self.node.url()], more].concat();
        self.run(&arguments, environment)
    }

    fn audit(&self, from: &str) -> Result<Ran> {
        self.run(&["audit", from, "--to", self.node.url()], &[])
    }

    fn bucket(&self, runtime: &Runtime, name: &str) -> Result<()> {
        let s3 = self.aws.s3();
        runtime.block_on(async { s3.create_bucket().bucket(name).send().await })?;
        Ok(())
    }

    fn put(&self, runtime: &Runtime, bucket: &str, key: &str, bytes: Vec<u8>) -> Result<()> {
        let s3 = self.aws.s3();
        let put = s3.put_object().bucket(bucket).key(key).body(bytes.into());
        runtime.block_on(async { put.send().await })?;
        Ok(())
    }

    /// Puts one flow log of two records for each number.
    fn put_flows(&self, runtime: &Runtime, bucket: &str, numbers: Range<usize>) -> Result<()> {
        let s3 = self.aws.s3();
        let mut puts = JoinSet::new();
        runtime.block_on(async {
            for number in numbers {
                let put = s3.put_object().bucket(bucket).key(flow_key(number));
                puts.spawn(put.body(flow_log(number).into_bytes().into()).send());
                if puts.len() >= 16 {
                    puts.join_next().await.transpose()?.transpose()?;
                }
            }
            while let Some(put) = puts.join_next().await {
                put??;
            }
            Ok(())
        })
    }

    fn documents(&self, runtime: &Runtime, bucket: &str) -> Result<u64> {
        runtime.block_on(async {
            self.cluster.refresh().await?;
            let query = json!({ "prefix": { "log.file.path": format!("s3://{bucket}/") } });
            self.cluster.count("log-*", query).await
        })
    }

    fn entries(&self, runtime: &Runtime, query: Value) -> Result<u64> {
        runtime.block_on(async {
            self.cluster.refresh().await?;
            self.cluster.count("sekisho-ledger-*", query).await
        })
    }
}

struct Ran {
    status: i32,
    lines: Vec<Value>,
    errors: String,
    took: Duration,
}

impl Ran {
    fn expect(self, status: i32) -> Result<Self> {
        let (found, lines, errors) = (self.status, &self.lines, &self.errors);
        ensure!(found == status, "exit code {found}: {errors} {lines:?}");
        Ok(self)
    }

    /// The number at a place of the last line.
    fn number(&self, place: &str) -> Option<u64> {
        self.lines.last()?.pointer(place)?.as_u64()
    }
}

fn flow_key(number: usize) -> String {
    format!(
        "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/11/23/111122223333_vpcflowlogs_us-east-1_fl-0a1b2c3d_20261123T0000Z_{number:08x}.log"
    )
}

fn flow_log(number: usize) -> String {
    let port = 10_000 + number;
    format!(
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n\
         2 111122223333 eni-0a1b2c3d 192.0.2.10 198.51.100.7 {port} 443 6 10 840 1795392000 1795392060 ACCEPT OK\n\
         2 111122223333 eni-0a1b2c3d 192.0.2.11 198.51.100.7 {port} 443 6 10 840 1795392000 1795392060 REJECT OK\n"
    )
}

fn two_pages(world: &World, runtime: &Runtime) -> Result<()> {
    world.bucket(runtime, "pages")?;
    world.put_flows(runtime, "pages", 0..MANY)?;
    let many = u64::try_from(MANY)?;
    let missing = world.audit("s3://pages")?.expect(1)?;
    ensure!(missing.number("/summary/findings/missing") == Some(many));
    let remedy = missing.lines[0]["remedy"].as_str().unwrap_or_default();
    ensure!(
        remedy.contains("sekisho load s3://pages/AWSLogs/"),
        "{remedy}"
    );

    let loaded = world.load("s3://pages/AWSLogs", &[], &[])?.expect(0)?;
    ensure!(loaded.number("/summary/total/objects") == Some(many));
    ensure!(loaded.number("/summary/total/indexed") == Some(2 * many));
    ensure!(world.documents(runtime, "pages")? == 2 * many);
    world.audit("s3://pages")?.expect(0)?;

    world.put_flows(runtime, "pages", MANY..MANY + 3)?;
    let resumed = world.load("s3://pages", &["--resume"], &[])?.expect(0)?;
    ensure!(resumed.number("/done") == Some(many));
    ensure!(resumed.number("/summary/total/objects") == Some(3));
    // Without it everything is read again, and nothing doubles.
    let again = world.load("s3://pages", &[], &[])?.expect(0)?;
    ensure!(again.number("/summary/total/duplicate") == Some(2 * many + 6));
    ensure!(world.documents(runtime, "pages")? == 2 * many + 6);
    let twice = json!({ "bool": { "filter": [{ "term": { "bucket": "pages" } }, { "term": { "attempts": 2 } }] } });
    ensure!(world.entries(runtime, twice)? == many + 3);
    world.audit("s3://pages")?.expect(0)?;
    Ok(())
}

fn stands_for(world: &World, runtime: &Runtime) -> Result<()> {
    world.bucket(runtime, "stands")?;
    world.put_flows(runtime, "stands", 0..2)?;
    world.load("s3://stands", &[], &[])?.expect(0)?;
    let folder = tempfile::tempdir()?;
    for number in 0..3 {
        write(&folder.path().join(flow_key(number)), &flow_log(number))?;
    }
    let from = folder.path().to_string_lossy().into_owned();
    let loaded = world
        .load(&from, &["--as", "s3://stands"], &[])?
        .expect(0)?;
    ensure!(loaded.number("/summary/total/duplicate") == Some(4));
    ensure!(loaded.number("/summary/total/indexed") == Some(2));
    // Files are resumed too, unless they have changed.
    let more = ["--as", "s3://stands", "--resume"];
    let resumed = world.load(&from, &more, &[])?.expect(0)?;
    ensure!(resumed.number("/done") == Some(3));
    let path = folder.path().join(flow_key(0));
    write(
        &path,
        &format!(
            "{}{}",
            flow_log(0),
            flow_log(9).lines().nth(1).unwrap_or_default()
        ),
    )?;
    let resumed = world.load(&from, &more, &[])?.expect(0)?;
    ensure!(resumed.number("/summary/total/indexed") == Some(1));
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::create_dir_all(path.parent().context("a folder")?)?;
    Ok(std::fs::write(path, text)?)
}

fn times(world: &World, runtime: &Runtime) -> Result<()> {
    world.bucket(runtime, "times")?;
    world.put_flows(runtime, "times", 0..2)?;
    let old = world
        .load("s3://times", &["--until", "1d"], &[])?
        .expect(0)?;
    ensure!(old.number("/left_out/other_times") == Some(2));
    let new = world
        .load("s3://times", &["--since", "1d"], &[])?
        .expect(0)?;
    ensure!(new.number("/summary/total/objects") == Some(2));
    Ok(())
}

fn rate(world: &World, runtime: &Runtime) -> Result<()> {
    world.bucket(runtime, "rate")?;
    let line = flow_log(0).lines().nth(1).unwrap_or_default().to_owned() + "\n";
    let header = flow_log(0).lines().next().unwrap_or_default().to_owned() + "\n";
    for number in 0..3 {
        let text = header.clone() + &line.repeat(1_000_000 / line.len());
        world.put(runtime, "rate", &flow_key(number), text.into())?;
    }
    let arguments = ["load", "s3://rate", "--to", "discard:"];
    let free = world.run(&arguments, &[])?.expect(0)?;
    let slow = world.run(&[&arguments[..], &["--rate", "1"]].concat(), &[])?;
    let slow = slow.expect(0)?;
    ensure!(slow.number("/summary/total/records") == free.number("/summary/total/records"));
    // Three megabytes at one a second.
    let took = slow.took.as_secs_f64();
    ensure!((2.9..6.0).contains(&took), "it took {took} s");
    Ok(())
}

fn quarantine(world: &World, _: &Runtime) -> Result<()> {
    let kept = [("SEKISHO_QUARANTINE_BUCKET", "kept")];
    let refused = world.load("s3://kept/quarantine/", &[], &kept)?;
    ensure!(refused.status != 0 && refused.lines.is_empty());
    let words = "is the quarantine bucket";
    ensure!(refused.errors.contains(words), "{}", refused.errors);
    Ok(())
}

fn raw(world: &World, runtime: &Runtime) -> Result<()> {
    world.bucket(runtime, "raw")?;
    let text = flow_log(0) + "2 this is no flow\n";
    world.put(runtime, "raw", &flow_key(0), text.into())?;
    for _ in 0..2 {
        // The second time the raw document is a duplicate, and still raw.
        world.load("s3://raw", &[], &[])?;
        let audit = world.audit("s3://raw")?.expect(1)?;
        ensure!(audit.lines[0]["kind"] == "raw", "{:?}", audit.lines);
        ensure!(audit.lines[0]["detail"] == "1 records did not parse");
    }
    Ok(())
}

fn refusing(world: &World, runtime: &Runtime) -> Result<()> {
    world.bucket(runtime, "refusing")?;
    world.put_flows(runtime, "refusing", 0..MANY)?;
    let block = |blocked: Option<bool>| {
        let body = json!({ "persistent": { "cluster.blocks.read_only": blocked } });
        let put = world
            .cluster
            .must(Method::Put, "/_cluster/settings", Some(body));
        runtime.block_on(put).map(drop)
    };
    block(Some(true))?;
    let patience = [("SEKISHO_BULK_RETRY_BUDGET_MS", "2000")];
    let stopped = world.load("s3://refusing", &[], &patience);
    block(None)?;
    let stopped = stopped?.expect(1)?;
    let reason = stopped.lines[0]["stopped"].as_str().unwrap_or_default();
    ensure!(
        reason.contains("takes nothing") && reason.contains("--resume"),
        "{reason}"
    );
    ensure!(stopped.took < Duration::from_secs(60), "{:?}", stopped.took);
    let tried = stopped.number("/summary/total/objects");
    ensure!(tried <= Some(1000), "{tried:?} objects");
    world.load("s3://refusing", &["--resume"], &[])?.expect(0)?;
    ensure!(world.documents(runtime, "refusing")? == 2 * u64::try_from(MANY)?);
    world.audit("s3://refusing")?.expect(0)?;
    Ok(())
}
