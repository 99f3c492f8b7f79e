//! Which messages are worked on alone: those that may have ended their process the last time.

use crate::batch::Waiting;
use crate::notes::Notes;

/// A message received more often than this is looked at: the first crash of a process says nothing of each of its messages.
const UNSUSPICIOUS_RECEIVES: u32 = 2;

/// Splits messages into those that share a run and the suspects, by their places.
///
/// A suspect was received more than twice and its previous receive left no failure note, or replay has marked it.
pub(crate) async fn split(messages: &[Waiting], notes: &Notes) -> (Vec<usize>, Vec<usize>) {
    let asked: Vec<(usize, &Waiting)> = messages
        .iter()
        .enumerate()
        .filter(|(_, message)| {
            let receipt = &message.receipt;
            !receipt.alone && receipt.receive_count > UNSUSPICIOUS_RECEIVES
        })
        .collect();
    let of_asked: Vec<&Waiting> = asked.iter().map(|(_, message)| *message).collect();
    let noted = notes.noted(&of_asked).await;
    let mut suspects: Vec<usize> = asked
        .iter()
        .zip(noted)
        .filter(|(_, noted)| !noted)
        .map(|((place, _), _)| *place)
        .collect();
    let marked = messages.iter().enumerate();
    suspects.extend(
        marked
            .filter(|(_, message)| message.receipt.alone)
            .map(|(place, _)| place),
    );
    suspects.sort_unstable();
    let shared = (0..messages.len()).filter(|place| suspects.binary_search(place).is_err());
    (shared.collect(), suspects)
}
