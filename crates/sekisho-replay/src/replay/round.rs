//! One receive of the DLQ: find the causes, send or park, then delete, then the notes.

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use sekisho_delivery::{DeliveryError, NoteKey, Queue, Received};

use super::{Mode, OnParked, Run};
use crate::cause::Cause;
use crate::error::ReplayError;
use crate::fate::Fate;
use crate::inspect::{Finding, Inspected};
use crate::letter::{Letter, outgoing};
use crate::outbox::Sent;
use crate::parked::{ParkedMessage, Shelf};
use crate::report::{End, Row};

/// A message with its cause and what becomes of it.
struct Case {
    letter: Letter,
    finding: Finding,
    fate: Fate,
}

/// What was done with a message that leaves the DLQ.
type Column = fn(&mut Row) -> &mut u64;

/// A message that may be deleted: it is sent or parked, or nothing of it is missing.
struct Done {
    handle: String,
    cause: Cause,
    notes: Vec<NoteKey>,
    column: Column,
}

const SENT_BACK: Column = |row| &mut row.sent_back;
const PARKED: Column = |row| &mut row.parked;
const WAITING: Column = |row| &mut row.waiting;
const DELETED: Column = |row| &mut row.deleted;
const LEFT: Column = |row| &mut row.left;

impl Run<'_> {
    /// Goes through the DLQ until nothing is left, or the run has to end.
    pub(super) async fn dead_letters(&mut self, on_parked: OnParked<'_>) -> End {
        loop {
            if let Some(end) = self.ends() {
                return end;
            }
            match self.round(on_parked).await {
                Ok(true) => {}
                Ok(false) => return End::Empty,
                Err(error) => return End::Failed(error),
            }
        }
    }

    /// Works on one receive; `false` when the DLQ gave nothing.
    async fn round(&mut self, on_parked: OnParked<'_>) -> Result<bool, ReplayError> {
        let ready = self.is_ready().await;
        let received = self.parts.dead_letters.receive(self.hide()).await;
        let received = received.map_err(queue("receive from the dead-letter queue"))?;
        if received.is_empty() {
            return Ok(false);
        }
        let looks = self.options.mode == Mode::Look;
        let letters = self.choose(received, ready || looks);
        let (cases, failure) = self.cases(letters).await;
        if looks {
            cases.into_iter().for_each(|case| self.tell(case));
            return failure.map_or(Ok(true), Err);
        }
        let (back, rest): (Vec<_>, Vec<_>) = cases
            .into_iter()
            .partition(|case| ready && matches!(case.fate, Fate::SendBack { .. }));
        let (done, failed) = self.send_and_park(back, rest, on_parked).await;
        self.delete(done).await?;
        failed.or(failure).map_or(Ok(true), Err)
    }

    /// Takes those that are looked at: all, or while the cluster takes nothing those about to expire. The others are left.
    fn choose(&mut self, received: Vec<Received>, all: bool) -> Vec<Letter> {
        let now = self.parts.clock.now();
        let most = usize::try_from(self.left_to_see()).unwrap_or(usize::MAX);
        self.saw(received.len().min(most));
        let mut chosen = Vec::with_capacity(received.len());
        for (place, received) in received.into_iter().enumerate() {
            if place >= most {
                self.hold(received.handle);
            } else if all || self.expires_soon(&received, now) {
                chosen.push(Letter::read(received));
            } else {
                self.report.left += 1;
                self.hold(received.handle);
            }
        }
        chosen
    }

    fn expires_soon(&self, received: &Received, now: DateTime<Utc>) -> bool {
        let settings = &self.parts.settings;
        received.sent + settings.retention - settings.park_before <= now
    }

    /// Finds the causes; messages whose cause cannot be told now are left, or parked if they are about to expire.
    async fn cases(&mut self, letters: Vec<Letter>) -> (Vec<Case>, Option<ReplayError>) {
        let inspections = letters.iter().map(|letter| self.inspector.inspect(letter));
        let inspected = join_all(inspections).await;
        let now = self.parts.clock.now();
        let messages = letters.len();
        let mut cases = Vec::with_capacity(messages);
        let mut failure = None;
        let mut unclear = None;
        for (letter, inspected) in letters.into_iter().zip(inspected) {
            let finding = match inspected {
                Inspected::Found(finding) => finding,
                Inspected::Unclear {
                    reason,
                    failure: why,
                } => {
                    if let Some((key, source)) = why {
                        failure = failure.or(Some(file("read", key)(source)));
                    }
                    if !self.expires_soon(&letter.received, now) || self.options.mode == Mode::Look
                    {
                        self.report.left += 1;
                        self.hold(letter.received.handle);
                        unclear = unclear.or(Some(reason));
                        continue;
                    }
                    Finding::untold(reason)
                }
            };
            let max_replays = self.parts.settings.max_replays;
            let fate = Fate::of(finding.cause, letter.replays, letter.alone, max_replays);
            cases.push(Case {
                letter,
                finding,
                fate,
            });
        }
        let all_unclear = unclear.filter(|_| cases.is_empty());
        let all_unclear = all_unclear.map(|reason| ReplayError::Unclear { messages, reason });
        (cases, failure.or(all_unclear))
    }

    /// Counts what would be done, and leaves the message.
    fn tell(&mut self, case: Case) {
        let column = match case.fate {
            Fate::SendBack { .. } => SENT_BACK,
            Fate::Park => PARKED,
            Fate::Delete => DELETED,
        };
        *column(self.report.row(case.finding.cause)) += 1;
        self.hold(case.letter.received.handle);
    }

    async fn send_and_park(
        &mut self,
        back: Vec<Case>,
        rest: Vec<Case>,
        on_parked: OnParked<'_>,
    ) -> (Vec<Done>, Option<ReplayError>) {
        let mut failure = None;
        let (mut done, refused) = match self.send_back(back).await {
            Ok(sent) => sent,
            Err(error) => {
                failure = Some(error);
                (Vec::new(), Vec::new())
            }
        };
        for case in rest.into_iter().chain(refused) {
            match self.settle(case, on_parked).await {
                Ok(one) => done.push(one),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        (done, failure)
    }

    /// Sends messages back; gives those that are sent, and those that the queue will never take.
    async fn send_back(&mut self, cases: Vec<Case>) -> Result<(Vec<Done>, Vec<Case>), ReplayError> {
        let messages = cases.iter().map(|case| {
            let (replays, alone) = match case.fate {
                Fate::SendBack { replays, alone } => (replays, alone),
                Fate::Park | Fate::Delete => (case.letter.replays, case.letter.alone),
            };
            outgoing(case.letter.body.clone(), replays, alone)
        });
        let sent = self.outbox.send(messages.collect()).await;
        let sent = match sent {
            Ok(sent) => sent,
            Err(error) => {
                cases.into_iter().for_each(|case| self.leave(case));
                return Err(queue("send messages back")(error));
            }
        };
        let (mut done, mut refused) = (Vec::new(), Vec::new());
        for (mut case, sent) in cases.into_iter().zip(sent) {
            match sent {
                Sent::Done => done.push(case.done(SENT_BACK)),
                Sent::Later => self.leave(case),
                Sent::Never(error) => {
                    case.finding.cause = Cause::Unknown;
                    case.finding.error = format!("the queue does not take it back: {error}");
                    case.fate = Fate::Park;
                    refused.push(case);
                }
            }
        }
        Ok((done, refused))
    }

    /// Parks a message that is not sent back, or gives it up where nothing of it is missing.
    async fn settle(&mut self, case: Case, on_parked: OnParked<'_>) -> Result<Done, ReplayError> {
        let (shelf, column) = match case.fate {
            Fate::Delete => return Ok(case.done(DELETED)),
            Fate::Park => (Shelf::Kept, PARKED),
            Fate::SendBack { .. } => (Shelf::Waiting, WAITING),
        };
        let mut parked =
            ParkedMessage::new(&case.letter, &case.finding, shelf, self.parts.clock.now());
        if let Fate::SendBack { replays, alone } = case.fate {
            (parked.replays, parked.alone) = (replays, alone);
        }
        let key = parked.key();
        if let Err(error) = self.parts.files.put(&key, parked.to_bytes()).await {
            self.leave(case);
            return Err(file("park", key)(error));
        }
        on_parked(&parked);
        Ok(case.done(column))
    }

    fn leave(&mut self, case: Case) {
        *LEFT(self.report.row(case.finding.cause)) += 1;
        self.hold(case.letter.received.handle);
    }

    /// Deletes what is sent or parked, and then its notes; where that fails the message comes again, which adds no document.
    async fn delete(&mut self, done: Vec<Done>) -> Result<(), ReplayError> {
        for one in &done {
            *(one.column)(self.report.row(one.cause)) += 1;
        }
        for batch in done.chunks(<dyn Queue>::BATCH) {
            let handles: Vec<String> = batch.iter().map(|one| one.handle.clone()).collect();
            let deleted = self.parts.dead_letters.delete(&handles).await;
            let deleted = deleted.map_err(queue("delete from the dead-letter queue"))?;
            let gone = batch.iter().zip(deleted).filter(|(_, one)| one.is_ok());
            let notes = gone.flat_map(|(one, _)| &one.notes);
            let deletions = notes.map(|note| self.parts.files.delete(note.as_str()));
            let left = join_all(deletions).await;
            self.report.notes_left += left.iter().filter(|one| one.is_err()).count() as u64;
        }
        Ok(())
    }
}

impl Case {
    fn done(self, column: Column) -> Done {
        Done {
            handle: self.letter.received.handle,
            cause: self.finding.cause,
            notes: self.finding.notes,
            column,
        }
    }
}

impl Finding {
    /// What is known of a message that is about to expire while nobody can be asked.
    fn untold(error: String) -> Self {
        Self {
            cause: Cause::Transient,
            error,
            object: None,
            first: None,
            last: None,
            notes: Vec::new(),
        }
    }
}

pub(crate) fn queue(doing: &'static str) -> impl Fn(DeliveryError) -> ReplayError {
    move |source| ReplayError::Queue { doing, source }
}

pub(crate) fn file(doing: &'static str, key: String) -> impl FnOnce(DeliveryError) -> ReplayError {
    move |source| ReplayError::File { doing, key, source }
}
