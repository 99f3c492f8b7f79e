//! What the users of other loaders lost, on a real node: each case is a thread of theirs.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use chrono::DateTime;
use sekisho_bulk::{BulkSettings, Method};
use sekisho_ledger::{Books, NoLedger};
use sekisho_object::ObjectLimits;
use sekisho_parser::{Catalog, ParserFiles, ParserSettings};
use sekisho_pipeline::{
    Pipeline, PipelineSettings, Quarantine, QuarantineEntry, QuarantineError, Stages, SystemClock,
    TimeLimit, Work,
};
use sekisho_tests::fake::{Calm, FakeStore};
use sekisho_tests::opensearch::Cluster;
use serde_json::{Value, json};

crate::cases![
    two_identical_lines_stay_two_however_often_they_come,
    every_member_of_a_concatenated_gzip_is_read,
    a_field_may_be_text_in_one_record_and_an_object_in_the_next,
    twelve_thousand_field_names_are_one_document,
    a_text_that_looks_like_a_date_decides_nothing,
    a_finding_that_changed_its_status_is_two_documents,
    an_operators_stricter_template_loses_no_record,
];

const INDEX: &str = "log-test-peers-*";

const SPEC: &str = r#"
[source]
dataset = "test.peers"
title = "A source of these tests"
reference = "https://www.example.com/"
index = "log-test-peers"
[match]
keys = ["peers/**"]
[record]
format = "ndjson"
UNIQUE
[timestamp]
from = "at"
formats = ["rfc3339"]
[types]
"apiVersion" = "keyword"
"request" = "flat_object"
"size" = "long"
[fields]
"event.id" = "id"
"event.action" = "action"
"source.ip" = "ip"
[constants]
"event.kind" = "event"
"#;

fn catalog(unique_by: &str) -> Result<Arc<Catalog>> {
    let files = ParserFiles {
        folder: "test/peers".to_owned(),
        spec: SPEC.replace("UNIQUE", unique_by),
        ..ParserFiles::default()
    };
    let catalog = Catalog::from_files(vec![files], ParserSettings::default())?;
    Ok(Arc::new(catalog))
}

#[derive(Default)]
struct Kept(Mutex<Vec<QuarantineEntry>>);

#[async_trait]
impl Quarantine for Kept {
    async fn put(&self, entry: QuarantineEntry) -> Result<(), QuarantineError> {
        self.0.lock().unwrap().push(entry);
        Ok(())
    }
}

struct World {
    cluster: Cluster,
    store: FakeStore,
    catalog: Arc<Catalog>,
    kept: Arc<Kept>,
}

impl World {
    async fn new(cluster: Cluster, unique_by: &str) -> Result<Self> {
        cluster.delete(INDEX).await?;
        let catalog = catalog(unique_by)?;
        cluster.apply(&catalog.mappings()?).await?;
        Ok(Self {
            cluster,
            store: FakeStore::new(Arc::new(Calm), false),
            catalog,
            kept: Arc::default(),
        })
    }

    /// Puts an object and reads it once.
    async fn deliver(&self, name: &str, bytes: impl Into<Vec<u8>>) -> Result<Books> {
        let key = format!("peers/2026/11/23/{name}");
        let bytes: Vec<u8> = bytes.into();
        let object = self.store.put("logs", &key, bytes, DateTime::UNIX_EPOCH);
        let stages = Stages {
            store: Arc::new(self.store.clone()),
            catalog: Arc::clone(&self.catalog),
            destination: Arc::new(self.cluster.destination(BulkSettings::default())),
            quarantine: Arc::clone(&self.kept) as Arc<dyn Quarantine>,
            ledger: Arc::new(NoLedger),
            continuations: None,
            clock: Arc::new(SystemClock),
        };
        let limits = ObjectLimits {
            max_compressed_bytes: 1 << 30,
            max_decompressed_bytes: 1 << 30,
            max_ratio: 500,
            max_entries: 1_000,
        };
        let pipeline = Pipeline::new(stages, limits, PipelineSettings::default());
        let mut reports = pipeline
            .run(vec![Work::from(object)], TimeLimit::default())
            .await;
        let report = reports.remove(0);
        ensure!(report.error.is_none(), "{:?}", report.error);
        Ok(report.books)
    }

