//! [`Patience`]: one short series of retries.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A slice whose books cannot be written fails and comes back with its message, so waiting long here gains nothing.
const BUDGET: Duration = Duration::from_secs(10);
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);

/// Waits with full jitter until its budget ends.
pub(super) struct Patience {
    deadline: Instant,
    ceiling: Duration,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self {
            deadline: Instant::now() + BUDGET,
            ceiling: FIRST,
        }
    }

    /// Waits before another try; false when there is no time for one.
    pub(super) async fn wait(&mut self) -> bool {
        let delay = draw(self.ceiling);
        self.ceiling = (self.ceiling * 2).min(LONGEST);
        if Instant::now() + delay >= self.deadline {
            return false;
        }
        sleep(delay).await;
        true
    }
}

/// Draws from [0, ceiling].
pub(super) fn draw(ceiling: Duration) -> Duration {
    // Every `RandomState` is keyed anew, which is randomness enough to spread callers.
    let random = RandomState::new().hash_one(0_u8) % 1025;
    ceiling * u32::try_from(random).unwrap_or_default() / 1024
}
