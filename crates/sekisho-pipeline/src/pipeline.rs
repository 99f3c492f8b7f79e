//! [`Pipeline`]: runs a list of objects.

use std::sync::Arc;

use futures_util::future::join_all;
use sekisho_bulk::Destination;
use sekisho_event::ObjectRef;
use sekisho_object::{ObjectLimits, ObjectStore, OpenObject};
use sekisho_parser::{Catalog, ObjectContext, ObjectPlan, ParserError, Route};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::batcher::{Batcher, Message, panic_message};
use crate::chunk::BUDGET_UNIT;
use crate::object_run::{ObjectRun, Shared};
use crate::{
    Clock, ObjectReader, ObjectReport, PipelineError, PipelineSettings, Progress, Quarantine,
};

/// Objects in, one report each.
#[derive(Clone)]
pub struct Pipeline {
    store: Arc<dyn ObjectStore>,
    catalog: Arc<Catalog>,
    destination: Arc<dyn Destination>,
    limits: Arc<ObjectLimits>,
    shared: Arc<Shared>,
}

/// One object's turn: how to give it back, and how to say that the object was read.
struct Turn {
    messages: mpsc::UnboundedSender<Message>,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The batcher outlives every turn, unless it panicked: then every object hears of it by itself.
        drop(self.messages.send(Message::Read));
    }
}

impl Pipeline {
    /// Wires the stages.
    pub fn new(
        store: Arc<dyn ObjectStore>,
        catalog: Arc<Catalog>,
        destination: Arc<dyn Destination>,
        quarantine: Arc<dyn Quarantine>,
        limits: ObjectLimits,
        settings: PipelineSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let units = settings.buffered_bytes.max(settings.chunk_bytes * 2) / BUDGET_UNIT;
        let budget_units = u32::try_from(units).unwrap_or(u32::MAX >> 4).max(2);
        let budget = usize::try_from(budget_units).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            store,
            catalog,
            destination,
            limits: Arc::new(limits),
            shared: Arc::new(Shared {
                quarantine,
                clock,
                settings,
                progress: Arc::new(Progress::default()),
                budget: Arc::new(Semaphore::new(budget)),
                budget_units,
            }),
        }
    }

    /// Gives the live counters of all runs of this pipeline.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.shared.progress)
    }

    /// Reads the objects, several at once, and gives one report each, in the order of `objects`.
    pub async fn run(&self, objects: Vec<ObjectRef>) -> Vec<ObjectReport> {
        let settings = &self.shared.settings;
        let (messages, inbox) = mpsc::unbounded_channel();
        let batcher = Batcher::new(
            Arc::clone(&self.destination),
            settings,
            self.shared.budget_units,
            objects.len(),
        );
        let batcher = tokio::spawn(batcher.run(inbox));
        let slots = Arc::new(Semaphore::new(settings.objects_in_flight.max(1)));
        let mut tasks = Vec::with_capacity(objects.len());
        for (ordinal, object) in objects.into_iter().enumerate() {
            // The semaphore is never closed.
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                break;
            };
            let turn = Turn {
                messages: messages.clone(),
                _slot: slot,
            };
            tasks.push(self.guarded(ordinal, object, turn));
        }
        drop(messages);
        let reports = join_all(tasks).await;
        // Its panic, if any, is in the report of every object that it left without an answer.
        drop(batcher.await);
        reports
    }

    /// Starts the work on one object in a task of its own: a panic costs this object only.
    fn guarded(
        &self,
        ordinal: usize,
        object: ObjectRef,
        turn: Turn,
    ) -> impl Future<Output = ObjectReport> + use<> {
        let pipeline = self.clone();
        let named = object.clone();
        let task = tokio::spawn(async move { pipeline.one(ordinal, object, turn).await });
        let shared = Arc::clone(&self.shared);
        async move {
            let report = match task.await {
                Ok(report) => report,
                Err(panic) => {
                    let mut report = ObjectReport::new(named.clone(), shared.clock.now());
                    report.error = Some(PipelineError::Panicked {
                        object: named.to_string(),
                        message: panic_message(panic),
                    });
                    report
                }
            };
            shared.progress.object_ended();
            report
        }
    }

    async fn one(self, ordinal: usize, object: ObjectRef, turn: Turn) -> ObjectReport {
        let report = ObjectReport::new(object.clone(), self.shared.clock.now());
        let messages = turn.messages.clone();
        let mut run = ObjectRun::new(Arc::clone(&self.shared), messages, ordinal, report);
        if let Route::Excluded { parser, pattern } = self.catalog.route(&object.key) {
            let dataset = parser.dataset();
            run.ignore(format!(
                "`exclude` `{pattern}` of `{dataset}` says that it is no log"
            ));
            return run.end();
        }
        let open = match self.store.open(&object).await {
            Ok(open) => open,
            Err(source) => {
                run.refuse(source).await;
                return run.end();
            }
        };
        run.pin(&open.meta);
        let handle = Handle::current();
        let read = tokio::task::spawn_blocking(move || {
            let plan = self.read(&mut run, object, open, &handle);
            (run, plan)
        });
        let read = read.await;
        // Read to its end: the next object may start while this one waits for verdicts.
        drop(turn);
        match read {
            Ok((run, Some(plan))) => run.finish(plan).await,
            Ok((run, None)) => run.end(),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// Reads one object on this thread; no plan where it could not even be begun.
    fn read(
        &self,
        run: &mut ObjectRun,
        object: ObjectRef,
        open: OpenObject,
        handle: &Handle,
    ) -> Option<ObjectPlan> {
        let OpenObject { meta, body } = open;
        let context = ObjectContext {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            entry: None,
            etag: meta.etag.or_else(|| object.etag.clone()),
            last_modified: meta.last_modified,
        };
        let reader = ObjectReader::open(
            &self.catalog,
            &object,
            context,
            &self.limits,
            body.into_read(),
        );
        match reader {
            Ok(reader) => Some(run.read(reader, handle)),
            Err(PipelineError::Open { source, .. }) => {
                handle.block_on(run.refuse(source));
                None
            }
            Err(PipelineError::Plan {
                source: error @ ParserError::UnknownBinary { .. },
                ..
            }) => {
                handle.block_on(run.cut_off(0, error.to_string()));
                None
            }
            Err(error) => {
                run.fail(error);
                None
            }
        }
    }
}
