//! [`ObjectRun`]: the work on one slice of an object, from its first byte until its books are closed.
//!
//! Here it is read; `settle` takes the verdicts, `closing` closes the books.

use std::io::Read;
use std::mem;
use std::sync::Arc;

use sekisho_bulk::Destination;
use sekisho_event::{ObjectRef, ObjectSlice, Reach};
use sekisho_ledger::{Books, Ledger, SliceKey};
use sekisho_object::{ErrorClass, ObjectError, ObjectMeta};
use sekisho_parser::{ObjectPlan, Outcome};
use tokio::sync::{Semaphore, mpsc};

use crate::batcher::Message;
use crate::buffers::Buffers;
use crate::chunk::{Chunk, Form, Sent, Settled};
use crate::learnt::Learnt;
use crate::parts::{PartId, Parts};
use crate::run_state::RunState;
use crate::{
    Clock, Continuations, ObjectReader, ObjectReport, Parsed, PipelineError, PipelineSettings,
    Progress, Quarantine, QuarantineEntry, Reason, Step,
};

/// What all objects of a pipeline share.
pub(crate) struct Shared {
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) quarantine: Arc<dyn Quarantine>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) continuations: Option<Arc<dyn Continuations>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: PipelineSettings,
    pub(crate) progress: Arc<Progress>,
    pub(crate) learnt: Learnt,
    /// Room for the documents, or the records, of one chunk.
    pub(crate) chunks: Arc<Buffers>,
    /// Room for the documents of one request.
    pub(crate) bodies: Arc<Buffers>,
    pub(crate) budget: Arc<Semaphore>,
    /// The whole of `budget`.
    pub(crate) budget_units: u32,
}

/// The work on one slice.
pub(crate) struct ObjectRun {
    pub(crate) shared: Arc<Shared>,
    pub(crate) state: Arc<RunState>,
    pub(crate) report: ObjectReport,
    pub(crate) slice: ObjectSlice,
    /// The slice's entry in the ledger, once the object was opened.
    pub(crate) key: Option<SliceKey>,
    /// What parses the object, with its version.
    pub(crate) parser: String,
    /// The fingerprint of its rules.
    pub(crate) rules: String,
    /// Where the ledger says that the object was divided: the messages for all behind it are sent.
    pub(crate) divided_at: Option<u64>,
    /// What follows the slice, to be sent when its books are closed.
    pub(crate) rest: Vec<ObjectSlice>,
    /// Entries for the quarantine that are not kept yet.
    pub(crate) to_keep: Vec<(PartId, QuarantineEntry)>,
    /// How far everything is settled.
    pub(crate) parts: Parts,
    /// Whether the time for verdicts was over, so that the rest goes on from where everything is settled.
    pub(crate) cut_short: bool,
    /// How later slices of the object are reached.
    pub(crate) reach: Reach,
    pub(crate) ordinal: usize,
    chunk: Chunk,
    messages: mpsc::UnboundedSender<Message>,
    reply: mpsc::UnboundedSender<Settled>,
    pub(crate) replies: mpsc::UnboundedReceiver<Settled>,
    /// Chunks without verdicts.
    pub(crate) under_way: usize,
    /// What `progress` was told.
    told: (u64, Books),
}

impl ObjectRun {
    pub(crate) fn new(
        shared: Arc<Shared>,
        state: Arc<RunState>,
        messages: mpsc::UnboundedSender<Message>,
        ordinal: usize,
        slice: ObjectSlice,
    ) -> Self {
        // Unbounded channels both ways: what is in them holds permits of the budget, which is the bound.
        let (reply, replies) = mpsc::unbounded_channel();
        let chunk = Chunk::with_room(ordinal, Parts::default().last(), &shared.chunks);
        let mut report = ObjectReport::new(slice.object.clone(), shared.clock.now());
        report.start = slice.start;
        report.end = slice.start;
        Self {
            shared,
            state,
            messages,
            report,
            slice,
            key: None,
            parser: String::new(),
            rules: String::new(),
            divided_at: None,
            rest: Vec::new(),
            to_keep: Vec::new(),
            chunk,
            parts: Parts::default(),
            cut_short: false,
            reach: Reach::Stream,
            ordinal,
            reply,
            replies,
            under_way: 0,
            told: (0, Books::default()),
        }
    }

