//! [`Pipeline`]: runs a list of objects.

use std::pin::pin;
use std::sync::Arc;

use futures_util::future::join_all;
use sekisho_bulk::Destination;
use sekisho_event::{ObjectRef, ObjectSlice, Reach};
use sekisho_ledger::Ledger;
use sekisho_object::{ObjectError, ObjectLimits, ObjectStore, OpenObject};
use sekisho_parser::{Catalog, ObjectContext, ObjectPlan, ParserError, Route};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::batcher::{Batcher, Message, end_message};
use crate::buffers::Buffers;
use crate::chunk::{BUDGET_UNIT, OVERHANG};
use crate::learnt::Learnt;
use crate::object_run::{ObjectRun, Shared};
use crate::run_state::{RunState, has_come};
use crate::{
    Clock, Continuations, ObjectReader, ObjectReport, PipelineError, PipelineSettings, Progress,
    Quarantine, Reading, TimeLimit,
};

/// What a pipeline is made of.
#[derive(Clone)]
pub struct Stages {
    /// Where objects come from.
    pub store: Arc<dyn ObjectStore>,
    /// What parses them.
    pub catalog: Arc<Catalog>,
    /// Where documents go.
    pub destination: Arc<dyn Destination>,
    /// Where records go that cannot be indexed.
    pub quarantine: Arc<dyn Quarantine>,
    /// Where the books are kept.
    pub ledger: Arc<dyn Ledger>,
    /// Where the rest of an object goes when the time is up; without it such an object fails.
    pub continuations: Option<Arc<dyn Continuations>>,
    /// The time of day, for reports.
    pub clock: Arc<dyn Clock>,
}

/// One slice to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The slice.
    pub slice: ObjectSlice,
    /// Whether an earlier attempt may have finished it, so that the ledger is asked before it is read.
    pub ask_ledger: bool,
}

impl From<ObjectRef> for Work {
    /// A whole object that nobody has read before.
    fn from(object: ObjectRef) -> Self {
        Self {
            slice: ObjectSlice::whole(object),
            ask_ledger: false,
        }
    }
}

/// Objects in, one report each.
#[derive(Clone)]
pub struct Pipeline {
    store: Arc<dyn ObjectStore>,
    catalog: Arc<Catalog>,
    limits: Arc<ObjectLimits>,
    shared: Arc<Shared>,
}

/// An object that waits for its turn.
struct Waiting {
    ordinal: usize,
    messages: mpsc::UnboundedSender<Message>,
    slots: Arc<Semaphore>,
}

/// One object's turn: how to give it back, and how to say that the object was read.
struct Turn {
    messages: mpsc::UnboundedSender<Message>,
    /// The semaphore is never closed, so there is always one.
    _slot: Option<OwnedSemaphorePermit>,
}

impl Waiting {
    async fn turn(self) -> Turn {
        Turn {
            _slot: self.slots.acquire_owned().await.ok(),
            messages: self.messages,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // The batcher outlives every turn, unless it panicked: then every object hears of it by itself.
        drop(self.messages.send(Message::Read));
    }
}

impl Pipeline {
    /// Wires the stages.
    pub fn new(stages: Stages, limits: ObjectLimits, settings: PipelineSettings) -> Self {
        Self::counting(stages, limits, settings, Arc::default())
    }

    /// Wires the stages, and counts into what other pipelines count into too.
    pub fn counting(
        stages: Stages,
        limits: ObjectLimits,
        settings: PipelineSettings,
        progress: Arc<Progress>,
    ) -> Self {
        let units = settings.buffered_bytes.max(settings.chunk_bytes * 2) / BUDGET_UNIT;
        let budget_units = u32::try_from(units).unwrap_or(u32::MAX >> 4).max(2);
        let budget = usize::try_from(budget_units).unwrap_or(Semaphore::MAX_PERMITS);
        let (chunk_room, body_room) = (settings.chunk_bytes + OVERHANG, settings.max_bulk_bytes);
        Self {
            store: stages.store,
            catalog: stages.catalog,
            limits: Arc::new(limits),
            shared: Arc::new(Shared {
                destination: stages.destination,
                quarantine: stages.quarantine,
                ledger: stages.ledger,
                continuations: stages.continuations,
                clock: stages.clock,
                settings,
                progress,
                learnt: Learnt::default(),
                chunks: Buffers::of(chunk_room),
                bodies: Buffers::of(body_room),
                budget: Arc::new(Semaphore::new(budget)),
                budget_units,
            }),
        }
    }

