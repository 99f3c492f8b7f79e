//! [`FakeQueue`]: an SQS queue, also as a Lambda function sees it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sekisho_delivery::{DeliveryError, Outgoing, Queue, Received};
use serde_json::{Value, json};

use super::chaos::{Chaos, Failure, Gate, Place};
use super::clock::FakeClock;
use super::files::error;

/// What a queue is created with.
#[derive(Debug, Clone)]
pub struct QueueSettings {
    /// Its name, for errors and traces.
    pub name: &'static str,
    /// How long it keeps a message from when it was first sent.
    pub retention: Duration,
    /// How often a message is received before it goes to the dead-letter queue.
    pub max_receive_count: u32,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            name: "queue",
            retention: Duration::from_secs(14 * 86_400),
            max_receive_count: 10,
        }
    }
}

/// A message in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its id; a dead-lettered message keeps it.
    pub id: String,
    /// Its body.
    pub body: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// When it was sent to the queue that it was first in.
    pub sent: DateTime<Utc>,
    /// How often it was received.
    pub receive_count: u32,
    /// From when on it is given out.
    pub visible: DateTime<Utc>,
    /// The newest handle; older ones do nothing.
    handle: Option<String>,
}

/// What a function is invoked with.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The event.
    pub payload: String,
    /// Message ids with their handles.
    receipts: Vec<(String, String)>,
}

impl Batch {
    /// How many messages it holds.
    pub fn len(&self) -> usize {
        self.receipts.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.receipts.is_empty()
    }
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<Waiting>,
    /// Ids and handles are numbers behind the queue's name.
    made: u64,
    expired: Vec<Waiting>,
    requests: BTreeMap<&'static str, u64>,
}

/// A queue in memory, by the virtual clock.
#[derive(Clone)]
pub struct FakeQueue {
    settings: QueueSettings,
    state: Arc<Mutex<State>>,
    clock: Arc<FakeClock>,
    dead_letters: Option<Arc<FakeQueue>>,
    gate: Gate,
}

impl FakeQueue {
    /// Makes an empty queue.
    pub fn new(settings: QueueSettings, clock: Arc<FakeClock>, chaos: Arc<dyn Chaos>) -> Self {
        Self {
            settings,
            state: Arc::default(),
            clock,
            dead_letters: None,
            gate: Gate::new(chaos, Place::Queue),
        }
    }

    /// Lets messages that are received too often go there.
    #[must_use]
    pub fn dead_lettering_to(mut self, queue: Arc<Self>) -> Self {
        self.dead_letters = Some(queue);
        self
    }

    /// Puts a message in, as S3 does; nothing can go wrong.
    pub fn put(&self, body: impl Into<String>) -> String {
        self.add(&Outgoing {
            body: body.into(),
            ..Outgoing::default()
        })
    }

    /// Gives what the queue holds, hidden or not.
    pub fn messages(&self) -> Vec<Waiting> {
        self.expire();
        self.state.lock().unwrap().messages.clone()
    }

    /// Gives what the queue forgot because nobody took it in time.
    pub fn expired(&self) -> Vec<Waiting> {
        self.expire();
        self.state.lock().unwrap().expired.clone()
    }

