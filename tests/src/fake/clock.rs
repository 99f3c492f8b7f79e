//! [`FakeClock`]: one time for processes that come and go.

use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use sekisho_pipeline::Clock;
use std::time::Duration;
use tokio::time::Instant;

/// A wall clock that runs with the paused time of the runtime that is entered.
#[derive(Debug)]
pub struct FakeClock(Mutex<State>);

#[derive(Debug)]
struct State {
    base: DateTime<Utc>,
    /// When the runtime of now was entered.
    entered: Option<Instant>,
    /// How wrong the processes' clock is.
    skew: TimeDelta,
}

impl State {
    fn time(&self) -> DateTime<Utc> {
        self.base + self.entered.map_or(Duration::ZERO, |at| at.elapsed())
    }
}

impl FakeClock {
    /// Starts at a time.
    pub fn new(start: DateTime<Utc>) -> Self {
        Self(Mutex::new(State {
            base: start,
            entered: None,
            skew: TimeDelta::zero(),
        }))
    }

    /// The true time, which queues and stores go by.
    pub fn time(&self) -> DateTime<Utc> {
        self.0.lock().unwrap().time()
    }

    /// Runs with the runtime that this is called in, until [`FakeClock::leave`].
    pub fn enter(&self) {
        let mut state = self.0.lock().unwrap();
        state.base = state.time();
        state.entered = Some(Instant::now());
    }

    /// Stands still; called in the runtime that was entered, before it is dropped.
    pub fn leave(&self) {
        let mut state = self.0.lock().unwrap();
        state.base = state.time();
        state.entered = None;
    }

    /// Lets time pass while no process runs.
    pub fn advance(&self, by: Duration) {
        self.0.lock().unwrap().base += by;
    }

    /// Makes the clock of the processes wrong by this much.
    pub fn skew(&self, by: TimeDelta) {
        self.0.lock().unwrap().skew = by;
    }
}

impl Clock for FakeClock {
    fn now(&self) -> DateTime<Utc> {
        let state = self.0.lock().unwrap();
        state.time() + state.skew
    }
}
