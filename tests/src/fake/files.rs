//! [`FakeFiles`]: the quarantine bucket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use sekisho_delivery::{DeliveryError, Files, Page};
use sekisho_pipeline::{Quarantine, QuarantineEntry, QuarantineError};

use super::chaos::{Chaos, Failure, Gate, Place};

/// Small files in memory; a listing gives few at a time.
#[derive(Clone)]
pub struct FakeFiles {
    files: Arc<Mutex<BTreeMap<String, Bytes>>>,
    gate: Gate,
}

/// How many keys a page holds; few, so that readers have to ask on.
const PAGE: usize = 7;

impl FakeFiles {
    /// Makes an empty bucket.
    pub fn new(chaos: Arc<dyn Chaos>) -> Self {
        Self {
            files: Arc::default(),
            gate: Gate::new(chaos, Place::Files),
        }
    }

    /// Gives the keys that start with a prefix.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let files = self.files.lock().unwrap();
        let keys = files.keys().filter(|key| key.starts_with(prefix));
        keys.cloned().collect()
    }

    /// Gives what a file holds.
    pub fn bytes(&self, key: &str) -> Option<Bytes> {
        self.files.lock().unwrap().get(key).cloned()
    }

    async fn call<T>(
        &self,
        name: &'static str,
        key: &str,
        effect: impl FnOnce(&mut BTreeMap<String, Bytes>) -> T,
    ) -> Result<T, DeliveryError> {
        let passed = self.gate.before(name, key).await;
        if let Some(failure) = &passed.failure {
            return Err(error("s3://quarantine", failure));
        }
        let answer = effect(&mut self.files.lock().unwrap());
        match passed.after().await {
            Some(failure) => Err(error("s3://quarantine", &failure)),
            None => Ok(answer),
        }
    }
}

/// What a bucket or queue says to a failure.
pub(super) fn error(place: &str, failure: &Failure) -> DeliveryError {
    let place = place.to_owned();
    match failure {
        Failure::Status(403) => DeliveryError::Denied {
            place,
            permission: "what the test took".to_owned(),
            source: "AccessDenied".into(),
        },
        Failure::Status(status @ (400 | 404)) => DeliveryError::Refused {
            place,
            source: format!("status {status}").into(),
        },
        other => DeliveryError::Unavailable {
            place,
            source: format!("{other:?}").into(),
        },
    }
}

#[async_trait]
impl Files for FakeFiles {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), DeliveryError> {
        self.call("put", key, |files| {
            files.insert(key.to_owned(), bytes);
        })
        .await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, DeliveryError> {
        self.call("get", key, |files| files.get(key).cloned()).await
    }

    async fn delete(&self, key: &str) -> Result<(), DeliveryError> {
        self.call("delete", key, |files| {
            files.remove(key);
        })
        .await
    }

    async fn list(&self, prefix: &str, next: Option<&str>) -> Result<Page, DeliveryError> {
        self.call("list", prefix, |files| {
            let behind = next.unwrap_or_default();
            let found = files
                .keys()
                .filter(|key| key.starts_with(prefix) && key.as_str() > behind);
            let mut keys: Vec<String> = found.take(PAGE + 1).cloned().collect();
            let more = keys.len() > PAGE;
            keys.truncate(PAGE);
            let next = keys.last().filter(|_| more).cloned();
            Page { keys, next }
        })
        .await
    }
}

#[async_trait]
impl Quarantine for FakeFiles {
    async fn put(&self, entry: QuarantineEntry) -> Result<(), QuarantineError> {
        let key = format!("quarantine/{}", entry.name());
        Files::put(self, &key, entry.to_json().into())
            .await
            .map_err(|error| QuarantineError::Store(Box::new(error)))
    }
}
