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
    pub(crate) async fn write(&self, batch: &Batch) {
        if !self.files.is_set() {
            return;
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
            .for_each_concurrent(AT_ONCE, |draft| self.write_one(draft))
            .await;
    }

    async fn write_one(&self, draft: Draft<'_>) {
        let key = NoteKey::new(draft.object, draft.id);
        let now = self.clock.now();
        let first = if draft.receipt.receive_count > 1 {
            let before = self.read(&key).await;
            before.map_or(now, |note| note.first)
        } else {
            now
        };
        let note = draft.note(first, now);
        if let Err(error) = self.files.put(key.as_str(), note.to_bytes()).await {
            log::beside(&error, "note");
        }
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

    /// Tells for each message whether its previous receive left a note, or could have left none.
    pub(crate) async fn noted(&self, messages: &[&Waiting]) -> Vec<bool> {
        if !self.files.is_set() {
            return vec![true; messages.len()];
        }
        stream::iter(messages.iter().copied())
            .map(|message| self.noted_one(message))
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    async fn noted_one(&self, message: &Waiting) -> bool {
        let previous = message.receipt.receive_count.saturating_sub(1);
        for pending in &message.slices {
            let key = NoteKey::new(Some(&pending.slice.object), &message.id);
            let note = self.read(&key).await;
            if note.is_some_and(|note| note.receive_count >= previous) {
                return true;
            }
        }
        false
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
