//! Closes the books of a slice: balance, ledger, and the messages for what follows.

use std::io::Read;

use sekisho_bulk::WriteMode;
use sekisho_event::{ObjectSlice, Reach};
use sekisho_ledger::{Attempt, Books, LedgerEntry, LedgerError, Next, SliceKey};
use sekisho_parser::ObjectPlan;

use crate::object_run::ObjectRun;
use crate::{Continuations, ObjectReader, ObjectReport, PipelineError};

impl ObjectRun {
    /// Waits for the last verdicts and closes the books.
    pub(crate) async fn finish(mut self, mut plan: ObjectPlan) -> ObjectReport {
        let messages = self.messages();
        let state = std::sync::Arc::clone(&self.state);
        while self.under_way > 0 {
            tokio::select! {
                Some(settled) = self.replies.recv() => self.settle(settled, &mut plan).await,
                () = messages.closed() => self.stopped(),
                () = state.over() => {
                    self.under_way = 0;
                    self.fail(self.time_up());
                }
                () = state.verdicts_over() => {
                    self.under_way = 0;
                    self.cut_short = true;
                }
            }
        }
        if self.cut_short && self.report.error.is_none() {
            self.end_where_settled();
        }
        let books = self.report.books;
        if !books.balanced() {
            let object = self.report.object.to_string();
            self.fail(PipelineError::Unbalanced { object, books });
        }
        self.end().await
    }

    /// Ends the slice behind the last record of which all before it are settled: a cluster that is slower than what was read for it must not make the next attempt begin where this one did.
    fn end_where_settled(&mut self) {
        let Some(settled) = self.parts.settled_up_to() else {
            return;
        };
        if settled.books.records == 0 {
            return self.fail(self.time_up());
        }
        self.rest = vec![self.rest_from(settled.end)];
        let report = &mut self.report;
        report.end = settled.end;
        report.eof = false;
        report.cut = None;
        report.raw_seen = settled.raw_seen;
        report.books = Books {
            skipped: report.books.skipped,
            ..settled.books
        };
    }

    /// Writes the ledger and sends on what follows.
    pub(crate) async fn end(mut self) -> ObjectReport {
        self.tell();
        self.report.ended = self.shared.clock.now();
        if self.report.ignored.is_none()
            && let Some(key) = self.key.clone()
        {
            self.close_books(key).await;
        }
        self.report
    }

    async fn close_books(&mut self, key: SliceKey) {
        self.check_rest();
        // Nothing can be written into a cluster that takes nothing; the attempt is missed, not the records.
        let failed = self.report.error.is_some();
        if failed && self.shared.destination.refuses_all().is_some() {
            return;
        }
        let next = (!self.rest.is_empty() && !failed).then_some(Next::Pending);
        let attempt = self.attempt(key.clone(), next);
        match self.shared.ledger.record(attempt).await {
            Ok(_) if failed => {}
            Ok(entry) => self.send_on(&key, &entry).await,
            Err(source) => self.fail(self.ledger_fault(source)),
        }
    }

    /// Without a queue for the rest the slice must not look finished.
    fn check_rest(&mut self) {
        if let Some(rest) = self.rest.first()
            && self.shared.continuations.is_none()
        {
            let error = PipelineError::NoQueue {
                object: self.report.object.to_string(),
                offset: rest.start,
            };
            self.fail(error);
        }
    }

    fn attempt(&self, slice: SliceKey, next: Option<Next>) -> Attempt {
        let report = &self.report;
        let duration = report.ended - report.started;
        Attempt {
            slice,
            version_id: report.object.version_id.clone(),
            end: report.end,
            eof: report.eof,
            next,
            books: report.books,
            raw_seen: report.raw_seen,
            bytes: report.bytes,
            duration_ms: u64::try_from(duration.num_milliseconds()).unwrap_or_default(),
            dataset: report.dataset.clone(),
            parser: self.parser.clone(),
            rules: self.rules.clone(),
            cut: report.cut.as_ref().map(|cut| cut.reason.clone()),
            error: report.error.as_ref().map(ToString::to_string),
            at: report.ended,
            // One that failed replaced only some: what earlier attempts counted must still be found.
            replaced: self.shared.settings.write_mode == WriteMode::Index && report.error.is_none(),
        }
    }

    /// Sends the messages for the rest, unless an earlier attempt at this slice went further or has sent its own.
    async fn send_on(&mut self, key: &SliceKey, entry: &LedgerEntry) {
        if entry.next != Some(Next::Pending) {
            return;
        }
        if entry.end != self.report.end {
            self.rest = self.rest_of(entry);
        }
        self.send_rest(key).await;
    }

