//! [`Replay`]: one run over the DLQ.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use sekisho_bulk::ClusterApi;
use sekisho_delivery::{DeliveryError, Files, Queue};
use sekisho_object::ObjectStore;
use sekisho_pipeline::Clock;
use tokio::time::Instant;

use crate::cause::Cause;
use crate::cluster::ClusterState;
use crate::inspect::Inspector;
use crate::outbox::Outbox;
use crate::parked::{ParkedMessage, Shelf};
use crate::report::{End, ReplayReport};
use crate::settings::ReplaySettings;

pub(crate) mod round;

/// How long an answer of the cluster holds.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// How long messages stay hidden behind the end of a run that dies.
const HIDE_BEHIND_END: Duration = Duration::from_secs(60);
/// The longest time that one look hides messages.
const LONGEST_HIDE: Duration = Duration::from_secs(30 * 60);
/// How many messages one run leaves hidden until its end; SQS gives nothing more out at 120,000.
const MOST_HELD: usize = 50_000;
/// How much is counted of what is parked; S3 lists a thousand keys a page.
const MOST_PAGES: usize = 10;

/// What a replay works with.
pub struct ReplayParts {
    /// The DLQ.
    pub dead_letters: Arc<dyn Queue>,
    /// The queue that feeds ingest.
    pub queue: Arc<dyn Queue>,
    /// Failure notes and parked messages.
    pub files: Arc<dyn Files>,
    /// Where the objects are.
    pub store: Arc<dyn ObjectStore>,
    /// Who has to take what is sent back.
    pub cluster: Arc<dyn ClusterApi>,
    /// The time, for what is about to expire.
    pub clock: Arc<dyn Clock>,
    /// How much of it, and how fast.
    pub settings: ReplaySettings,
}

/// Whether a run changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It does.
    #[default]
    Act,
    /// It only tells; yet looking raises the receive counts of the DLQ.
    Look,
}

/// How one run differs from the settings.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// Whether it changes anything.
    pub mode: Mode,
    /// At most so many messages.
    pub limit: Option<u64>,
    /// Another rate than the settings', in messages a second.
    pub rate: Option<NonZeroU32>,
}

/// Hears of each message that is parked.
pub type OnParked<'a> = &'a (dyn Fn(&ParkedMessage) + Sync);

/// Sends dead-lettered messages back, or parks them.
pub struct Replay {
    pub(crate) parts: ReplayParts,
}

impl Replay {
    /// Wires the parts; nothing is asked yet.
    pub fn new(parts: ReplayParts) -> Self {
        Self { parts }
    }

    /// Goes through the DLQ, then sends back what waits parked for the cluster; stops before `until`.
    ///
    /// What goes wrong for every message is the report's `end`; what was done until then stays done.
    pub async fn run(
        &self,
        until: Instant,
        options: &ReplayOptions,
        on_parked: OnParked<'_>,
    ) -> ReplayReport {
        let mut run = Run::begin(self, until, options).await;
        let mut end = run.dead_letters(on_parked).await;
        // A look is at the DLQ alone: what waits returns by itself anyway.
        if matches!(end, End::Empty) && options.mode == Mode::Act {
            end = run.give_back(Shelf::Waiting, &[]).await;
        }
        run.finish(end).await
    }

    /// Counts what is parked until somebody asks for it, up to a bound.
    ///
    /// # Errors
    /// When it cannot be listed.
    pub(crate) async fn kept(&self) -> Result<u64, DeliveryError> {
        let (mut kept, mut next) = (0, None);
        for _ in 0..MOST_PAGES {
            let prefix = Shelf::Kept.prefix();
            let page = self.parts.files.list(prefix, next.as_deref()).await?;
            kept += page.keys.len() as u64;
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(kept)
    }

    /// Sends parked messages back because somebody asked for them: all, or those of some causes.
    pub async fn run_parked(
        &self,
        until: Instant,
        options: &ReplayOptions,
        causes: &[Cause],
    ) -> ReplayReport {
        let mut run = Run::begin(self, until, options).await;
        let mut end = run.give_back(Shelf::Waiting, causes).await;
        if matches!(end, End::Empty) {
            end = run.give_back(Shelf::Kept, causes).await;
        }
        run.finish(end).await
    }
}

/// One run under way.
pub(crate) struct Run<'a> {
    pub(crate) parts: &'a ReplayParts,
    pub(crate) options: &'a ReplayOptions,
    pub(crate) until: Instant,
    pub(crate) inspector: Inspector<'a>,
    pub(crate) outbox: Outbox<'a>,
    pub(crate) report: ReplayReport,
    cluster: ClusterState,
    asked: Instant,
    /// Handles of messages that are left; they become visible again at the end, so that no message is looked at twice.
    held: Vec<String>,
    seen: u64,
}

impl<'a> Run<'a> {
    async fn begin(replay: &'a Replay, until: Instant, options: &'a ReplayOptions) -> Self {
        let parts = &replay.parts;
        let settings = &parts.settings;
        let cluster =
            ClusterState::ask(parts.cluster.as_ref(), settings.free_storage_percent).await;
        Self {
            parts,
            options,
            until,
            inspector: Inspector {
                files: parts.files.as_ref(),
                store: parts.store.as_ref(),
                max_receive_count: settings.max_receive_count,
            },
            outbox: Outbox::new(parts.queue.as_ref(), options.rate.unwrap_or(settings.rate)),
            report: ReplayReport::default(),
            cluster,
            asked: Instant::now(),
            held: Vec::new(),
            seen: 0,
        }
    }

    /// Whether the cluster takes writes, by an answer that is not too old.
    pub(crate) async fn is_ready(&mut self) -> bool {
        if self.asked.elapsed() >= ASK_AGAIN {
            let percent = self.parts.settings.free_storage_percent;
            self.cluster = ClusterState::ask(self.parts.cluster.as_ref(), percent).await;
            self.asked = Instant::now();
        }
        self.cluster == ClusterState::Ready
    }

    /// Why the run ends here, if it does.
    pub(crate) fn ends(&self) -> Option<End> {
        let time_up = Instant::now().max(self.outbox.free()) >= self.until;
        if time_up {
            return Some(End::TimeUp);
        }
        if self.left_to_see() == 0 {
            return Some(End::Limit);
        }
        (self.held.len() >= MOST_HELD).then_some(End::Full)
    }

    /// How many messages may still be looked at.
    pub(crate) fn left_to_see(&self) -> u64 {
        let limit = self.options.limit.unwrap_or(u64::MAX);
        limit.saturating_sub(self.seen)
    }

    pub(crate) fn saw(&mut self, messages: usize) {
        self.seen += messages as u64;
    }

    /// Leaves a message in the DLQ.
    pub(crate) fn hold(&mut self, handle: String) {
        self.held.push(handle);
    }

    /// How long a message is hidden: not to be seen twice by this run, and soon again should it die.
    pub(crate) fn hide(&self) -> Duration {
        let rest = self.until.saturating_duration_since(Instant::now());
        (rest + HIDE_BEHIND_END).min(LONGEST_HIDE)
    }

    async fn finish(mut self, end: End) -> ReplayReport {
        self.release().await;
        self.report.closed = self.cluster.reason().map(str::to_owned);
        self.report.end = end;
        self.report
    }

    /// Shows what was left again; where it fails, their time shows them.
    async fn release(&mut self) {
        for handles in self.held.chunks(<dyn Queue>::BATCH) {
            let handles: Vec<_> = handles
                .iter()
                .map(|handle| (handle.clone(), Duration::ZERO))
                .collect();
            let shown = self.parts.dead_letters.hide(&handles).await;
            if shown.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
