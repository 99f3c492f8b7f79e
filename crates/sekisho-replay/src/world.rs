//! An installation in memory, for tests: two queues, files, objects, a cluster and the paused clock.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use sekisho_bulk::{ApiAnswer, BulkError, ClusterApi, Method};
use sekisho_delivery::{
    CauseClass, DeliveryError, FailureNote, Files, NoteKey, Outgoing, Page, Queue, Received,
};
use sekisho_event::{Notifications, ObjectRef};
use sekisho_object::{ErrorClass, ObjectError, ObjectMeta, ObjectStore, OpenObject};
use sekisho_pipeline::Clock;
use tokio::time::Instant;

use crate::{Replay, ReplayParts, ReplaySettings};

/// How often a message is received before it is dead-lettered.
pub(crate) const MAX_RECEIVE_COUNT: u32 = 3;

pub(crate) struct World {
    pub(crate) dead_letters: Arc<MemoryQueue>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) files: Arc<MemoryFiles>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) cluster: Arc<MemoryCluster>,
    pub(crate) clock: Arc<TokioClock>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            dead_letters: Arc::default(),
            queue: Arc::default(),
            files: Arc::default(),
            store: Arc::default(),
            cluster: Arc::default(),
            clock: Arc::new(TokioClock(Instant::now())),
        }
    }

    pub(crate) fn replay(&self) -> Replay {
        Replay::new(ReplayParts {
            dead_letters: Arc::clone(&self.dead_letters) as Arc<dyn Queue>,
            queue: Arc::clone(&self.queue) as Arc<dyn Queue>,
            files: Arc::clone(&self.files) as Arc<dyn Files>,
            store: Arc::clone(&self.store) as Arc<dyn ObjectStore>,
            cluster: Arc::clone(&self.cluster) as Arc<dyn ClusterApi>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            settings: ReplaySettings {
                max_receive_count: MAX_RECEIVE_COUNT,
                ..ReplaySettings::from(&sekisho_config::Settings::default())
            },
        })
    }

    /// Dead-letters the notification of an object that is there.
    pub(crate) fn letter(&self, key: &str) -> String {
        self.store.0.lock().unwrap().insert(key.to_owned(), None);
        self.dead_letters
            .add(&notification(key), &[], self.clock.now())
    }

    /// Writes the note of the last receive.
    pub(crate) fn note(&self, id: &str, key: &str, class: CauseClass) {
        self.note_of(id, key, class, MAX_RECEIVE_COUNT);
    }

    pub(crate) fn note_of(&self, id: &str, key: &str, class: CauseClass, receive_count: u32) {
        let object = Notifications::read(&notification(key)).unwrap().slices[0]
            .object
            .clone();
        let note = FailureNote {
            class,
            error: format!("{class:?} of {key}"),
            message_id: id.to_owned(),
            object: Some(object.to_string()),
            receive_count,
            first: self.clock.now(),
            last: self.clock.now(),
            braked_since: None,
        };
        let key = NoteKey::new(Some(&object), id).as_str().to_owned();
        self.files.0.lock().unwrap().insert(key, note.to_bytes());
    }

    /// Makes an object answer like this.
    pub(crate) fn answer(&self, key: &str, class: ErrorClass) {
        self.store
            .0
            .lock()
            .unwrap()
            .insert(key.to_owned(), Some(class));
    }

    /// The keys of the objects that the queue's messages name, with their attributes.
    pub(crate) fn sent(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let messages = self.queue.messages.lock().unwrap();
        let sent = messages.iter().map(|(message, _)| {
            let slices = Notifications::read(&message.body).unwrap().slices;
            (slices[0].object.key.clone(), message.attributes.clone())
        });
        sent.collect()
    }
}

pub(crate) fn notification(key: &str) -> String {
    format!(
        r#"{{"Records":[{{"eventName":"ObjectCreated:Put","s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}","eTag":"e","size":1}}}}}}]}}"#
    )
}

/// Now is what the runtime says.
pub(crate) struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now(&self) -> DateTime<Utc> {
        let start = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        start + TimeDelta::from_std(self.0.elapsed()).unwrap()
    }
}

/// Messages with when they are visible.
#[derive(Default)]
pub(crate) struct MemoryQueue {
    pub(crate) messages: Mutex<Vec<(Received, Option<Instant>)>>,
    pub(crate) requests: Mutex<BTreeMap<&'static str, usize>>,
    /// Refuses messages longer than this.
    pub(crate) most_bytes: Mutex<Option<usize>>,
    pub(crate) is_down: AtomicBool,
}

