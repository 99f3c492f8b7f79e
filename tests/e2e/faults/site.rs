//! One installation: a bucket, its queue, what was put, and what must be found at the end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use sekisho_ledger::{ClusterLedger, ListedObject, audit};
use sekisho_tests::aws::{Deployment, QueueOptions};
use serde_json::{Value, json};

use crate::consumer::{Consumer, Plan};
use crate::logs::Log;
use crate::world::World;

/// No case takes longer to become quiet.
const QUIET_LIMIT: Duration = Duration::from_secs(120);
/// The most documents that a search gives at once.
const PAGE: usize = 10_000;

/// One installation.
pub(crate) struct Site {
    world: Arc<World>,
    name: String,
    pub(crate) deployment: Deployment,
    /// Key and offset of every record that was put.
    expected: BTreeSet<(String, u64)>,
    pub(crate) objects: u64,
}

impl Site {
    pub(crate) async fn new(world: &Arc<World>, name: &str, queue: QueueOptions) -> Result<Self> {
        let deployment = world.aws.deploy_queue(name, queue).await?;
        let s3 = world.aws.s3();
        s3.create_bucket()
            .bucket(format!("{name}-quarantine"))
            .send()
            .await?;
        Ok(Self {
            world: Arc::clone(world),
            name: name.to_owned(),
            deployment,
            expected: BTreeSet::new(),
            objects: 0,
        })
    }

    /// Puts an object, whose notification goes to the queue.
    pub(crate) async fn put(&mut self, log: Log) -> Result<()> {
        let aws = &self.world.aws;
        aws.put(&self.deployment, &log.key, &log.bytes).await?;
        self.objects += 1;
        let offsets = log.offsets.into_iter();
        self.expected
            .extend(offsets.map(|offset| (log.key.clone(), offset)));
        Ok(())
    }

    /// How many documents there must be.
    pub(crate) fn records(&self) -> usize {
        self.expected.len()
    }

