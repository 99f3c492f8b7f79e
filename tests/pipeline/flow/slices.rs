//! An object that is too long for one run, or cut up front, is read by slices that chain without a gap.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use sekisho_bulk::{BulkBatch, BulkError, Destination, Verdict};
use sekisho_event::{ObjectRef, ObjectSlice, Reach};
use sekisho_ledger::{Attempt, Ledger, LedgerEntry, LedgerError, Next, SliceKey};
use sekisho_object::ObjectLimits;
use sekisho_parser::{Catalog, ParserFiles, ParserSettings};
use sekisho_pipeline::{
    Continuations, FailureClass, NoQuarantine, ObjectReport, Pipeline, PipelineSettings, Reading,
    Stages, SystemClock, TimeLimit, Work,
};
use sekisho_tests::fake::{Calm, FakeStore};
use tokio::time::Instant;

use crate::fake::{Cluster, PARSER, line};

const RECORDS: usize = 400;

/// Takes everything, slowly.
struct Slow(Cluster);

#[async_trait]
impl Destination for Slow {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.0.write(batch).await
    }
}

/// Keeps entries, and the order in which they and the continuations came.
#[derive(Default)]
struct Memory {
    entries: Mutex<std::collections::BTreeMap<String, LedgerEntry>>,
    sent: Mutex<Vec<ObjectSlice>>,
    steps: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl Ledger for Memory {
    async fn find(&self, keys: &[SliceKey]) -> Result<Vec<Option<LedgerEntry>>, LedgerError> {
        let entries = self.entries.lock().unwrap();
        Ok(keys
            .iter()
            .map(|key| entries.get(&key.id()).cloned())
            .collect())
    }

    async fn record(&self, attempt: Attempt) -> Result<LedgerEntry, LedgerError> {
        self.steps.lock().unwrap().push("record");
        let mut entries = self.entries.lock().unwrap();
        let entry = entries.entry(attempt.slice.id()).or_default();
        *entry = entry.clone().with(attempt);
        Ok(entry.clone())
    }

    async fn sent(&self, slice: &SliceKey, end: u64) -> Result<(), LedgerError> {
        self.steps.lock().unwrap().push("sent");
        let mut entries = self.entries.lock().unwrap();
        let entry = entries.get_mut(&slice.id()).unwrap();
        if let Some(sent) = entry.clone().sent(end) {
            *entry = sent;
        }
        Ok(())
    }

    async fn divided(&self, first: &SliceKey, at: u64) -> Result<(), LedgerError> {
        self.steps.lock().unwrap().push("divided");
        let mut entries = self.entries.lock().unwrap();
        let entry = entries.entry(first.id()).or_default();
        *entry = entry.clone().divided(first, at);
        Ok(())
    }
}

#[async_trait]
impl Continuations for Memory {
    async fn send(
        &self,
        slices: &[ObjectSlice],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.steps.lock().unwrap().push("send");
        self.sent.lock().unwrap().extend_from_slice(slices);
        Ok(())
    }
}

struct World {
    cluster: Arc<Slow>,
    memory: Arc<Memory>,
    store: Arc<FakeStore>,
    split_bytes: u64,
    buffered_bytes: usize,
    has_queue: bool,
}

impl World {
    fn new(bytes: Vec<u8>) -> Self {
        let store = FakeStore::new(Arc::new(Calm), false);
        store.put("logs", "app/1", bytes, DateTime::UNIX_EPOCH);
        Self {
            cluster: Arc::new(Slow(Cluster::taking_all())),
            memory: Arc::default(),
            store: Arc::new(store),
            split_bytes: 0,
            buffered_bytes: 8 << 10,
            has_queue: true,
        }
    }

