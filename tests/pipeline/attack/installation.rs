//! [`Installation`]: what outlives every process; [`Process`]: one that may die at any call.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sekisho_bulk::{BulkDestination, BulkSettings, Destination};
use sekisho_cluster::{TemplateSettings, apply, templates};
use sekisho_delivery::{Queue, QueueContinuations};
use sekisho_event::IgnoredKeys;
use sekisho_ingest::{BrakeSettings, Gate, Ingest, IngestSettings, Parts};
use sekisho_lambda::Metrics;
use sekisho_ledger::ClusterLedger;
use sekisho_object::ObjectLimits;
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_pipeline::{Clock, Pipeline, PipelineSettings, Reading, Stages};
use sekisho_replay::{Replay, ReplayOptions, ReplayParts, ReplayReport, ReplaySettings};
use sekisho_tests::fake::{
    Batch, Chaos, FakeClock, FakeFiles, FakeOpenSearch, FakeQueue, FakeStore, QueueSettings,
};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::case::{Case, Limits};
use crate::records::{MAX_RECORD_BYTES, UNKNOWN_RECORDS};
use crate::sources::{parsers, rules};
use crate::storm::Storm;

/// The largest body that the cluster takes, smaller than some requests; the largest document, a raw one of the longest record, is well below.
const MAX_BODY_BYTES: usize = 6000;

/// What outlives every process.
pub(crate) struct Installation {
    pub(crate) storm: Arc<Storm>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) store: FakeStore,
    pub(crate) queue: FakeQueue,
    pub(crate) dead_letters: Arc<FakeQueue>,
    pub(crate) files: FakeFiles,
    pub(crate) cluster: FakeOpenSearch,
    catalog: Arc<Catalog>,
    pub(crate) limits: Limits,
}

impl Installation {
    pub(crate) fn new(case: &Case) -> Self {
        let storm = Arc::new(Storm::new(case.weather));
        let chaos = || Arc::clone(&storm) as Arc<dyn Chaos>;
        let clock = Arc::new(FakeClock::new("2026-11-23T06:00:00Z".parse().unwrap()));
        let queue = |name, max_receive_count| {
            let settings = QueueSettings {
                name,
                max_receive_count,
                ..QueueSettings::default()
            };
            FakeQueue::new(settings, Arc::clone(&clock), chaos())
        };
        let dead_letters = Arc::new(queue("dlq", u32::MAX));
        let cluster = FakeOpenSearch::new(chaos());
        cluster.set_rules(rules());
        cluster.set_max_body_bytes(MAX_BODY_BYTES);
        put_templates(&cluster);
        storm.rage();
        let settings = ParserSettings {
            max_record_bytes: MAX_RECORD_BYTES,
            unknown_records: UNKNOWN_RECORDS,
            ..ParserSettings::default()
        };
        Self {
            store: FakeStore::new(chaos(), case.versioned),
            queue: queue("queue", case.limits.max_receive_count)
                .dead_lettering_to(Arc::clone(&dead_letters)),
            dead_letters,
            files: FakeFiles::new(chaos()),
            cluster,
            catalog: Arc::new(Catalog::from_files(parsers(), settings).unwrap()),
            limits: case.limits,
            clock,
            storm,
        }
    }

    /// How long a message stays hidden: six times what an invocation may take, as AWS advises.
    pub(crate) fn hide(&self) -> Duration {
        Duration::from_secs(self.limits.seconds * 6)
    }

    fn ingest(&self) -> Ingest {
        let limits = &self.limits;
        let clock = Arc::clone(&self.clock);
        let settings = BulkSettings {
            max_bulk_bytes: limits.max_bulk_bytes,
            retry_budget: Duration::from_secs(30),
            max_in_flight: limits.bulks_in_flight,
            ..BulkSettings::default()
        };
        let destination: Arc<dyn Destination> = Arc::new(BulkDestination::new(
            self.cluster.clone(),
            settings,
            Arc::new(move || clock.now()),
        ));
        let queue: Arc<dyn Queue> = Arc::new(self.queue.clone());
        let stages = Stages {
            store: Arc::new(self.store.clone()),
            catalog: Arc::clone(&self.catalog),
            destination: Arc::clone(&destination),
            quarantine: Arc::new(self.files.clone()),
            ledger: Arc::new(ClusterLedger::new(Arc::new(self.cluster.clone()), "")),
            continuations: Some(Arc::new(QueueContinuations::new(Arc::clone(&queue)))),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
        };
        let settings = PipelineSettings {
            objects_in_flight: limits.objects_in_flight,
            buffered_bytes: limits.chunk_bytes * 8,
            chunk_bytes: limits.chunk_bytes,
            max_bulk_bytes: limits.max_bulk_bytes,
            bulks_in_flight: limits.bulks_in_flight,
            linger_ms: 20,
            split_bytes: limits.split_bytes,
            reading: Reading::Inline,
            ..PipelineSettings::default()
        };
        let large = 1 << 30;
        let object_limits = ObjectLimits {
            max_compressed_bytes: large,
            max_decompressed_bytes: large,
            max_ratio: 10_000,
            max_entries: 1_000,
        };
        Ingest::new(Parts {
            pipeline: Pipeline::new(stages, object_limits, settings),
            destination,
            gate: Gate::checked(Arc::new(self.cluster.clone()), String::new()),
            ignored_keys: IgnoredKeys::new(&["ignored/**".to_owned()]).unwrap(),
            parsers: None,
            quarantine_bucket: "quarantine".to_owned(),
            queue: Some(queue),
            files: Arc::new(self.files.clone()),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            metrics: Metrics::off(),
            settings: IngestSettings {
                reserve: Duration::from_secs(limits.seconds / 4),
                brake: BrakeSettings {
                    first: Duration::from_secs(30),
                    longest: Duration::from_secs(900),
                },
            },
        })
    }

