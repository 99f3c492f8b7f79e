//! What a batch says of itself in metrics.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{TimeDelta, Utc};
use sekisho_bulk::BulkLoad;
use sekisho_config::Settings;
use sekisho_lambda::LineSink;
use sekisho_parser::ParserFiles;
use sekisho_pipeline::{Quarantine, QuarantineEntry, QuarantineError, Reading};

use super::*;

const PARSER: &str = r#"
[source]
dataset = "test.app"
title = "A source of the test"
reference = "https://www.example.com/"
index = "log-test-app"
[match]
keys = ["app/**"]
[record]
format = "ndjson"
require = ["n"]
[timestamp]
from = "time"
formats = ["rfc3339"]
[fields]
"event.id" = "n"
[[exclude]]
name = "health-checks"
when = [{ field = "n", starts_with = "health" }]
reason = "nobody needs them"
"#;

/// One record of each outcome, and a blank line.
const EACH: &str = r#"{"time":"2026-11-23T00:00:00Z","n":"new"}
{"time":"2026-11-22T00:00:00Z","n":"twice"}

no json hunter2
{"n":"health-1"}
{"n":"refused"}
"#;

/// Bucket, cluster, quarantine, clock and log in one.
struct World {
    refuses: AtomicBool,
    /// Whether everything is there already.
    has_all: AtomicBool,
    lines: Mutex<Vec<Value>>,
    started: Instant,
}

#[async_trait]
impl ObjectStore for World {
    async fn open(&self, object: &ObjectRef) -> Result<OpenObject, ObjectError> {
        let mut opened = Store.open(object).await?;
        // Times far from it are not believed.
        opened.meta.last_modified = self.now();
        if object.key.starts_with("app/") {
            opened.body = Body::from_bytes(EACH);
        }
        Ok(opened)
    }

    async fn open_from(&self, object: &ObjectRef, _: u64) -> Result<OpenObject, ObjectError> {
        self.open(object).await
    }

    async fn head(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError> {
        Store.head(object).await
    }
}

#[async_trait]
impl Destination for World {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        let verdict = |item| {
            let body = String::from_utf8_lossy(batch.body(item).unwrap());
            if self.refuses.load(Ordering::SeqCst) {
                return Verdict::StateFault {
                    reason: "full".to_owned(),
                };
            }
            if body.contains("refused") {
                return Verdict::DocumentFault {
                    field: None,
                    reason: "no".to_owned(),
                };
            }
            match body.contains("twice") || self.has_all.load(Ordering::SeqCst) {
                true => Verdict::Duplicate,
                false => Verdict::Indexed,
            }
        };
        Ok(batch.items.iter().map(verdict).collect())
    }

    fn refuses_all(&self) -> Option<String> {
        let refuses = self.refuses.load(Ordering::SeqCst);
        refuses.then(|| "full".to_owned())
    }

    fn take_load(&self) -> BulkLoad {
        BulkLoad {
            requests: 3,
            rejected: 1,
            denied: 2,
            in_flight: 2,
            took: vec![Duration::from_millis(40); 3],
        }
    }
}

#[async_trait]
impl Quarantine for World {
    async fn put(&self, _: QuarantineEntry) -> Result<(), QuarantineError> {
        Ok(())
    }
}

impl Clock for World {
    fn now(&self) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2026-11-23T00:01:00Z".parse().unwrap();
        start + TimeDelta::from_std(self.started.elapsed()).unwrap()
    }
}

impl LineSink for World {
    fn line(&self, line: &str) {
        let line = serde_json::from_str(line).unwrap();
        self.lines.lock().unwrap().push(line);
    }
}

/// A cluster that knows nobody.
struct Closed;

#[async_trait]
impl ClusterApi for Closed {
    async fn call(
        &self,
        _: Method,
        _: &str,
        _: Option<bytes::Bytes>,
    ) -> Result<sekisho_bulk::ApiAnswer, BulkError> {
        Ok(sekisho_bulk::ApiAnswer {
            status: 401,
            body: bytes::Bytes::from_static(b"Unauthorized"),
        })
    }
}

