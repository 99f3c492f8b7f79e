//! What a run has to say of itself, as metrics.

use sekisho_lambda::{Function, Metric, Numbers};

use crate::report::{End, ReplayReport};

/// Adds up a run; `kept` is how much is parked now, where that could be counted.
pub(crate) fn numbers(report: &ReplayReport, kept: Option<u64>) -> Numbers {
    let mut numbers = Numbers::new(Function::Replay);
    let sent_back = report.total(|row| row.sent_back);
    let failed = u64::from(matches!(report.end, End::Failed(_)));
    for (metric, count) in [
        (Metric::DeadLetters, report.messages()),
        (Metric::Replayed, sent_back + report.returned),
        (Metric::Parked, report.total(|row| row.parked)),
        (Metric::ReplayFailed, failed),
    ] {
        numbers.add(metric, count);
    }
    match kept {
        Some(kept) => numbers.add(Metric::ParkedWaiting, kept),
        None => numbers.leave_out(Metric::ParkedWaiting),
    }
    numbers
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sekisho_delivery::CauseClass;
    use sekisho_pipeline::Clock as _;
    use tokio::time::Instant;

    use super::*;
    use crate::ReplayOptions;
    use crate::world::World;

    #[track_caller]
    fn check(numbers: &Numbers, expected: [u64; 5]) {
        let metrics = [
            Metric::DeadLetters,
            Metric::Replayed,
            Metric::Parked,
            Metric::ParkedWaiting,
            Metric::ReplayFailed,
        ];
        assert_eq!(metrics.map(|metric| numbers.number(metric)), expected);
    }

    async fn run(world: &World) -> Numbers {
        let replay = world.replay();
        let until = Instant::now() + Duration::from_secs(60);
        let report = replay.run(until, &ReplayOptions::default(), &|_| {}).await;
        numbers(&report, replay.kept().await.ok())
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_says_what_it_found_and_did() {
        let world = World::new();
        check(&run(&world).await, [0; 5]);
        for (key, class) in [("t", CauseClass::Transient), ("s", CauseClass::State)] {
            let id = world.letter(key);
            world.note(&id, key, class);
        }
        world.dead_letters.add("garbage", &[], world.clock.now());
        check(&run(&world).await, [3, 2, 1, 1, 0]);
        check(&run(&world).await, [0, 0, 0, 1, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_fails_says_so_and_what_is_not_known_is_left_out() {
        let world = World::new();
        let id = world.letter("k");
        world.note(&id, "k", CauseClass::Object);
        let down = std::sync::atomic::Ordering::Relaxed;
        world.queue.is_down.store(true, down);
        world.files.1.store(false, down);
        check(&run(&world).await, [1, 0, 0, 0, 1]);
        let unknown = numbers(&ReplayReport::default(), None);
        let known = numbers(&ReplayReport::default(), Some(0));
        assert_ne!(unknown, known);
    }
}
