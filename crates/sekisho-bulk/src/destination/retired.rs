//! Retired indices: what still comes for one goes into the index beside it, unless it is in the retired one already.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use serde::de::IgnoredAny;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::BulkDestination;
use super::backoff::Backoff;
use super::round::Job;
use crate::answer::Answered;
use crate::error::explain;
use crate::request::Target;
use crate::verdict::Lock;
use crate::{
    BulkError, ClusterApi, ErrorClass, Found, Method, Transport, Verdict, Want, WriteMode, mget,
};

/// How long an index that was retired is known to be: retirement is for ever.
const KNOWN: Duration = Duration::from_secs(60);
/// How long one that was not is not asked for again.
const ASKED: Duration = Duration::from_secs(5);
/// What OpenSearch takes as a name.
const LONGEST_NAME: usize = 255;

/// Gives the alias that marks retired indices: the lifecycle adds it, and an operator's own block lacks it.
pub fn retired_alias(prefix: &str) -> String {
    format!("{prefix}sekisho-retired")
}

/// How long the names in one path may be; nodes take a first line of 4,096 bytes.
const LONGEST_PATH: usize = 3_000;

/// Which indices carry the mark, as they were last asked for.
#[derive(Default)]
pub(super) struct Marks {
    known: Mutex<BTreeMap<String, Known>>,
}

struct Known {
    at: Instant,
    is_marked: bool,
}

impl Known {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < if self.is_marked { KNOWN } else { ASKED }
    }
}

impl Marks {
    /// Says which of these indices are marked.
    async fn of(
        &self,
        api: &dyn ClusterApi,
        alias: &str,
        indices: &HashSet<String>,
    ) -> Result<HashSet<String>, BulkError> {
        // Held over the calls on purpose: many writers meet the same retired index at once, and one call answers all.
        let mut known = self.known.lock().await;
        known.retain(|_, known| known.is_fresh());
        let open = indices.iter().filter(|index| !known.contains_key(*index));
        let open: Vec<_> = open.cloned().collect();
        for names in cut(&open) {
            let marked = ask(api, alias, names).await?;
            let at = Instant::now();
            known.extend(names.iter().map(|index| {
                let is_marked = marked.contains(index);
                (index.clone(), Known { at, is_marked })
            }));
        }
        let marked = indices
            .iter()
            .filter(|index| known.get(*index).is_some_and(|known| known.is_marked));
        Ok(marked.cloned().collect())
    }
}

/// Cuts a list of names to what one path takes.
fn cut(names: &[String]) -> Vec<&[String]> {
    let mut length = 0;
    let mut parts = Vec::new();
    let mut rest = names;
    let mut taken = 0;
    for name in names {
        if taken > 0 && length + name.len() > LONGEST_PATH {
            let (part, later) = rest.split_at(taken);
            parts.push(part);
            (rest, taken, length) = (later, 0, 0);
        }
        taken += 1;
        length += name.len() + 1;
    }
    if !rest.is_empty() {
        parts.push(rest);
    }
    parts
}

/// Asks which of these carry the mark; by name, since the role may know no others.
async fn ask(
    api: &dyn ClusterApi,
    alias: &str,
    indices: &[String],
) -> Result<HashSet<String>, BulkError> {
    let path = format!("/{}/_alias/{alias}", indices.join(","));
    let call = || format!("GET /…/_alias/{alias}");
    let answer = api.call(Method::Get, &path, None).await?;
    match answer.status {
        // None of them carries it.
        404 => Ok(HashSet::new()),
        200 => serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(&answer.body)
            .map(|indices| indices.into_keys().collect())
            .map_err(|source| BulkError::Unreadable {
                call: call(),
                source,
            }),
        status => Err(BulkError::Refused {
            call: call(),
            status,
            reason: answer.excerpt(),
        }),
    }
}

/// What is done about an item whose index takes no writes.
enum Remedy {
    Ended(Verdict),
    /// It is written beside.
    Late,
}

impl<T: Transport + ClusterApi> BulkDestination<T> {
    /// Finds those items that failed for the retirement of their index, and gives them what becomes of them.
    pub(super) async fn retire(
        &self,
        job: Job<'_>,
        ended: &mut [(usize, Answered)],
        backoff: &mut Backoff,
    ) -> Result<(), BulkError> {
        if ended.iter().all(|(_, answer)| answer.lock.is_none()) {
            return Ok(());
        }
        self.judge(job, ended, Target::Base, backoff).await;
        let late = |answer: &Answered| answer.lock == Some(Lock::Blocked);
        let places = ended.iter().filter(|(_, answer)| late(answer));
        let places: Vec<_> = places.map(|(place, _)| *place).collect();
        if places.is_empty() {
            return Ok(());
        }
        let mut found: BTreeMap<usize, Verdict> = BTreeMap::new();
        let mut missing = Vec::new();
        for (place, remedy) in self.look_up(job, &places, backoff).await {
            match remedy {
                Remedy::Ended(verdict) => drop(found.insert(place, verdict)),
                Remedy::Late => missing.push(place),
            }
        }
        let mut written = self.settle(job, missing, Target::Late, backoff).await?;
        self.judge(job, &mut written, Target::Late, backoff).await;
        found.extend(written.into_iter().map(|(place, end)| (place, end.verdict)));
        for (place, answer) in ended.iter_mut().filter(|(_, answer)| late(answer)) {
            if let Some(verdict) = found.remove(place) {
                *answer = verdict.into();
            }
        }
        Ok(())
    }

