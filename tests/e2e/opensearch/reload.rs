//! Reload on a real node: raw records, a fixed parser with another time, and nothing raw or twice behind it.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use sekisho_bulk::{BulkDestination, BulkSettings, Method, OpenSearchTransport};
use sekisho_event::ObjectRef;
use sekisho_ledger::{ClusterLedger, FindingKind, Ledger, ListedObject, audit};
use sekisho_object::ObjectLimits;
use sekisho_parser::{Catalog, ParserFiles, ParserSettings};
use sekisho_pipeline::{
    Clock, NoQuarantine, Pipeline, PipelineSettings, Stages, SystemClock, TimeLimit, Work,
};
use sekisho_reload::{ObjectReload, Parts, Reload, ReloadSettings};
use sekisho_tests::fake::{Calm, FakeStore};
use sekisho_tests::opensearch::Cluster;
use serde_json::json;

crate::cases![
    a_fixed_parser_with_another_time_leaves_nothing_raw_and_nothing_twice,
    what_lies_in_a_retired_index_stays_and_is_named,
];

/// More than a page of the sweep.
const RECORDS: u64 = 2500;

fn catalog(require: &str, time: &str, more: &str) -> Result<Arc<Catalog>> {
    let spec = format!(
        r#"
[source]
dataset = "test.reload"
title = "A source of these tests"
reference = "https://www.example.com/"
index = "log-test-reload"
[match]
keys = ["reload/**"]
[record]
format = "ndjson"
require = ["{require}"]
{more}
[timestamp]
from = "{time}"
formats = ["rfc3339"]
[fields]
"event.id" = "id"
[constants]
"event.kind" = "event"
"#
    );
    let files = ParserFiles {
        folder: "test/reload".to_owned(),
        spec,
        ..ParserFiles::default()
    };
    let catalog = Catalog::from_files(vec![files], ParserSettings::default())?;
    Ok(Arc::new(catalog))
}

struct World {
    cluster: Cluster,
    store: FakeStore,
    object: ObjectRef,
}

impl World {
    /// Starts with one object, put today: half of its records are of the day before, by `put`.
    async fn new(cluster: Cluster) -> Result<Self> {
        cluster.delete("log-test-reload-*").await?;
        cluster.delete("sekisho-ledger-*").await?;
        let mappings = catalog("id", "at", "")?.mappings()?;
        cluster.apply(&mappings).await?;
        let store = FakeStore::new(Arc::new(Calm), false);
        let lines = (0..RECORDS).map(|n| {
            let day = 22 + n % 2;
            format!(
                "{{\"id\":\"i{n}\",\"at\":\"2026-11-20T01:00:00Z\",\"put\":\"2026-11-{day}T01:00:00Z\"}}\n"
            )
        });
        let text: String = lines.collect();
        let put: DateTime<Utc> = "2026-11-23T05:00:00Z".parse()?;
        let object = store.put("logs", "reload/2026/11/23/a", text, put);
        Ok(Self {
            cluster,
            store,
            object,
        })
    }

    fn transport(&self) -> OpenSearchTransport {
        self.cluster.transport().clone()
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(ClusterLedger::new(Arc::new(self.transport()), ""))
    }

    async fn ingest(&self, catalog: Arc<Catalog>) -> Result<()> {
        let clock = Arc::new(|| SystemClock.now());
        let destination = BulkDestination::new(self.transport(), BulkSettings::default(), clock);
        let stages = Stages {
            store: Arc::new(self.store.clone()),
            catalog,
            destination: Arc::new(destination),
            quarantine: Arc::new(NoQuarantine),
            ledger: self.ledger(),
            continuations: None,
            clock: Arc::new(SystemClock),
        };
        let pipeline = Pipeline::new(stages, limits(), settings());
        let work = vec![Work::from(self.object.clone())];
        let reports = pipeline.run(work, TimeLimit::default()).await;
        ensure!(reports[0].error.is_none(), "{:?}", reports[0].error);
        Ok(())
    }

