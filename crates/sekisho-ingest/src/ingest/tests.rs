//! One invocation against a store and a cluster in memory.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::DateTime;
use sekisho_bulk::{BulkBatch, BulkError, ClusterApi, Destination, Method, Verdict};
use sekisho_delivery::NoFiles;
use sekisho_event::ObjectRef;
use sekisho_ledger::NoLedger;
use sekisho_object::{Body, ErrorClass, ObjectError, ObjectMeta, ObjectStore, OpenObject};
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_pipeline::{NoQuarantine, PipelineSettings, Stages, SystemClock, object_limits};
use serde_json::{Value, json};

use super::*;

mod around;
mod bundles;
mod numbers;

/// The key says what happens.
struct Store;

#[async_trait]
impl ObjectStore for Store {
    async fn open(&self, object: &ObjectRef) -> Result<OpenObject, ObjectError> {
        let class = match object.key.as_str() {
            "panic" => panic!("a bug"),
            "missing" => Some(ErrorClass::Missing),
            "superseded" => Some(ErrorClass::Superseded),
            _ => None,
        };
        if let Some(class) = class {
            return Err(ObjectError::Open {
                object: Box::new(object.clone()),
                class,
                source: "x".into(),
            });
        }
        let meta = ObjectMeta {
            etag: None,
            version_id: None,
            last_modified: DateTime::UNIX_EPOCH,
            size: None,
        };
        Ok(OpenObject {
            meta,
            body: Body::from_bytes("one\ntwo\n"),
        })
    }

    async fn open_from(&self, object: &ObjectRef, _: u64) -> Result<OpenObject, ObjectError> {
        self.open(object).await
    }

    async fn head(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError> {
        Ok(self.open(object).await?.meta)
    }
}

struct Everything;

#[async_trait]
impl Destination for Everything {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        Ok(vec![Verdict::Indexed; batch.items.len()])
    }
}

/// A cluster without templates.
struct Bare;

#[async_trait]
impl ClusterApi for Bare {
    async fn call(
        &self,
        _: Method,
        path: &str,
        _: Option<bytes::Bytes>,
    ) -> Result<sekisho_bulk::ApiAnswer, BulkError> {
        let root = json!({"version": {"number": "3.4.0", "distribution": "opensearch"}});
        let (status, body) = if path == "/" {
            (200, root)
        } else {
            (404, json!({}))
        };
        Ok(sekisho_bulk::ApiAnswer {
            status,
            body: body.to_string().into(),
        })
    }
}

fn ingest(gate: Gate) -> Ingest {
    installation(
        gate,
        Arc::new(Store),
        Arc::new(Everything),
        None,
        Arc::new(NoFiles),
    )
}

fn installation(
    gate: Gate,
    store: Arc<dyn ObjectStore>,
    destination: Arc<dyn Destination>,
    queue: Option<Arc<dyn Queue>>,
    files: Arc<dyn Files>,
) -> Ingest {
    let pipeline = Pipeline::new(
        Stages {
            store,
            catalog: Arc::new(Catalog::builtin(ParserSettings::default()).unwrap()),
            destination: Arc::clone(&destination),
            quarantine: Arc::new(NoQuarantine),
            ledger: Arc::new(NoLedger),
            continuations: None,
            clock: Arc::new(SystemClock),
        },
        object_limits(&sekisho_config::Settings::default()),
        PipelineSettings::default(),
    );
    Ingest::new(Parts {
        pipeline,
        parsers: None,
        destination,
        gate,
        ignored_keys: IgnoredKeys::default(),
        quarantine_bucket: "quarantine".to_owned(),
        queue,
        files,
        clock: Arc::new(SystemClock),
        metrics: Metrics::off(),
        settings: IngestSettings {
            reserve: Duration::from_secs(20),
            brake: BrakeSettings {
                first: Duration::from_secs(30),
                longest: Duration::from_secs(900),
            },
        },
    })
}

fn notification(keys: &[&str]) -> Value {
    let record =
        |key: &&str| json!({"s3": {"bucket": {"name": "b"}, "object": {"key": key, "size": 8}}});
    json!({ "Records": keys.iter().map(record).collect::<Vec<_>>() })
}

fn batch(messages: &[(&str, String)]) -> String {
    let record = |(id, body): &(&str, String)| json!({"messageId": id, "eventSource": "aws:sqs", "body": body});
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() }).to_string()
}

async fn answer(gate: Gate, payload: &str) -> Result<Value> {
    Ok(serde_json::to_value(
        ingest(gate)
            .answer(payload, Instant::now() + Duration::from_secs(60))
            .await?,
    )?)
}

fn failures(ids: &[&str]) -> Value {
    let failure = |id: &&str| json!({ "itemIdentifier": id });
    json!({ "batchItemFailures": ids.iter().map(failure).collect::<Vec<_>>() })
}

#[tokio::test]
async fn each_message_fails_alone() {
    let one = |key: &str| notification(&[key]).to_string();
    let payload = batch(&[
        ("fine", one("a.log")),
        ("gone", one("missing")),
        ("bug", one("panic")),
        ("replaced", one("superseded")),
        ("words", "no json".to_owned()),
        ("test", json!({"Event": "s3:TestEvent"}).to_string()),
        ("half", notification(&["b.log", "missing"]).to_string()),
    ]);
    let answered = answer(Gate::open(), &payload).await.unwrap();
    assert_eq!(answered, failures(&["words", "gone", "bug", "half"]));
}

#[tokio::test]
async fn success_is_an_empty_list_and_never_null() {
    let payload = batch(&[("1", notification(&["a.log"]).to_string())]);
    assert_eq!(answer(Gate::open(), &payload).await.unwrap(), failures(&[]));
    assert_eq!(
        answer(Gate::open(), &notification(&["a.log"]).to_string())
            .await
            .unwrap(),
        failures(&[])
    );
}

#[tokio::test]
async fn a_direct_invocation_fails_as_a_whole() {
    let payload = notification(&["a.log", "missing"]).to_string();
    assert!(answer(Gate::open(), &payload).await.is_err());
    assert!(answer(Gate::open(), "5").await.is_err());
}

#[tokio::test]
async fn without_templates_nothing_is_written_and_test_events_still_pass() {
    let payload = batch(&[
        ("1", notification(&["a.log"]).to_string()),
        ("test", json!({"Event": "s3:TestEvent"}).to_string()),
    ]);
    let gate = || Gate::checked(Arc::new(Bare), String::new());
    assert_eq!(answer(gate(), &payload).await.unwrap(), failures(&["1"]));
    let message = gate().pass().await.unwrap_err().to_string();
    assert!(message.contains("run `sekisho apply`"), "{message}");
}
