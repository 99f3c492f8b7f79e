//! [`Ingest`]: one invocation.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse};
use chrono::TimeDelta;
use sekisho_bulk::Destination;
use sekisho_bundles::{POINTER_KEY, Parsers, Refusal};
use sekisho_delivery::{CauseClass, Files, Queue};
use sekisho_event::{Delivery, Event, IgnoredKeys};
use sekisho_lambda::Metrics;
use sekisho_pipeline::{Clock, ObjectReport, Pipeline, TimeLimit};
use tokio::time::{Instant, timeout_at};

use crate::batch::{Batch, Failure, State, Waiting};
use crate::brake::{Allowed, Brake, BrakeSettings};
use crate::gate::Gate;
use crate::notes::Notes;
use crate::tally::Tally;
use crate::{log, returns, suspects};

/// What an invocation is made of.
pub struct Parts {
    /// What reads objects.
    pub pipeline: Pipeline,
    /// The parsers that operators publish; `None` where the installation has the built-in ones alone.
    pub parsers: Option<Parsers>,
    /// Where its documents go, which says when it takes nothing.
    pub destination: Arc<dyn Destination>,
    /// What must be true before anything is written.
    pub gate: Gate,
    /// Keys that are no logs.
    pub ignored_keys: IgnoredKeys,
    /// The quarantine's own bucket, which is no input.
    pub quarantine_bucket: String,
    /// The queue that the messages came from; `None` where the installation does not name it.
    pub queue: Option<Arc<dyn Queue>>,
    /// Where failure notes go.
    pub files: Arc<dyn Files>,
    /// The time of day, for notes and metrics.
    pub clock: Arc<dyn Clock>,
    /// Where the numbers of each batch go.
    pub metrics: Metrics,
    /// How an invocation divides its time.
    pub settings: IngestSettings,
}

/// How an invocation divides its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IngestSettings {
    /// What is kept for the end of an invocation.
    pub reserve: Duration,
    /// How long nothing is read while the cluster takes nothing.
    pub brake: BrakeSettings,
}

/// What every invocation uses.
pub struct Ingest {
    pipeline: Pipeline,
    parsers: Option<Parsers>,
    destination: Arc<dyn Destination>,
    gate: Gate,
    ignored_keys: IgnoredKeys,
    quarantine_bucket: String,
    queue: Option<Arc<dyn Queue>>,
    notes: Notes,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
    settings: IngestSettings,
    brake: Brake,
}

impl Ingest {
    /// Wires an ingest; one per process, since it holds the brake.
    pub fn new(parts: Parts) -> Self {
        Self {
            pipeline: parts.pipeline,
            parsers: parts.parsers,
            destination: parts.destination,
            gate: parts.gate,
            ignored_keys: parts.ignored_keys,
            quarantine_bucket: parts.quarantine_bucket,
            queue: parts.queue,
            notes: Notes::new(parts.files, Arc::clone(&parts.clock)),
            clock: parts.clock,
            metrics: parts.metrics,
            settings: parts.settings,
            brake: Brake::new(parts.settings.brake),
        }
    }

    /// Reads the objects of an event and answers which messages are to be delivered again, before `deadline`.
    ///
    /// # Errors
    /// When the event cannot be cut into messages, or a direct invocation failed: then the service behind it repeats the whole.
    pub async fn answer(&self, payload: &str, deadline: Instant) -> Result<SqsBatchResponse> {
        let event = Event::read(payload)?;
        let delivery = event.delivery;
        let mut batch = Batch::new(event, &self.ignored_keys, &self.quarantine_bucket);
        batch.ignored.iter().for_each(log::ignored);
        for message in &batch.unreadable {
            log::unreadable(&message.id, &message.error);
        }
        let time = self.divide(deadline);
        let mut tally = Tally::new(&self.metrics);
        match self.published(&mut tally).await {
            Ok(pipeline) => {
                let messages = &mut batch.messages;
                self.work(&pipeline, messages, time, &mut tally).await;
            }
            Err(failure) => {
                let messages = batch.messages.iter_mut();
                messages.for_each(|message| message.give_back(&failure));
            }
        }
        let braked = self.give_back(&batch).await;
        let failed = batch.failed();
        tally.failed(failed.len());
        tally.braked(braked);
        tally.bulk(&self.destination.take_load());
        tally.write(self.clock.now());
        match delivery {
            Delivery::Queue => Ok(response(failed)),
            Delivery::Direct if failed.is_empty() => Ok(SqsBatchResponse::default()),
            Delivery::Direct => {
                bail!("an object of this notification is not finished; its log line says why")
            }
        }
    }

