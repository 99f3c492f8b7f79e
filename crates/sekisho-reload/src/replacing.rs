//! [`Replacing`]: the destination of a reload.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sekisho_bulk::{BulkBatch, BulkError, BulkItem, Destination, ErrorClass, Hit, Verdict};

use crate::layout::Layout;
use crate::look_up::{Finder, Known, Old};
use crate::patience::{Undeleted, delete};
use crate::report::LeftRecords;

/// What OpenSearch takes as a name.
const LONGEST_NAME: usize = 255;

/// Writes over what is there, then deletes the copies of it in other indices; leaves alone what retired indices hold.
pub(crate) struct Replacing {
    destination: Arc<dyn Destination>,
    finder: Arc<Finder>,
    layout: Arc<Layout>,
    /// The objects, by their ordinals.
    known: Vec<Known>,
    most_left: usize,
    tallies: Mutex<Vec<Tally>>,
}

/// What was done for an object, beside its books.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) left: LeftRecords,
    pub(crate) deleted: u64,
}

/// What becomes of an item.
enum Fate {
    Written,
    /// Written beside its retired index, which does not hold it.
    WrittenTo(Arc<str>),
    Left(String),
    /// Left, since nobody can say where its document is.
    Hidden(String),
}

impl Replacing {
    pub(crate) fn new(
        destination: Arc<dyn Destination>,
        finder: Arc<Finder>,
        layout: Arc<Layout>,
        known: Vec<Known>,
        most_left: usize,
    ) -> Self {
        let tallies = vec![Tally::default(); known.len()];
        Self {
            destination,
            finder,
            layout,
            known,
            most_left,
            tallies: Mutex::new(tallies),
        }
    }

    pub(crate) fn tally(&self, ordinal: usize) -> Tally {
        self.tallies().get(ordinal).cloned().unwrap_or_default()
    }

    fn tallies(&self) -> MutexGuard<'_, Vec<Tally>> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, item: &BulkItem, reason: String, hidden: u64) -> Verdict {
        if let Some(tally) = self.tallies().get_mut(item.object) {
            tally.left.add(item.offset, reason, self.most_left);
            tally.left.hidden += hidden;
        }
        Verdict::Duplicate
    }

    fn fate(&self, item: &BulkItem, old: &Old) -> Fate {
        let layout = &self.layout;
        let id = item.id.to_string();
        let of_id = old.of_id(&id);
        let of_place = old.of_place(item.object, item.offset);
        let mut all = of_id.iter().chain(of_place);
        if let Some(hit) = all.find(|hit| layout.is_retired(&hit.index)) {
            let index = &hit.index;
            return Fate::Left(format!(
                "its document lies in the retired index `{index}`, which stays as it is"
            ));
        }
        let known = self.known.get(item.object);
        let hidden_in = known.and_then(|known| known.hidden_in.as_deref());
        if let (Some(index), true, true) = (hidden_in, of_id.is_empty(), of_place.is_empty()) {
            return Fate::Hidden(format!(
                "its document may lie in the closed index `{index}`; open that and run `sekisho reload` again"
            ));
        }
        if !layout.is_retired(&item.index) {
            return Fate::Written;
        }
        let late = format!("{}-late", item.index);
        if layout.is_retired(&late) || layout.is_closed(&late) || late.len() > LONGEST_NAME {
            let index = &item.index;
            return Fate::Left(format!(
                "its document belongs into the retired index `{index}`, and nothing can be written beside it"
            ));
        }
        Fate::WrittenTo(late.into())
    }

    /// Copies that may go, of a record whose document is in `index` now.
    fn copies(&self, old: &Old, item: &BulkItem, index: &str) -> Vec<Hit> {
        let id = item.id.to_string();
        let may_go = |hit: &&Hit| hit.index != index && !self.layout.is_retired(&hit.index);
        old.of_id(&id).iter().filter(may_go).cloned().collect()
    }

    /// Where a retired index holds the very document, a copy elsewhere is one too many: a reload was stopped there.
    fn copies_of_left(&self, old: &Old, item: &BulkItem) -> Vec<Hit> {
        let id = item.id.to_string();
        let keeps = |hit: &Hit| self.layout.is_retired(&hit.index);
        match old.of_id(&id).iter().find(|hit| keeps(hit)) {
            Some(kept) => self.copies(old, item, &kept.index),
            None => Vec::new(),
        }
    }

    /// Deletes copies; the items whose copies stay must not look finished.
    async fn delete(
        &self,
        copies: Vec<(usize, Vec<Hit>)>,
        batch: &BulkBatch,
        verdicts: &mut [Verdict],
    ) {
        let mut seen = BTreeSet::new();
        let hits: Vec<_> = copies
            .iter()
            .flat_map(|(_, hits)| hits)
            .filter(|hit| seen.insert((hit.index.clone(), hit.id.clone())))
            .cloned()
            .collect();
        if hits.is_empty() {
            return;
        }
        let done = delete(&*self.finder.api, hits).await;
        let failed = done.err().map(|undeleted| verdict(&undeleted));
        for (place, hits) in &copies {
            match &failed {
                Some(failed) => {
                    if let Some(verdict) = verdicts.get_mut(*place) {
                        verdict.clone_from(failed);
                    }
                }
                None => {
                    let object = batch.items.get(*place).map(|item| item.object);
                    let mut tallies = self.tallies();
                    if let Some(tally) = object.and_then(|object| tallies.get_mut(object)) {
                        tally.deleted += u64::try_from(hits.len()).unwrap_or_default();
                    }
                }
            }
        }
    }

    /// Writes what is to be written, and gives a verdict for each item that is.
    async fn write_some(
        &self,
        batch: &BulkBatch,
        fates: &[Fate],
    ) -> Result<Vec<Verdict>, BulkError> {
        if fates.iter().all(|fate| matches!(fate, Fate::Written)) {
            return self.destination.write(batch).await;
        }
        let mut some = BulkBatch {
            mode: batch.mode,
            until: batch.until,
            ..BulkBatch::default()
        };
        for (item, fate) in batch.items.iter().zip(fates) {
            let index = match fate {
                Fate::Left(_) | Fate::Hidden(_) => continue,
                Fate::Written => &item.index,
                Fate::WrittenTo(index) => index,
            };
            let start = some.bytes.len();
            let body = batch.body(item).unwrap_or_default();
            some.bytes.extend_from_slice(body);
            some.items.push(BulkItem {
                index: Arc::clone(index),
                body: start..some.bytes.len(),
                ..item.clone()
            });
        }
        if some.is_empty() {
            return Ok(Vec::new());
        }
        self.destination.write(&some).await
    }
}

