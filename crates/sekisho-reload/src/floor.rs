//! [`Floor`]: a clock that never falls under the time of what is to be replaced.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};
use sekisho_pipeline::Clock;

/// Gives the time, but never one before the start of a run.
///
/// Old documents are told from new ones by `event.ingested`; a laptop's clock may be behind those of the Lambdas.
pub(crate) struct Floor {
    clock: Arc<dyn Clock>,
    /// In milliseconds, as `event.ingested` is written.
    least: AtomicI64,
}

impl Floor {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            least: AtomicI64::new(i64::MIN),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        let now = self.clock.now().timestamp_millis();
        let now = now.max(self.least.load(Ordering::SeqCst));
        DateTime::from_timestamp_millis(now).unwrap_or_else(|| self.clock.now())
    }

    /// Starts a run behind the newest document that is there: what is written from now on has at least the time that is given.
    pub(crate) fn start(&self, newest: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let behind = newest.map(|newest| newest.timestamp_millis().saturating_add(1));
        let start = self.clock.now().timestamp_millis();
        let start = behind.map_or(start, |behind| behind.max(start));
        self.least.fetch_max(start, Ordering::SeqCst);
        DateTime::from_timestamp_millis(start).unwrap_or_else(|| self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(DateTime<Utc>);

    impl Clock for Fixed {
        fn now(&self) -> DateTime<Utc> {
            self.0
        }
    }

    #[test]
    fn starts_behind_what_is_there_even_where_the_clock_is_behind() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let floor = Floor::new(Arc::new(Fixed(at("2026-11-23T01:00:00.0009Z"))));
        assert_eq!(floor.start(None), at("2026-11-23T01:00:00Z"));
        let newest = at("2026-11-23T02:00:00.123Z");
        let start = at("2026-11-23T02:00:00.124Z");
        assert_eq!(floor.start(Some(newest)), start);
        assert_eq!(floor.now(), start);
        let older = at("2026-11-23T00:00:00Z");
        assert_eq!(floor.start(Some(older)), at("2026-11-23T01:00:00Z"));
        assert_eq!(floor.now(), start);
    }
}
