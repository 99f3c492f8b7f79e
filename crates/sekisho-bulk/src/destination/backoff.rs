//! How long to wait before rejected items are sent again: full jitter under a budget.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(20);

/// Doubles the ceiling with each attempt and draws below it.
///
/// Full jitter, as <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/> measures it: many Lambdas that were rejected together must not come back together.
pub(super) struct Backoff {
    deadline: Instant,
    ceiling: Duration,
}

impl Backoff {
    pub(super) fn new(budget: Duration) -> Self {
        Self {
            deadline: Instant::now() + budget,
            ceiling: FIRST,
        }
    }

    /// Gives the next delay, at least what the cluster asked for, or nothing when the budget would end before it.
    pub(super) fn next(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        let delay = draw(self.ceiling).max(retry_after.unwrap_or_default());
        self.ceiling = (self.ceiling * 2).min(LONGEST);
        (Instant::now() + delay < self.deadline).then_some(delay)
    }
}

/// Draws from [0, ceiling].
fn draw(ceiling: Duration) -> Duration {
    // Every `RandomState` is keyed anew, which is randomness enough to spread callers.
    let random = RandomState::new().hash_one(0_u8) % 1025;
    let part = u32::try_from(random).unwrap_or_default();
    ceiling * part / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn stays_under_its_ceiling_and_its_budget() {
        let mut backoff = Backoff::new(Duration::from_secs(10));
        let mut attempts = 0;
        let start = Instant::now();
        while let Some(delay) = backoff.next(None) {
            assert!(delay <= LONGEST);
            tokio::time::sleep(delay).await;
            attempts += 1;
        }
        assert!(start.elapsed() <= Duration::from_secs(10));
        assert!(attempts >= 1, "{attempts}");
    }

    #[tokio::test(start_paused = true)]
    async fn obeys_retry_after() {
        let mut backoff = Backoff::new(Duration::from_secs(10));
        let asked = Duration::from_secs(7);
        assert_eq!(backoff.next(Some(asked)), Some(asked));
        assert_eq!(backoff.next(Some(Duration::from_secs(30))), None);
    }
}
