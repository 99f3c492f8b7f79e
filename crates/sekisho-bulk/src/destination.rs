//! [`Destination`]: where a batch goes, and [`BulkDestination`], which is a cluster.

mod backoff;
mod limiter;
mod load;
mod retired;
mod round;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, SecondsFormat, Utc};

use self::backoff::Backoff;
use self::limiter::Limiter;
use self::load::Meter;
use self::retired::Marks;
use self::round::Job;
use self::standing::Standing;
use crate::request::Target;
use crate::{BulkBatch, BulkError, ClusterApi, Transport, Verdict};

pub use self::load::BulkLoad;
pub use self::retired::retired_alias;

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

    /// Says what the requests were like since this was last asked, for metrics.
    fn take_load(&self) -> BulkLoad {
        BulkLoad::default()
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

    fn take_load(&self) -> BulkLoad {
        (**self).take_load()
    }
}

/// How documents are written to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkSettings {
    /// The largest body of one request in bytes, before compression.
    pub max_bulk_bytes: usize,
    /// How long rejected items are retried before their objects fail.
    pub retry_budget: Duration,
    /// How many requests may be in flight; fewer are while the cluster is slow or rejects.
    pub max_in_flight: usize,
    /// The alias that marks retired indices, see [`retired_alias`].
    pub retired_alias: String,
}

impl Default for BulkSettings {
    fn default() -> Self {
        Self {
            max_bulk_bytes: 5 * 1024 * 1024,
            retry_budget: Duration::from_secs(60),
            max_in_flight: 4,
            retired_alias: retired_alias(""),
        }
    }
}

/// Writes to a cluster; sends only what was rejected again.
pub struct BulkDestination<T> {
    transport: T,
    settings: BulkSettings,
    clock: Clock,
    limiter: Limiter,
    meter: Meter,
    standing: Standing,
    marks: Marks,
}

impl<T: Transport + ClusterApi> BulkDestination<T> {
    /// Makes a destination of a transport.
    pub fn new(transport: T, settings: BulkSettings, clock: Clock) -> Self {
        Self {
            transport,
            limiter: Limiter::new(settings.max_in_flight),
            settings,
            clock,
            meter: Meter::default(),
            standing: Standing::default(),
            marks: Marks::default(),
        }
    }
}

#[async_trait]
impl<T: Transport + ClusterApi> Destination for BulkDestination<T> {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        let ingested = (self.clock)().to_rfc3339_opts(SecondsFormat::Millis, true);
        let job = Job {
            batch,
            ingested: &ingested,
        };
        let mut backoff = Backoff::new(self.settings.retry_budget, batch.until);
        let all = (0..batch.items.len()).collect();
        let mut ended = self.settle(job, all, Target::Base, &mut backoff).await?;
        self.retire(job, &mut ended, &mut backoff).await?;
        let answered = ended.len();
        let mut verdicts: Vec<Option<Verdict>> = vec![None; batch.items.len()];
        for (place, answer) in ended {
            if let Some(slot) = verdicts.get_mut(place) {
                *slot = Some(answer.verdict);
            }
        }
        let verdicts = verdicts
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| BulkError::Mismatch {
                sent: format!("{} items", batch.items.len()),
                answered: format!("{answered} items"),
            })?;
        let items = batch.items.iter().map(|item| Arc::clone(&item.index));
        let noted: Vec<_> = items.zip(&verdicts).collect();
        self.standing.note(&noted);
        Ok(verdicts)
    }

    fn refuses_all(&self) -> Option<String> {
        self.standing.refuses_all()
    }

    fn take_load(&self) -> BulkLoad {
        self.meter.take()
    }
}

#[cfg(test)]
mod tests;
