//! [`RunState`]: what all slices of one run know of its time and its destination.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sekisho_bulk::Destination;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::TimeLimit;

/// What all slices of one run know.
pub(crate) struct RunState {
    time: TimeLimit,
    destination: Arc<dyn Destination>,
    /// What the destination said before belongs to other runs.
    wrote: AtomicBool,
    over: watch::Sender<bool>,
}

impl RunState {
    pub(crate) fn new(time: TimeLimit, destination: Arc<dyn Destination>) -> Self {
        let (over, _) = watch::channel(false);
        Self {
            time,
            destination,
            wrote: AtomicBool::new(false),
            over,
        }
    }

    /// Tells whether what is left is for another invocation.
    pub(crate) fn should_stop(&self) -> bool {
        has_come(self.time.stop_at)
    }

    pub(crate) fn time(&self) -> TimeLimit {
        self.time
    }

    pub(crate) fn wrote(&self) {
        self.wrote.store(true, Ordering::Relaxed);
    }

    /// Says why there is no use in beginning another object.
    pub(crate) fn refuses_all(&self) -> Option<String> {
        let asked = self.wrote.load(Ordering::Relaxed);
        asked.then(|| self.destination.refuses_all()).flatten()
    }

    /// Gives up everything that is not finished.
    pub(crate) fn give_up(&self) {
        self.over.send_replace(true);
    }

    pub(crate) fn is_over(&self) -> bool {
        *self.over.borrow()
    }

    /// Waits until there is no time for more verdicts: what is left is needed to close the books of what is settled.
    pub(crate) async fn verdicts_over(&self) {
        let TimeLimit {
            stop_at: Some(stop_at),
            give_up_at: Some(give_up_at),
        } = self.time
        else {
            return std::future::pending().await;
        };
        let between = give_up_at.saturating_duration_since(stop_at);
        sleep_until(stop_at + between * 2 / 3).await;
    }

    /// Waits until everything is given up.
    pub(crate) async fn over(&self) {
        let mut over = self.over.subscribe();
        // The sender lives as long as `self`.
        over.wait_for(|over| *over).await.ok();
    }
}

/// Tells whether a moment has come.
pub(crate) fn has_come(moment: Option<Instant>) -> bool {
    moment.is_some_and(|moment| Instant::now() >= moment)
}