    /// A consumer with the function's settings for tests and these beside.
    pub(crate) fn consumer(
        &self,
        batch: usize,
        time: Duration,
        changes: &[(&'static str, &str)],
    ) -> Consumer {
        let world = &self.world;
        let mut environment = world.aws.environment_at(&world.to_aws.url());
        let queue_url = &self.deployment.queue_url;
        let dead_letter_url = &self.deployment.dead_letter_url;
        let own = [
            ("SEKISHO_OPENSEARCH_URL", world.to_cluster.url()),
            ("SEKISHO_OPENSEARCH_TIMEOUT_MS", "5000".to_owned()),
            ("SEKISHO_QUEUE_URL", self.through(queue_url)),
            (
                "SEKISHO_QUEUE_DEAD_LETTER_URL",
                self.through(dead_letter_url),
            ),
            (
                "SEKISHO_QUARANTINE_BUCKET",
                format!("{}-quarantine", self.name),
            ),
            ("SEKISHO_BULK_RETRY_BUDGET_MS", "2000".to_owned()),
            ("SEKISHO_DELIVERY_BRAKE_MS", "500".to_owned()),
            ("SEKISHO_DELIVERY_BRAKE_LONGEST_MS", "2000".to_owned()),
        ];
        environment.extend(own);
        let changes = changes.iter();
        environment.extend(changes.map(|(name, value)| (*name, (*value).to_owned())));
        let plan = Plan {
            binary: world.binary.clone(),
            environment,
            queue_url: queue_url.clone(),
            batch,
            time,
            log: world.log_of(&self.name),
        };
        Consumer::start(plan, world.aws.sqs())
    }

    /// Waits until every message is deleted or dead-lettered.
    pub(crate) async fn quiet(&self, consumers: &[&Consumer]) -> Result<()> {
        let began = Instant::now();
        let queue = &self.deployment.queue_url;
        while self.world.aws.waiting(queue).await? > 0 {
            for consumer in consumers {
                consumer.check()?;
            }
            if began.elapsed() > QUIET_LIMIT {
                bail!(
                    "`{}` did not become quiet; the function's last words:\n{}",
                    self.name,
                    self.last_words()
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Demands that every record is found once, the ledger is closed, and nothing is dead-lettered or quarantined.
    pub(crate) async fn complete(&self) -> Result<()> {
        let dead = self.world.aws.dead_letters(&self.deployment).await?;
        ensure!(
            dead.is_empty(),
            "dead-lettered: {dead:?}; the function's last words:\n{}",
            self.last_words()
        );
        self.indexed_once().await?;
        self.audited(&[]).await?;
        self.nothing_quarantined().await
    }

    /// Demands that exactly the records that were put are documents, each once.
    pub(crate) async fn indexed_once(&self) -> Result<()> {
        let documents = self.documents().await?;
        let found: BTreeSet<_> = documents.iter().cloned().collect();
        ensure!(
            found.len() == documents.len(),
            "{} documents are there twice",
            documents.len() - found.len()
        );
        let lost: Vec<_> = self.expected.difference(&found).take(3).collect();
        let more: Vec<_> = found.difference(&self.expected).take(3).collect();
        ensure!(
            found == self.expected,
            "{} documents for {} records; lost: {lost:?}, more: {more:?}; the function's last words:\n{}",
            found.len(),
            self.expected.len(),
            self.last_words()
        );
        Ok(())
    }

    /// Key and offset of each document.
    async fn documents(&self) -> Result<Vec<(String, u64)>> {
        self.world.cluster.refresh().await?;
        let prefix = format!("s3://{}/", self.name);
        let mut documents = Vec::new();
        let mut after: Option<Value> = None;
        loop {
            let mut body = json!({ "size": PAGE, "_source": ["log.file.path", "sekisho.offset"],
                "query": { "prefix": { "log.file.path": prefix } },
                "sort": [{ "log.file.path": "asc" }, { "sekisho.offset": "asc" }, { "_id": "asc" }] });
            if let Some(after) = &after {
                body["search_after"] = after.clone();
            }
            let answer = self.world.cluster.search("log-*", body).await?;
            let hits = answer.pointer("/hits/hits").and_then(Value::as_array);
            let hits = hits.context("a search without hits")?;
            for hit in hits {
                let path = hit.pointer("/_source/log/file/path");
                let path = path.and_then(Value::as_str).context("no path")?;
                let offset = hit.pointer("/_source/sekisho/offset");
                let offset = offset.and_then(Value::as_u64).context("no offset")?;
                documents.push((path.trim_start_matches(&prefix).to_owned(), offset));
            }
            after = hits.last().and_then(|hit| hit.get("sort").cloned());
            if hits.len() < PAGE {
                return Ok(documents);
            }
        }
    }

    /// Demands that the ledger names nothing wrong but objects of these keys.
    pub(crate) async fn audited(&self, but: &[&str]) -> Result<()> {
        let ledger = ClusterLedger::new(Arc::new(self.world.cluster.transport().clone()), "");
        let findings = audit(&ledger, &self.listed().await?).await?;
        let found: Vec<_> = findings
            .iter()
            .filter(|finding| !but.contains(&finding.object.key.as_str()))
            .map(|finding| {
                format!(
                    "{} {}: {}",
                    finding.kind.as_str(),
                    finding.object,
                    finding.detail
                )
            })
            .collect();
        ensure!(found.is_empty(), "the ledger: {found:#?}");
        Ok(())
    }

    async fn listed(&self) -> Result<Vec<ListedObject>> {
        let s3 = self.world.aws.s3();
        let mut pages = s3
            .list_objects_v2()
            .bucket(&self.name)
            .into_paginator()
            .send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            for object in page?.contents() {
                let modified = object.last_modified().context("no time")?;
                let modified = chrono::DateTime::from_timestamp_millis(modified.to_millis()?);
                listed.push(ListedObject {
                    bucket: self.name.clone(),
                    key: object.key().context("no key")?.to_owned(),
                    etag: object.e_tag().map(|etag| etag.trim_matches('"').to_owned()),
                    last_modified: modified.context("no time")?,
                });
            }
        }
        Ok(listed)
    }

    pub(crate) async fn nothing_quarantined(&self) -> Result<()> {
        let list = self.world.aws.s3().list_objects_v2();
        let listed = list
            .bucket(format!("{}-quarantine", self.name))
            .prefix("quarantine/")
            .send()
            .await?;
        let keys: Vec<_> = listed
            .contents()
            .iter()
            .filter_map(|one| one.key())
            .collect();
        ensure!(keys.is_empty(), "quarantined: {keys:?}");
        Ok(())
    }

    /// The ledger's entries of this bucket.
    pub(crate) async fn entries(&self) -> Result<Vec<Value>> {
        self.world.cluster.refresh().await?;
        let body = json!({ "size": PAGE, "query": { "term": { "bucket": self.name } } });
        let answer = self.world.cluster.search("sekisho-ledger-*", body).await?;
        let hits = answer.pointer("/hits/hits").and_then(Value::as_array);
        let hits = hits.context("a search without hits")?;
        Ok(hits
            .iter()
            .filter_map(|hit| hit.get("_source").cloned())
            .collect())
    }

    /// The lines that the function has logged.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.world.log_of(&self.name)).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    fn last_words(&self) -> String {
        let lines = self.log();
        let loud = lines.iter().rev().filter(|line| line["level"] != "INFO");
        let last: Vec<_> = loud.take(12).map(Value::to_string).collect();
        last.join("\n")
    }

    /// Leads a queue's URL through the proxy.
    fn through(&self, url: &str) -> String {
        url.replace(self.world.aws.url(), &self.world.to_aws.url())
    }
}