    async fn count(&self, query: Value) -> Result<u64> {
        self.cluster.refresh().await?;
        self.cluster.count(INDEX, query).await
    }
}

/// One record a line.
fn lines(records: &[Value]) -> Vec<u8> {
    let at = "2026-11-23T01:02:03Z";
    let lines = records.iter().map(|record| {
        let mut record = record.clone();
        record["at"] = json!(at);
        format!("{record}\n")
    });
    lines.collect::<String>().into_bytes()
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Checks records = indexed + raw + duplicate + quarantined.
fn check(books: Books, records: u64, ended: [u64; 4]) -> Result<()> {
    let Books {
        indexed,
        raw,
        duplicate,
        quarantined,
        ..
    } = books;
    ensure!(
        books.balanced()
            && (books.records, [indexed, raw, duplicate, quarantined]) == (records, ended),
        "{books}"
    );
    Ok(())
}

fn all() -> Value {
    json!({ "match_all": {} })
}

async fn two_identical_lines_stay_two_however_often_they_come(cluster: Cluster) -> Result<()> {
    let world = World::new(cluster, "").await?;
    let bytes = lines(&[json!({"id": "a"}), json!({"id": "a"})]);
    check(world.deliver("a", bytes.clone()).await?, 2, [2, 0, 0, 0])?;
    check(world.deliver("a", bytes.clone()).await?, 2, [0, 0, 2, 0])?;
    ensure!(world.count(all()).await? == 2);
    // A longer version of the same object adds what is new.
    let longer = [bytes, lines(&[json!({"id": "a"})])].concat();
    check(world.deliver("a", longer).await?, 3, [1, 0, 2, 0])?;
    ensure!(world.count(all()).await? == 3);
    Ok(())
}

async fn every_member_of_a_concatenated_gzip_is_read(cluster: Cluster) -> Result<()> {
    let world = World::new(cluster, "").await?;
    let mut bytes = Vec::new();
    for part in 0..50 {
        let records: Vec<_> = (0..20)
            .map(|n| json!({"id": format!("{part}-{n}")}))
            .collect();
        bytes.extend(gzip(&lines(&records))?);
    }
    check(world.deliver("a.gz", bytes).await?, 1_000, [1_000, 0, 0, 0])?;
    ensure!(world.count(all()).await? == 1_000);
    Ok(())
}

async fn a_field_may_be_text_in_one_record_and_an_object_in_the_next(
    cluster: Cluster,
) -> Result<()> {
    let world = World::new(cluster, "").await?;
    let records = [
        json!({"id": "a", "request": {"user": "x"}, "new": "text"}),
        json!({"id": "b", "request": "text", "new": {"deep": [1, {"x": null}]}}),
        json!({"id": "c", "request": [1, "two", {"three": 3}], "new": 7, "size": "many"}),
        json!({"id": "d", "request": null, "new": true, "size": {"in": "bytes"}}),
    ];
    check(world.deliver("a", lines(&records)).await?, 4, [4, 0, 0, 0])?;
    let found = |field: &str, value: &str| json!({ "term": { field: value } });
    ensure!(world.count(found("test.peers.request.user", "x")).await? == 1);
    ensure!(
        world
            .count(found("test.peers.other.request", "text"))
            .await?
            == 1
    );
    ensure!(world.count(found("test.peers.other.size", "many")).await? == 1);
    Ok(())
}

async fn twelve_thousand_field_names_are_one_document(cluster: Cluster) -> Result<()> {
    let world = World::new(cluster, "").await?;
    let mut record = json!({"id": "a"});
    for n in 0..12_000 {
        record[format!("field{n}")] = json!(n);
    }
    let mut nested = json!({"id": "b", "request": {}});
    for n in 0..12_000 {
        nested["request"][format!("field{n}")] = json!({ "value": n });
    }
    check(
        world.deliver("a", lines(&[record, nested])).await?,
        2,
        [2, 0, 0, 0],
    )?;
    let term = json!({ "term": { "test.peers.other.field11999": "11999" } });
    ensure!(world.count(term).await? == 1);
    Ok(())
}

async fn a_text_that_looks_like_a_date_decides_nothing(cluster: Cluster) -> Result<()> {
    let world = World::new(cluster, "").await?;
    let versions = ["2012-10-17", "2015_10_01", "v1", "20120601", ""];
    let records: Vec<_> = versions
        .iter()
        .map(|version| {
            json!({"id": version, "apiVersion": version, "undeclared": version,
                "request": {"apiVersion": version}})
        })
        .collect();
    check(world.deliver("a", lines(&records)).await?, 5, [5, 0, 0, 0])?;
    for field in [
        "test.peers.apiVersion",
        "test.peers.other.undeclared",
        "test.peers.request.apiVersion",
    ] {
        let term = json!({ "term": { field: "v1" } });
        ensure!(world.count(term).await? == 1, "{field}");
    }
    Ok(())
}

async fn a_finding_that_changed_its_status_is_two_documents(cluster: Cluster) -> Result<()> {
    let world = World::new(cluster, "unique_by = [\"id\"]").await?;
    let open = json!({"id": "finding", "action": "open"});
    let closed = json!({"id": "finding", "action": "closed"});
    let first = lines(std::slice::from_ref(&open));
    check(world.deliver("a", first).await?, 1, [1, 0, 0, 0])?;
    // The same bytes through another trail are the same fact; another status is another.
    let second = lines(&[open, closed]);
    check(world.deliver("b", second).await?, 2, [1, 0, 1, 0])?;
    ensure!(world.count(all()).await? == 2);
    Ok(())
}

async fn an_operators_stricter_template_loses_no_record(cluster: Cluster) -> Result<()> {
    let world = World::new(cluster, "").await?;
    let template = json!({
        "index_patterns": ["log-test-peers-*"],
        "priority": 100_000,
        "template": { "mappings": {
            "dynamic": "strict",
            "properties": {
                "@timestamp": { "type": "date" },
                "event": { "properties": {
                    "action": { "type": "long" }, "kind": { "type": "keyword" },
                    "dataset": { "type": "keyword" }, "module": { "type": "keyword" },
                    "id": { "type": "keyword" }, "ingested": { "type": "date" },
                    "created": { "type": "date" }, "original": { "type": "keyword" }
                }},
                "ecs": { "properties": { "version": { "type": "keyword" } } },
                "log": { "properties": { "file": { "properties": { "path": { "type": "keyword" } } } } },
                "sekisho": { "dynamic": "true", "type": "object" },
                "error": { "dynamic": "true", "type": "object" },
                "message": { "type": "text" },
                "test": { "properties": { "peers": { "properties": { "other": { "type": "flat_object" } } } } },
            }
        }}
    });
    let path = "/_index_template/operator-strict";
    world
        .cluster
        .must(Method::Put, path, Some(template))
        .await?;
    let done = stricter(&world).await;
    world.cluster.must(Method::Delete, path, None).await?;
    world.cluster.delete(INDEX).await?;
    done
}

async fn stricter(world: &World) -> Result<()> {
    let records: Vec<_> = (0..20)
        .map(|n| json!({"id": n.to_string(), "action": "login", "ip": "192.0.2.1"}))
        .collect();
    let books = world.deliver("a", lines(&records)).await?;
    ensure!(books.balanced() && books.records == 20, "{books}");
    // `event.action` and `source` are refused one after the other; both go to `other`, and `related` goes with them.
    check(books, 20, [20, 0, 0, 0])?;
    let moved = json!({ "term": { "test.peers.other.event.action": "login" } });
    ensure!(world.count(moved).await? == 20);
    // Nothing is lost either where not even the raw form can be stored.
    let again = world.deliver("a", lines(&records)).await?;
    check(again, 20, [0, 0, 20, 0])?;
    ensure!(world.kept.0.lock().unwrap().is_empty());
    Ok(())
}