impl World {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            refuses: AtomicBool::new(false),
            has_all: AtomicBool::new(false),
            lines: Mutex::default(),
            started: Instant::now(),
        })
    }

    fn ingest(self: &Arc<Self>, gate: Gate) -> Ingest {
        let parser = ParserFiles {
            folder: "app".to_owned(),
            spec: PARSER.to_owned(),
            ..ParserFiles::default()
        };
        let catalog = Catalog::from_files(vec![parser], ParserSettings::default()).unwrap();
        let stages = Stages {
            store: Arc::clone(self) as _,
            catalog: Arc::new(catalog),
            destination: Arc::clone(self) as _,
            quarantine: Arc::clone(self) as _,
            ledger: Arc::new(NoLedger),
            continuations: None,
            clock: Arc::clone(self) as _,
        };
        let settings = PipelineSettings {
            reading: Reading::Inline,
            ..PipelineSettings::default()
        };
        let limits = object_limits(&Settings::default());
        let sink = Arc::clone(self) as Arc<dyn LineSink>;
        Ingest::new(Parts {
            pipeline: Pipeline::new(stages, limits, settings),
            destination: Arc::clone(self) as _,
            gate,
            ignored_keys: IgnoredKeys::default(),
            parsers: None,
            quarantine_bucket: "quarantine".to_owned(),
            queue: None,
            files: Arc::new(NoFiles),
            clock: Arc::clone(self) as _,
            metrics: Metrics::to(sink, &Settings::default(), ["test.app"]),
            settings: IngestSettings {
                reserve: Duration::from_secs(20),
                brake: BrakeSettings {
                    first: Duration::from_secs(30),
                    longest: Duration::from_secs(900),
                },
            },
        })
    }

    /// Answers a batch of objects and gives its numbers: of the installation, then of each source.
    async fn answer(&self, ingest: &Ingest, payload: &str) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(300);
        ingest.answer(payload, deadline).await.unwrap();
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

/// A message for each key, announced by S3 90 seconds before the clock starts.
fn announced(keys: &[&str], receive_count: u32, attributes: &Value) -> String {
    let record = |key: &&str| {
        let body = json!({ "Records": [{
            "eventTime": "2026-11-22T23:59:30.000Z", "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": "b" }, "object": { "key": key, "size": 8 } },
        }] });
        json!({"messageId": key, "receiptHandle": "h", "eventSource": "aws:sqs", "body": body.to_string(),
            "attributes": {"ApproximateReceiveCount": receive_count.to_string()},
            "messageAttributes": attributes})
    };
    json!({ "Records": keys.iter().map(record).collect::<Vec<_>>() }).to_string()
}

#[track_caller]
fn check(numbers: &Value, expected: &[(&str, u64)]) {
    for (name, number) in expected {
        assert_eq!(numbers[*name], *number, "{name} of {numbers}");
    }
}

