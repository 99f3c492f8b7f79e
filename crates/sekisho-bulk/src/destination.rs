//! [`Destination`]: where a batch goes, and [`BulkDestination`], which is a cluster.

mod backoff;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};

use self::backoff::Backoff;
use crate::error::root_cause;
use crate::verdict::{classify, classify_alone};
use crate::{BulkBatch, BulkError, Transport, Verdict, answer, request};

/// Tells the time, for `event.ingested`.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Takes batches.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Writes a batch and gives one verdict for each item, in its order.
    ///
    /// # Errors
    /// When what became of the items cannot be known: every object of the batch fails and is read again.
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError>;

    /// Says why the destination takes nothing at all, from when its last request was refused as a whole until one item is taken again.
    ///
    /// The brake asks: there is no use in reading more while this says something.
    fn refuses_all(&self) -> Option<String> {
        None
    }
}

#[async_trait]
impl<T: Destination + ?Sized> Destination for Arc<T> {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        (**self).write(batch).await
    }

    fn refuses_all(&self) -> Option<String> {
        (**self).refuses_all()
    }
}

/// How documents are written to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkSettings {
    /// The largest body of one request in bytes, before compression.
    pub max_bulk_bytes: usize,
    /// How long rejected items are retried before their objects fail.
    pub retry_budget: Duration,
}

impl Default for BulkSettings {
    fn default() -> Self {
        Self {
            max_bulk_bytes: 5 * 1024 * 1024,
            retry_budget: Duration::from_secs(60),
        }
    }
}

/// Writes to a cluster; sends only what was rejected again.
pub struct BulkDestination<T> {
    transport: T,
    settings: BulkSettings,
    clock: Clock,
}

impl<T: Transport> BulkDestination<T> {
    /// Makes a destination of a transport.
    pub fn new(transport: T, settings: BulkSettings, clock: Clock) -> Self {
        Self {
            transport,
            settings,
            clock,
        }
    }

    /// Sends the chosen items once.
    async fn round(
        &self,
        batch: &BulkBatch,
        chosen: &[usize],
        ingested: &str,
    ) -> Result<Round, BulkError> {
        let build = |places: &[usize]| {
            let mut requests =
                request::build(batch, places, ingested, self.settings.max_bulk_bytes)?;
            requests.reverse();
            Ok::<_, BulkError>(requests)
        };
        let mut round = Round::default();
        let mut open = build(chosen)?;
        while let Some(request) = open.pop() {
            match self.send(batch, &request.items, request.body).await? {
                Sent::Answered(verdicts) => {
                    round
                        .verdicts
                        .extend(request.items.into_iter().zip(verdicts));
                }
                Sent::Split => {
                    let middle = request.items.len() / 2;
                    let (first, second) = request.items.split_at(middle);
                    open.extend(build(second)?);
                    open.extend(build(first)?);
                }
                Sent::Stopped(verdict, retry_after) => {
                    // What refuses one request as a whole refuses the next: they would only be load.
                    let rest = open.drain(..).flat_map(|request| request.items);
                    let stopped = request.items.into_iter().chain(rest);
                    round
                        .verdicts
                        .extend(stopped.map(|place| (place, verdict.clone())));
                    round.retry_after = retry_after;
                }
            }
        }
        Ok(round)
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
                let reason = format!("{error}: {}", root_cause(&error));
                return Ok(Sent::Stopped(Verdict::Rejected { reason }, None));
            }
            Err(error @ BulkError::Certificate { .. }) => {
                let reason = error.to_string();
                return Ok(Sent::Stopped(Verdict::StateFault { reason }, None));
            }
            Err(error) => return Err(error),
        };
        if (200..=299).contains(&answer.status) {
            return answer::read(&answer.body, batch, items).map(Sent::Answered);
        }
        let is_one = items.len() == 1;
        if matches!(answer.status, 400 | 413) && !is_one {
            return Ok(Sent::Split);
        }
        let decide = if is_one { classify_alone } else { classify };
        let verdict = answer::refusal(&answer.body, |complaint| decide(answer.status, complaint));
        Ok(match verdict {
            Verdict::DocumentFault { .. } => Sent::Answered(vec![verdict]),
            other => Sent::Stopped(other, answer.retry_after),
        })
    }
}

/// What one sending of the waiting items gave.
#[derive(Default)]
struct Round {
    verdicts: Vec<(usize, Verdict)>,
    retry_after: Option<Duration>,
}

enum Sent {
    Answered(Vec<Verdict>),
    /// Refused as a whole for one of its items, or for its size.
    Split,
    /// Refused as a whole for all of them.
    Stopped(Verdict, Option<Duration>),
}

#[async_trait]
impl<T: Transport> Destination for BulkDestination<T> {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        let ingested = (self.clock)().to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut verdicts: Vec<Option<Verdict>> = vec![None; batch.items.len()];
        let mut waiting: Vec<usize> = (0..batch.items.len()).collect();
        let mut backoff = Backoff::new(self.settings.retry_budget);
        while !waiting.is_empty() {
            let round = self.round(batch, &waiting, &ingested).await?;
            waiting.clear();
            for (place, verdict) in round.verdicts {
                if matches!(verdict, Verdict::Rejected { .. }) {
                    waiting.push(place);
                }
                if let Some(slot) = verdicts.get_mut(place) {
                    *slot = Some(verdict);
                }
            }
            if waiting.is_empty() {
                break;
            }
            let Some(delay) = backoff.next(round.retry_after) else {
                break;
            };
            tracing::debug!(
                items = waiting.len(),
                delay_ms = delay.as_millis(),
                "bulk items rejected, waiting"
            );
            tokio::time::sleep(delay).await;
        }
        let answered = verdicts.iter().flatten().count();
        verdicts
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| BulkError::Mismatch {
                sent: format!("{} items", batch.items.len()),
                answered: format!("{answered} items"),
            })
    }
}

#[cfg(test)]
mod tests;
