//! Takes verdicts: what was indexed is counted, what was refused for its own sake is repaired, then made raw, then quarantined.

use std::mem;
use std::sync::Arc;

use futures_util::future::join_all;
use sekisho_bulk::Verdict;
use sekisho_document::repair;
use sekisho_ledger::Books;
use sekisho_parser::ObjectPlan;

use crate::chunk::{Answered, Chunk, Form, Held, Refused, Settled, WriteFault};
use crate::object_run::ObjectRun;
use crate::parts::PartId;
use crate::{PipelineError, QuarantineEntry, QuarantineError};

/// How many fields of one document are moved away before its raw form is taken: OpenSearch names one at a time.
const MOST_REPAIRS: u8 = 3;

/// How many quarantine entries are put at once; each holds at most 64 KiB of its record.
const ENTRIES_AT_ONCE: usize = 32;

impl ObjectRun {
    pub(crate) async fn settle(&mut self, settled: Settled, plan: &mut ObjectPlan) {
        self.under_way = self.under_way.saturating_sub(1);
        let Settled {
            mut chunk,
            verdicts,
        } = settled;
        let verdicts = match verdicts {
            Ok(verdicts) => verdicts,
            Err(fault) => {
                let error = self.write_fault(fault);
                return self.fail(error);
            }
        };
        self.state.wrote();
        let part = chunk.part;
        let mut again = Chunk::new(self.ordinal, part);
        for (held, answered) in chunk.held.iter().zip(verdicts) {
            self.verdict(held, answered, &chunk, plan, &mut again).await;
        }
        self.keep().await;
        if !again.is_empty() {
            again.permit = chunk.permit.take();
            self.parts.wait(part);
            self.post(again);
        }
        self.parts.answered(part);
        self.tell();
    }

    async fn verdict(
        &mut self,
        held: &Held,
        answered: Answered,
        chunk: &Chunk,
        plan: &mut ObjectPlan,
        again: &mut Chunk,
    ) {
        let Answered { verdict, refused } = answered;
        let is_raw = held.form == Form::Raw;
        let offset = held.offset;
        match verdict {
            Verdict::Indexed if is_raw => self.count_one(chunk.part, |books, raw_seen| {
                books.raw += 1;
                *raw_seen += 1;
            }),
            Verdict::Indexed => self.count_one(chunk.part, |books, _| books.indexed += 1),
            Verdict::Duplicate => self.count_one(chunk.part, |books, raw_seen| {
                books.duplicate += 1;
                *raw_seen += u64::from(is_raw);
            }),
            Verdict::DocumentFault { field, reason } => {
                self.reason(offset, &reason);
                let repaired = field.zip(refused).is_some_and(|(field, refused)| {
                    self.repair(held, &field, refused, chunk.record(held), plan, again)
                });
                if !repaired {
                    self.refused(chunk, held, reason, plan, again).await;
                }
            }
            Verdict::Retired { reason } => {
                let entry = self.entry(offset, chunk.record(held), reason);
                let entry = entry.redacted(plan);
                self.quarantine(chunk.part, entry).await;
            }
            Verdict::StateFault { reason } => {
                let object = self.report.object.to_string();
                self.fail(PipelineError::Refused {
                    object,
                    offset,
                    reason,
                });
            }
            Verdict::Rejected { reason } => {
                let object = self.report.object.to_string();
                self.fail(PipelineError::Rejected {
                    object,
                    offset,
                    reason,
                });
            }
        }
    }

    /// Moves the field that was refused to `other` and tries the document again; false where that cannot help.
    fn repair(
        &self,
        held: &Held,
        field: &str,
        refused: Refused,
        record: &[u8],
        plan: &ObjectPlan,
        again: &mut Chunk,
    ) -> bool {
        let repairs = match held.form {
            Form::Parsed => 0,
            Form::Repaired(repairs) => repairs,
            Form::Raw => return false,
        };
        if repairs >= MOST_REPAIRS {
            return false;
        }
        let Some(repaired) = repair(&refused.body, plan.dataset(), field) else {
            return false;
        };
        let Refused { mut head, .. } = refused;
        self.shared.learnt.note(&head.index, field);
        head.ingested_at = repaired.ingested_at;
        let start = again.documents.len();
        again.documents.extend_from_slice(&repaired.body);
        let form = Form::Repaired(repairs + 1);
        again.add(head, start, held.offset, record, form);
        true
    }

    /// Makes a refused document again as raw; one that is raw already goes to quarantine.
    async fn refused(
        &mut self,
        chunk: &Chunk,
        held: &Held,
        reason: String,
        plan: &mut ObjectPlan,
        again: &mut Chunk,
    ) {
        let record = chunk.record(held);
        if held.form == Form::Raw {
            let entry = self.entry(held.offset, record, reason).redacted(plan);
            return self.quarantine(chunk.part, entry).await;
        }
        let start = again.documents.len();
        let head = plan.raw(record, held.offset, &reason, &mut again.documents);
        again.add(head, start, held.offset, record, Form::Raw);
    }

    fn write_fault(&self, fault: WriteFault) -> PipelineError {
        let object = self.report.object.to_string();
        match fault {
            WriteFault::Bulk(source) => PipelineError::Write { object, source },
            WriteFault::Verdicts {
                documents,
                verdicts,
            } => PipelineError::Verdicts {
                object,
                documents,
                verdicts,
            },
            WriteFault::Panicked(message) => PipelineError::Panicked { object, message },
        }
    }

    /// Takes an entry for the quarantine; many of them share the wait for its store.
    pub(crate) async fn quarantine(&mut self, part: PartId, entry: QuarantineEntry) {
        self.reason(entry.offset, &entry.reason);
        self.parts.wait(part);
        self.to_keep.push((part, entry));
        if self.to_keep.len() >= ENTRIES_AT_ONCE {
            self.keep().await;
        }
    }

    /// Puts the entries that wait, and counts those that are kept.
    pub(crate) async fn keep(&mut self) {
        let entries = mem::take(&mut self.to_keep);
        let quarantine = Arc::clone(&self.shared.quarantine);
        let puts = entries.into_iter().map(|(part, entry)| {
            let offset = entry.offset;
            let put = quarantine.put(entry);
            async move { (part, offset, put.await) }
        });
        for (part, offset, kept) in join_all(puts).await {
            match kept {
                Ok(()) => {
                    self.count_one(part, |books, _| books.quarantined += 1);
                    self.parts.answered(part);
                }
                Err(source) => self.not_kept(offset, source),
            }
        }
    }

    /// Counts an outcome, of the slice and of the part that it belongs to.
    fn count_one(&mut self, part: PartId, count: impl Fn(&mut Books, &mut u64)) {
        count(&mut self.report.books, &mut self.report.raw_seen);
        self.parts.count(part, count);
    }

    pub(crate) fn not_kept(&mut self, offset: u64, source: QuarantineError) {
        let object = self.report.object.to_string();
        self.fail(PipelineError::Quarantine {
            object,
            offset,
            source,
        });
    }
}