#[async_trait]
impl Destination for Replacing {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        let old = self.finder.old(batch, &self.known).await?;
        let fates = batch.items.iter().map(|item| self.fate(item, &old));
        let fates: Vec<Fate> = fates.collect();
        let mut written = self.write_some(batch, &fates).await?.into_iter();
        let mut verdicts = Vec::with_capacity(batch.items.len());
        let mut copies = Vec::new();
        for (place, (item, fate)) in batch.items.iter().zip(fates).enumerate() {
            let index = match fate {
                Fate::Left(reason) => {
                    copies.push((place, self.copies_of_left(&old, item)));
                    verdicts.push(self.leave(item, reason, 0));
                    continue;
                }
                Fate::Hidden(reason) => {
                    verdicts.push(self.leave(item, reason, 1));
                    continue;
                }
                Fate::Written => Arc::clone(&item.index),
                Fate::WrittenTo(index) => index,
            };
            // Too few verdicts leave this one too short, which fails the batch.
            let Some(verdict) = written.next() else {
                break;
            };
            if verdict == Verdict::Indexed {
                copies.push((place, self.copies(&old, item, &index)));
            }
            verdicts.push(match verdict {
                // Retired since the layout was asked, or closed: what is there stays.
                Verdict::Retired { reason } => self.leave(item, reason, 0),
                other => other,
            });
        }
        copies.retain(|(_, hits)| !hits.is_empty());
        self.delete(copies, batch, &mut verdicts).await;
        Ok(verdicts)
    }

    fn refuses_all(&self) -> Option<String> {
        self.destination.refuses_all()
    }
}

fn verdict(undeleted: &Undeleted) -> Verdict {
    match undeleted {
        Undeleted::Unanswered(error) => {
            let reason = format!("the old documents may still be there: {error}");
            match error.class() {
                ErrorClass::Retry => Verdict::Rejected { reason },
                ErrorClass::Document | ErrorClass::State => Verdict::StateFault { reason },
            }
        }
        Undeleted::Refused {
            index,
            id,
            status,
            reason,
        } => {
            let reason =
                format!("cannot delete the old document `{id}` of `{index}`: {status} {reason}");
            match status {
                429 | 502..=504 => Verdict::Rejected { reason },
                _ => Verdict::StateFault { reason },
            }
        }
    }
}
