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
    /// Ends with the budget, or at `until` where that is earlier.
    pub(super) fn new(budget: Duration, until: Option<Instant>) -> Self {
        let end = Instant::now() + budget;
        Self {
            deadline: until.map_or(end, |until| until.min(end)),
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
        let mut backoff = Backoff::new(Duration::from_secs(10), None);
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
        let mut backoff = Backoff::new(Duration::from_secs(10), None);
        let asked = Duration::from_secs(7);
        assert_eq!(backoff.next(Some(asked)), Some(asked));
        assert_eq!(backoff.next(Some(Duration::from_secs(30))), None);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_at_the_earlier_of_budget_and_until() {
        let end = |budget, until: u64| {
            let until = Instant::now() + Duration::from_secs(until);
            Backoff::new(Duration::from_secs(budget), Some(until)).deadline - Instant::now()
        };
        assert_eq!(end(10, 3), Duration::from_secs(3));
        assert_eq!(end(3, 10), Duration::from_secs(3));
    }
}