    async fn reload(&self, catalog: Arc<Catalog>) -> Result<ObjectReload> {
        let parts = Parts {
            store: Arc::new(self.store.clone()),
            catalog,
            quarantine: Arc::new(NoQuarantine),
            ledger: self.ledger(),
            clock: Arc::new(SystemClock),
        };
        let settings = ReloadSettings {
            bulk: BulkSettings::default(),
            limits: limits(),
            pipeline: settings(),
            prefix: String::new(),
            days: 32,
        };
        let reload = Reload::new(Arc::new(self.transport()), parts, settings);
        let ended = reload.object(self.object.clone(), None).await?;
        ended.context("an object")
    }

    async fn count(&self, index: &str) -> Result<u64> {
        self.cluster.refresh().await?;
        self.cluster.count(index, json!({ "match_all": {} })).await
    }

    async fn n_raw(&self) -> Result<u64> {
        self.cluster.refresh().await?;
        let raw = json!({ "term": { "event.kind": "pipeline_error" } });
        self.cluster.count("log-test-reload-*", raw).await
    }

    async fn audit(&self) -> Result<Vec<FindingKind>> {
        let listed: Vec<_> = ListedObject::of(&self.object).into_iter().collect();
        let findings = audit(&*self.ledger(), &listed).await?;
        Ok(findings.iter().map(|finding| finding.kind).collect())
    }
}

fn limits() -> ObjectLimits {
    ObjectLimits {
        max_compressed_bytes: 1 << 30,
        max_decompressed_bytes: 1 << 30,
        max_ratio: 1000,
        max_entries: 1_000,
    }
}

fn settings() -> PipelineSettings {
    PipelineSettings {
        max_bulk_bytes: 300_000,
        chunk_bytes: 100_000,
        linger_ms: 20,
        ..PipelineSettings::default()
    }
}

async fn a_fixed_parser_with_another_time_leaves_nothing_raw_and_nothing_twice(
    cluster: Cluster,
) -> Result<()> {
    for identity in ["", "unique_by = [\"id\"]"] {
        let world = World::new(cluster.clone()).await?;
        world.ingest(catalog("wrong", "put", "")?).await?;
        ensure!(world.n_raw().await? == RECORDS);
        ensure!(world.audit().await? == [FindingKind::Raw]);
        let fixed = catalog("id", "at", identity)?;
        let one = world.reload(Arc::clone(&fixed)).await?;
        ensure!(one.clean() && one.deleted == RECORDS, "{one:?}");
        ensure!(world.n_raw().await? == 0);
        let found = (
            world.count("log-test-reload-*").await?,
            world.count("log-test-reload-2026.11.20").await?,
        );
        ensure!(found == (RECORDS, RECORDS), "{found:?}");
        ensure!(world.audit().await?.is_empty());
        let again = world.reload(fixed).await?;
        ensure!(again.clean() && again.deleted == 0, "{again:?}");
        ensure!(world.count("log-test-reload-*").await? == RECORDS);
    }
    Ok(())
}

async fn what_lies_in_a_retired_index_stays_and_is_named(cluster: Cluster) -> Result<()> {
    const RETIRED: &str = "log-test-reload-2026.11.22";
    for closed in [false, true] {
        let world = World::new(cluster.clone()).await?;
        world.ingest(catalog("id", "put", "")?).await?;
        let mark =
            json!({ "actions": [{ "add": { "index": RETIRED, "alias": "sekisho-retired" } }] });
        cluster.must(Method::Post, "/_aliases", Some(mark)).await?;
        let (method, call, body) = match closed {
            true => (Method::Post, format!("/{RETIRED}/_close"), None),
            false => {
                let block = json!({ "index.blocks.write": true });
                (Method::Put, format!("/{RETIRED}/_settings"), Some(block))
            }
        };
        cluster.must(method, &call, body).await?;
        let one = world
            .reload(catalog("id", "at", "unique_by = [\"id\"]")?)
            .await?;
        ensure!(one.left.count == RECORDS / 2 && one.stayed == 0, "{one:?}");
        ensure!(!one.clean() && one.left.first[0].reason.contains(RETIRED));
        ensure!(world.count("log-test-reload-2026.11.20").await? == RECORDS / 2);
        ensure!(world.count("log-test-reload-2026.11.23").await? == 0);
        if !closed {
            ensure!(world.count(RETIRED).await? == RECORDS / 2);
        }
        cluster.delete("log-test-reload-*").await?;
    }
    Ok(())
}