    /// Tells the retired indices from those that an operator blocked: only what is to be written beside keeps its lock.
    async fn judge(
        &self,
        job: Job<'_>,
        ended: &mut [(usize, Answered)],
        target: Target,
        backoff: &mut Backoff,
    ) {
        let name = |place: usize| {
            let item = job.batch.items.get(place);
            item.map(|item| format!("{}{}", item.index, target.suffix()))
                .unwrap_or_default()
        };
        let blocked = ended
            .iter()
            .filter(|(_, answer)| answer.lock == Some(Lock::Blocked));
        let blocked: HashSet<_> = blocked.map(|(place, _)| name(*place)).collect();
        let marked = self.marked(&blocked, backoff).await;
        for (place, answer) in ended {
            let Some(lock) = answer.lock.take() else {
                continue;
            };
            let index = name(*place);
            match (lock, &marked) {
                (Lock::Closed, _) => {
                    answer.verdict = unreadable(&index, "it is closed; open it");
                }
                (Lock::Blocked, Err(error)) => answer.verdict = refused(error),
                // An operator's own block, whose reason is there already.
                (Lock::Blocked, Ok(marked)) if !marked.contains(&index) => {}
                (Lock::Blocked, Ok(_)) => match (target, job.batch.mode) {
                    (Target::Late, _) => {
                        answer.verdict = unreadable(&index, "it is itself retired; reopen it");
                    }
                    (Target::Base, WriteMode::Index) => {
                        answer.verdict = unreadable(
                            &index,
                            "its documents are not replaced; what is there stays",
                        );
                    }
                    (Target::Base, WriteMode::Create)
                        if index.len() + Target::Late.suffix().len() > LONGEST_NAME =>
                    {
                        answer.verdict =
                            unreadable(&index, "its name is too long for an index beside it");
                    }
                    (Target::Base, WriteMode::Create) => answer.lock = Some(Lock::Blocked),
                },
            }
        }
    }

    async fn marked(
        &self,
        indices: &HashSet<String>,
        backoff: &mut Backoff,
    ) -> Result<HashSet<String>, BulkError> {
        if indices.is_empty() {
            return Ok(HashSet::new());
        }
        let alias = &self.settings.retired_alias;
        loop {
            match self.marks.of(&self.transport, alias, indices).await {
                Err(error) if error.class() == ErrorClass::Retry => {
                    let Some(delay) = backoff.next(None) else {
                        return Err(error);
                    };
                    tokio::time::sleep(delay).await;
                }
                other => return other,
            }
        }
    }

    /// Looks the items up in their retired indices: those already there are duplicates.
    async fn look_up(
        &self,
        job: Job<'_>,
        places: &[usize],
        backoff: &mut Backoff,
    ) -> Vec<(usize, Remedy)> {
        let items = places
            .iter()
            .filter_map(|place| Some((*place, job.batch.items.get(*place)?)));
        let items: Vec<(usize, Arc<str>, String)> = items
            .map(|(place, item)| (place, Arc::clone(&item.index), item.id.to_string()))
            .collect();
        let ids: Vec<_> = items
            .iter()
            .map(|(_, index, id)| (&**index, id.as_str()))
            .collect();
        let found = loop {
            match mget(&self.transport, &ids, Want::Presence).await {
                Err(error) if error.class() == ErrorClass::Retry => {
                    let Some(delay) = backoff.next(None) else {
                        break Err(error);
                    };
                    tokio::time::sleep(delay).await;
                }
                other => break other,
            }
        };
        match found {
            Ok(found) => items
                .iter()
                .zip(found)
                .map(|((place, index, _), found)| (*place, remedy(index, found)))
                .collect(),
            Err(error) => places
                .iter()
                .map(|place| (*place, Remedy::Ended(refused(&error))))
                .collect(),
        }
    }
}

fn remedy(index: &str, found: Found) -> Remedy {
    Remedy::Ended(match found {
        Found::Missing => return Remedy::Late,
        Found::Found { .. } => Verdict::Duplicate,
        Found::Unreadable { kind, reason } => match kind.as_str() {
            "index_closed_exception" => unreadable(index, "it is closed; open it"),
            "cluster_block_exception" => {
                unreadable(index, &format!("{reason}; lift its read block"))
            }
            "security_exception" => Verdict::StateFault {
                reason: format!(
                    "cannot look into the retired index `{index}`: {kind}: {reason}; give the user's role this permission"
                ),
            },
            // A shard that moves or starts is there again in a moment.
            _ => Verdict::Rejected {
                reason: format!("cannot look into the retired index `{index}`: {kind}: {reason}"),
            },
        },
    })
}

fn unreadable(index: &str, why: &str) -> Verdict {
    Verdict::Retired {
        reason: format!("index_retired: `{index}` takes no more documents: {why}"),
    }
}

/// The verdict of those whose question was not answered.
fn refused(error: &BulkError) -> Verdict {
    let reason = explain(error);
    match error.class() {
        ErrorClass::Retry => Verdict::Rejected { reason },
        ErrorClass::Document | ErrorClass::State => Verdict::StateFault { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_to_what_a_path_takes() {
        let names = |length: usize, count: usize| vec!["x".repeat(length); count];
        let lengths =
            |names: &[String]| cut(names).iter().map(|part| part.len()).collect::<Vec<_>>();
        assert!(lengths(&[]).is_empty());
        assert_eq!(lengths(&names(30, 3)), [3]);
        assert_eq!(lengths(&names(255, 25)), [11, 11, 3]);
        assert_eq!(lengths(&names(4_000, 2)), [1, 1]);
    }
}