    fn replay(&self) -> Replay {
        Replay::new(ReplayParts {
            dead_letters: Arc::clone(&self.dead_letters) as Arc<dyn Queue>,
            queue: Arc::new(self.queue.clone()),
            files: Arc::new(self.files.clone()),
            store: Arc::new(self.store.clone()),
            cluster: Arc::new(self.cluster.clone()),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            settings: ReplaySettings {
                rate: NonZeroU32::new(100).unwrap(),
                max_replays: 3,
                park_before: TimeDelta::days(3),
                retention: TimeDelta::days(14),
                free_storage_percent: 25,
                max_receive_count: self.limits.max_receive_count,
            },
        })
    }

    /// Runs the replay Lambda once, in a process of its own; `None` where it dies.
    pub(crate) fn run_replay(&self, parked_too: bool) -> Option<ReplayReport> {
        self.storm.revive();
        let runtime = runtime();
        let replay = self.replay();
        let options = ReplayOptions::default();
        self.within(&runtime, async {
            let until = Instant::now() + Duration::from_secs(600);
            let work = async {
                if parked_too {
                    replay.run_parked(until, &options, &[]).await
                } else {
                    replay.run(until, &options, &|_| {}).await
                }
            };
            tokio::time::timeout_at(until + Duration::from_secs(60), work)
                .await
                .ok()
        })
        .flatten()
    }

    /// Runs until the work ends or the process dies.
    fn within<T>(&self, runtime: &Runtime, work: impl Future<Output = T>) -> Option<T> {
        runtime.block_on(async {
            self.clock.enter();
            let ended = tokio::select! {
                biased;
                () = self.storm.death() => None,
                ended = work => Some(ended),
            };
            self.clock.leave();
            // What a dead process did on its last breath is not its answer.
            ended.filter(|_| !self.storm.is_dead())
        })
    }
}

/// What `sekisho apply` does before the first object comes.
fn put_templates(cluster: &FakeOpenSearch) {
    let wanted = templates(&TemplateSettings::default(), &[]).unwrap();
    runtime().block_on(apply(cluster, &wanted)).unwrap();
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

/// A process that serves invocations until it dies.
pub(crate) struct Process {
    runtime: Runtime,
    /// A second one, for two invocations at once: processes of their own that share nothing but their death.
    ingests: [Ingest; 2],
    /// When it was frozen.
    until: Cell<DateTime<Utc>>,
}

/// How an invocation ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With the ids of the messages that failed.
    Answered(Vec<String>),
    /// With an error: all of them failed.
    Error(String),
}

impl Process {
    pub(crate) fn start(installation: &Installation) -> Self {
        installation.storm.revive();
        Self {
            runtime: runtime(),
            ingests: [installation.ingest(), installation.ingest()],
            until: Cell::new(installation.clock.time()),
        }
    }

    /// Answers one or two batches at once; `None` where the process died or was killed for its time, and must not be used again.
    pub(crate) fn answer(
        &self,
        installation: &Installation,
        batches: &[Batch],
    ) -> Option<Vec<Ended>> {
        // While a process is frozen its clock runs on.
        let frozen = installation.clock.time() - self.until.get();
        self.runtime.block_on(async {
            tokio::time::advance(frozen.to_std().unwrap_or_default()).await;
        });
        let ended = installation.within(&self.runtime, async {
            let time = Duration::from_secs(installation.limits.seconds);
            let deadline = Instant::now() + time;
            let invocations = batches.iter().zip(&self.ingests).map(|(batch, ingest)| {
                let answer = ingest.answer(&batch.payload, deadline);
                async move {
                    match answer.await {
                        Ok(answer) => {
                            let failures = answer.batch_item_failures.into_iter();
                            Ended::Answered(failures.map(|one| one.item_identifier).collect())
                        }
                        Err(error) => Ended::Error(format!("{error:#}")),
                    }
                }
            });
            let all = futures_util::future::join_all(invocations);
            tokio::time::timeout_at(deadline, all).await.ok()
        })?;
        self.until.set(installation.clock.time());
        if ended.is_none() {
            installation.storm.killed();
        }
        ended
    }

    /// How many tasks are left behind an answer.
    pub(crate) fn tasks(&self) -> usize {
        self.runtime.metrics().num_alive_tasks()
    }
}
