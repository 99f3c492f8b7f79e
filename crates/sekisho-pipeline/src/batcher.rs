//! The batcher: gathers chunks of several objects into bulk requests and sends every verdict back to its object.

use std::any::Any;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use sekisho_bulk::{BulkBatch, BulkItem, Destination, Verdict, WriteMode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, timeout};

use crate::PipelineSettings;
use crate::buffers::{Buffer, Buffers};
use crate::chunk::{Answered, Sent, Settled, WriteFault};

/// What the batcher is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// Documents to write.
    Chunk(Sent),
    /// One object fewer will give new documents.
    Read,
}

/// Gathers and writes until every sender is gone.
pub(crate) struct Batcher {
    destination: Arc<dyn Destination>,
    max_bulk_bytes: usize,
    /// Pending chunks never hold more of the budget than this, or readers would wait for what waits for them.
    max_weight: usize,
    linger: Duration,
    bodies: Arc<Buffers>,
    requests: Arc<Semaphore>,
    writes: JoinSet<()>,
    pending: Pending,
    /// Objects that are not yet read to their end.
    unread: usize,
    /// When requests are given up.
    until: Option<Instant>,
    mode: WriteMode,
}

#[derive(Debug, Default)]
struct Pending {
    /// The documents of all chunks.
    body: Buffer,
    items: Vec<BulkItem>,
    chunks: Vec<Sent>,
    weight: usize,
}

impl Batcher {
    pub(crate) fn new(
        destination: Arc<dyn Destination>,
        settings: &PipelineSettings,
        bodies: Arc<Buffers>,
        budget: u32,
        objects: usize,
        until: Option<Instant>,
    ) -> Self {
        let requests = settings.bulks_in_flight.max(1);
        let budget = usize::try_from(budget).unwrap_or(usize::MAX);
        Self {
            destination,
            max_bulk_bytes: settings.max_bulk_bytes,
            max_weight: (budget / 2 / requests).max(1),
            linger: Duration::from_millis(settings.linger_ms),
            bodies,
            requests: Arc::new(Semaphore::new(requests)),
            writes: JoinSet::new(),
            pending: Pending::default(),
            unread: objects,
            until,
            mode: settings.write_mode,
        }
    }

    pub(crate) async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        loop {
            match timeout(self.linger, messages.recv()).await {
                Ok(Some(message)) => self.take(message).await,
                Ok(None) => break,
                Err(_) => self.flush().await,
            }
            // Nobody is left who could fill the request up.
            if self.unread == 0 && messages.is_empty() {
                self.flush().await;
            }
            while self.writes.try_join_next().is_some() {}
        }
        self.flush().await;
        while self.writes.join_next().await.is_some() {}
    }

    async fn take(&mut self, message: Message) {
        let sent = match message {
            Message::Read => {
                self.unread = self.unread.saturating_sub(1);
                return;
            }
            Message::Chunk(sent) => sent,
        };
        let bytes = sent.chunk.documents.len();
        if !self.pending.body.is_empty() && self.pending.body.len() + bytes > self.max_bulk_bytes {
            self.flush().await;
        }
        self.pending.add(sent, &self.bodies);
        if self.pending.body.len() >= self.max_bulk_bytes || self.pending.weight >= self.max_weight
        {
            self.flush().await;
        }
    }

    /// Sends what is pending as one request, waiting while too many are under way.
    async fn flush(&mut self) {
        if self.pending.chunks.is_empty() {
            return;
        }
        // The semaphore is never closed.
        let Ok(turn) = Arc::clone(&self.requests).acquire_owned().await else {
            return;
        };
        let pending = mem::take(&mut self.pending);
        let request = Request {
            destination: Arc::clone(&self.destination),
            until: self.until,
            mode: self.mode,
            turn,
        };
        self.writes.spawn(request.write(pending));
    }
}

impl Pending {
    fn add(&mut self, mut sent: Sent, bodies: &Arc<Buffers>) {
        let chunk = &mut sent.chunk;
        self.weight += chunk
            .permit
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let documents = mem::take(&mut chunk.documents);
        let shift = self.body.len();
        if shift == 0 && documents.len() >= bodies.room() {
            self.body = documents;
        } else {
            if shift == 0 {
                self.body = bodies.take();
            }
            self.body.extend_from_slice(&documents);
        }
        let items = mem::take(&mut chunk.items).into_iter();
        self.items.extend(items.map(|mut item| {
            item.body = item.body.start + shift..item.body.end + shift;
            item
        }));
        self.chunks.push(sent);
    }
}

/// One request under way.
struct Request {
    destination: Arc<dyn Destination>,
    until: Option<Instant>,
    mode: WriteMode,
    /// Its place among the requests that may be under way.
    turn: OwnedSemaphorePermit,
}

impl Request {
    async fn write(self, pending: Pending) {
        let Pending {
            mut body,
            items,
            chunks,
            ..
        } = pending;
        let documents = items.len();
        let batch = BulkBatch {
            mode: self.mode,
            until: self.until,
            bytes: mem::take(&mut *body),
            items,
        };
        // A panic in a destination leaves the chunks here to be answered.
        let verdicts = AssertUnwindSafe(self.destination.write(&batch))
            .catch_unwind()
            .await;
        drop(self.turn);
        let verdicts = match verdicts {
            Ok(Ok(verdicts)) if verdicts.len() == documents => Ok(verdicts),
            Ok(Ok(verdicts)) => Err(WriteFault::Verdicts {
                documents,
                verdicts: verdicts.len(),
            }),
            Ok(Err(error)) => Err(WriteFault::Bulk(Arc::new(error))),
            Err(panic) => Err(WriteFault::Panicked(panic_message(&*panic))),
        };
        answer(&batch, chunks, verdicts);
        *body = batch.bytes;
    }
}

fn answer(batch: &BulkBatch, chunks: Vec<Sent>, verdicts: Result<Vec<Verdict>, WriteFault>) {
    let mut verdicts = verdicts.map(Vec::into_iter);
    let mut items = batch.items.iter();
    for Sent { chunk, reply } in chunks {
        let items = items.by_ref().take(chunk.held.len());
        let verdicts = match &mut verdicts {
            Ok(all) => Ok(all
                .take(chunk.held.len())
                .zip(items)
                .map(|(verdict, item)| Answered::new(verdict, item, batch))
                .collect()),
            Err(fault) => {
                items.for_each(drop);
                Err(fault.clone())
            }
        };
        // An object whose thread panicked listens no more; it has failed already.
        drop(reply.send(Settled { chunk, verdicts }));
    }
}

/// Gives what ended a task: what its panic said.
pub(crate) fn end_message(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => panic_message(&*panic),
        Err(error) => error.to_string(),
    }
}

/// Gives what a panic said.
fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