    /// Gives the pipeline with the parsers that are published now; nothing is read while it is not known what these are.
    async fn published(&self, tally: &mut Tally<'_>) -> Result<Pipeline, Failure> {
        let Some(parsers) = &self.parsers else {
            return Ok(self.pipeline.clone());
        };
        let error = match parsers.current().await {
            Ok(current) => {
                tally.bundles_refused(current.refused.len());
                if current.looked {
                    current.refused.iter().for_each(log::bundle_refused);
                }
                return Ok(self.pipeline.with_catalog(current.catalog));
            }
            Err(error) => error.chain(),
        };
        tally.bundles_refused(1);
        let failure = Failure {
            class: CauseClass::State,
            error: format!("not read, since it is not known which parsers are published: {error}"),
        };
        log::bundle_refused(&Refusal {
            object: POINTER_KEY.to_owned(),
            dataset: None,
            reason: error,
        });
        Err(failure)
    }

    /// Keeps the reserve for the end, or half of a time that is shorter than two of it.
    fn divide(&self, deadline: Instant) -> TimeLimit {
        let left = deadline.saturating_duration_since(Instant::now());
        let reserve = self.settings.reserve.min(left / 2);
        TimeLimit {
            stop_at: Some(deadline - reserve),
            give_up_at: Some(deadline - reserve / 4),
        }
    }

    /// Works on all messages: first those that share a run, then each suspect alone.
    async fn work(
        &self,
        pipeline: &Pipeline,
        messages: &mut [Waiting],
        time: TimeLimit,
        tally: &mut Tally<'_>,
    ) {
        if messages.iter().all(Waiting::is_done) {
            return;
        }
        let allowed = self.brake.allowed();
        if let Allowed::Nothing { reason, .. } = &allowed {
            return self.braked(messages, reason);
        }
        if let Err(error) = self.pass(time).await {
            log::not_ready(&error);
            tally.not_ready(&error);
            // The gate is its own probe: it asks again the next time, so that `sekisho apply` helps at once.
            return self.braked(messages, &format!("{error:#}"));
        }
        let (mut shared, mut suspects) = suspects::split(messages, &self.notes).await;
        if allowed == Allowed::Probe {
            // What the cluster said last stays its answer until it is asked to write: one message tries, even where there is but one.
            let first = if shared.is_empty() {
                &mut suspects
            } else {
                &mut shared
            };
            let rest = first.split_off(first.len().min(1));
            let probe = std::mem::replace(first, rest);
            self.run(pipeline, messages, &probe, time, tally).await;
        }
        if self.may_go_on(messages) {
            self.run(pipeline, messages, &shared, time, tally).await;
        }
        if suspects.is_empty() {
            self.may_go_on(messages);
            return;
        }
        let mut deleted = HashSet::new();
        for suspect in suspects {
            // An untried suspect leaves no note, so that it stays one.
            let is_late = time
                .stop_at
                .is_some_and(|stop_at| Instant::now() >= stop_at);
            if is_late || !self.may_go_on(messages) {
                return;
            }
            self.delete_finished(messages, &mut deleted).await;
            if let Some(message) = messages.get(suspect) {
                self.notes.trying(message).await;
            }
            self.run(pipeline, messages, &[suspect], time, tally).await;
        }
        self.may_go_on(messages);
    }

