//! The fakes, and one run over them.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sekisho_bulk::{BulkBatch, BulkError, BulkItem, Destination, Verdict};
use sekisho_event::ObjectRef;
use sekisho_ledger::NoLedger;
use sekisho_object::{
    Body, ErrorClass, ObjectError, ObjectLimits, ObjectMeta, ObjectStore, OpenObject,
};
use sekisho_parser::{Catalog, ParserFiles, ParserSettings};
use sekisho_pipeline::{
    NoQuarantine, ObjectReport, Pipeline, PipelineSettings, Quarantine, QuarantineEntry,
    QuarantineError, Stages, SystemClock, TimeLimit, Work,
};

pub(crate) const PARSER: &str = r#"
[source]
dataset = "test.app"
title = "A source of these tests"
reference = "https://www.example.com/"
index = "log-test-app"
[match]
keys = ["app/**"]
exclude = ["app/digest/**"]
[record]
format = "ndjson"
[timestamp]
from = "time"
formats = ["rfc3339"]
[fields]
"event.action" = "message"
[constants]
"event.kind" = "event"
[[exclude]]
name = "health"
when = [{ field = "message", equals = "health" }]
reason = "health checks"
"#;

/// How an object is given.
#[derive(Clone)]
pub(crate) enum Given {
    Bytes(Vec<u8>),
    /// The connection breaks behind these bytes.
    Broken(Vec<u8>),
    /// Reading panics behind these bytes.
    Panic(Vec<u8>),
    Refused(ErrorClass),
}

#[derive(Default)]
pub(crate) struct Store(BTreeMap<String, Given>);

/// Reads bytes, then breaks or panics.
struct Behind {
    bytes: std::io::Cursor<Vec<u8>>,
    panics: bool,
}

impl Read for Behind {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        match self.bytes.read(to)? {
            0 if self.panics => panic!("the reader panics"),
            0 => Err(std::io::Error::other("connection reset")),
            count => Ok(count),
        }
    }
}

#[async_trait]
impl ObjectStore for Store {
    async fn open(&self, object: &ObjectRef) -> Result<OpenObject, ObjectError> {
        let behind = |bytes: &[u8], panics| {
            let bytes = std::io::Cursor::new(bytes.to_vec());
            Body::from_read(Behind { bytes, panics })
        };
        let body = match &self.0[&object.key] {
            Given::Bytes(bytes) => Body::from_bytes(bytes.clone()),
            Given::Broken(bytes) => behind(bytes, false),
            Given::Panic(bytes) => behind(bytes, true),
            Given::Refused(class) => {
                return Err(ObjectError::Open {
                    object: Box::new(object.clone()),
                    class: *class,
                    source: "refused".into(),
                });
            }
        };
        Ok(OpenObject {
            meta: ObjectMeta {
                etag: Some("etag".to_owned()),
                version_id: None,
                last_modified: "2026-11-23T00:00:00Z".parse().unwrap(),
                size: None,
            },
            body,
        })
    }

    async fn open_from(&self, object: &ObjectRef, _: u64) -> Result<OpenObject, ObjectError> {
        self.open(object).await
    }

    async fn head(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError> {
        Ok(self.open(object).await?.meta)
    }
}

type Decide = dyn Fn(&BulkItem, &str) -> Verdict + Send + Sync;

/// A cluster in memory: what `decide` lets pass is indexed once.
pub(crate) struct Cluster {
    decide: Box<Decide>,
    pub(crate) documents: Mutex<HashSet<(String, String)>>,
    pub(crate) bodies: Mutex<Vec<String>>,
    pub(crate) requests: AtomicUsize,
    /// The most bytes that were being written at one time.
    pub(crate) peak: AtomicUsize,
    now: AtomicUsize,
}

impl Cluster {
    pub(crate) fn new(decide: impl Fn(&BulkItem, &str) -> Verdict + Send + Sync + 'static) -> Self {
        Self {
            decide: Box::new(decide),
            documents: Mutex::default(),
            bodies: Mutex::default(),
            requests: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            now: AtomicUsize::new(0),
        }
    }

    pub(crate) fn taking_all() -> Self {
        Self::new(|_, _| Verdict::Indexed)
    }

    pub(crate) fn n_documents(&self) -> usize {
        self.documents.lock().unwrap().len()
    }

