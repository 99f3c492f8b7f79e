//! Sends items until each has its answer: only what was rejected goes again.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{sleep, timeout_at};

use super::BulkDestination;
use super::backoff::Backoff;
use super::limiter::Load;
use crate::answer::{self, Answered};
use crate::error::explain;
use crate::request::{self, Target};
use crate::verdict::{classify, classify_alone, denied, says_expired};
use crate::{BulkBatch, BulkError, Transport, Verdict};

/// What is written in one call of [`write`](crate::Destination::write).
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) batch: &'a BulkBatch,
    /// The time of the write, for `event.ingested`.
    pub(super) ingested: &'a str,
}

/// What one sending of the waiting items gave.
#[derive(Default)]
struct Round {
    answers: Vec<(usize, Answered)>,
    retry_after: Option<Duration>,
}

enum Sent {
    Answered(Vec<Answered>, Option<Duration>),
    /// Refused as a whole for one of its items, or for its size.
    Split,
    /// Refused as a whole for all of them.
    Stopped(Verdict, Option<Duration>),
}

impl Sent {
    fn load(&self) -> Load {
        let is_rejected = |verdict: &Verdict| matches!(verdict, Verdict::Rejected { .. });
        match self {
            Self::Answered(answers, _)
                if answers.iter().any(|answer| is_rejected(&answer.verdict)) =>
            {
                Load::Crowded
            }
            Self::Answered(..) => Load::Taken,
            Self::Stopped(verdict, _) if is_rejected(verdict) => Load::Crowded,
            Self::Split | Self::Stopped(..) => Load::Unknown,
        }
    }
}

impl<T: Transport> BulkDestination<T> {
    /// Sends the chosen items until none is rejected or the retries end, and gives the last answer to each.
    pub(super) async fn settle(
        &self,
        job: Job<'_>,
        mut waiting: Vec<usize>,
        target: Target,
        backoff: &mut Backoff,
    ) -> Result<Vec<(usize, Answered)>, BulkError> {
        let mut ended = Vec::with_capacity(waiting.len());
        while !waiting.is_empty() {
            let round = self.round(job, &waiting, target).await?;
            let (rejected, answered): (Vec<_>, Vec<_>) = round
                .answers
                .into_iter()
                .partition(|(_, answer)| matches!(answer.verdict, Verdict::Rejected { .. }));
            ended.extend(answered);
            if rejected.is_empty() {
                break;
            }
            let Some(delay) = backoff.next(round.retry_after) else {
                ended.extend(rejected);
                break;
            };
            tracing::debug!(
                items = rejected.len(),
                delay_ms = delay.as_millis(),
                "bulk items rejected, waiting"
            );
            waiting = rejected.into_iter().map(|(place, _)| place).collect();
            sleep(delay).await;
        }
        Ok(ended)
    }

    /// Sends the chosen items once.
    async fn round(
        &self,
        job: Job<'_>,
        chosen: &[usize],
        target: Target,
    ) -> Result<Round, BulkError> {
        let most = self.settings.max_bulk_bytes;
        let build = |places: &[usize]| {
            let mut requests = request::build(job.batch, places, target, job.ingested, most)?;
            requests.reverse();
            Ok::<_, BulkError>(requests)
        };
        let mut round = Round::default();
        let mut open = build(chosen)?;
        while let Some(request) = open.pop() {
            let sent = self.send_in_turn(job, &request.items, request.body);
            match sent.await? {
                Sent::Answered(answers, retry_after) => {
                    let answers = request.items.into_iter().zip(answers);
                    round.answers.extend(answers);
                    round.retry_after = round.retry_after.max(retry_after);
                }
                Sent::Split => {
                    let middle = request.items.len() / 2;
                    let (first, second) = request.items.split_at(middle);
                    open.extend(build(second)?);
                    open.extend(build(first)?);
                }
                Sent::Stopped(verdict, retry_after) => {
                    if let Verdict::StateFault { reason } = &verdict {
                        self.standing.stopped(reason);
                    }
                    // What refuses one request as a whole refuses the next: they would only be load.
                    let rest = open.drain(..).flat_map(|request| request.items);
                    let stopped = request.items.into_iter().chain(rest);
                    round
                        .answers
                        .extend(stopped.map(|place| (place, verdict.clone().into())));
                    round.retry_after = retry_after;
                }
            }
        }
        Ok(round)
    }

    /// Waits until the cluster can take another request, then sends it.
    async fn send_in_turn(
        &self,
        job: Job<'_>,
        items: &[usize],
        body: Bytes,
    ) -> Result<Sent, BulkError> {
        let entered = match job.batch.until {
            Some(until) => timeout_at(until, self.limiter.enter()).await.ok(),
            None => Some(self.limiter.enter().await),
        };
        let Some(pass) = entered else {
            let reason = "the cluster had no room: the requests before this one took all the time";
            let verdict = Verdict::Rejected {
                reason: reason.to_owned(),
            };
            return Ok(Sent::Stopped(verdict, None));
        };
        let measured = self.meter.begin();
        let sent = self.send(job.batch, items, body).await?;
        measured.end(sent.load());
        pass.end(sent.load());
        Ok(sent)
    }

    async fn send(
        &self,
        batch: &BulkBatch,
        items: &[usize],
        body: Bytes,
    ) -> Result<Sent, BulkError> {
        let answer = match self.transport.bulk(body).await {
            Ok(answer) => answer,
            Err(error @ BulkError::Connection { .. }) => {
                let reason = explain(&error);
                return Ok(Sent::Stopped(Verdict::Rejected { reason }, None));
            }
            Err(error @ BulkError::Certificate { .. }) => {
                let reason = error.to_string();
                return Ok(Sent::Stopped(Verdict::StateFault { reason }, None));
            }
            Err(error) => return Err(error),
        };
        if (200..=299).contains(&answer.status) {
            return match answer::read(&answer.body, batch, items) {
                Ok(answers) => {
                    let denied = answers.iter().filter(|answer| answer.denied).count();
                    self.meter.denied(denied);
                    Ok(Sent::Answered(answers, answer.retry_after))
                }
                // Half an answer is none; what was written is a duplicate the next time.
                Err(error @ BulkError::Answer { .. }) => {
                    let reason = explain(&error);
                    Ok(Sent::Stopped(Verdict::Rejected { reason }, None))
                }
                Err(error) => Err(error),
            };
        }
        let is_one = items.len() == 1;
        // An expired signature is nobody's item.
        let is_all = answer.status == 400
            && answer::refusal(&answer.body, |complaint| {
                complaint.kind.is_empty() && says_expired(complaint.reason)
            });
        if matches!(answer.status, 400 | 413) && !is_one && !is_all {
            return Ok(Sent::Split);
        }
        let decide = if is_one { classify_alone } else { classify };
        let verdict = answer::refusal(&answer.body, |complaint| {
            self.meter
                .denied(usize::from(denied(answer.status, complaint)));
            decide(answer.status, complaint)
        });
        Ok(match verdict {
            Verdict::DocumentFault { .. } => Sent::Answered(vec![verdict.into()], None),
            other => Sent::Stopped(other, answer.retry_after),
        })
    }
}
