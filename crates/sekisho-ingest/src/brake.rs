//! [`Brake`]: while the cluster refuses writes as a whole, nothing is read, and messages go back early.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long the brake holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrakeSettings {
    /// At first.
    pub first: Duration,
    /// At most; it doubles each time.
    pub longest: Duration,
}

/// Whether this process reads at all.
///
/// Each process has its own: what they share is the cluster, which tells each of them.
#[derive(Debug)]
pub(crate) struct Brake {
    settings: BrakeSettings,
    held: Mutex<Option<Held>>,
    /// Since when nothing is written, also where nothing is held since the cluster is not ready.
    closed: Mutex<Option<Instant>>,
}

#[derive(Debug, Clone)]
struct Held {
    until: Instant,
    step: Duration,
    reason: String,
}

/// What the brake allows now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Everything.
    All,
    /// One message, to see whether the cluster takes it.
    Probe,
    /// Nothing for this long.
    Nothing { left: Duration, reason: String },
}

impl Brake {
    pub(crate) fn new(settings: BrakeSettings) -> Self {
        Self {
            settings,
            held: Mutex::new(None),
            closed: Mutex::new(None),
        }
    }

    pub(crate) fn allowed(&self) -> Allowed {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = held.as_ref() else {
            return Allowed::All;
        };
        match held.until.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Allowed::Nothing {
                left,
                reason: held.reason.clone(),
            },
            _ => Allowed::Probe,
        }
    }

    /// Holds, twice as long as the last time; gives for how long.
    pub(crate) fn hold(&self, reason: String) -> Duration {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let BrakeSettings { first, longest } = self.settings;
        let step = held
            .as_ref()
            .map_or(first, |held| held.step * 2)
            .min(longest);
        *held = Some(Held {
            until: Instant::now() + step,
            step,
            reason,
        });
        step
    }

    pub(crate) fn release(&self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = None;
        *self.closed() = None;
    }

    /// Takes note that nothing is written.
    pub(crate) fn close(&self) {
        self.closed().get_or_insert_with(Instant::now);
    }

    /// For how long this process has written nothing; `None` while it writes.
    pub(crate) fn closed_for(&self) -> Option<Duration> {
        let closed = *self.closed();
        closed.map(|since| since.elapsed())
    }

    fn closed(&self) -> MutexGuard<'_, Option<Instant>> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn holds_longer_each_time_and_lets_one_message_look() {
        let brake = Brake::new(BrakeSettings {
            first: Duration::from_secs(30),
            longest: Duration::from_secs(90),
        });
        assert_eq!(brake.allowed(), Allowed::All);
        for seconds in [30, 60, 90, 90] {
            let left = brake.hold("disk".to_owned());
            assert_eq!(left, Duration::from_secs(seconds));
            let reason = "disk".to_owned();
            assert_eq!(brake.allowed(), Allowed::Nothing { left, reason });
            tokio::time::advance(left).await;
            assert_eq!(brake.allowed(), Allowed::Probe);
        }
        brake.release();
        assert_eq!(brake.allowed(), Allowed::All);
    }

    #[tokio::test(start_paused = true)]
    async fn says_since_when_nothing_is_written() {
        let brake = Brake::new(BrakeSettings {
            first: Duration::from_secs(30),
            longest: Duration::from_secs(90),
        });
        assert_eq!(brake.closed_for(), None);
        brake.close();
        assert_eq!(brake.closed_for(), Some(Duration::ZERO));
        tokio::time::advance(Duration::from_secs(1000)).await;
        brake.close();
        assert_eq!(brake.closed_for(), Some(Duration::from_secs(1000)));
        brake.release();
        assert_eq!(brake.closed_for(), None);
    }
}
