//! [`ObjectRun`]: the work on one object, first on its blocking thread, then waiting for the last verdicts.

use std::io::Read;
use std::mem;
use std::sync::Arc;

use sekisho_bulk::Verdict;
use sekisho_object::{ErrorClass, ObjectError, ObjectMeta};
use sekisho_parser::{ObjectPlan, Outcome};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};

use crate::batcher::Message;
use crate::chunk::{Chunk, Held, Sent, Settled, WriteFault};
use crate::{
    Books, Clock, ObjectReader, ObjectReport, Parsed, PipelineError, PipelineSettings, Progress,
    Quarantine, QuarantineEntry, QuarantineError, Reason, Step,
};

/// What all objects of a run share.
pub(crate) struct Shared {
    pub(crate) quarantine: Arc<dyn Quarantine>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: PipelineSettings,
    pub(crate) progress: Arc<Progress>,
    pub(crate) budget: Arc<Semaphore>,
    /// The whole of `budget`.
    pub(crate) budget_units: u32,
}

/// The work on one object.
pub(crate) struct ObjectRun {
    shared: Arc<Shared>,
    messages: mpsc::UnboundedSender<Message>,
    report: ObjectReport,
    chunk: Chunk,
    ordinal: usize,
    /// What parses the object, with its version.
    parser: String,
    reply: mpsc::UnboundedSender<Settled>,
    replies: mpsc::UnboundedReceiver<Settled>,
    /// Chunks without verdicts.
    under_way: usize,
    /// What `progress` was told.
    told: (u64, Books),
}

impl ObjectRun {
    pub(crate) fn new(
        shared: Arc<Shared>,
        messages: mpsc::UnboundedSender<Message>,
        ordinal: usize,
        report: ObjectReport,
    ) -> Self {
        // Unbounded channels both ways: what is in them holds permits of the budget, which is the bound.
        let (reply, replies) = mpsc::unbounded_channel();
        Self {
            shared,
            messages,
            report,
            chunk: Chunk::new(ordinal),
            ordinal,
            parser: String::new(),
            reply,
            replies,
            under_way: 0,
            told: (0, Books::default()),
        }
    }

    /// Reads the object to its end, on a thread that may block, and gives the plan back for what is refused later.
    pub(crate) fn read<R: Read>(
        &mut self,
        mut reader: ObjectReader<R>,
        handle: &Handle,
    ) -> ObjectPlan {
        self.report.dataset = Some(reader.plan().dataset().to_owned());
        reader.plan().label().clone_into(&mut self.parser);
        while self.report.error.is_none() {
            let start = self.chunk.batch.bytes.len();
            match reader.next(&mut self.chunk.batch.bytes) {
                Ok(Step::Record(parsed)) => self.take(parsed, start, handle),
                Ok(Step::Skipped) => {}
                Ok(Step::End) => break,
                Err(error) => self.fail(error),
            }
            if self.chunk.full(self.shared.settings.chunk_bytes) {
                self.count(&reader);
                handle.block_on(self.send(reader.plan_mut()));
            }
        }
        self.count(&reader);
        handle.block_on(self.close(&mut reader));
        reader.into_plan()
    }

    /// Waits for the last verdicts and closes the books.
    pub(crate) async fn finish(mut self, mut plan: ObjectPlan) -> ObjectReport {
        let messages = self.messages.clone();
        while self.under_way > 0 {
            tokio::select! {
                Some(settled) = self.replies.recv() => self.settle(settled, &mut plan).await,
                () = messages.closed() => self.stopped(),
            }
        }
        let books = self.report.books;
        if !books.balanced() {
            let object = self.report.object.to_string();
            self.fail(PipelineError::Unbalanced { object, books });
        }
        self.end()
    }

    /// Ends without books.
    pub(crate) fn end(mut self) -> ObjectReport {
        self.tell();
        self.report.ended = self.shared.clock.now();
        self.report
    }

    pub(crate) fn fail(&mut self, error: PipelineError) {
        self.report.error.get_or_insert(error);
    }

    /// Ends the work on an object that gives no bytes; some reasons are final.
    pub(crate) async fn refuse(&mut self, source: ObjectError) {
        match source.class() {
            ErrorClass::Superseded => self.ignore(source.to_string()),
            ErrorClass::Corrupt => self.cut_off(0, source.to_string()).await,
            ErrorClass::Retry | ErrorClass::Permission | ErrorClass::Missing => {
                let object = self.report.object.to_string();
                self.fail(PipelineError::Open { object, source });
            }
        }
    }

    fn take(&mut self, parsed: Parsed<'_>, start: usize, handle: &Handle) {
        let Parsed {
            offset,
            bytes,
            outcome,
            ..
        } = parsed;
        match outcome {
            Outcome::Document(head) => self.chunk.add(head, start, offset, bytes, false),
            Outcome::Raw { head, ref reason } => {
                self.reason(offset, reason);
                self.chunk.add(head, start, offset, bytes, true);
            }
            Outcome::Excluded { .. } => self.report.books.excluded += 1,
            Outcome::Quarantined { ref reason } => {
                let mut entry = self.entry(offset, bytes, reason.clone());
                entry.length = parsed.length;
                entry.digest = parsed.digest.unwrap_or(entry.digest);
                handle.block_on(self.quarantine(entry));
            }
        }
    }

    fn count<R: Read>(&mut self, reader: &ObjectReader<R>) {
        self.report.books.records = reader.records();
        self.report.books.skipped = reader.skipped();
        self.report.bytes = reader.bytes();
        self.tell();
    }

