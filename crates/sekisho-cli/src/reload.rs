//! `sekisho reload`: replaces the documents of objects after a parser fix.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use sekisho_aws::Session;
use sekisho_bulk::OpenSearchTransport;
use sekisho_config::Settings;
use sekisho_event::{ObjectRef, S3Location};
use sekisho_ledger::{ClusterLedger, FindingKind, Ledger, ListedObject, NoLedger, audit};
use sekisho_parser::Catalog;
use sekisho_pipeline::{Clock as _, SystemClock};
use sekisho_reload::{Left, LeftRecords, ObjectReload, Parts, Reload, ReloadSettings};
use serde::Serialize;
use serde_json::json;

use crate::Finish;
use crate::load::{Display, Tally, chain, cluster, reason_to_stop, refuse_quarantine};
use crate::select::{Moment, Selection};
use crate::setup::{Setup, runtime};

/// `sekisho reload`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sekisho reload s3://my-logs/AWSLogs/ --outcome raw --dry-run
  sekisho reload s3://my-logs/AWSLogs/ --outcome raw --since 30d
  sekisho reload s3://my-logs/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/x.json.gz --to https://search.example.com

Reads each object whole, writes its documents over what is there, then deletes the older documents of the same bytes: those of the same ids in other indices, and those of this object that were not written again. Documents of other bytes under the same key stay.
What lies in a retired index stays as it is and is named. A reload that was stopped is healed by the next one.
Deploy the fixed parsers first: what the Lambda still writes by the old ones would come back.")]
pub struct ReloadArgs {
    /// The place in S3.
    #[arg(value_name = "s3://bucket/prefix")]
    pub from: S3Location,
    /// The cluster; without it `opensearch.url` of the settings.
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Only objects that hold such records, by the ledger.
    #[arg(long)]
    pub outcome: Option<Outcome>,
    /// Only objects put since then, by LastModified.
    #[arg(long, value_name = "RFC3339|DAYSd")]
    pub since: Option<Moment>,
    /// Only lists the objects.
    #[arg(long)]
    pub dry_run: bool,
}

/// What chooses an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Outcome {
    /// Records did not parse.
    Raw,
    /// Records could not be indexed at all.
    Quarantined,
}

/// How many objects are looked at together: they share refreshes, and wait for each other at the end.
const GROUP: usize = 64;
/// How many objects with a fault are told one by one to people.
const TOLD_OBJECTS: usize = 20;
/// And how many at most to machines.
const KEPT_OBJECTS: usize = 10_000;

/// Reloads, and prints the summary: to stderr for people, to stdout as JSON.
pub(crate) fn reload(args: &ReloadArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let mut settings = setup.settings()?;
    if let Some(url) = &args.to {
        settings.opensearch.url.clone_from(url);
    }
    refuse_quarantine(&args.from, &settings)?;
    if args.outcome.is_some() && !settings.ledger.enabled {
        bail!("`--outcome` asks the ledger, and `ledger.enabled` is false; leave it out");
    }
    let catalog = Arc::new(setup.catalog(&settings)?);
    runtime()?.block_on(async {
        let session = Session::connect(&settings).await;
        let cluster = cluster(&settings.opensearch.url, &settings).await?;
        let ledger = ledger(&cluster, &settings);
        let since = args.since.map(|since| since.time(SystemClock.now()));
        let mut run = Run {
            args,
            catalog: Arc::clone(&catalog),
            ledger: Arc::clone(&ledger),
            selection: Selection::new(&settings, since, None)?,
            results: Results::new(),
        };
        if args.dry_run {
            return run.list(&session, out).await;
        }
        let parts = Parts {
            store: Arc::new(session.store()),
            catalog,
            quarantine: session.quarantine(&settings.quarantine),
            ledger,
            clock: Arc::new(SystemClock),
        };
        let reload = Reload::new(Arc::new(cluster), parts, ReloadSettings::from(&settings));
        let display = Display::start(reload.progress(), None, setup.json);
        let ended = run.all(&session, &reload).await;
        display.end();
        ended?;
        run.results.tally.left_out = run.selection.left_out;
        run.results.print(setup.json, out)?;
        Ok(Finish::clean_if(run.results.clean()))
    })
}

fn ledger(cluster: &OpenSearchTransport, settings: &Settings) -> Arc<dyn Ledger> {
    if !settings.ledger.enabled {
        return Arc::new(NoLedger);
    }
    let prefix = settings.index.prefix.clone();
    Arc::new(ClusterLedger::new(Arc::new(cluster.clone()), prefix))
}

struct Run<'a> {
    args: &'a ReloadArgs,
    catalog: Arc<Catalog>,
    ledger: Arc<dyn Ledger>,
    selection: Selection,
    results: Results,
}

