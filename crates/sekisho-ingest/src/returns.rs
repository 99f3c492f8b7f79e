//! Gives failed messages back at a time of our choosing, and deletes finished ones early.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use sekisho_delivery::Queue;
use sekisho_event::Receipt;

use crate::batch::{Unreadable, Waiting};
use crate::brake::BrakeSettings;
use crate::log;

/// SQS hides a message for at most this long.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);

/// Hides failed messages until their next turn: the later the more often they failed, and no two at the same time.
///
/// Without it each of them waits for the queue's visibility timeout, which is long since it must outlast the function.
pub(crate) async fn hide(
    queue: &dyn Queue,
    waiting: &[&Waiting],
    unreadable: &[Unreadable],
    settings: BrakeSettings,
    at_least: Duration,
) {
    let waiting = waiting
        .iter()
        .map(|message| (&message.id, &message.receipt));
    let unreadable = unreadable
        .iter()
        .map(|message| (&message.id, &message.receipt));
    let hidden: Vec<_> = waiting
        .chain(unreadable)
        .filter(|(_, receipt)| !receipt.handle.is_empty())
        .map(|(id, receipt)| {
            let pause = pause(id, receipt, settings).max(at_least) + spread(id, receipt, at_least);
            (receipt.handle.clone(), pause.min(LONGEST))
        })
        .collect();
    for hidden in hidden.chunks(<dyn Queue>::BATCH) {
        match queue.hide(hidden).await {
            Ok(each) => each
                .iter()
                .filter_map(|one| one.as_ref().err())
                .for_each(|error| log::beside(error, "hide")),
            Err(error) => log::beside(&error, "hide"),
        }
    }
}

/// Deletes finished messages before something is tried that may end the process.
pub(crate) async fn delete<'a>(queue: &dyn Queue, finished: impl Iterator<Item = &'a Waiting>) {
    let handles: Vec<_> = finished
        .map(|message| message.receipt.handle.clone())
        .filter(|handle| !handle.is_empty())
        .collect();
    for handles in handles.chunks(<dyn Queue>::BATCH) {
        match queue.delete(handles).await {
            Ok(each) => each
                .iter()
                .filter_map(|one| one.as_ref().err())
                .for_each(|error| log::beside(error, "delete")),
            Err(error) => log::beside(&error, "delete"),
        }
    }
}

/// Doubles with each receive.
fn pause(id: &str, receipt: &Receipt, settings: BrakeSettings) -> Duration {
    let doublings = receipt.receive_count.saturating_sub(1).min(16);
    let pause = settings.first * (1 << doublings);
    let pause = pause.min(settings.longest);
    pause + spread(id, receipt, pause)
}

/// A part of the pause, at most half of it, that is the message's own.
fn spread(id: &str, receipt: &Receipt, pause: Duration) -> Duration {
    let mut hash = DefaultHasher::new();
    (id, receipt.receive_count).hash(&mut hash);
    let part = u32::try_from(hash.finish() % 1024).unwrap_or_default();
    pause * part / 2048
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_differ() {
        let settings = BrakeSettings {
            first: Duration::from_secs(30),
            longest: Duration::from_secs(900),
        };
        let pause = |id: &str, receive_count| {
            let receipt = Receipt {
                receive_count,
                ..Receipt::default()
            };
            pause(id, &receipt, settings).as_secs()
        };
        assert!((30..=45).contains(&pause("a", 1)));
        assert!((60..=90).contains(&pause("a", 2)));
        assert!((900..=1350).contains(&pause("a", 10)));
        assert!((900..=1350).contains(&pause("a", 1000)));
        assert_ne!(pause("a", 9), pause("b", 9));
    }
}