    fn pipeline(&self) -> Pipeline {
        let files = ParserFiles {
            folder: "test/app".to_owned(),
            spec: PARSER.to_owned(),
            ..ParserFiles::default()
        };
        let catalog = Catalog::from_files(vec![files], ParserSettings::default()).unwrap();
        let queue = Arc::clone(&self.memory) as Arc<dyn Continuations>;
        Pipeline::new(
            Stages {
                store: Arc::clone(&self.store) as _,
                catalog: Arc::new(catalog),
                destination: Arc::clone(&self.cluster) as _,
                quarantine: Arc::new(NoQuarantine),
                ledger: Arc::clone(&self.memory) as _,
                continuations: self.has_queue.then_some(queue),
                clock: Arc::new(SystemClock),
            },
            ObjectLimits {
                max_compressed_bytes: 1 << 30,
                max_decompressed_bytes: 1 << 30,
                max_ratio: 500,
                max_entries: 1_000,
            },
            PipelineSettings {
                reading: Reading::Inline,
                split_bytes: self.split_bytes,
                chunk_bytes: 1 << 10,
                buffered_bytes: self.buffered_bytes,
                max_bulk_bytes: 2 << 10,
                bulks_in_flight: 1,
                ..PipelineSettings::default()
            },
        )
    }

    /// Runs one slice for at most a second, as one invocation does.
    async fn run(&self, slice: ObjectSlice) -> ObjectReport {
        self.run_for(slice, Duration::from_secs(4)).await
    }

    async fn run_for(&self, slice: ObjectSlice, patience: Duration) -> ObjectReport {
        let now = Instant::now();
        let time = TimeLimit {
            stop_at: Some(now + Duration::from_secs(1)),
            give_up_at: Some(now + patience),
        };
        let work = Work {
            slice,
            ask_ledger: true,
        };
        let mut reports = self.pipeline().run(vec![work], time).await;
        reports.remove(0)
    }

    /// Runs the object and everything that it sends on; gives the slices in the order of their starts.
    async fn run_all(&self) -> Vec<ObjectReport> {
        let mut slices = vec![whole()];
        let mut reports = Vec::new();
        while let Some(slice) = slices.pop() {
            let report = self.run(slice).await;
            assert!(report.error.is_none(), "{:?}", report.error);
            reports.push(report);
            slices.append(&mut self.memory.sent.lock().unwrap());
        }
        reports.sort_by_key(|report| report.start);
        reports
    }