    /// Reads the slice to its end, and gives the plan back for what is refused later.
    pub(crate) async fn read<R: Read>(&mut self, mut reader: ObjectReader<R>) -> ObjectPlan {
        self.plan(&mut reader).await;
        let mut advanced = false;
        while self.report.error.is_none() && !self.cut_short {
            let bound = self.bound(&reader, advanced);
            let start = self.chunk.documents.len();
            match reader.next_within(&mut self.chunk.documents, bound) {
                Ok(Step::Record(parsed)) => {
                    advanced = true;
                    self.take(parsed, start).await;
                }
                Ok(Step::Skipped) => {}
                Ok(Step::Before) => self.must_advance(&reader),
                Ok(Step::Behind(offset)) => {
                    self.stop_at(offset, &reader);
                    break;
                }
                Ok(Step::End) => {
                    self.report.end = reader.position();
                    self.report.eof = true;
                    break;
                }
                Err(error) => self.fail(error),
            }
            if self.chunk.full(self.shared.settings.chunk_bytes) {
                self.count(&reader);
                self.send(reader.plan_mut()).await;
            }
            if self.state.is_over() {
                self.fail(self.time_up());
            }
        }
        self.count(&reader);
        self.close(&mut reader).await;
        reader.into_plan()
    }

    /// Takes note of what the plan decided, and refuses to go on under other rules than the slices before.
    async fn plan<R: Read>(&mut self, reader: &mut ObjectReader<R>) {
        self.report.dataset = Some(reader.plan().dataset().to_owned());
        self.reach = reader.reach();
        reader.plan().label().clone_into(&mut self.parser);
        self.rules = reader.plan().rules();
        let before = self.slice.rules.as_ref();
        if before.is_some_and(|rules| *rules != self.rules) {
            self.fail(PipelineError::RulesChanged {
                object: self.report.object.to_string(),
                start: self.slice.start,
                parser: self.parser.clone(),
            });
            return;
        }
        self.divide(reader).await;
    }

    /// Where to stop: at the slice's own end, or, once the time is up and something was done, at the next record.
    fn bound<R: Read>(&self, reader: &ObjectReader<R>, advanced: bool) -> Option<u64> {
        let stop = advanced && self.state.should_stop();
        if stop { Some(0) } else { reader.bound_of() }
    }

    /// A slice whose records are not even reached in time would be handed on for ever.
    fn must_advance<R: Read>(&mut self, reader: &ObjectReader<R>) {
        if self.state.should_stop() {
            self.fail(PipelineError::NoProgress {
                object: self.report.object.to_string(),
                start: self.slice.start,
                reached: reader.position(),
            });
        }
    }

    /// Ends the slice before the record at `offset`.
    fn stop_at<R: Read>(&mut self, offset: u64, reader: &ObjectReader<R>) {
        let bound = reader.bound_of();
        if bound.is_some_and(|bound| offset >= bound) {
            self.report.end = bound.unwrap_or(offset);
            return;
        }
        self.report.end = offset;
        self.rest.push(self.rest_from(offset));
    }

    pub(crate) fn fail(&mut self, error: PipelineError) {
        self.report.error.get_or_insert(error);
    }