    async fn pass(&self, time: TimeLimit) -> Result<()> {
        match time.stop_at {
            Some(stop_at) => timeout_at(stop_at, self.gate.pass())
                .await
                .context("the cluster does not answer in time")?,
            None => self.gate.pass().await,
        }
    }

    /// Deletes what is finished and not deleted yet, since what comes next may end the process.
    async fn delete_finished(&self, messages: &[Waiting], deleted: &mut HashSet<usize>) {
        let Some(queue) = &self.queue else {
            return;
        };
        let finished = messages.iter().enumerate();
        let finished: Vec<_> = finished
            .filter(|(place, message)| message.is_done() && deleted.insert(*place))
            .map(|(_, message)| message)
            .collect();
        returns::delete(queue.as_ref(), finished.into_iter()).await;
    }

    /// Asks whether the cluster takes anything, and holds or releases the brake; what is untried goes back.
    fn may_go_on(&self, messages: &mut [Waiting]) -> bool {
        match self.destination.refuses_all() {
            None => {
                self.brake.release();
                true
            }
            Some(reason) => {
                if !matches!(self.brake.allowed(), Allowed::Nothing { .. }) {
                    self.brake.hold(reason.clone());
                }
                self.braked(messages, &reason);
                false
            }
        }
    }

    fn braked(&self, messages: &mut [Waiting], reason: &str) {
        let failure = Failure {
            class: CauseClass::State,
            error: format!("not read, since the cluster takes nothing: {reason}"),
        };
        log::braked(messages.len(), reason);
        self.brake.close();
        for message in messages {
            message.give_back(&failure);
        }
    }

    /// Reads the slices of some messages and notes how each ended.
    async fn run(
        &self,
        pipeline: &Pipeline,
        messages: &mut [Waiting],
        places: &[usize],
        time: TimeLimit,
        tally: &mut Tally<'_>,
    ) {
        let chosen = || places.iter().filter_map(|&place| messages.get(place));
        let work: Vec<_> = chosen().flat_map(Waiting::work).collect();
        if work.is_empty() {
            return;
        }
        let reports = pipeline.run(work, time).await;
        for report in &reports {
            log::object(report);
            tally.report(report);
        }
        let mut reports = reports.iter();
        for &place in places {
            let Some(message) = messages.get_mut(place) else {
                continue;
            };
            for (pending, report) in message.slices.iter_mut().zip(&mut reports) {
                pending.state = state(report);
            }
        }
    }

    /// Notes why messages failed and when they come again; gives for how many seconds nothing was written.
    async fn give_back(&self, batch: &Batch) -> u64 {
        let now = self.clock.now();
        let closed = self.brake.closed_for();
        let since = closed.map(|closed| now - closed);
        let since = self.notes.write(batch, since).await;
        let braked = since.map_or(0, |since| seconds(now - since));
        let Some(queue) = &self.queue else {
            return braked;
        };
        let waiting = batch.messages.iter();
        let failed: Vec<_> = waiting.filter(|message| !message.is_done()).collect();
        let at_least = match self.brake.allowed() {
            Allowed::Nothing { left, .. } => left,
            Allowed::All | Allowed::Probe => Duration::ZERO,
        };
        let settings = self.settings.brake;
        returns::hide(
            queue.as_ref(),
            &failed,
            &batch.unreadable,
            settings,
            at_least,
        )
        .await;
        braked
    }
}

/// At least 1: the brake is closed.
fn seconds(closed: TimeDelta) -> u64 {
    u64::try_from(closed.num_seconds())
        .unwrap_or_default()
        .max(1)
}

fn state(report: &ObjectReport) -> State {
    match &report.error {
        None => State::Done,
        Some(error) => State::Failed(Failure {
            class: CauseClass::from(error.class()),
            error: log::chain(error),
        }),
    }
}

/// SQS reads an empty list as full success, and an empty or unknown id as full failure: only ids of this event go in.
fn response(failed: Vec<String>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for id in failed {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        response.batch_item_failures.push(failure);
    }
    response
}

#[cfg(test)]
mod tests;