    /// How many requests of each kind came.
    pub fn requests(&self) -> BTreeMap<&'static str, u64> {
        self.state.lock().unwrap().requests.clone()
    }

    /// When the next hidden message is given out again.
    pub fn next_visible(&self) -> Option<DateTime<Utc>> {
        let state = self.state.lock().unwrap();
        state.messages.iter().map(|message| message.visible).min()
    }

    /// Takes up to `most` messages as the event source of a function does; none where nothing is to be had.
    pub fn take_batch(&self, most: usize, hide: Duration) -> Option<Batch> {
        let taken = self.take(most, hide);
        if taken.is_empty() {
            return None;
        }
        let records: Vec<Value> = taken.iter().map(record).collect();
        let receipts = taken
            .into_iter()
            .map(|message| (message.id, message.handle))
            .collect();
        Some(Batch {
            payload: json!({ "Records": records }).to_string(),
            receipts,
        })
    }

    /// Deletes what a function finished: everything but the ids that it named.
    pub fn settle(&self, batch: &Batch, failed: &[String]) {
        for (id, _) in batch.receipts.iter().filter(|(id, _)| !failed.contains(id)) {
            // The event source deletes by the handles that it received.
            let handles = batch.receipts.iter().filter(|(of, _)| of == id);
            for (_, handle) in handles {
                self.remove(handle);
            }
        }
    }

    fn add(&self, message: &Outgoing) -> String {
        let now = self.clock.time();
        let mut state = self.state.lock().unwrap();
        state.made += 1;
        let id = format!("{}-{}", self.settings.name, state.made);
        state.messages.push(Waiting {
            id: id.clone(),
            body: message.body.clone(),
            attributes: message.attributes.clone(),
            sent: now,
            receive_count: 0,
            visible: now + message.delay,
            handle: None,
        });
        id
    }

    fn expire(&self) {
        let now = self.clock.time();
        let mut state = self.state.lock().unwrap();
        let old = |message: &Waiting| message.sent + self.settings.retention <= now;
        if !state.messages.iter().any(old) {
            return;
        }
        let messages = std::mem::take(&mut state.messages);
        let (expired, kept) = messages.into_iter().partition(old);
        state.messages = kept;
        let expired: Vec<_> = expired;
        state.expired.extend(expired);
    }

    /// Moves what was received too often, as SQS does when it would be received once more.
    fn dead_letter(&self) {
        let Some(dead_letters) = &self.dead_letters else {
            return;
        };
        let now = self.clock.time();
        let mut state = self.state.lock().unwrap();
        let most = self.settings.max_receive_count;
        let done = |message: &Waiting| message.visible <= now && message.receive_count >= most;
        if !state.messages.iter().any(done) {
            return;
        }
        let messages = std::mem::take(&mut state.messages);
        let (dead, kept): (Vec<_>, Vec<_>) = messages.into_iter().partition(done);
        state.messages = kept;
        drop(state);
        let mut target = dead_letters.state.lock().unwrap();
        target
            .messages
            .extend(dead.into_iter().map(|message| Waiting {
                handle: None,
                ..message
            }));
    }

    fn take(&self, most: usize, hide: Duration) -> Vec<Received> {
        self.expire();
        self.dead_letter();
        let now = self.clock.time();
        let chaos = self.gate.chaos();
        let mut state = self.state.lock().unwrap();
        let mut taken: Vec<Received> = Vec::new();
        let mut visible: Vec<usize> = (0..state.messages.len())
            .filter(|&place| state.messages[place].visible <= now)
            .collect();
        while taken.len() < most && !visible.is_empty() {
            let chosen = chaos.pick(visible.len());
            let place = visible.remove(chosen);
            state.made += 1;
            let handle = format!("{}-h{}", self.settings.name, state.made);
            let message = &mut state.messages[place];
            message.receive_count += 1;
            message.handle = Some(handle.clone());
            if !chaos.delivers_twice() {
                message.visible = now + hide;
            }
            taken.push(Received {
                id: message.id.clone(),
                handle,
                body: message.body.clone(),
                receive_count: message.receive_count,
                sent: message.sent,
                attributes: message.attributes.clone(),
            });
        }
        taken
    }

    /// Deletes by the newest handle; an older one is accepted and does nothing, as SQS says it may.
    fn remove(&self, handle: &str) {
        let mut state = self.state.lock().unwrap();
        state
            .messages
            .retain(|message| message.handle.as_deref() != Some(handle));
    }

    fn put_off(&self, handle: &str, by: Duration) -> Result<(), DeliveryError> {
        let now = self.clock.time();
        let mut state = self.state.lock().unwrap();
        let held = |message: &&mut Waiting| message.handle.as_deref() == Some(handle);
        match state.messages.iter_mut().find(held) {
            Some(message) if message.visible > now => {
                message.visible = now + by;
                Ok(())
            }
            _ => Err(self.failed(&Failure::Status(400))),
        }
    }

    fn failed(&self, failure: &Failure) -> DeliveryError {
        error(self.settings.name, failure)
    }

    /// One request: refused before, done for all or for those that are not singled out, and answered or not.
    async fn call<T, R>(
        &self,
        name: &'static str,
        parts: &[T],
        mut effect: impl FnMut(&T) -> Result<R, DeliveryError>,
    ) -> Result<Vec<Result<R, DeliveryError>>, DeliveryError> {
        *self.state.lock().unwrap().requests.entry(name).or_default() += 1;
        let about = format!("{} of {}", parts.len(), self.settings.name);
        let passed = self.gate.before(name, about).await;
        assert!(
            parts.len() <= <dyn Queue>::BATCH && !parts.is_empty(),
            "{name} takes 1 to 10 messages, not {}",
            parts.len()
        );
        let singled = match &passed.failure {
            Some(Failure::Items(_, bits)) => *bits,
            Some(failure) => return Err(self.failed(failure)),
            None => 0,
        };
        let answers = parts.iter().enumerate().map(|(place, part)| {
            if singled >> (place % 64) & 1 == 1 {
                return Err(self.failed(&Failure::Status(503)));
            }
            effect(part)
        });
        let answers = answers.collect();
        match passed.after().await {
            Some(failure) => Err(self.failed(&failure)),
            None => Ok(answers),
        }
    }
}

/// How a function sees a message.
fn record(message: &Received) -> Value {
    let attributes: BTreeMap<&str, Value> = message
        .attributes
        .iter()
        .map(|(name, value)| {
            let value = json!({ "stringValue": value, "dataType": "String", "stringListValues": [], "binaryListValues": [] });
            (name.as_str(), value)
        })
        .collect();
    json!({
        "messageId": message.id,
        "receiptHandle": message.handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": message.receive_count.to_string(),
            "SentTimestamp": message.sent.timestamp_millis().to_string(),
        },
        "messageAttributes": attributes,
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:queue",
        "awsRegion": "us-east-1",
    })
}

#[async_trait]
impl Queue for FakeQueue {
    async fn send(
        &self,
        messages: &[Outgoing],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError> {
        self.call("send", messages, |message| {
            self.add(message);
            Ok(())
        })
        .await
    }

    async fn receive(&self, hide: Duration) -> Result<Vec<Received>, DeliveryError> {
        let mut answers = self
            .call("receive", &[()], |()| {
                Ok(self.take(<dyn Queue>::BATCH, hide))
            })
            .await?;
        answers.pop().unwrap_or_else(|| Ok(Vec::new()))
    }

    async fn delete(
        &self,
        handles: &[String],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError> {
        self.call("delete", handles, |handle| {
            self.remove(handle);
            Ok(())
        })
        .await
    }

    async fn hide(
        &self,
        handles: &[(String, Duration)],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError> {
        self.call("hide", handles, |(handle, by)| self.put_off(handle, *by))
            .await
    }
}
