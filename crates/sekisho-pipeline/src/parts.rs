//! [`Parts`]: how far a slice is settled without a gap, so that a slow cluster delays the rest and not the whole.

use std::collections::VecDeque;

use sekisho_ledger::Books;

/// Some records in a row, of which not all are settled.
#[derive(Debug)]
struct Part {
    /// Offset of the first record.
    start: u64,
    /// How many records of the slice come before it.
    before: u64,
    /// Chunks and quarantine entries without an answer.
    waits: u32,
    /// Whether no more records join it.
    sealed: bool,
    outcomes: Books,
    raw_seen: u64,
}

/// Names a part for as long as it is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartId(u64);

/// The parts of a slice in the order of the bytes: those at the front that are settled are added up and forgotten.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    open: VecDeque<Part>,
    /// How many parts were forgotten.
    settled: u64,
    outcomes: Books,
    raw_seen: u64,
    /// Records handed over by framing.
    records: u64,
}

/// What of a slice is settled without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SettledUpTo {
    /// Offset of the first record that is not settled.
    pub(crate) end: u64,
    pub(crate) books: Books,
    pub(crate) raw_seen: u64,
}

impl Parts {
    /// Takes a record; gives the part that it belongs to.
    pub(crate) fn record(&mut self, offset: u64) -> PartId {
        if self.open.back().is_none_or(|part| part.sealed) {
            self.open.push_back(Part {
                start: offset,
                before: self.records,
                waits: 0,
                sealed: false,
                outcomes: Books::default(),
                raw_seen: 0,
            });
        }
        self.records += 1;
        self.last()
    }

    /// Ends the last part: its records are on their way.
    pub(crate) fn seal(&mut self) {
        if let Some(part) = self.open.back_mut() {
            part.sealed = true;
        }
        self.advance();
    }

    pub(crate) fn last(&self) -> PartId {
        let open = self.open.len() as u64;
        PartId((self.settled + open).saturating_sub(1))
    }

    /// Notes that something of a part is under way.
    pub(crate) fn wait(&mut self, id: PartId) {
        self.change(id, |part| part.waits += 1);
    }

    /// Notes that something of a part was answered.
    pub(crate) fn answered(&mut self, id: PartId) {
        self.change(id, |part| part.waits = part.waits.saturating_sub(1));
        self.advance();
    }

    /// Counts an outcome.
    pub(crate) fn count(&mut self, id: PartId, count: impl FnOnce(&mut Books, &mut u64)) {
        self.change(id, |part| count(&mut part.outcomes, &mut part.raw_seen));
    }

    /// Says how far everything is settled; `None` where everything is.
    pub(crate) fn settled_up_to(&self) -> Option<SettledUpTo> {
        let first = self.open.front()?;
        Some(SettledUpTo {
            end: first.start,
            books: Books {
                records: first.before,
                ..self.outcomes
            },
            raw_seen: self.raw_seen,
        })
    }

    fn change(&mut self, PartId(id): PartId, change: impl FnOnce(&mut Part)) {
        let place = id.checked_sub(self.settled);
        let place = place.and_then(|place| usize::try_from(place).ok());
        if let Some(part) = place.and_then(|place| self.open.get_mut(place)) {
            change(part);
        }
    }

    fn advance(&mut self) {
        while self
            .open
            .front()
            .is_some_and(|part| part.sealed && part.waits == 0)
        {
            let Some(part) = self.open.pop_front() else {
                return;
            };
            self.outcomes += part.outcomes;
            self.raw_seen += part.raw_seen;
            self.settled += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(parts: &Parts) -> Option<(u64, u64, u64)> {
        let up_to = parts.settled_up_to()?;
        Some((up_to.end, up_to.books.records, up_to.books.indexed))
    }

    #[test]
    fn the_first_part_without_all_answers_is_the_end() {
        let mut parts = Parts::default();
        assert_eq!(end(&parts), None);
        let mut ids = Vec::new();
        for part in 0..3_u64 {
            parts.record(part * 100);
            let id = parts.record(part * 100 + 50);
            parts.wait(id);
            parts.seal();
            ids.push(id);
        }
        let settle = |parts: &mut Parts, id| {
            parts.count(id, |books, _| books.indexed += 2);
            parts.answered(id);
        };
        assert_eq!(end(&parts), Some((0, 0, 0)));
        settle(&mut parts, ids[1]);
        assert_eq!(end(&parts), Some((0, 0, 0)));
        settle(&mut parts, ids[0]);
        assert_eq!(end(&parts), Some((200, 4, 4)));
        settle(&mut parts, ids[2]);
        assert_eq!(end(&parts), None);
        let next = parts.record(300);
        assert_eq!(end(&parts), Some((300, 6, 6)));
        assert_ne!(next, ids[2]);
    }

    #[test]
    fn what_goes_again_holds_its_part() {
        let mut parts = Parts::default();
        let id = parts.record(7);
        parts.wait(id);
        parts.wait(id);
        parts.seal();
        parts.answered(id);
        assert_eq!(end(&parts), Some((7, 0, 0)));
        parts.answered(id);
        assert_eq!(end(&parts), None);
    }
}
