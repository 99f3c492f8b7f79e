//! How many requests are in flight: one more after a round of successes, half after a rejection.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Few enough not to hurt a cluster that is already behind; a healthy one adds one with each round of answers.
const FIRST: usize = 2;
/// Answers this many times slower than usual are a queue that grows.
const SLOWER: u32 = 3;
/// Below this nothing is slow, whatever is usual: requests differ in size.
const NEVER_SLOW: Duration = Duration::from_secs(1);

/// Additive increase, multiplicative decrease, as TCP shares a line among those who cannot see each other.
///
/// See <https://en.wikipedia.org/wiki/Additive_increase/multiplicative_decrease>: many Lambdas find their shares of a cluster by it without talking.
pub(super) struct Limiter {
    most: usize,
    state: Mutex<State>,
    freed: Notify,
}

struct State {
    limit: usize,
    in_flight: usize,
    /// Successes since the limit last changed.
    successes: usize,
    /// The moving average of how long an answer takes.
    usual: Option<Duration>,
    /// When the limit was last cut; what was sent before says nothing new.
    cut: Option<Instant>,
}

/// How a request went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    /// The cluster took it in its stride, as far as it says.
    Taken,
    /// It was rejected for want of room, or not answered.
    Crowded,
    /// It says nothing of the load.
    Unknown,
}

/// One request in flight.
pub(super) struct Pass<'a> {
    limiter: &'a Limiter,
    started: Instant,
    load: Load,
}

impl Limiter {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            most,
            state: Mutex::new(State {
                limit: FIRST.min(most),
                in_flight: 0,
                successes: 0,
                usual: None,
                cut: None,
            }),
            freed: Notify::new(),
        }
    }

    /// Waits for a free place.
    pub(super) async fn enter(&self) -> Pass<'_> {
        loop {
            // Made before the look, so that no place that is freed in between is missed.
            let freed = self.freed.notified();
            if self.take() {
                return Pass {
                    limiter: self,
                    started: Instant::now(),
                    load: Load::Unknown,
                };
            }
            freed.await;
        }
    }

    fn take(&self) -> bool {
        let mut state = self.lock();
        let is_free = state.in_flight < state.limit;
        if is_free {
            state.in_flight += 1;
        }
        is_free
    }

    fn leave(&self, started: Instant, load: Load) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        match load {
            Load::Taken if state.is_slow(started.elapsed()) => state.shrink(started),
            Load::Taken => state.grow(self.most),
            Load::Crowded => state.shrink(started),
            Load::Unknown => {}
        }
        let free = state.limit.saturating_sub(state.in_flight);
        drop(state);
        // One for the place that is left, one for the place that may be new.
        for _ in 0..free.min(2) {
            self.freed.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Tells whether an answer took much longer than usual, and remembers how long it took.
    fn is_slow(&mut self, took: Duration) -> bool {
        let usual = self.usual.unwrap_or(took);
        self.usual = Some((usual * 7 + took) / 8);
        took > NEVER_SLOW && took > usual * SLOWER
    }

    fn grow(&mut self, most: usize) {
        self.successes += 1;
        if self.successes >= self.limit {
            self.successes = 0;
            self.limit = (self.limit + 1).min(most);
        }
    }

    fn shrink(&mut self, started: Instant) {
        // All that were in flight together are rejected together: that is one sign, not many.
        if self.cut.is_some_and(|cut| started < cut) {
            return;
        }
        self.cut = Some(Instant::now());
        self.successes = 0;
        self.limit = (self.limit / 2).max(1);
    }
}

impl Pass<'_> {
    /// Leaves and says how the request went.
    pub(super) fn end(mut self, load: Load) {
        self.load = load;
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.limiter.leave(self.started, self.load);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{advance, sleep, timeout};

    use super::*;

    fn limit(limiter: &Limiter) -> usize {
        limiter.lock().limit
    }

    async fn answered(limiter: &Limiter, after: Duration, load: Load) {
        let pass = limiter.enter().await;
        advance(after).await;
        pass.end(load);
    }

    const QUICK: Duration = Duration::from_millis(100);

    #[tokio::test(start_paused = true)]
    async fn grows_by_one_for_each_round_of_successes_up_to_the_setting() {
        let limiter = Limiter::new(5);
        assert_eq!(limit(&limiter), 2);
        for (answers, expected) in [(2, 3), (3, 4), (4, 5), (50, 5)] {
            for _ in 0..answers {
                answered(&limiter, QUICK, Load::Taken).await;
            }
            assert_eq!(limit(&limiter), expected);
        }
        assert_eq!(limit(&Limiter::new(1)), 1);
        assert_eq!(limit(&Limiter::new(0)), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn halves_once_for_all_that_were_in_flight_together() {
        let limiter = Limiter::new(8);
        limiter.lock().limit = 8;
        let mut passes = Vec::new();
        for _ in 0..8 {
            passes.push(limiter.enter().await);
        }
        advance(QUICK).await;
        for pass in passes {
            pass.end(Load::Crowded);
        }
        assert_eq!(limit(&limiter), 4);
        for expected in [2, 1, 1] {
            answered(&limiter, QUICK, Load::Crowded).await;
            assert_eq!(limit(&limiter), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn shrinks_when_answers_get_slow_until_slow_is_usual() {
        let limiter = Limiter::new(8);
        for _ in 0..20 {
            answered(&limiter, QUICK, Load::Taken).await;
        }
        let grown = limit(&limiter);
        answered(&limiter, NEVER_SLOW, Load::Taken).await;
        assert_eq!(limit(&limiter), grown);
        answered(&limiter, Duration::from_secs(5), Load::Taken).await;
        assert_eq!(limit(&limiter), grown / 2);
        for _ in 0..60 {
            answered(&limiter, Duration::from_secs(5), Load::Taken).await;
        }
        assert_eq!(limit(&limiter), 8);
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_in_flight_than_the_limit_and_none_waits_for_ever() {
        let limiter = Arc::new(Limiter::new(4));
        let most = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..40)
            .map(|at| {
                let (limiter, most) = (Arc::clone(&limiter), Arc::clone(&most));
                tokio::spawn(async move {
                    let pass = limiter.enter().await;
                    let now = limiter.lock().in_flight;
                    most.fetch_max(now, Ordering::SeqCst);
                    sleep(QUICK).await;
                    match at % 5 {
                        0 => drop(pass),
                        1 => pass.end(Load::Crowded),
                        _ => pass.end(Load::Taken),
                    }
                })
            })
            .collect();
        for task in tasks {
            timeout(Duration::from_secs(60), task)
                .await
                .unwrap()
                .unwrap();
        }
        assert!(most.load(Ordering::SeqCst) <= 4);
        assert_eq!(limiter.lock().in_flight, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_takes_no_place() {
        let limiter = Limiter::new(1);
        let pass = limiter.enter().await;
        assert!(timeout(QUICK, limiter.enter()).await.is_err());
        pass.end(Load::Unknown);
        assert!(timeout(QUICK, limiter.enter()).await.is_ok());
    }
}
