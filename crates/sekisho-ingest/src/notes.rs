//! Writes why messages failed, one note for each failed object, and reads what was noted before.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};
use sekisho_delivery::{CauseClass, FailureNote, Files, NoteKey};
use sekisho_event::{ObjectRef, Receipt};
use sekisho_pipeline::Clock;

use crate::batch::{Batch, Failure, State, Unreadable, Waiting};
use crate::log;

/// How many notes are read or written at once.
const AT_ONCE: usize = 32;

/// The notes of an installation.
pub(crate) struct Notes {
    files: Arc<dyn Files>,
    clock: Arc<dyn Clock>,
}

/// What the previous receive of a message left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// No note: its process ended, whosever fault that was.
    Nothing,
    /// The note of a failure, or none could be left.
    Failure,
    /// The note that it was being tried alone: its process ended by its fault.
    Crash,
}

/// A note to write.
struct Draft<'b> {
    id: &'b str,
    receipt: &'b Receipt,
    object: Option<&'b ObjectRef>,
    failure: Failure,
}

impl Notes {
    pub(crate) fn new(files: Arc<dyn Files>, clock: Arc<dyn Clock>) -> Self {
        Self { files, clock }
    }

    /// Notes every failure of a batch. A note that cannot be written is missed: replay takes its message for one that ended its process, and tries it alone.
    ///
    /// `braked_since` is since when this process writes nothing, where it does; the answer is the earliest that any note of these messages knows.
    pub(crate) async fn write(
        &self,
        batch: &Batch,
        braked_since: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        if !self.files.is_set() {
            return braked_since;
        }
        let unreadable = batch.unreadable.iter().map(|message| Draft {
            id: &message.id,
            receipt: &message.receipt,
            object: None,
            failure: Unreadable::failure(message),
        });
        let waiting = batch.messages.iter().flat_map(|message| {
            let failures = message.slices.iter().filter_map(|pending| {
                let State::Failed(failure) = &pending.state else {
                    return None;
                };
                Some((&pending.slice.object, failure))
            });
            failures.map(move |(object, failure)| Draft {
                id: &message.id,
                receipt: &message.receipt,
                object: Some(object),
                failure: failure.clone(),
            })
        });
        // A direct invocation has no message that could be dead-lettered.
        let drafts: Vec<_> = unreadable
            .chain(waiting)
            .filter(|draft| !draft.id.is_empty())
            .collect();
        stream::iter(drafts)
            .map(|draft| self.write_one(draft, braked_since))
            .buffer_unordered(AT_ONCE)
            .fold(braked_since, async |earliest, known| {
                earliest.into_iter().chain(known).min()
            })
            .await
    }

    /// Gives since when nothing is written, as the note now says.
    async fn write_one(
        &self,
        draft: Draft<'_>,
        braked_since: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let key = NoteKey::new(draft.object, draft.id);
        let now = self.clock.now();
        let before = if draft.receipt.receive_count > 1 {
            self.read(&key).await
        } else {
            None
        };
        let is_braked = draft.failure.class == CauseClass::State;
        let braked_since = braked_since.filter(|_| is_braked).map(|since| {
            let before = before.as_ref().and_then(|note| note.braked_since);
            before.map_or(since, |before| before.min(since))
        });
        let first = before.map_or(now, |note| note.first);
        let note = FailureNote {
            braked_since,
            ..draft.note(first, now)
        };
        if let Err(error) = self.files.put(key.as_str(), note.to_bytes()).await {
            log::beside(&error, "note");
        }
        braked_since
    }

    async fn read(&self, key: &NoteKey) -> Option<FailureNote> {
        match self.files.get(key.as_str()).await {
            Ok(bytes) => FailureNote::read(&bytes?),
            Err(error) => {
                log::beside(&error, "note");
                None
            }
        }
    }

    /// Notes that a message is about to be tried alone: if that ends the process, the note stays and tells which message it was.
    pub(crate) async fn trying(&self, message: &Waiting) {
        if !self.files.is_set() {
            return;
        }
        for pending in &message.slices {
            let draft = Draft {
                id: &message.id,
                receipt: &message.receipt,
                object: Some(&pending.slice.object),
                failure: Failure {
                    class: CauseClass::Crashed,
                    error: "the process ended while it worked on this object alone".to_owned(),
                },
            };
            self.write_one(draft, None).await;
        }
    }

    /// Tells for each message what its previous receive left.
    pub(crate) async fn left(&self, messages: &[&Waiting]) -> Vec<Left> {
        if !self.files.is_set() {
            return vec![Left::Failure; messages.len()];
        }
        stream::iter(messages.iter().copied())
            .map(|message| self.left_by(message))
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    async fn left_by(&self, message: &Waiting) -> Left {
        let previous = message.receipt.receive_count.saturating_sub(1);
        let mut left = Left::Nothing;
        for pending in &message.slices {
            let key = NoteKey::new(Some(&pending.slice.object), &message.id);
            match self.read(&key).await {
                Some(note) if note.receive_count < previous => {}
                Some(note) if note.class == CauseClass::Crashed => return Left::Crash,
                Some(_) => left = Left::Failure,
                None => {}
            }
        }
        left
    }
}

impl Draft<'_> {
    fn note(&self, first: DateTime<Utc>, last: DateTime<Utc>) -> FailureNote {
        FailureNote {
            class: self.failure.class,
            error: self.failure.error.clone(),
            message_id: self.id.to_owned(),
            object: self.object.map(ToString::to_string),
            receive_count: self.receipt.receive_count,
            first,
            last,
            braked_since: None,
        }
    }
}

impl Unreadable {
    fn failure(&self) -> Failure {
        Failure {
            class: CauseClass::Message,
            error: log::chain(&self.error),
        }
    }
}
