//! [`Recorder`]: changes of many callers in one look-up and one write.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sekisho_bulk::ErrorClass;

use crate::group::{Group, Waiting, Work};
use crate::{Attempt, LedgerEntry, LedgerError, SliceKey};

use super::patience::{Patience, draw};
use super::shelf::{Held, Shelf, Write, place};

/// How often others may write an entry between our read and our write.
const MAX_CONFLICTS: u32 = 20;
/// The ceiling of the wait after the first conflict; it grows with each.
const CONFLICT_WAIT: Duration = Duration::from_millis(10);

/// One change of one entry.
pub(super) enum Change {
    /// An attempt ended.
    Attempt(Box<Attempt>),
    /// The messages for what lies behind `end` are sent.
    Sent { slice: SliceKey, end: u64 },
    /// The messages for all slices from `at` on are sent.
    Divided { first: SliceKey, at: u64 },
}

impl Change {
    fn slice(&self) -> &SliceKey {
        match self {
            Self::Attempt(attempt) => &attempt.slice,
            Self::Sent { slice, .. } => slice,
            Self::Divided { first, .. } => first,
        }
    }

    /// Gives the entry with this change; what was never recorded cannot be sent.
    fn apply(&self, entry: Option<LedgerEntry>) -> Option<LedgerEntry> {
        match self {
            Self::Attempt(attempt) => Some(entry.unwrap_or_default().with(Attempt::clone(attempt))),
            Self::Sent { end, .. } => {
                let entry = entry?;
                Some(entry.clone().sent(*end).unwrap_or(entry))
            }
            Self::Divided { first, at } => Some(entry.unwrap_or_default().divided(first, *at)),
        }
    }
}

/// A change, and what became of it so far.
pub(super) struct Job {
    change: Change,
    place: String,
    /// The entry that was sent with this change in it and got no answer. Found in the ledger, it was written.
    tried: Option<LedgerEntry>,
    conflicts: u32,
}

impl From<Change> for Job {
    fn from(change: Change) -> Self {
        Self {
            place: place(change.slice()),
            change,
            tried: None,
            conflicts: 0,
        }
    }
}

type Answer = Result<LedgerEntry, LedgerError>;
type Jobs = VecDeque<Waiting<Job, Answer>>;

/// Merges what callers record into the entries of the cluster.
pub(super) struct Recorder(Arc<Shelf>);

impl Recorder {
    pub(super) fn new(shelf: Arc<Shelf>) -> Self {
        Self(shelf)
    }

    /// Reads, merges and writes once; gives what stands in the way of those jobs that have no answer yet, unless it is only that others wrote meanwhile.
    async fn round(&self, jobs: &mut Jobs) -> Option<LedgerError> {
        let slices = slices(jobs);
        let looked = match self.0.read(&slices).await {
            Ok(looked) => looked,
            Err(error) => return Some(error),
        };
        let mut obstacle = None;
        let mut writes = Vec::new();
        for (slice, looked) in slices.iter().zip(looked) {
            let mut mine = of_place(jobs, &place(slice));
            match looked {
                Ok(held) => writes.extend(self.merge(slice, held, &mut mine)),
                Err(error) => refuse(&mut mine, error, &mut obstacle),
            }
        }
        let answers = match self.0.write(&writes).await {
            Ok(answers) => answers,
            Err(error) => return Some(error),
        };
        for (write, answer) in writes.iter().zip(answers) {
            let mut mine = of_place(jobs, &write.place);
            // Only a lost answer leaves a doubt.
            let tried: Vec<_> = mine.iter_mut().map(|one| one.job.tried.take()).collect();
            match answer {
                Some(Ok(())) => done(&mut mine, tried),
                Some(Err(error)) => refuse(&mut mine, error, &mut obstacle),
                None => conflict(&mut mine),
            }
        }
        obstacle
    }

    /// Merges the changes of one slice into its entry, in the order in which they came; answers those that are in it already.
    fn merge(
        &self,
        slice: &SliceKey,
        held: Option<Held>,
        jobs: &mut [&mut Waiting<Job, Answer>],
    ) -> Option<Write> {
        let before = held.as_ref().map(|held| &held.entry);
        let (done, open): (Vec<_>, Vec<_>) = jobs.iter_mut().partition(|waiting| {
            waiting.job.tried.is_some() && waiting.job.tried.as_ref() == before
        });
        for waiting in done {
            waiting.answer(Ok(before.cloned().unwrap_or_default()));
        }
        let after = open.iter().fold(before.cloned(), |entry, waiting| {
            waiting.job.change.apply(entry)
        });
        let changed = after.as_ref() != before;
        for waiting in open {
            if changed {
                waiting.job.tried.clone_from(&after);
            } else {
                waiting.answer(Ok(after.clone().unwrap_or_default()));
            }
        }
        let entry = after.filter(|_| changed)?;
        Some(self.0.prepare(slice, &entry, held.as_ref()))
    }
}

#[async_trait]
impl Work for Recorder {
    type Job = Job;
    type Answer = Answer;

    async fn work(&self, group: &mut Group<'_, Self>) {
        let mut patience = Patience::new();
        loop {
            let jobs = group.open();
            if jobs.is_empty() {
                return;
            }
            match self.round(jobs).await {
                None => {
                    let jobs = group.open();
                    if let Some(most) = jobs.iter().map(|waiting| waiting.job.conflicts).max() {
                        tokio::time::sleep(draw(CONFLICT_WAIT * most)).await;
                    }
                }
                Some(error) => {
                    if error.class() != ErrorClass::Retry || !patience.wait().await {
                        for waiting in group.open() {
                            waiting.answer(Err(error.clone()));
                        }
                    }
                }
            }
        }
    }
}

/// The slices of the jobs, each once.
fn slices(jobs: &Jobs) -> Vec<SliceKey> {
    let mut seen = HashMap::new();
    let firsts = jobs
        .iter()
        .filter(|waiting| seen.insert(&*waiting.job.place, ()).is_none());
    firsts
        .map(|waiting| waiting.job.change.slice().clone())
        .collect()
}

fn of_place<'j>(jobs: &'j mut Jobs, place: &str) -> Vec<&'j mut Waiting<Job, Answer>> {
    jobs.iter_mut()
        .filter(|waiting| waiting.job.place == place)
        .collect()
}

fn done(jobs: &mut [&mut Waiting<Job, Answer>], written: Vec<Option<LedgerEntry>>) {
    for (waiting, entry) in jobs.iter_mut().zip(written) {
        waiting.answer(Ok(entry.unwrap_or_default()));
    }
}

/// What may pass is tried again, the rest is the answer.
fn refuse(
    jobs: &mut [&mut Waiting<Job, Answer>],
    error: LedgerError,
    obstacle: &mut Option<LedgerError>,
) {
    if error.class() == ErrorClass::Retry {
        *obstacle = Some(error);
        return;
    }
    for waiting in jobs {
        waiting.answer(Err(error.clone()));
    }
}

fn conflict(jobs: &mut [&mut Waiting<Job, Answer>]) {
    for waiting in jobs {
        waiting.job.conflicts += 1;
        if waiting.job.conflicts >= MAX_CONFLICTS {
            let error = LedgerError::Contended {
                id: waiting.job.change.slice().id(),
                attempts: waiting.job.conflicts,
            };
            waiting.answer(Err(error));
        }
    }
}
