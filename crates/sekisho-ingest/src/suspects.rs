//! Which messages are worked on alone: those that may have ended their process the last time.

use crate::batch::Waiting;
use crate::notes::{Left, Notes};

/// A message received more often than this is looked at: the first crash of a process says nothing of each of its messages.
const UNSUSPICIOUS_RECEIVES: u32 = 2;

/// Splits messages into those that share a run and the suspects, by their places.
///
/// A suspect was received more than twice and its previous receive left no failure note, or replay has marked it.
/// The most suspicious ones are tried last, so that each end of a process costs the others nothing more: those that replay has marked, then those that ended a process alone.
pub(crate) async fn split(messages: &[Waiting], notes: &Notes) -> (Vec<usize>, Vec<usize>) {
    let asked: Vec<(usize, &Waiting)> = messages
        .iter()
        .enumerate()
        .filter(|(_, message)| {
            let receipt = &message.receipt;
            let unsuspicious = if receipt.alone {
                1
            } else {
                UNSUSPICIOUS_RECEIVES
            };
            receipt.receive_count > unsuspicious
        })
        .collect();
    let of_asked: Vec<&Waiting> = asked.iter().map(|(_, message)| *message).collect();
    let mut left = vec![Left::Failure; messages.len()];
    for ((place, _), found) in asked.iter().zip(notes.left(&of_asked).await) {
        if let Some(left) = left.get_mut(*place) {
            *left = found;
        }
    }
    let (mut shared, mut suspects) = (Vec::new(), Vec::new());
    for (place, (message, left)) in messages.iter().zip(left).enumerate() {
        let alone = message.receipt.alone;
        match left {
            Left::Failure if !alone => shared.push(place),
            Left::Failure | Left::Nothing | Left::Crash => {
                suspects.push((left == Left::Crash, alone, place));
            }
        }
    }
    suspects.sort_unstable();
    let suspects = suspects.into_iter().map(|(.., place)| place);
    (shared, suspects.collect())
}
