//! `cargo xtask demo`: the whole system on a laptop, without an AWS account or a container.
//!
//! A simulated account (MiniStack) and a real OpenSearch node are started, and `infra/` is deployed into them by the CDK as it is deployed into AWS.
//! The sample logs of every source then go through the created bucket, its notification, the queue, the event source mapping and the released binaries.
//! With `--once` a message that can never succeed follows: it is dead-lettered, the replay function runs, and it must end parked with its cause.
//!
//! **What this proves:** the template deploys, its wires connect, settings reach the functions, the apply function is started by the deployment, partial failures and the dead-letter queue work.
//! **What it does not:** policies and KMS (nothing is refused here), the network (a VPC is a record), signed requests to the cluster (the node is plain HTTP), arm64, memory, time and concurrency as AWS limits them, the alarms and the dashboard (left out: the account refuses metric math), the cluster's roles and lifecycle (the node has neither plugin), and the schedule itself (the replay function is invoked by hand).

mod account;
mod dead_letter;
mod deploy;
mod http;
mod node;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use crate::run::{Workspace, build_release, say};
use crate::{sample, tools};

use account::Account;
use deploy::Site;
use node::Node;

/// How long the samples may take; on a quiet machine they take some ten seconds.
const LIMIT: Duration = Duration::from_secs(300);
const LOOK: Duration = Duration::from_secs(2);
/// How often in a row the queue must be empty: a message can be between two states.
const QUIET: u32 = 3;

/// What the demo is asked for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Ends after the counts, and checks the way of a dead letter.
    once: bool,
    /// Built binaries to use.
    binaries: Option<PathBuf>,
}

impl Options {
    /// Reads `--once` and `--binaries FOLDER`.
    pub(crate) fn read(arguments: &[&str]) -> Result<Self> {
        let mut options = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "--once" => options.once = true,
                "--binaries" => {
                    let folder = rest.next().context("`--binaries` needs a folder")?;
                    options.binaries = Some(Path::new(folder).canonicalize()?);
                }
                other => bail!("unknown option `{other}`; there are `--once` and `--binaries`"),
            }
        }
        Ok(options)
    }
}

/// Runs the demo until Ctrl-C, which ends everything that it started.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    tools::check(workspace)?;
    deploy::check()?;
    let samples = workspace.root().join("target/demo/samples");
    let objects = sample::lay_out(workspace.root(), &samples)?;
    let binaries = match &options.binaries {
        Some(folder) => folder.clone(),
        None => {
            build_release(workspace)?;
            workspace.target().join("release")
        }
    };
    say("\nstarting OpenSearch and the simulated account");
    let node = spawn(Node::start);
    let account = Account::start()?;
    deploy::install(workspace)?;
    let node = node
        .join()
        .map_err(|_panic| anyhow!("the start of the node panicked"))??;
    let site = Site::deploy(workspace, &account, node.url(), &binaries)?;
    let found = drop_in(&account, &site, &samples, objects, node.url());
    if let Err(error) = found {
        say(&account.tail(40));
        return Err(error);
    }
    if options.once {
        let checked = dead_letter::check(&account, &site);
        if checked.is_err() {
            say(&account.tail(40));
        }
        return checked;
    }
    say(&hints(node.url(), &account, &site));
    loop {
        sleep(LOOK);
    }
}

/// Puts the samples into the bucket and shows what becomes searchable.
fn drop_in(
    account: &Account,
    site: &Site,
    samples: &Path,
    objects: usize,
    node: &str,
) -> Result<()> {
    for file in files(samples)? {
        let key = file.strip_prefix(samples)?.to_string_lossy().into_owned();
        account.put(&site.bucket, &key, &fs::read(&file)?)?;
    }
    say(&format!(
        "\n{objects} sample objects are in s3://{}, documents by source:\n",
        site.bucket
    ));
    let started = Instant::now();
    let mut shown = BTreeMap::new();
    let mut quiet = 0;
    while quiet < QUIET {
        if started.elapsed() > LIMIT {
            bail!(
                "the queue did not become empty within {} s",
                LIMIT.as_secs()
            );
        }
        sleep(LOOK);
        let now = counts(node)?;
        for (source, count) in &now {
            if shown.get(source) != Some(count) {
                let seconds = started.elapsed().as_secs();
                say(&format!("  {seconds:>4} s  {source:<40} {count:>6}"));
            }
        }
        let is_same = shown == now && !now.is_empty();
        shown = now;
        let is_empty = account.waiting(&site.queue)? == 0;
        quiet = if is_same && is_empty { quiet + 1 } else { 0 };
    }
    let total: u64 = shown.values().sum();
    let seconds = started.elapsed().as_secs();
    say(&format!(
        "\n{total} documents of {} sources are searchable after {seconds} s; {} messages are dead-lettered.",
        shown.len(),
        account.waiting(&site.dead_letters)?
    ));
    Ok(())
}

/// Asks for the documents of each index and adds them up by source: the name without its day.
fn counts(node: &str) -> Result<BTreeMap<String, u64>> {
    http::call("POST", &format!("{node}/log-*/_refresh"), &[], b"")?;
    let url = format!("{node}/_cat/indices/log-*?h=index,docs.count");
    let text = http::call("GET", &url, &[], b"")?;
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(index), Some(count)) = (words.next(), words.next()) else {
            continue;
        };
        let source = index
            .rsplit_once('-')
            .map_or(index, |(source, _day)| source);
        *counts.entry(source.to_owned()).or_default() += count.parse::<u64>().unwrap_or_default();
    }
    Ok(counts)
}

/// Finds every file below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn hints(node: &str, account: &Account, site: &Site) -> String {
    let Site { bucket, .. } = site;
    let aws = account.url();
    format!(
        "
Some samples are broken on purpose: they are searchable as raw documents, or quarantined. Try:

  curl '{node}/log-*/_search?q=event.outcome:failure&size=3&pretty'
  curl '{node}/log-*/_search?q=related.ip:192.0.2.10&size=3&pretty'
  curl '{node}/log-*/_search?q=event.kind:pipeline_error&size=3&pretty'
  curl '{node}/sekisho-ledger-*/_search?size=3&pretty'

Or drop a log of your own; the key chooses the parser (`sekisho route KEY` says which):

  curl -T FILE '{aws}/{bucket}/KEY'

Ctrl-C ends everything."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_options() {
        assert!(Options::read(&["--once"]).unwrap().once);
        assert!(!Options::read(&[]).unwrap().once);
        assert!(Options::read(&["--binaries"]).is_err());
        assert!(Options::read(&["--twice"]).is_err());
    }
}