    fn tell(&mut self) {
        let now = (self.report.bytes, self.report.books);
        let before = mem::replace(&mut self.told, now);
        let bytes = now.0.saturating_sub(before.0);
        self.shared.progress.add(bytes, &before.1, &now.1);
    }

    /// Sends what is left and notes where the object's own bytes ended early.
    async fn close<R: Read>(&mut self, reader: &mut ObjectReader<R>) {
        self.send(reader.plan_mut()).await;
        if let Some(cut) = reader.cut().cloned() {
            self.cut_off(cut.offset, cut.reason).await;
        }
    }

    /// Takes note of the very bytes that were opened, for reports and quarantine.
    pub(crate) fn pin(&mut self, meta: &ObjectMeta) {
        let object = &mut self.report.object;
        if object.etag.is_none() {
            object.etag.clone_from(&meta.etag);
        }
        if object.version_id.is_none() {
            object.version_id.clone_from(&meta.version_id);
        }
        object.size = object.size.or(meta.size);
    }

    /// Notes that the object needs no reading.
    pub(crate) fn ignore(&mut self, reason: String) {
        self.report.ignored = Some(reason);
    }

    /// Keeps the rest of an object that cannot be read; it is no record, so it stands outside the sum.
    pub(crate) async fn cut_off(&mut self, offset: u64, reason: String) {
        let entry = self.entry(offset, &[], reason.clone());
        match self.shared.quarantine.put(entry).await {
            Ok(()) => self.report.cut = Some(Reason { offset, reason }),
            Err(source) => self.not_kept(offset, source),
        }
    }

    /// Sends the chunk under construction, as soon as the budget has room.
    async fn send(&mut self, plan: &mut ObjectPlan) {
        let mut chunk = mem::replace(&mut self.chunk, Chunk::new(self.ordinal));
        if !chunk.is_empty() {
            let weight = chunk.weight(self.shared.budget_units);
            let room = Arc::clone(&self.shared.budget).acquire_many_owned(weight);
            tokio::pin!(room);
            // Refused documents wait for this object with their share of the budget, so they are made again while it waits for room.
            chunk.permit = loop {
                tokio::select! {
                    permit = &mut room => break permit.ok(),
                    Some(settled) = self.replies.recv() => self.settle(settled, plan).await,
                }
            };
            self.post(chunk);
        }
        while let Ok(settled) = self.replies.try_recv() {
            self.settle(settled, plan).await;
        }
    }

    fn post(&mut self, chunk: Chunk) {
        self.under_way += 1;
        let reply = self.reply.clone();
        let message = Message::Chunk(Sent { chunk, reply });
        if self.messages.send(message).is_err() {
            self.stopped();
        }
    }

    fn stopped(&mut self) {
        self.under_way = 0;
        let object = self.report.object.to_string();
        let message = "the batcher stopped".to_owned();
        self.fail(PipelineError::Panicked { object, message });
    }

    async fn settle(&mut self, settled: Settled, plan: &mut ObjectPlan) {
        self.under_way = self.under_way.saturating_sub(1);
        let Settled {
            mut chunk,
            verdicts,
        } = settled;
        let verdicts = match verdicts {
            Ok(verdicts) => verdicts,
            Err(fault) => return self.fail(self.write_fault(fault)),
        };
        let mut again = Chunk::new(self.ordinal);
        for (held, verdict) in chunk.held.iter().zip(verdicts) {
            match verdict {
                Verdict::Indexed if held.raw => self.report.books.raw += 1,
                Verdict::Indexed => self.report.books.indexed += 1,
                Verdict::Duplicate => self.report.books.duplicate += 1,
                Verdict::DocumentFault { reason, .. } => {
                    self.reason(held.offset, &reason);
                    self.refused(&chunk, held, reason, plan, &mut again).await;
                }
                Verdict::Retired { reason } => {
                    let entry = self.entry(held.offset, chunk.record(held), reason);
                    self.quarantine(entry).await;
                }
                Verdict::StateFault { reason } => {
                    let object = self.report.object.to_string();
                    let offset = held.offset;
                    self.fail(PipelineError::Refused {
                        object,
                        offset,
                        reason,
                    });
                }
                Verdict::Rejected { reason } => {
                    let object = self.report.object.to_string();
                    let offset = held.offset;
                    self.fail(PipelineError::Rejected {
                        object,
                        offset,
                        reason,
                    });
                }
            }
        }
        if !again.is_empty() {
            again.permit = chunk.permit.take();
            self.post(again);
        }
        self.tell();
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
        if held.raw {
            let entry = self.entry(held.offset, record, reason);
            return self.quarantine(entry).await;
        }
        let start = again.batch.bytes.len();
        let head = plan.raw(record, held.offset, &reason, &mut again.batch.bytes);
        again.add(head, start, held.offset, record, true);
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

    fn entry(&self, offset: u64, bytes: &[u8], reason: String) -> QuarantineEntry {
        QuarantineEntry::new(&self.report.object, &self.parser, offset, bytes, reason)
    }

    async fn quarantine(&mut self, entry: QuarantineEntry) {
        let offset = entry.offset;
        self.reason(offset, &entry.reason);
        match self.shared.quarantine.put(entry).await {
            Ok(()) => self.report.books.quarantined += 1,
            Err(source) => self.not_kept(offset, source),
        }
    }

    fn not_kept(&mut self, offset: u64, source: QuarantineError) {
        let object = self.report.object.to_string();
        self.fail(PipelineError::Quarantine {
            object,
            offset,
            source,
        });
    }

    fn reason(&mut self, offset: u64, reason: &str) {
        if self.report.reasons.len() < self.shared.settings.max_reasons {
            let reason = reason.to_owned();
            self.report.reasons.push(Reason { offset, reason });
        }
    }
}