    async fn send_rest(&mut self, key: &SliceKey) {
        let Some(queue) = self.shared.continuations.clone() else {
            return self.check_rest();
        };
        let offset = self.rest.first().map_or(self.report.end, |rest| rest.start);
        if let Err(source) = queue.send(&self.rest).await {
            let object = self.report.object.to_string();
            return self.fail(PipelineError::Continuation {
                object,
                offset,
                source,
            });
        }
        match self.shared.ledger.sent(key, offset).await {
            Ok(()) => self.report.next = Some(Next::Sent),
            Err(source) => self.fail(self.ledger_fault(source)),
        }
    }

    /// What of the slice lies at or behind an offset.
    pub(crate) fn rest_from(&self, offset: u64) -> ObjectSlice {
        ObjectSlice {
            object: self.report.object.clone(),
            start: offset,
            end: self.slice.end,
            reach: self.reach,
            rules: Some(self.rules.clone()),
            hops: self.slice.hops + 1,
        }
    }

    /// What follows the slice that an entry closed.
    fn rest_of(&self, entry: &LedgerEntry) -> Vec<ObjectSlice> {
        let reach = self.rest.first().map_or(Reach::Stream, |rest| rest.reach);
        vec![ObjectSlice {
            object: self.report.object.clone(),
            start: entry.end,
            end: self.slice.end,
            // Framing from the start reaches every slice; only its speed differs.
            reach: if self.slice.reach == Reach::Range {
                Reach::Range
            } else {
                reach
            },
            rules: Some(entry.rules.clone()),
            hops: self.slice.hops + 1,
        }]
    }

    /// Looks whether an earlier attempt has finished the slice: then nothing is read again, and what follows it is on its way.
    pub(crate) async fn is_done(&mut self) -> bool {
        let Some(key) = self.key.clone() else {
            return false;
        };
        let entry = match self.shared.ledger.find(std::slice::from_ref(&key)).await {
            Ok(found) => found.into_iter().next().flatten(),
            Err(source) => {
                self.fail(self.ledger_fault(source));
                return true;
            }
        };
        self.divided_at = entry.as_ref().and_then(|entry| entry.divided_at);
        let Some(entry) = entry.filter(|entry| entry.closed) else {
            return false;
        };
        if entry.next == Some(Next::Pending) {
            self.rest = self.rest_of(&entry);
            self.send_rest(&key).await;
        }
        self.ignore("the ledger says that it is finished".to_owned());
        true
    }

    /// Divides plain lines that are too many for one invocation into slices, sends all but the first away, and keeps to the first.
    pub(crate) async fn divide<R: Read>(&mut self, reader: &mut ObjectReader<R>) {
        let divides = self.slice.is_whole() && reader.reach() == Reach::Range;
        let Some(queue) = self.shared.continuations.clone().filter(|_| divides) else {
            return;
        };
        let at = match self.divided_at {
            Some(at) => at,
            None => match self.send_slices(&*queue).await {
                Ok(Some(at)) => at,
                Ok(None) => return,
                Err(error) => return self.fail(error),
            },
        };
        reader.bound(at);
        self.slice.end = Some(at);
    }

    /// Sends the messages for all slices but the first and gives where the second begins; `None` for an object that is small enough.
    async fn send_slices(&self, queue: &dyn Continuations) -> Result<Option<u64>, PipelineError> {
        let size = self.report.object.size.unwrap_or_default();
        let step = self.shared.settings.split_bytes;
        if step == 0 || size <= step {
            return Ok(None);
        }
        let starts = (1..).map_while(|n: u64| n.checked_mul(step).filter(|start| *start < size));
        let slices = starts.map(|start| ObjectSlice {
            end: start.checked_add(step).filter(|end| *end < size),
            reach: Reach::Range,
            ..self.rest_from(start)
        });
        let slices = self.unfinished(slices.collect()).await?;
        let sent = queue.send(&slices).await;
        sent.map_err(|source| PipelineError::Continuation {
            object: self.report.object.to_string(),
            offset: step,
            source,
        })?;
        if let Some(first) = &self.key {
            let noted = self.shared.ledger.divided(first, step).await;
            noted.map_err(|source| self.ledger_fault(source))?;
        }
        Ok(Some(step))
    }

    /// Leaves out what the ledger knows to be finished: a message that returns must not start its chains again.
    async fn unfinished(
        &self,
        slices: Vec<ObjectSlice>,
    ) -> Result<Vec<ObjectSlice>, PipelineError> {
        let Some(own) = &self.key else {
            return Ok(slices);
        };
        let keys: Vec<_> = slices
            .iter()
            .map(|slice| SliceKey {
                start: slice.start,
                ..own.clone()
            })
            .collect();
        let found = self.shared.ledger.find(&keys).await;
        let found = found.map_err(|source| self.ledger_fault(source))?;
        let open = slices.into_iter().zip(found);
        Ok(open
            .filter(|(_, entry)| !entry.as_ref().is_some_and(LedgerEntry::is_done))
            .map(|(slice, _)| slice)
            .collect())
    }

    fn ledger_fault(&self, source: LedgerError) -> PipelineError {
        let object = self.report.object.to_string();
        PipelineError::Ledger { object, source }
    }
}