impl Run<'_> {
    /// Names what would be reloaded.
    async fn list(&mut self, session: &Session, out: &mut dyn Write) -> Result<Finish> {
        let mut n_objects = 0_u64;
        let mut pages = session.list(self.args.from.clone());
        while let Some(page) = pages.next_page().await? {
            for object in self.chosen(page).await? {
                n_objects += 1;
                writeln!(out, "{object}")?;
            }
        }
        let mut err = io::stderr();
        writeln!(
            err,
            "{n_objects} objects would be reloaded; nothing was changed"
        )?;
        Ok(Finish::Clean)
    }

    async fn all(&mut self, session: &Session, reload: &Reload) -> Result<()> {
        let mut pages = session.list(self.args.from.clone());
        while let Some(page) = pages.next_page().await? {
            let chosen = self.chosen(page).await?;
            for group in chosen.chunks(GROUP) {
                match reload.objects(group.to_vec(), None).await {
                    Ok(ended) => self.results.add(ended, reload.refuses_all()),
                    Err(error) => self.results.tally.stopped = Some(chain(&error)),
                }
                if self.results.tally.stopped.is_some() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Leaves those objects of a page that are asked for.
    async fn chosen(&mut self, mut page: Vec<ObjectRef>) -> Result<Vec<ObjectRef>> {
        page.retain(|object| self.selection.takes(object, &self.catalog));
        let Some(outcome) = self.args.outcome else {
            return Ok(page);
        };
        let listed: Vec<_> = page.iter().filter_map(ListedObject::of).collect();
        let findings = audit(&*self.ledger, &listed)
            .await
            .context("cannot ask the ledger")?;
        let wanted = match outcome {
            Outcome::Raw => FindingKind::Raw,
            Outcome::Quarantined => FindingKind::Quarantined,
        };
        let with: HashSet<_> = findings
            .into_iter()
            .filter(|finding| finding.kind == wanted)
            .map(|finding| finding.object.key)
            .collect();
        page.retain(|object| with.contains(&object.key));
        Ok(page)
    }
}

/// An object of which not all is as it should be, beside its books.
#[derive(Debug, Clone, Serialize)]
struct Named {
    object: String,
    left: LeftRecords,
    deleted: u64,
    stayed: u64,
    error: Option<String>,
}

/// What all objects came to, in memory that does not grow with the bucket.
struct Results {
    tally: Tally,
    left: u64,
    deleted: u64,
    stayed: u64,
    /// Objects whose old documents are not all gone.
    unfinished: u64,
    n_named: usize,
    named: Vec<Named>,
}

impl Results {
    fn new() -> Self {
        Self {
            tally: Tally::new(),
            left: 0,
            deleted: 0,
            stayed: 0,
            unfinished: 0,
            n_named: 0,
            named: Vec::new(),
        }
    }

    fn add(&mut self, ended: Vec<ObjectReload>, refuses_all: Option<String>) {
        let mut reports = Vec::with_capacity(ended.len());
        for one in ended {
            self.left += one.left.count;
            self.deleted += one.deleted;
            self.stayed += one.stayed;
            self.unfinished += u64::from(one.error.is_some());
            if one.left.count > 0 || one.stayed > 0 || one.error.is_some() {
                self.n_named += 1;
                if self.named.len() < KEPT_OBJECTS {
                    self.named.push(Named::of(&one));
                }
            }
            reports.push(one.report);
        }
        self.tally.stopped = reason_to_stop(&reports, refuses_all);
        self.tally.add(reports);
    }

    fn clean(&self) -> bool {
        self.tally.clean() && self.left == 0 && self.stayed == 0 && self.unfinished == 0
    }

    fn print(&self, as_json: bool, out: &mut dyn Write) -> Result<()> {
        if as_json {
            let mut all = self.tally.as_json();
            let own = json!({
                "deleted": self.deleted,
                "left": self.left,
                "stayed": self.stayed,
                "unfinished": self.unfinished,
                "named": self.n_named,
                "objects": self.named,
            });
            if let Some(all) = all.as_object_mut() {
                all.insert("reload".to_owned(), own);
            }
            writeln!(out, "{all}")?;
            return Ok(());
        }
        let mut err = io::stderr();
        for one in self.named.iter().take(TOLD_OBJECTS) {
            one.tell(&mut err)?;
        }
        if self.n_named > TOLD_OBJECTS {
            let more = self.n_named - TOLD_OBJECTS;
            writeln!(err, "… and {more} more objects; `--json` lists them")?;
        }
        self.tally.print(false, out)?;
        for (count, what) in [
            (
                self.deleted,
                "old documents deleted, beside those written over",
            ),
            (
                self.left,
                "records left as they are, in retired indices (counted as duplicate)",
            ),
            (
                self.stayed,
                "old documents stay, since no new one stands for them",
            ),
            (
                self.unfinished,
                "objects with old documents that are still there",
            ),
        ] {
            if count > 0 {
                writeln!(err, "{count} {what}")?;
            }
        }
        Ok(())
    }
}

impl Named {
    fn of(one: &ObjectReload) -> Self {
        Self {
            object: one.report.object.to_string(),
            left: one.left.clone(),
            deleted: one.deleted,
            stayed: one.stayed,
            error: one.error.as_ref().map(|error| chain(error)),
        }
    }

    fn tell(&self, err: &mut dyn Write) -> io::Result<()> {
        let Self {
            object,
            left,
            stayed,
            error,
            ..
        } = self;
        let count = left.count;
        writeln!(
            err,
            "{object}: {count} records left as they are, {stayed} old documents stay"
        )?;
        if let Some(error) = error {
            writeln!(err, "  {error}")?;
        }
        for Left { offset, reason } in &left.first {
            writeln!(err, "  byte {offset}: {reason}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_was_left_and_why() {
        let named = Named {
            object: "s3://b/k".into(),
            left: LeftRecords {
                count: 1,
                hidden: 0,
                first: vec![Left {
                    offset: 7,
                    reason: "its document lies in the retired index `log-x`".into(),
                }],
            },
            deleted: 3,
            stayed: 2,
            error: Some("cannot delete".into()),
        };
        let mut text = Vec::new();
        named.tell(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        for word in [
            "s3://b/k: 1 records",
            "2 old",
            "cannot delete",
            "byte 7: its",
        ] {
            assert!(text.contains(word), "{text}");
        }
    }

    #[test]
    fn what_is_left_is_not_clean_and_machines_read_it() {
        let mut results = Results::new();
        assert!(results.clean());
        results.left = 2;
        assert!(!results.clean());
        let mut out = Vec::new();
        results.print(true, &mut out).unwrap();
        let all: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(all["reload"]["left"], 2);
        assert!(all["summary"].is_object());
    }
}
