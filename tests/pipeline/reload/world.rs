//! [`World`]: an installation that outlives its processes, and the one call that goes wrong.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use sekisho_bulk::{
    BulkDestination, BulkSettings, ClusterApi, DocumentWrite, Found, Want, WriteOp, mget,
    write_documents,
};
use sekisho_event::ObjectRef;
use sekisho_ledger::{ClusterLedger, FindingKind, Ledger, ListedObject, SliceKey, audit};
use sekisho_object::ObjectLimits;
use sekisho_parser::Catalog;
use sekisho_pipeline::{
    Clock, ObjectReport, Pipeline, PipelineSettings, Reading, Stages, TimeLimit, Work,
};
use sekisho_reload::{ObjectReload, Parts, Reload, ReloadError, ReloadSettings};
use sekisho_tests::fake::{
    Call, Chaos, Failure, FakeClock, FakeFiles, FakeOpenSearch, FakeStore, Fault, Moment,
};
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::sync::Notify;

/// What goes wrong at one call of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    /// The process dies.
    Crash(Moment),
    /// No answer comes, once.
    NoAnswer(Moment),
    /// From this call on nothing answers any more.
    Outage,
}

impl Blow {
    pub(crate) const ALL: [Self; 5] = [
        Self::Crash(Moment::Before),
        Self::Crash(Moment::After),
        Self::NoAnswer(Moment::Before),
        Self::NoAnswer(Moment::After),
        Self::Outage,
    ];
}

/// Strikes one call, told by how many came before it.
#[derive(Default)]
pub(crate) struct Strike {
    calls: AtomicUsize,
    state: Mutex<State>,
    /// Rings when the process dies.
    death: Notify,
}

#[derive(Default)]
struct State {
    at: Option<(usize, Blow)>,
    dead: bool,
}

impl Strike {
    /// Starts a process whose n-th call is struck, or none.
    fn arm(&self, at: Option<(usize, Blow)>) {
        self.calls.store(0, Ordering::SeqCst);
        *self.state.lock().unwrap() = State { at, dead: false };
    }

    pub(crate) fn n_calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Chaos for Strike {
    fn decide(&self, _: &Call, moment: Moment) -> Fault {
        let before = moment == Moment::Before;
        // Calls of one process come one after the other here, but for their answers.
        let n = self.calls.fetch_add(usize::from(before), Ordering::SeqCst) + usize::from(before);
        let Some((at, blow)) = self.state.lock().unwrap().at else {
            return Fault::None;
        };
        match blow {
            Blow::Crash(when) if n == at && when == moment => Fault::Crash,
            Blow::NoAnswer(when) if n == at && when == moment => Fault::Fail(Failure::Connection),
            Blow::Outage if n >= at && before => Fault::Fail(Failure::Connection),
            _ => Fault::None,
        }
    }

    fn crashed(&self, _: &Call) {
        self.state.lock().unwrap().dead = true;
        self.death.notify_one();
    }

    fn is_dead(&self) -> bool {
        self.state.lock().unwrap().dead
    }
}

/// What a reload gave; `None` where the process died.
pub(crate) type Reloaded = Option<Result<Vec<ObjectReload>, ReloadError>>;

pub(crate) struct World {
    pub(crate) strike: Arc<Strike>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: FakeStore,
    pub(crate) files: FakeFiles,
    pub(crate) cluster: FakeOpenSearch,
}

impl World {
    pub(crate) fn new() -> Self {
        let strike = Arc::new(Strike::default());
        let chaos = || Arc::clone(&strike) as Arc<dyn Chaos>;
        Self {
            clock: Arc::new(FakeClock::new("2026-11-23T06:00:00Z".parse().unwrap())),
            store: FakeStore::new(chaos(), false),
            files: FakeFiles::new(chaos()),
            cluster: FakeOpenSearch::new(chaos()),
            strike,
        }
    }

    pub(crate) fn put(&self, key: &str, text: &str) -> ObjectRef {
        let put = "2026-11-23T05:00:00Z".parse().unwrap();
        self.store.put("logs", key, text.to_owned(), put)
    }

    fn ledger(&self) -> Arc<dyn Ledger> {
        Arc::new(ClusterLedger::new(Arc::new(self.cluster.clone()), ""))
    }

    /// Runs a process of its own, with one call struck; `None` where it died.
    fn process<T>(&self, at: Option<(usize, Blow)>, work: impl Future<Output = T>) -> Option<T> {
        self.strike.arm(at);
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let ended = runtime.block_on(async {
            self.clock.enter();
            let ended = tokio::select! {
                ended = tokio::time::timeout(Duration::from_secs(3600), work) => ended.ok(),
                () = self.strike.death.notified() => None,
            };
            self.clock.leave();
            ended
        });
        drop(runtime);
        let calls = self.strike.n_calls();
        self.strike.arm(None);
        self.strike.calls.store(calls, Ordering::SeqCst);
        // Two processes do not write in the same millisecond.
        self.clock.advance(Duration::from_secs(1));
        ended
    }

