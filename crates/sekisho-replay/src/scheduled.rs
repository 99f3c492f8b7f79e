//! [`Scheduled`]: the replay that a schedule invokes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sekisho_aws::{Session, connect_cluster};
use sekisho_config::Settings;
use sekisho_delivery::Queue;
use sekisho_lambda::Metrics;
use sekisho_pipeline::{Clock as _, SystemClock};
use tokio::time::{Instant, timeout_at};

use crate::error::ReplayError;
use crate::log;
use crate::numbers::numbers;
use crate::replay::{Replay, ReplayOptions, ReplayParts};
use crate::report::{End, ReplayReport};
use crate::settings::ReplaySettings;

/// What a run needs behind its last batch: to delete it with its notes and to show what it left.
const RESERVE: Duration = Duration::from_secs(30);

/// The replay that a schedule invokes.
pub struct Scheduled {
    replay: Replay,
    metrics: Metrics,
}

impl Scheduled {
    /// Reads the settings and wires the parts; nothing is sent yet.
    ///
    /// # Errors
    /// When a setting is wrong or missing.
    pub async fn start() -> Result<Self> {
        let settings = Settings::read(None).context("cannot use the settings")?;
        let session = Session::connect(&settings).await;
        let dead_letters = session
            .dead_letter_queue(&settings.queue)
            .context("there is no dead-letter queue; set `queue.dead_letter_url`")?;
        let replay = wire(&settings, &session, dead_letters).await?;
        let metrics = Metrics::new(&settings, []);
        Ok(Self { replay, metrics })
    }

    /// Runs until nothing is left or the time is nearly up; the answer is what was found and done.
    ///
    /// # Errors
    /// When something that every message needs did not work: the function's errors are what raises its alarm.
    pub async fn answer(&self, deadline: Instant) -> Result<ReplayReport> {
        let left = deadline.saturating_duration_since(Instant::now());
        let until = deadline - RESERVE.min(left / 2);
        let options = ReplayOptions::default();
        let report = self.replay.run(until, &options, &log::parked).await;
        log::report(&report);
        let kept = timeout_at(deadline - RESERVE.min(left / 2) / 2, self.replay.kept()).await;
        let kept = kept.ok().and_then(Result::ok);
        self.metrics
            .write(&numbers(&report, kept), SystemClock.now());
        match report.end {
            End::Failed(error) => Err(error.into()),
            _ => Ok(report),
        }
    }
}

/// Wires a replay over one dead-letter queue, as the settings say.
///
/// # Errors
/// When a setting is wrong or missing.
pub async fn wire(
    settings: &Settings,
    session: &Session,
    dead_letters: Arc<dyn Queue>,
) -> Result<Replay> {
    // Without notes every message would look like one that ended its process.
    if settings.quarantine.bucket.is_empty() {
        return Err(ReplayError::NoBucket.into());
    }
    let queue = session
        .queue(&settings.queue)
        .context("there is no queue to send back to; set `queue.url`")?;
    Ok(Replay::new(ReplayParts {
        dead_letters,
        queue,
        files: session.files(&settings.quarantine),
        store: Arc::new(session.store()),
        cluster: Arc::new(connect_cluster(&settings.opensearch).await?),
        clock: Arc::new(SystemClock),
        settings: ReplaySettings::from(settings),
    }))
}
