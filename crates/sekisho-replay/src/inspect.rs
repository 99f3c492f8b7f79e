//! [`Inspector`]: finds out why one message was dead-lettered, by its failure note and by asking the store for the object.

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::stream;
use sekisho_delivery::{CauseClass, DeliveryError, FailureNote, Files, NoteKey};
use sekisho_event::ObjectRef;
use sekisho_object::{ErrorClass, ObjectStore};

use crate::cause::{Blame, Cause};
use crate::error::chain;
use crate::letter::{Form, Letter};

/// How many objects of one message are asked for at once.
const OBJECTS_AT_ONCE: usize = 8;

/// What was found out about one message.
#[derive(Debug)]
pub(crate) enum Inspected {
    Found(Finding),
    /// Notes or objects cannot be asked for now.
    Unclear {
        reason: String,
        /// The notes cannot be read at all, not even later.
        failure: Option<(String, DeliveryError)>,
    },
}

/// Why a message was dead-lettered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) cause: Cause,
    /// The error, for people.
    pub(crate) error: String,
    /// The object that it is about.
    pub(crate) object: Option<String>,
    /// When it failed first and last, where a note says it.
    pub(crate) first: Option<DateTime<Utc>>,
    pub(crate) last: Option<DateTime<Utc>>,
    /// The notes that were found; they go when the message is gone.
    pub(crate) notes: Vec<NoteKey>,
}

/// Finds out causes.
pub(crate) struct Inspector<'a> {
    pub(crate) files: &'a dyn Files,
    pub(crate) store: &'a dyn ObjectStore,
    pub(crate) max_receive_count: u32,
}

/// What the note of one object says.
enum Said {
    /// Written by the last receive.
    Now(FailureNote),
    /// Written by an earlier one, so the last one left none.
    Before(FailureNote),
    Nothing,
    /// A file that is no note.
    Garbled,
}

/// One object of the message, or the message itself.
struct Subject {
    object: Option<ObjectRef>,
    key: NoteKey,
    said: Said,
}

/// The cause for one subject, with the error in words.
type Verdict = (Cause, String);

impl Inspector<'_> {
    /// One read for the note and one look at the object, for each object of the message.
    pub(crate) async fn inspect(&self, letter: &Letter) -> Inspected {
        let subjects = match self.subjects(letter).await {
            Ok(subjects) => subjects,
            Err((key, error)) => {
                let reason = chain(&error);
                let waits = matches!(error, DeliveryError::Unavailable { .. });
                let failure = (!waits).then_some((key, error));
                return Inspected::Unclear { reason, failure };
            }
        };
        let worst = match &letter.notifications {
            Err(error) => Ok(((Cause::Message, chain(error)), None)),
            Ok(_) => self.worst(&subjects, &letter.form).await,
        };
        let ((cause, error), object) = match worst {
            Ok(worst) => worst,
            Err(reason) => {
                let failure = None;
                return Inspected::Unclear { reason, failure };
            }
        };
        let notes = || subjects.iter().filter_map(Subject::note);
        Inspected::Found(Finding {
            cause,
            error,
            object,
            first: notes().map(|note| note.first).min(),
            last: notes().map(|note| note.last).max(),
            notes: subjects
                .iter()
                .filter(|subject| !matches!(subject.said, Said::Nothing))
                .map(|subject| subject.key.clone())
                .collect(),
        })
    }

    /// Reads the note of each object that the message names.
    async fn subjects(&self, letter: &Letter) -> Result<Vec<Subject>, (String, DeliveryError)> {
        let slices = letter.notifications.iter().flat_map(|read| &read.slices);
        let mut objects: Vec<Option<ObjectRef>> = Vec::new();
        for slice in slices {
            let object = Some(slice.object.clone());
            if !objects.contains(&object) {
                objects.push(object);
            }
        }
        if objects.is_empty() {
            objects.push(None);
        }
        let reads = objects.into_iter().map(|object| async {
            let key = NoteKey::new(object.as_ref(), letter.id_at_ingest());
            let file = self.files.get(key.as_str()).await;
            let file = file.map_err(|error| (key.as_str().to_owned(), error))?;
            let said = match file.map(|bytes| FailureNote::read(&bytes)) {
                None => Said::Nothing,
                Some(None) => Said::Garbled,
                Some(Some(note)) if self.is_of_the_last_receive(&note, &letter.form) => {
                    Said::Now(note)
                }
                Some(Some(note)) => Said::Before(note),
            };
            Ok(Subject { object, key, said })
        });
        let reads: Vec<_> = stream::iter(reads)
            .buffered(OBJECTS_AT_ONCE)
            .collect()
            .await;
        reads.into_iter().collect()
    }

    /// SQS dead-letters a message after so many receives; an asynchronous event counts none.
    fn is_of_the_last_receive(&self, note: &FailureNote, form: &Form) -> bool {
        *form != Form::Queue || note.receive_count >= self.max_receive_count
    }

    /// The worst cause of the objects that failed in the last receive; where it left no note at all, of all objects.
    async fn worst(
        &self,
        subjects: &[Subject],
        form: &Form,
    ) -> Result<(Verdict, Option<String>), String> {
        let any_noted = subjects.iter().any(Subject::is_noted);
        let failed = subjects
            .iter()
            .filter(|subject| !any_noted || subject.is_noted());
        let worst = self.worst_of(failed, form).await?;
        // A note may not have been written: what has none is asked for before the message is deleted on the word of others.
        if any_noted && worst.0.0.blame() == Blame::Settled {
            return self.worst_of(subjects.iter(), form).await;
        }
        Ok(worst)
    }

    async fn worst_of(
        &self,
        subjects: impl Iterator<Item = &Subject>,
        form: &Form,
    ) -> Result<(Verdict, Option<String>), String> {
        let verdicts = subjects.map(|subject| self.verdict(subject, form));
        let verdicts: Vec<_> = stream::iter(verdicts)
            .buffered(OBJECTS_AT_ONCE)
            .collect()
            .await;
        let verdicts: Vec<_> = verdicts.into_iter().collect::<Result<_, _>>()?;
        let worst = verdicts.into_iter().max_by_key(|((cause, _), _)| *cause);
        worst.ok_or_else(|| "the message names nothing".to_owned())
    }

    async fn verdict(
        &self,
        subject: &Subject,
        form: &Form,
    ) -> Result<(Verdict, Option<String>), String> {
        let noted = noted(&subject.said, form);
        let Some(object) = &subject.object else {
            return Ok((noted, None));
        };
        let address = Some(object.to_string());
        let (class, error) = match self.store.head(object).await {
            Ok(meta) if is_another(object, meta.etag.as_deref()) => {
                let error = format!("`{object}` was overwritten since its notification");
                (ErrorClass::Superseded, error)
            }
            Ok(_) => return Ok((still_there(noted), address)),
            Err(error) => (error.class(), chain(&error)),
        };
        let verdict = match class {
            ErrorClass::Missing => (Cause::Missing, error),
            ErrorClass::Superseded => (Cause::Superseded, error),
            ErrorClass::Permission => (Cause::Permission, error),
            ErrorClass::Corrupt => (Cause::Object, error),
            // That nobody can be asked says nothing about the object; what its note says still holds.
            ErrorClass::Retry if subject.is_noted() => noted,
            ErrorClass::Retry => return Err(error),
        };
        Ok((verdict, address))
    }
}