    /// Takes objects in as the Lambda does.
    pub(crate) fn ingest(
        &self,
        catalog: &Arc<Catalog>,
        objects: &[ObjectRef],
    ) -> Vec<ObjectReport> {
        let clock = Arc::clone(&self.clock);
        let destination = BulkDestination::new(
            self.cluster.clone(),
            BulkSettings::default(),
            Arc::new(move || clock.now()),
        );
        let stages = Stages {
            store: Arc::new(self.store.clone()),
            catalog: Arc::clone(catalog),
            destination: Arc::new(destination),
            quarantine: Arc::new(self.files.clone()),
            ledger: self.ledger(),
            continuations: None,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
        };
        let work = objects.iter().cloned().map(Work::from).collect();
        let run = async {
            let pipeline = Pipeline::new(stages, limits(), pipeline_settings());
            pipeline.run(work, TimeLimit::default()).await
        };
        let reports = self.process(None, run).unwrap();
        for report in &reports {
            assert!(report.error.is_none(), "{:?}", report.error);
        }
        reports
    }

    pub(crate) fn reload_with(
        &self,
        catalog: &Arc<Catalog>,
        objects: &[ObjectRef],
        at: Option<(usize, Blow)>,
    ) -> Reloaded {
        let parts = Parts {
            store: Arc::new(self.store.clone()),
            catalog: Arc::clone(catalog),
            quarantine: Arc::new(self.files.clone()),
            ledger: self.ledger(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
        };
        let settings = ReloadSettings {
            bulk: BulkSettings::default(),
            limits: limits(),
            pipeline: pipeline_settings(),
            prefix: String::new(),
            days: 32,
        };
        let cluster = Arc::new(self.cluster.clone());
        self.process(at, async {
            let reload = Reload::new(cluster, parts, settings);
            reload.objects(objects.to_vec(), None).await
        })
    }

    /// Reloads one object, and nothing goes wrong.
    pub(crate) fn reload(&self, catalog: &Arc<Catalog>, object: &ObjectRef) -> ObjectReload {
        let objects = [object.clone()];
        let ended = self.reload_with(catalog, &objects, None).unwrap().unwrap();
        let one = ended.into_iter().next().unwrap();
        assert!(!one.failed(), "{one:?}");
        one
    }

    /// What `audit` finds.
    pub(crate) fn audit(&self, objects: &[ObjectRef]) -> Vec<FindingKind> {
        let listed: Vec<_> = objects.iter().filter_map(ListedObject::of).collect();
        assert_eq!(listed.len(), objects.len());
        let ledger = self.ledger();
        let findings = self.process(None, async { audit(&*ledger, &listed).await });
        let findings = findings.unwrap().unwrap();
        findings.iter().map(|finding| finding.kind).collect()
    }

    /// Makes the entry of an object one that was stopped at an offset, with a chain behind it that is on its way.
    pub(crate) fn cut_the_ledger_at(&self, object: &ObjectRef, end: u64) {
        let key = SliceKey {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            etag: object.etag.clone(),
            start: 0,
            last_modified: object.event_time.unwrap(),
        };
        let api: Arc<dyn ClusterApi> = Arc::new(self.cluster.clone());
        let (index, id) = (key.index(""), key.id());
        let write = async {
            let found = mget(&*api, &[(&index, &id)], Want::Source).await.unwrap();
            let Found::Found { mut source, .. } = found.into_iter().next().unwrap() else {
                panic!("no entry");
            };
            source["end"] = end.into();
            source["eof"] = false.into();
            source["next"] = "sent".into();
            let write = DocumentWrite {
                index: index.clone(),
                id: id.clone(),
                op: WriteOp::Index,
                body: source.to_string().into_bytes(),
            };
            write_documents(&*api, &[write]).await.unwrap();
        };
        self.process(None, write).unwrap();
    }

    /// The documents of logs: where they are.
    pub(crate) fn places(&self) -> BTreeSet<(String, String)> {
        self.logs().into_iter().map(|(place, _)| place).collect()
    }

    pub(crate) fn logs(&self) -> Vec<((String, String), Value)> {
        let documents = self.cluster.documents(|index| index.starts_with("log-"));
        let documents = documents.into_iter();
        documents
            .map(|(place, document)| (place, document.source))
            .collect()
    }

    pub(crate) fn in_index(&self, index: &str) -> usize {
        let places = self.places();
        places.iter().filter(|(name, _)| name == index).count()
    }

    pub(crate) fn n_raw(&self) -> usize {
        let is_raw = |source: &Value| source["event"]["kind"] == "pipeline_error";
        self.logs()
            .iter()
            .filter(|(_, source)| is_raw(source))
            .count()
    }

    /// The offsets for which there is a document, one or more.
    pub(crate) fn offsets(&self) -> BTreeSet<u64> {
        let logs = self.logs();
        let offsets = logs
            .iter()
            .filter_map(|(_, source)| source["sekisho"]["offset"].as_u64());
        offsets.collect()
    }

    /// Makes the clock of the processes wrong by so many minutes.
    pub(crate) fn skew(&self, minutes: i64) {
        self.clock.skew(TimeDelta::minutes(minutes));
    }
}

fn limits() -> ObjectLimits {
    let large = 1 << 30;
    ObjectLimits {
        max_compressed_bytes: large,
        max_decompressed_bytes: large,
        max_ratio: 1000,
        max_entries: 1_000,
    }
}

/// Small enough that an object has several requests.
fn pipeline_settings() -> PipelineSettings {
    PipelineSettings {
        chunk_bytes: 1200,
        max_bulk_bytes: 2500,
        buffered_bytes: 1 << 20,
        linger_ms: 20,
        reading: Reading::Inline,
        ..PipelineSettings::default()
    }
}