/// Checks the only value of a delay.
#[track_caller]
fn check_delay(numbers: &Value, name: &str, seconds: f64) {
    let values: Vec<f64> = serde_json::from_value(numbers[name].clone()).unwrap();
    let late = values[0] - seconds;
    assert!(values.len() == 1 && (0.0..1.0).contains(&late), "{numbers}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_counts_each_outcome_once() {
    let world = World::new();
    let payload = announced(&["app/a", "missing", "elsewhere"], 1, &json!({}));
    let lines = world.answer(&world.ingest(Gate::open()), &payload).await;
    let [all, unknown, source] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    let outcomes = [
        ("Objects", 3),
        ("ObjectsFailed", 1),
        ("ObjectsUnbalanced", 0),
        ("Records", 7),
        ("Indexed", 1),
        ("Raw", 3),
        ("Duplicate", 1),
        ("Excluded", 1),
        ("Quarantined", 1),
        ("Skipped", 1),
    ];
    check(all, &outcomes);
    let around = [
        ("BytesStored", 16),
        ("BytesRead", EACH.len() as u64 + 8),
        ("BulkRequests", 3),
        ("BulkRejected", 1),
        ("BulkInFlight", 2),
        ("PermissionDenied", 2),
        ("MessagesFailed", 1),
        ("BrakedSeconds", 0),
    ];
    check(all, &around);
    assert_eq!(all["BulkMilliseconds"], json!([40, 40, 40]));
    assert_eq!(all["ObjectMilliseconds"].as_array().unwrap().len(), 2);
    assert_eq!(all["DeliveryDelay"].as_array().unwrap().len(), 2);
    check_delay(all, "EventDelay", 60.0);
    assert_eq!(source["Source"], "test.app");
    check(source, &[("SourceRecords", 5), ("SourceRaw", 1)]);
    assert_eq!(unknown["Source"], "other");
    check(unknown, &[("SourceRecords", 2), ("SourceRaw", 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_live_message_says_how_late_it_is() {
    let world = World::new();
    let payload = announced(&["app/a"], 1, &json!({}));
    let lines = world.answer(&world.ingest(Gate::open()), &payload).await;
    check_delay(&lines[0], "DeliveryDelay", 90.0);
    check_delay(&lines[0], "EventDelay", 60.0);
}

#[tokio::test(start_paused = true)]
async fn a_replayed_message_and_a_duplicate_say_nothing_of_freshness() {
    let world = World::new();
    let ingest = world.ingest(Gate::open());
    for count in ["0", "2"] {
        let replayed = json!({"sekisho.replays": {"stringValue": count, "dataType": "String"}});
        let lines = world
            .answer(&ingest, &announced(&["app/a"], 1, &replayed))
            .await;
        check(&lines[0], &[("Indexed", 1), ("Objects", 1)]);
        assert!(lines[0].get("DeliveryDelay").is_none() && lines[0].get("EventDelay").is_none());
    }
    // A second receive whose first one wrote everything.
    world.has_all.store(true, Ordering::SeqCst);
    let lines = world
        .answer(&ingest, &announced(&["app/a"], 2, &json!({})))
        .await;
    let again = [("Duplicate", 3), ("Indexed", 0), ("Raw", 0), ("Records", 5)];
    check(&lines[0], &again);
    assert!(lines[0].get("DeliveryDelay").is_none() && lines[0].get("EventDelay").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_braked_batch_says_since_when() {
    let world = World::new();
    let ingest = world.ingest(Gate::open());
    let payload = announced(&["app/a", "app/b"], 1, &json!({}));
    world.refuses.store(true, Ordering::SeqCst);
    let lines = world.answer(&ingest, &payload).await;
    let closed = [("BrakedSeconds", 1), ("MessagesFailed", 2), ("Indexed", 0)];
    check(&lines[0], &closed);
    assert!(lines[0].get("DeliveryDelay").is_none());
    tokio::time::advance(Duration::from_secs(10)).await;
    let lines = world.answer(&ingest, &payload).await;
    // Nothing was read.
    check(&lines[0], &[("Objects", 0), ("MessagesFailed", 2)]);
    assert_eq!(lines.len(), 1);
    tokio::time::advance(Duration::from_secs(1000)).await;
    let lines = world.answer(&ingest, &payload).await;
    assert!(lines[0]["BrakedSeconds"].as_u64().unwrap() >= 1010);
    world.refuses.store(false, Ordering::SeqCst);
    tokio::time::advance(Duration::from_secs(1000)).await;
    let lines = world.answer(&ingest, &payload).await;
    check(&lines[0], &[("BrakedSeconds", 0), ("MessagesFailed", 0)]);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_denies_the_first_question_is_counted_and_brakes() {
    let world = World::new();
    let ingest = world.ingest(Gate::checked(Arc::new(Closed), String::new()));
    let payload = announced(&["app/a"], 1, &json!({}));
    let lines = world.answer(&ingest, &payload).await;
    // One more than the destination's own.
    check(&lines[0], &[("PermissionDenied", 3), ("BrakedSeconds", 1)]);
    tokio::time::advance(Duration::from_secs(3600)).await;
    let lines = world.answer(&ingest, &payload).await;
    check(&lines[0], &[("BrakedSeconds", 3600), ("Objects", 0)]);
}