    pub(crate) fn time_up(&self) -> PipelineError {
        PipelineError::TimeUp {
            object: self.report.object.to_string(),
        }
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

    async fn take(&mut self, parsed: Parsed<'_>, start: usize) {
        let Parsed {
            offset,
            bytes,
            outcome,
            length,
            digest,
            shown,
            ..
        } = parsed;
        let part = self.parts.record(offset);
        self.chunk.part = part;
        match outcome {
            Outcome::Document(head) => {
                let (head, form) = self.as_learnt(head, start);
                self.chunk.add(head, start, offset, bytes, form);
            }
            Outcome::Raw { head, ref reason } => {
                self.reason(offset, reason);
                self.chunk.add(head, start, offset, bytes, Form::Raw);
            }
            Outcome::Excluded { .. } => {
                self.report.books.excluded += 1;
                self.parts.count(part, |books, _| books.excluded += 1);
            }
            Outcome::Quarantined { reason } => {
                let entry = self.entry(offset, bytes, reason);
                self.quarantine(part, entry.of_whole(length, digest, shown))
                    .await;
            }
        }
    }

    /// Moves out of the way what the index is known to refuse.
    fn as_learnt(
        &mut self,
        head: sekisho_document::DocumentHead,
        start: usize,
    ) -> (sekisho_document::DocumentHead, Form) {
        let dataset = self.report.dataset.as_deref().unwrap_or_default();
        let buffer = &mut self.chunk.documents;
        match self.shared.learnt.apply(head, dataset, buffer, start) {
            (head, 0) => (head, Form::Parsed),
            (head, fields) => (head, Form::Repaired(fields)),
        }
    }

    fn count<R: Read>(&mut self, reader: &ObjectReader<R>) {
        self.report.books.records = reader.records();
        self.report.books.skipped = reader.skipped();
        self.report.bytes = reader.bytes();
        self.report.newest = reader.plan().newest();
        self.tell();
    }

    pub(crate) fn tell(&mut self) {
        let now = (self.report.bytes, self.report.books);
        let before = mem::replace(&mut self.told, now);
        let bytes = now.0.saturating_sub(before.0);
        self.shared.progress.add(bytes, &before.1, &now.1);
    }

    /// Sends what is left and notes where the object's own bytes ended early.
    async fn close<R: Read>(&mut self, reader: &mut ObjectReader<R>) {
        self.send(reader.plan_mut()).await;
        self.keep().await;
        if let Some(cut) = reader.cut().cloned() {
            self.report.end = cut.offset;
            self.cut_off(cut.offset, cut.reason).await;
        }
    }

    /// Takes note of the very bytes that were opened, for reports, ledger and quarantine.
    pub(crate) fn pin(&mut self, meta: &ObjectMeta) {
        let object: &mut ObjectRef = &mut self.report.object;
        if object.etag.is_none() {
            object.etag.clone_from(&meta.etag);
        }
        if object.version_id.is_none() {
            object.version_id.clone_from(&meta.version_id);
        }
        object.size = object.size.or(meta.size);
        self.key = Some(SliceKey {
            bucket: object.bucket.clone(),
            key: object.key.clone(),
            etag: object.etag.clone(),
            start: self.slice.start,
            last_modified: meta.last_modified,
        });
    }

    /// Notes that the object needs no reading.
    pub(crate) fn ignore(&mut self, reason: String) {
        self.report.ignored = Some(reason);
    }

    /// Keeps the rest of an object that cannot be read; it is no record, so it stands outside the sum.
    pub(crate) async fn cut_off(&mut self, offset: u64, reason: String) {
        self.report.eof = true;
        let entry = self.entry(offset, &[], reason.clone());
        match self.shared.quarantine.put(entry).await {
            Ok(()) => self.report.cut = Some(Reason { offset, reason }),
            Err(source) => self.not_kept(offset, source),
        }
    }

    /// Sends the chunk under construction, as soon as the budget has room.
    async fn send(&mut self, plan: &mut ObjectPlan) {
        let part = self.chunk.part;
        let next = Chunk::with_room(self.ordinal, part, &self.shared.chunks);
        let mut chunk = mem::replace(&mut self.chunk, next);
        chunk.shrink();
        if !chunk.is_empty() {
            self.parts.wait(part);
        }
        self.parts.seal();
        if !chunk.is_empty() && self.is_wanted() {
            let weight = chunk.weight(self.shared.budget_units);
            let room = Arc::clone(&self.shared.budget).acquire_many_owned(weight);
            let state = Arc::clone(&self.state);
            tokio::pin!(room);
            // Refused documents wait for this object with their share of the budget, so they are made again while it waits for room.
            chunk.permit = loop {
                tokio::select! {
                    permit = &mut room => break permit.ok(),
                    Some(settled) = self.replies.recv() => self.settle(settled, plan).await,
                    () = state.over() => return self.fail(self.time_up()),
                    () = state.verdicts_over() => {
                        self.cut_short = true;
                        return;
                    }
                }
            };
            self.post(chunk);
        }
        while let Ok(settled) = self.replies.try_recv() {
            self.settle(settled, plan).await;
        }
    }

    /// Tells whether documents are written still: what was read before the bytes stopped is, what the destination would refuse is not.
    fn is_wanted(&self) -> bool {
        matches!(self.report.error, None | Some(PipelineError::Read { .. }))
    }

    pub(crate) fn post(&mut self, chunk: Chunk) {
        self.under_way += 1;
        let reply = self.reply.clone();
        let message = Message::Chunk(Sent { chunk, reply });
        if self.messages.send(message).is_err() {
            self.stopped();
        }
    }

    pub(crate) fn messages(&self) -> mpsc::UnboundedSender<Message> {
        self.messages.clone()
    }

    pub(crate) fn stopped(&mut self) {
        self.under_way = 0;
        let object = self.report.object.to_string();
        let message = "the batcher stopped".to_owned();
        self.fail(PipelineError::Panicked { object, message });
    }

    pub(crate) fn entry(&self, offset: u64, bytes: &[u8], reason: String) -> QuarantineEntry {
        QuarantineEntry::new(&self.report.object, &self.parser, offset, bytes, reason)
    }

    pub(crate) fn reason(&mut self, offset: u64, reason: &str) {
        if self.report.reasons.len() < self.shared.settings.max_reasons {
            let reason = reason.to_owned();
            self.report.reasons.push(Reason { offset, reason });
        }
    }
}