    fn check(&self, reports: &[ObjectReport]) {
        assert_eq!(self.cluster.0.n_documents(), RECORDS);
        let indexed: u64 = reports.iter().map(|report| report.books.indexed).sum();
        assert_eq!(indexed, RECORDS as u64);
        for pair in reports.windows(2) {
            assert_eq!(pair[0].end, pair[1].start);
        }
        assert!(reports.last().unwrap().eof);
        let entries = self.memory.entries.lock().unwrap();
        assert_eq!(entries.len(), reports.len());
        assert!(entries.values().all(LedgerEntry::is_done));
    }
}

fn whole() -> ObjectSlice {
    ObjectSlice::whole(ObjectRef::new("logs", "app/1"))
}

fn text() -> String {
    (0..RECORDS)
        .map(|n| line(&format!("message {n}")))
        .collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_packed_object_goes_on_from_run_to_run() {
    let world = World::new(gzip(text().as_bytes()));
    let reports = world.run_all().await;
    assert!(reports.len() > 2, "{}", reports.len());
    world.check(&reports);
    let steps = world.memory.steps.lock().unwrap();
    assert_eq!(steps[..3], ["record", "send", "sent"]);
}

#[tokio::test(start_paused = true)]
async fn plain_lines_go_on_where_they_stopped() {
    let world = World::new(text().into_bytes());
    let first = world.run(whole()).await;
    assert_eq!(first.next, Some(Next::Sent));
    let rest = world.memory.sent.lock().unwrap().clone();
    assert_eq!((rest.len(), rest[0].reach), (1, Reach::Range));
    let world = World::new(text().into_bytes());
    world.check(&world.run_all().await);
}

#[tokio::test(start_paused = true)]
async fn plain_lines_are_cut_up_front() {
    let mut world = World::new(text().into_bytes());
    world.split_bytes = 10_000;
    let reports = world.run_all().await;
    let starts = reports.iter().filter(|report| report.start % 10_000 == 0);
    assert!(starts.count() > 2);
    world.check(&reports);
}

#[tokio::test(start_paused = true)]
async fn slices_are_sent_once_however_often_the_first_fails() {
    let mut world = World::new(text().into_bytes());
    world.split_bytes = 10_000;
    for _ in 0..3 {
        let failed = world.run_for(whole(), Duration::from_millis(50)).await;
        assert!(failed.error.is_some());
    }
    // It stays divided where it was, whatever the settings say by now.
    world.split_bytes = 7_000;
    let reports = world.run_all().await;
    let steps = world.memory.steps.lock().unwrap().clone();
    assert_eq!(steps[..3], ["send", "divided", "record"]);
    assert_eq!(steps.iter().filter(|step| **step == "divided").count(), 1);
    drop(steps);
    world.check(&reports);
}

#[tokio::test(start_paused = true)]
async fn a_finished_slice_is_not_read_again() {
    let world = World::new(gzip(text().as_bytes()));
    let reports = world.run_all().await;
    let requests = world.cluster.0.n_requests();
    let again = world.run(whole()).await;
    assert!(again.ignored.is_some() && again.error.is_none());
    assert_eq!(world.cluster.0.n_requests(), requests);
    assert!(world.memory.sent.lock().unwrap().is_empty());
    world.check(&reports);
}

#[tokio::test(start_paused = true)]
async fn a_rest_that_may_not_have_been_sent_is_sent_again_without_reading() {
    let world = World::new(gzip(text().as_bytes()));
    let first = world.run(whole()).await;
    let sent = std::mem::take(&mut *world.memory.sent.lock().unwrap());
    for entry in world.memory.entries.lock().unwrap().values_mut() {
        entry.next = Some(Next::Pending);
    }
    let requests = world.cluster.0.n_requests();
    let again = world.run(whole()).await;
    assert!(again.error.is_none(), "{:?}", again.error);
    assert_eq!(world.cluster.0.n_requests(), requests);
    let resent = world.memory.sent.lock().unwrap().clone();
    assert_eq!(
        (resent[0].start, resent[0].end),
        (sent[0].start, sent[0].end)
    );
    assert_eq!(resent[0].start, first.end);
}

#[tokio::test(start_paused = true)]
async fn without_a_queue_the_object_fails_and_says_so() {
    let mut world = World::new(gzip(text().as_bytes()));
    world.has_queue = false;
    let report = world.run(whole()).await;
    let error = report.error.unwrap();
    assert!(error.to_string().contains("set `queue.url`"), "{error}");
    assert_eq!(error.class(), FailureClass::Object);
    let entries = world.memory.entries.lock().unwrap();
    assert!(!entries.values().any(|entry| entry.closed));
}

#[tokio::test(start_paused = true)]
async fn other_rules_end_a_chain() {
    let world = World::new(gzip(text().as_bytes()));
    let slice = ObjectSlice {
        start: 100,
        rules: Some("other".to_owned()),
        ..whole()
    };
    let error = world.run(slice).await.error.unwrap();
    assert!(error.to_string().contains("sekisho reload"), "{error}");
    assert_eq!(world.cluster.0.n_documents(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_slower_than_the_buffer_is_large_delays_the_rest_only() {
    let mut world = World::new(gzip(text().as_bytes()));
    // What is read in the first moment takes longer to write than there is time.
    world.buffered_bytes = 64 << 20;
    let reports = world.run_all().await;
    assert!(reports.len() > 2, "{}", reports.len());
    assert!(reports.iter().all(|report| report.books.balanced()));
    let n_indexed: u64 = reports.iter().map(|report| report.books.indexed).sum();
    let n_duplicate: u64 = reports.iter().map(|report| report.books.duplicate).sum();
    assert_eq!(n_indexed + n_duplicate, RECORDS as u64);
    assert_eq!(world.cluster.0.n_documents(), RECORDS);
    for pair in reports.windows(2) {
        assert_eq!(pair[0].end, pair[1].start);
    }
}