impl MemoryQueue {
    pub(crate) fn add(
        &self,
        body: &str,
        attributes: &[(&str, &str)],
        sent: DateTime<Utc>,
    ) -> String {
        let attributes = attributes.iter();
        let mut messages = self.messages.lock().unwrap();
        let id = format!("m{}", messages.len());
        let message = Received {
            id: id.clone(),
            handle: format!("h{}", messages.len()),
            body: body.to_owned(),
            receive_count: MAX_RECEIVE_COUNT,
            sent,
            attributes: attributes
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        messages.push((message, None));
        id
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.lock().unwrap().len()
    }

    pub(crate) fn visible(&self) -> usize {
        let now = Instant::now();
        let messages = self.messages.lock().unwrap();
        let hidden = |until: &Option<Instant>| until.is_some_and(|until| until > now);
        messages.iter().filter(|(_, until)| !hidden(until)).count()
    }

    fn count(&self, name: &'static str) -> Result<(), DeliveryError> {
        *self.requests.lock().unwrap().entry(name).or_default() += 1;
        if self.is_down.load(Ordering::Relaxed) {
            return Err(unavailable("queue"));
        }
        Ok(())
    }
}

pub(crate) fn unavailable(place: &str) -> DeliveryError {
    DeliveryError::Unavailable {
        place: place.to_owned(),
        source: "down".into(),
    }
}

type Results = Vec<Result<(), DeliveryError>>;

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, messages: &[Outgoing]) -> Result<Results, DeliveryError> {
        self.count("send")?;
        assert!(messages.len() <= <dyn Queue>::BATCH);
        let most = *self.most_bytes.lock().unwrap();
        let send = |message: &Outgoing| {
            if most.is_some_and(|most| message.body.len() > most) {
                return Err(DeliveryError::Refused {
                    place: "queue".to_owned(),
                    source: "too long".into(),
                });
            }
            let attributes: Vec<_> = message.attributes.iter().collect();
            let attributes: Vec<_> = attributes
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect();
            self.add(&message.body, &attributes, DateTime::UNIX_EPOCH);
            Ok(())
        };
        Ok(messages.iter().map(send).collect())
    }

    async fn receive(&self, hide: Duration) -> Result<Vec<Received>, DeliveryError> {
        self.count("receive")?;
        let now = Instant::now();
        let mut messages = self.messages.lock().unwrap();
        let visible = messages
            .iter_mut()
            .filter(|(_, until)| until.is_none_or(|until| until <= now));
        let taken = visible.take(<dyn Queue>::BATCH).map(|(message, until)| {
            *until = Some(now + hide);
            message.receive_count += 1;
            message.clone()
        });
        Ok(taken.collect())
    }

    async fn delete(&self, handles: &[String]) -> Result<Results, DeliveryError> {
        self.count("delete")?;
        let mut messages = self.messages.lock().unwrap();
        messages.retain(|(message, _)| !handles.contains(&message.handle));
        Ok(handles.iter().map(|_| Ok(())).collect())
    }

    async fn hide(&self, handles: &[(String, Duration)]) -> Result<Results, DeliveryError> {
        self.count("hide")?;
        let mut messages = self.messages.lock().unwrap();
        for (message, until) in messages.iter_mut() {
            if let Some((_, hide)) = handles.iter().find(|(handle, _)| *handle == message.handle) {
                *until = Some(Instant::now() + *hide);
            }
        }
        Ok(handles.iter().map(|_| Ok(())).collect())
    }
}

#[derive(Default)]
pub(crate) struct MemoryFiles(
    pub(crate) Mutex<BTreeMap<String, Bytes>>,
    /// Whether it is down.
    pub(crate) AtomicBool,
);

impl MemoryFiles {
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let files = self.0.lock().unwrap();
        files
            .keys()
            .filter(|key| key.starts_with(prefix))
            .cloned()
            .collect()
    }

    fn ask(&self) -> Result<(), DeliveryError> {
        match self.1.load(Ordering::Relaxed) {
            true => Err(unavailable("files")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Files for MemoryFiles {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), DeliveryError> {
        self.ask()?;
        self.0.lock().unwrap().insert(key.to_owned(), bytes);
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, DeliveryError> {
        self.ask()?;
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    async fn delete(&self, key: &str) -> Result<(), DeliveryError> {
        self.ask()?;
        self.0.lock().unwrap().remove(key);
        Ok(())
    }

    async fn list(&self, prefix: &str, _: Option<&str>) -> Result<Page, DeliveryError> {
        self.ask()?;
        let keys = self.keys(prefix);
        Ok(Page { keys, next: None })
    }
}

/// Objects with what goes wrong with them.
#[derive(Default)]
pub(crate) struct MemoryStore(pub(crate) Mutex<BTreeMap<String, Option<ErrorClass>>>);

impl MemoryStore {
    fn find(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError> {
        let found = self.0.lock().unwrap().get(&object.key).copied();
        match found.unwrap_or(Some(ErrorClass::Missing)) {
            None => Ok(ObjectMeta {
                etag: Some("e".to_owned()),
                version_id: None,
                last_modified: DateTime::UNIX_EPOCH,
                size: Some(1),
            }),
            Some(class) => Err(ObjectError::Open {
                object: Box::new(object.clone()),
                class,
                source: format!("{class:?}").into(),
            }),
        }
    }
}

#[async_trait]
impl ObjectStore for MemoryStore {
    async fn open(&self, object: &ObjectRef) -> Result<OpenObject, ObjectError> {
        let meta = self.find(object)?;
        let body = sekisho_object::Body::from_bytes("");
        Ok(OpenObject { meta, body })
    }

    async fn open_from(&self, object: &ObjectRef, _: u64) -> Result<OpenObject, ObjectError> {
        self.open(object).await
    }

    async fn head(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError> {
        self.find(object)
    }
}

/// Red while it is down.
#[derive(Default)]
pub(crate) struct MemoryCluster(pub(crate) AtomicBool);

#[async_trait]
impl ClusterApi for MemoryCluster {
    async fn call(&self, _: Method, path: &str, _: Option<Bytes>) -> Result<ApiAnswer, BulkError> {
        let body = match path.split('?').next().unwrap() {
            "/_cluster/health" if self.0.load(Ordering::Relaxed) => r#"{"status":"red"}"#,
            "/_cluster/health" => r#"{"status":"green"}"#,
            "/_nodes/stats/fs" => {
                r#"{"nodes":{"n":{"roles":["data"],"fs":{"total":{"total_in_bytes":10,"available_in_bytes":5}}}}}"#
            }
            _ => "{}",
        };
        Ok(ApiAnswer {
            status: 200,
            body: Bytes::from_static(body.as_bytes()),
        })
    }
}