    pub(crate) fn n_requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Destination for Cluster {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let now = self.now.fetch_add(batch.bytes.len(), Ordering::SeqCst) + batch.bytes.len();
        self.peak.fetch_max(now, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let verdicts = batch.items.iter().map(|item| {
            let body = String::from_utf8(batch.body(item).unwrap().to_vec()).unwrap();
            let verdict = (self.decide)(item, &body);
            if verdict != Verdict::Indexed {
                return verdict;
            }
            let place = (item.index.to_string(), item.id.to_string());
            if !self.documents.lock().unwrap().insert(place) {
                return Verdict::Duplicate;
            }
            self.bodies.lock().unwrap().push(body);
            Verdict::Indexed
        });
        let verdicts = verdicts.collect();
        self.now.fetch_sub(batch.bytes.len(), Ordering::SeqCst);
        Ok(verdicts)
    }
}

#[derive(Default)]
pub(crate) struct Kept(pub(crate) Mutex<Vec<QuarantineEntry>>);

#[async_trait]
impl Quarantine for Kept {
    async fn put(&self, entry: QuarantineEntry) -> Result<(), QuarantineError> {
        self.0.lock().unwrap().push(entry);
        Ok(())
    }
}

/// One run and what it left.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) settings: PipelineSettings,
    pub(crate) kept: Arc<Kept>,
    pub(crate) has_quarantine: bool,
}

impl World {
    pub(crate) fn new<'a>(objects: impl IntoIterator<Item = (&'a str, Given)>) -> Self {
        let objects = objects.into_iter();
        Self {
            store: Store(
                objects
                    .map(|(key, given)| (key.to_owned(), given))
                    .collect(),
            ),
            settings: PipelineSettings {
                linger_ms: 20,
                ..PipelineSettings::default()
            },
            kept: Arc::default(),
            has_quarantine: true,
        }
    }

    pub(crate) async fn run(self, destination: Arc<dyn Destination>) -> Vec<ObjectReport> {
        let files = ParserFiles {
            folder: "test/app".to_owned(),
            spec: PARSER.to_owned(),
            ..ParserFiles::default()
        };
        let parsers = ParserSettings {
            max_record_bytes: 1 << 20,
            unknown_records: 3,
            ..ParserSettings::default()
        };
        let keys = self.store.0.keys();
        let objects = keys
            .map(|key| Work::from(ObjectRef::new("logs", key)))
            .collect();
        let quarantine: Arc<dyn Quarantine> = if self.has_quarantine {
            Arc::clone(&self.kept) as Arc<dyn Quarantine>
        } else {
            Arc::new(NoQuarantine)
        };
        let pipeline = Pipeline::new(
            Stages {
                store: Arc::new(self.store),
                catalog: Arc::new(Catalog::from_files(vec![files], parsers).unwrap()),
                destination,
                quarantine,
                ledger: Arc::new(NoLedger),
                continuations: None,
                clock: Arc::new(SystemClock),
            },
            ObjectLimits {
                max_compressed_bytes: 1 << 30,
                max_decompressed_bytes: 1 << 30,
                max_ratio: 500,
                max_entries: 1_000,
            },
            self.settings,
        );
        // A run that hangs is a failure, not a wait.
        let limit = std::time::Duration::from_secs(60);
        let run = tokio::time::timeout(limit, pipeline.run(objects, TimeLimit::default()));
        let reports = run.await.expect("the run ends");
        assert_eq!(pipeline.progress().snapshot().objects, reports.len() as u64);
        reports
    }
}

pub(crate) fn line(message: &str) -> String {
    format!("{{\"time\":\"2026-11-23T01:02:03Z\",\"message\":\"{message}\"}}\n")
}

pub(crate) fn lines<'a>(messages: impl IntoIterator<Item = &'a str>) -> Given {
    let lines: String = messages.into_iter().map(line).collect();
    Given::Bytes(lines.into_bytes())
}

pub(crate) fn document_fault() -> Verdict {
    Verdict::DocumentFault {
        field: None,
        reason: "mapper_parsing_exception: no".to_owned(),
    }
}

/// What an error says, with its causes.
pub(crate) fn error_of(report: &ObjectReport) -> String {
    let mut error: &dyn std::error::Error = report.error.as_ref().expect("the object failed");
    let mut text = error.to_string();
    while let Some(source) = error.source() {
        text = format!("{text}: {source}");
        error = source;
    }
    text
}
