//! [`Installation`]: buckets, queues, a cluster, the ingest function and the replay function.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sekisho_bulk::{BulkDestination, BulkSettings, Destination};
use sekisho_config::Settings;
use sekisho_delivery::{Files, Queue, QueueContinuations};
use sekisho_event::{IgnoredKeys, ObjectRef};
use sekisho_ingest::{BrakeSettings, Gate, Ingest, IngestSettings, Parts};
use sekisho_lambda::Metrics;
use sekisho_ledger::ClusterLedger;
use sekisho_object::ObjectLimits;
use sekisho_parser::{Catalog, ParserFiles, ParserSettings};
use sekisho_pipeline::{Clock, Pipeline, PipelineSettings, Reading, Stages};
use sekisho_replay::{
    ParkedMessage, QuarantineReplay, QuarantineReport, Replay, ReplayOptions, ReplayParts,
    ReplayReport, ReplaySettings,
};
use sekisho_tests::fake::{
    Chaos, FakeClock, FakeFiles, FakeOpenSearch, FakeQueue, FakeStore, QueueSettings,
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::weather::Weather;

/// How many messages one invocation gets.
const BATCH: usize = 100;
/// How long one invocation may take; a message is hidden six times as long.
const INVOCATION: Duration = Duration::from_secs(60);
/// How often the replay runs, and for how long at most.
pub(crate) const SCHEDULE: Duration = Duration::from_secs(15 * 60);
const REPLAY: Duration = Duration::from_secs(14 * 60);

const PARSER: &str = r#"
[source]
dataset = "test.app"
title = "A source of the drill"
reference = "https://www.example.com/"
index = "log-test-app"
[match]
keys = ["app/**"]
[record]
format = "ndjson"
[timestamp]
from = "time"
formats = ["rfc3339"]
[fields]
"event.id" = "id"
"#;

pub(crate) struct Installation {
    pub(crate) weather: Arc<Weather>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: FakeStore,
    pub(crate) queue: FakeQueue,
    pub(crate) dead_letters: Arc<FakeQueue>,
    pub(crate) files: FakeFiles,
    pub(crate) cluster: FakeOpenSearch,
    ingest: Ingest,
    replay: Replay,
    stages: Stages,
}

impl Installation {
    /// Built inside the runtime whose paused time it runs by.
    pub(crate) fn new(max_receive_count: u32) -> Self {
        let weather = Arc::new(Weather::default());
        let chaos = || Arc::clone(&weather) as Arc<dyn Chaos>;
        let clock = Arc::new(FakeClock::new("2026-11-23T06:00:00Z".parse().unwrap()));
        clock.enter();
        let queue = |name, max_receive_count| {
            let settings = QueueSettings {
                name,
                max_receive_count,
                ..QueueSettings::default()
            };
            FakeQueue::new(settings, Arc::clone(&clock), chaos())
        };
        let dead_letters = Arc::new(queue("dlq", u32::MAX));
        let queue = queue("queue", max_receive_count).dead_lettering_to(Arc::clone(&dead_letters));
        let store = FakeStore::new(chaos(), false);
        let files = FakeFiles::new(chaos());
        let cluster = FakeOpenSearch::new(chaos());
        let stages = stages(&clock, &store, &queue, &files, &cluster);
        let ingest = ingest(&stages, &queue, &files);
        let replay = Replay::new(ReplayParts {
            dead_letters: Arc::clone(&dead_letters) as Arc<dyn Queue>,
            queue: Arc::new(queue.clone()),
            files: Arc::new(files.clone()),
            store: Arc::new(store.clone()),
            cluster: Arc::new(cluster.clone()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            settings: ReplaySettings {
                max_receive_count,
                ..ReplaySettings::from(&Settings::default())
            },
        });
        Self {
            weather,
            clock,
            store,
            queue,
            dead_letters,
            files,
            cluster,
            ingest,
            replay,
            stages,
        }
    }

    /// Puts an object of one record, whose text is its own.
    pub(crate) fn put(&self, key: &str, text: &str) -> ObjectRef {
        let record = json!({ "time": "2026-11-23T05:00:00Z", "id": text });
        let now = self.clock.time();
        self.store.put("logs", key, format!("{record}\n"), now)
    }

    /// Invokes the function until the queue is empty: everything is finished or dead-lettered.
    pub(crate) async fn drain(&self) {
        while let Some(visible) = self.queue.next_visible() {
            self.sleep_until(visible).await;
            self.invoke_all().await;
        }
    }

    /// Invokes the function for what can be received now.
    pub(crate) async fn invoke_all(&self) {
        while let Some(batch) = self.queue.take_batch(BATCH, INVOCATION * 6) {
            let deadline = Instant::now() + INVOCATION;
            let answer = self.ingest.answer(&batch.payload, deadline).await.unwrap();
            let failed = answer.batch_item_failures.into_iter();
            let failed: Vec<String> = failed.map(|one| one.item_identifier).collect();
            self.queue.settle(&batch, &failed);
        }
    }

    /// Takes everything so often that it is dead-lettered, by processes that die without a word.
    pub(crate) async fn kill_all(&self) {
        while let Some(visible) = self.queue.next_visible() {
            self.sleep_until(visible).await;
            while self.queue.take_batch(BATCH, INVOCATION).is_some() {}
        }
    }

    /// A little longer, so that more than one message comes at once.
    async fn sleep_until(&self, time: DateTime<Utc>) {
        if let Ok(left) = (time - self.clock.time()).to_std() {
            sleep(left + INVOCATION).await;
        }
    }

    pub(crate) async fn replay(&self) -> ReplayReport {
        let options = ReplayOptions::default();
        self.replay
            .run(Instant::now() + REPLAY, &options, &|_| {})
            .await
    }

    /// Reads quarantined records again.
    pub(crate) async fn replay_quarantine(&self) -> QuarantineReport {
        let (limits, settings) = settings();
        let files: Arc<dyn Files> = Arc::new(self.files.clone());
        let prefix = "quarantine/".to_owned();
        let replay = QuarantineReplay::new(files, prefix, self.stages.clone(), limits, settings);
        let options = ReplayOptions::default();
        replay.run(Instant::now() + REPLAY, &options).await
    }

    /// The schedule goes on until nothing is left to do.
    pub(crate) async fn recover(&self) {
        for _ in 0..100 {
            self.replay().await;
            self.check_counts();
            self.drain().await;
            if self.dead_letters.next_visible().is_none()
                && self.files.keys("parked/waiting/").is_empty()
            {
                return;
            }
            sleep(SCHEDULE).await;
        }
        panic!("it does not become quiet");
    }

    /// What an outage failed carries no count.
    pub(crate) fn check_counts(&self) {
        for message in self.queue.messages() {
            let outage = ["app/state/", "app/transient/"];
            if outage.iter().any(|word| message.body.contains(word)) {
                let replays = message.attributes.get("sekisho.replays");
                assert!(replays.is_none_or(|count| count == "0"), "{message:?}");
            }
        }
    }

    /// How many documents each object has.
    pub(crate) fn documents(&self) -> BTreeMap<String, usize> {
        let documents = self
            .cluster
            .documents(|index| index.starts_with("log-test-app-"));
        let mut counts = BTreeMap::new();
        for document in documents.values() {
            let source = &document.source;
            let id = source.pointer("/event/id").or(source.get("event.id"));
            let id = id.and_then(|id| id.as_str()).unwrap_or("no id").to_owned();
            *counts.entry(id).or_default() += 1;
        }
        counts
    }

    pub(crate) fn parked(&self) -> Vec<ParkedMessage> {
        let keys = self.files.keys("parked/kept/");
        keys.iter()
            .map(|key| ParkedMessage::read(&self.files.bytes(key).unwrap()).unwrap())
            .collect()
    }
}

/// Announces an object as S3 does.
pub(crate) fn notification(object: &ObjectRef) -> String {
    let entity = json!({ "key": object.key, "size": object.size, "eTag": object.etag });
    let s3 = json!({ "bucket": { "name": object.bucket }, "object": entity });
    json!({ "Records": [{ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3 }] })
        .to_string()
}

fn stages(
    clock: &Arc<FakeClock>,
    store: &FakeStore,
    queue: &FakeQueue,
    files: &FakeFiles,
    cluster: &FakeOpenSearch,
) -> Stages {
    let now = Arc::clone(clock);
    let destination: Arc<dyn Destination> = Arc::new(BulkDestination::new(
        cluster.clone(),
        BulkSettings {
            retry_budget: Duration::from_secs(5),
            ..BulkSettings::default()
        },
        Arc::new(move || now.now()),
    ));
    let queue: Arc<dyn Queue> = Arc::new(queue.clone());
    let parser = ParserFiles {
        folder: "app".to_owned(),
        spec: PARSER.to_owned(),
        ..ParserFiles::default()
    };
    let catalog = Catalog::from_files(vec![parser], ParserSettings::default()).unwrap();
    Stages {
        store: Arc::new(store.clone()),
        catalog: Arc::new(catalog),
        destination,
        quarantine: Arc::new(files.clone()),
        ledger: Arc::new(ClusterLedger::new(Arc::new(cluster.clone()), "")),
        continuations: Some(Arc::new(QueueContinuations::new(queue))),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
    }
}

fn settings() -> (ObjectLimits, PipelineSettings) {
    let settings = PipelineSettings {
        reading: Reading::Inline,
        ..PipelineSettings::default()
    };
    let large = 1 << 30;
    let limits = ObjectLimits {
        max_compressed_bytes: large,
        max_decompressed_bytes: large,
        max_ratio: 1000,
        max_entries: 1_000,
    };
    (limits, settings)
}

fn ingest(stages: &Stages, queue: &FakeQueue, files: &FakeFiles) -> Ingest {
    let (limits, settings) = settings();
    Ingest::new(Parts {
        pipeline: Pipeline::new(stages.clone(), limits, settings),
        destination: Arc::clone(&stages.destination),
        gate: Gate::open(),
        ignored_keys: IgnoredKeys::new(&[]).unwrap(),
        parsers: None,
        quarantine_bucket: "quarantine".to_owned(),
        queue: Some(Arc::new(queue.clone())),
        files: Arc::new(files.clone()),
        clock: Arc::clone(&stages.clock),
        metrics: Metrics::off(),
        settings: IngestSettings {
            reserve: INVOCATION / 4,
            brake: BrakeSettings {
                first: Duration::from_secs(30),
                longest: Duration::from_secs(900),
            },
        },
    })
}
