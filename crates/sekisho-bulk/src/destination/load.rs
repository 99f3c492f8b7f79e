//! [`BulkLoad`]: what requests were like, for metrics.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::limiter::Load;

/// So many times are kept, evenly chosen where there are more.
const MOST_TIMES: usize = 1_000;

/// What requests were like since the destination was last asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkLoad {
    /// Requests sent, repetitions included.
    pub requests: u64,
    /// Those of them that the cluster had no room for, or did not answer, wholly or in part.
    pub rejected: u64,
    /// Items, and requests as a whole, whose login or permission was denied.
    pub denied: u64,
    /// The most that were under way at once.
    pub in_flight: u64,
    /// How long answers took: all of them, or where there were many an even choice.
    pub took: Vec<Duration>,
}

/// Measures requests.
#[derive(Debug, Default)]
pub(super) struct Meter {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    load: BulkLoad,
    /// How many are under way.
    now: u64,
    /// One of `2^thinned` times is kept.
    thinned: u32,
}

/// One request under way.
pub(super) struct Measured<'a> {
    meter: &'a Meter,
    started: Instant,
}

impl Meter {
    pub(super) fn begin(&self) -> Measured<'_> {
        let mut state = self.lock();
        state.now += 1;
        state.load.requests += 1;
        state.load.in_flight = state.load.in_flight.max(state.now);
        Measured {
            meter: self,
            started: Instant::now(),
        }
    }

    /// Counts items, or a request, whose login or permission was denied.
    pub(super) fn denied(&self, items: usize) {
        self.lock().load.denied += items as u64;
    }

    /// Gives what was measured since the last time.
    pub(super) fn take(&self) -> BulkLoad {
        let mut state = self.lock();
        state.thinned = 0;
        let in_flight = state.now;
        let begun = BulkLoad {
            in_flight,
            ..BulkLoad::default()
        };
        mem::replace(&mut state.load, begun)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Measured<'_> {
    /// Takes note of the answer.
    pub(super) fn end(self, load: Load) {
        let took = self.started.elapsed();
        let mut state = self.meter.lock();
        state.load.rejected += u64::from(load == Load::Crowded);
        state.keep(took);
    }
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        let mut state = self.meter.lock();
        state.now = state.now.saturating_sub(1);
    }
}

impl State {
    fn keep(&mut self, took: Duration) {
        if !self.load.requests.is_multiple_of(1 << self.thinned) {
            return;
        }
        if self.load.took.len() >= MOST_TIMES {
            let mut place = 0;
            self.load.took.retain(|_| {
                place += 1;
                place % 2 == 0
            });
            self.thinned += 1;
        }
        self.load.took.push(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_are_measured_until_somebody_asks() {
        let meter = Meter::default();
        let (first, second) = (meter.begin(), meter.begin());
        tokio::time::advance(Duration::from_millis(30)).await;
        first.end(Load::Taken);
        second.end(Load::Crowded);
        meter.denied(3);
        drop(meter.begin());
        let took = vec![Duration::from_millis(30); 2];
        let expected = BulkLoad {
            requests: 3,
            rejected: 1,
            denied: 3,
            in_flight: 2,
            took,
        };
        assert_eq!(meter.take(), expected);
        assert_eq!(meter.take(), BulkLoad::default());
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_run_keeps_a_bounded_number_of_times() {
        let meter = Meter::default();
        for _ in 0..100_000 {
            meter.begin().end(Load::Taken);
        }
        let load = meter.take();
        assert_eq!(load.requests, 100_000);
        assert!((MOST_TIMES / 3..=MOST_TIMES).contains(&load.took.len()));
    }
}