impl Subject {
    /// Whether the last receive left a note for it.
    fn is_noted(&self) -> bool {
        matches!(self.said, Said::Now(_) | Said::Garbled)
    }

    fn note(&self) -> Option<&FailureNote> {
        match &self.said {
            Said::Now(note) | Said::Before(note) => Some(note),
            Said::Nothing | Said::Garbled => None,
        }
    }
}

/// The store may not know `If-Match` for a look; then the answer tells.
fn is_another(object: &ObjectRef, etag: Option<&str>) -> bool {
    let named = object.etag.as_deref();
    object.version_id.is_none() && named.is_some() && etag.is_some() && named != etag
}

/// What the note alone says.
fn noted(said: &Said, form: &Form) -> Verdict {
    match (said, form) {
        (Said::Now(note), _) => {
            let cause = match note.class {
                CauseClass::Transient => Cause::Transient,
                CauseClass::Permission => Cause::Permission,
                CauseClass::Missing => Cause::Missing,
                CauseClass::State => Cause::State,
                CauseClass::Message => Cause::Message,
                CauseClass::Object => Cause::Object,
                CauseClass::Crashed => Cause::Crashed,
            };
            (cause, note.error.clone())
        }
        (Said::Garbled, _) => (Cause::Unknown, "the failure note cannot be read".to_owned()),
        (Said::Before(_) | Said::Nothing, Form::Queue) => {
            let error = "the last receive left no note: the function ran out of memory or time, or was never invoked";
            (Cause::Crashed, error.to_owned())
        }
        (Said::Before(_) | Said::Nothing, Form::Asynchronous { error }) => {
            let cause = if is_crash(error) {
                Cause::Crashed
            } else {
                Cause::Unknown
            };
            (cause, error.clone())
        }
    }
}

/// How Lambda words the end of a process.
fn is_crash(error: &str) -> bool {
    const WORDS: [&str; 5] = [
        "timed out",
        "Runtime.ExitError",
        "Runtime exited",
        "OutOfMemory",
        "signal: killed",
    ];
    WORDS.iter().any(|word| error.contains(word))
}

/// A note that says otherwise than what is found now is tried again, but not for ever.
fn still_there((cause, error): Verdict) -> Verdict {
    match cause {
        Cause::Missing | Cause::Message => {
            (Cause::Unknown, format!("{error} (the object is there now)"))
        }
        _ => (cause, error),
    }
}

#[cfg(test)]
mod tests;