    /// The same pipeline with other parsers, for runs that begin from now on.
    #[must_use]
    pub fn with_catalog(&self, catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            ..self.clone()
        }
    }

    /// Gives the live counters of all runs of this pipeline.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.shared.progress)
    }

    /// Reads slices, several at once, and gives one report each, in the order of `work`.
    ///
    /// A report without an error is final: its books are in the ledger, and what follows its slice is sent.
    /// No task of it outlives the run.
    pub async fn run(&self, work: Vec<Work>, time: TimeLimit) -> Vec<ObjectReport> {
        let settings = &self.shared.settings;
        let destination = Arc::clone(&self.shared.destination);
        let state = Arc::new(RunState::new(time, Arc::clone(&destination)));
        let (messages, inbox) = mpsc::unbounded_channel();
        let batcher = Batcher::new(
            destination,
            settings,
            Arc::clone(&self.shared.bodies),
            self.shared.budget_units,
            work.len(),
            time.give_up_at,
        );
        let mut batcher = tokio::spawn(batcher.run(inbox));
        let slots = Arc::new(Semaphore::new(settings.objects_in_flight.max(1)));
        let mut tasks = Vec::with_capacity(work.len());
        for (ordinal, work) in work.into_iter().enumerate() {
            let waiting = Waiting {
                ordinal,
                messages: messages.clone(),
                slots: Arc::clone(&slots),
            };
            tasks.push(self.guarded(work, waiting, &state));
        }
        drop(messages);
        let reports = join_all(tasks).await;
        // Its panic, if any, is in the report of every object that it left without an answer.
        if within(time.give_up_at, &mut batcher).await.is_none() {
            batcher.abort();
            drop(batcher.await);
        }
        reports
    }

    /// Starts the work on one slice in a task of its own: a panic costs this slice only.
    fn guarded(
        &self,
        work: Work,
        waiting: Waiting,
        state: &Arc<RunState>,
    ) -> impl Future<Output = ObjectReport> + use<> {
        let pipeline = self.clone();
        let object = work.slice.object.clone();
        let state = Arc::clone(state);
        let of_task = Arc::clone(&state);
        let mut task = tokio::spawn(async move { pipeline.one(work, waiting, of_task).await });
        let shared = Arc::clone(&self.shared);
        async move {
            let ended = within(state.time().give_up_at, &mut task).await;
            let error = match ended {
                Some(Ok(report)) => {
                    shared.progress.object_ended();
                    return report;
                }
                Some(Err(panic)) => PipelineError::Panicked {
                    object: object.to_string(),
                    message: end_message(panic),
                },
                None => {
                    state.give_up();
                    task.abort();
                    drop(task.await);
                    PipelineError::TimeUp {
                        object: object.to_string(),
                    }
                }
            };
            shared.progress.object_ended();
            let mut report = ObjectReport::new(object, shared.clock.now());
            report.error = Some(error);
            report
        }
    }

    async fn one(self, work: Work, waiting: Waiting, state: Arc<RunState>) -> ObjectReport {
        let Work { slice, ask_ledger } = work;
        let ordinal = waiting.ordinal;
        let turn = waiting.turn().await;
        let messages = turn.messages.clone();
        let shared = Arc::clone(&self.shared);
        let mut run = ObjectRun::new(shared, state, messages, ordinal, slice);
        let Some(open) = self.begin(&mut run, ask_ledger).await else {
            return run.end().await;
        };
        let (run, plan) = match self.shared.settings.reading {
            Reading::Inline => {
                let plan = self.read(&mut run, open).await;
                (run, plan)
            }
            Reading::OwnThread => {
                let handle = Handle::current();
                let read = tokio::task::spawn_blocking(move || {
                    let plan = handle.block_on(self.read(&mut run, open));
                    (run, plan)
                });
                match read.await {
                    Ok(read) => read,
                    Err(panic) => std::panic::resume_unwind(panic.into_panic()),
                }
            }
        };
        // Read to its end: the next object may start while this one waits for verdicts.
        drop(turn);
        match plan {
            Some(plan) => run.finish(plan).await,
            None => run.end().await,
        }
    }

    /// Opens the object, unless there is no use in reading it.
    async fn begin(&self, run: &mut ObjectRun, ask_ledger: bool) -> Option<OpenObject> {
        let object = run.slice.object.clone();
        match self.catalog.route(&object.key) {
            Route::Excluded { parser, pattern } => {
                let dataset = parser.dataset();
                run.ignore(format!(
                    "`exclude` `{pattern}` of `{dataset}` says that it is no log"
                ));
                return None;
            }
            Route::Held(held) => {
                run.fail(PipelineError::Plan {
                    object: object.to_string(),
                    source: held.error(&object.key),
                });
                return None;
            }
            Route::Parser(..) | Route::Unclaimed => {}
        }
        if run.state.should_stop() || run.state.is_over() {
            run.fail(run.time_up());
            return None;
        }
        if let Some(reason) = run.state.refuses_all() {
            let object = object.to_string();
            run.fail(PipelineError::Refusing { object, reason });
            return None;
        }
        let open = match self.open(&run.slice).await {
            Ok(open) => open,
            Err(source) => {
                run.refuse(source).await;
                return None;
            }
        };
        run.pin(&open.meta);
        if ask_ledger && run.is_done().await {
            return None;
        }
        Some(open)
    }

    /// A range begins one byte early: whether that byte ends a line tells whether a record begins behind it.
    async fn open(&self, slice: &ObjectSlice) -> Result<OpenObject, ObjectError> {
        match slice.reach {
            Reach::Range if slice.start > 0 => {
                self.store.open_from(&slice.object, slice.start - 1).await
            }
            Reach::Range | Reach::Stream => self.store.open(&slice.object).await,
        }
    }

    /// Reads one slice; no plan where it could not even be begun.
    async fn read(&self, run: &mut ObjectRun, open: OpenObject) -> Option<ObjectPlan> {
        let OpenObject { meta, body } = open;
        let object = &run.slice.object;
        let context = ObjectContext {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            entry: None,
            etag: meta.etag.or_else(|| object.etag.clone()),
            last_modified: meta.last_modified,
        };
        let reader = ObjectReader::open_slice(
            &self.catalog,
            &run.slice,
            context,
            &self.limits,
            body.into_read(),
        );
        match reader {
            Ok(reader) => Some(run.read(reader).await),
            Err(PipelineError::Open { source, .. }) => {
                run.refuse(source).await;
                None
            }
            Err(PipelineError::Plan {
                source: error @ ParserError::UnknownBinary { .. },
                ..
            }) => {
                run.cut_off(0, error.to_string()).await;
                None
            }
            Err(error) => {
                run.fail(error);
                None
            }
        }
    }
}

/// Waits for a task until a moment; `None` where it has not ended by then.
async fn within<T>(
    until: Option<Instant>,
    task: &mut JoinHandle<T>,
) -> Option<Result<T, tokio::task::JoinError>> {
    let Some(until) = until else {
        return Some(task.await);
    };
    if has_come(Some(until)) && !task.is_finished() {
        return None;
    }
    let timer = pin!(sleep_until(until));
    tokio::select! {
        ended = task => Some(ended),
        () = timer => None,
    }
}
