//! [`FakeStore`]: a bucket of logs.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use sekisho_event::ObjectRef;
use sekisho_object::{Body, ErrorClass, ObjectError, ObjectMeta, ObjectStore, OpenObject};
use sekisho_pipeline::Digest;

use super::chaos::{Call, Chaos, Failure, Gate, Place};

/// One version of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its bytes as stored.
    pub bytes: Bytes,
    /// Its ETag, a function of the bytes.
    pub etag: String,
    /// Its version id, where the bucket has versions.
    pub id: Option<String>,
    /// When it was put.
    pub put: DateTime<Utc>,
}

type Objects = BTreeMap<(String, String), Vec<Version>>;

/// Objects in memory; a versioned bucket keeps what is overwritten.
#[derive(Clone)]
pub struct FakeStore {
    objects: Arc<Mutex<Objects>>,
    versioned: bool,
    gate: Gate,
}

impl FakeStore {
    /// Makes an empty store.
    pub fn new(chaos: Arc<dyn Chaos>, versioned: bool) -> Self {
        Self {
            objects: Arc::default(),
            versioned,
            gate: Gate::new(chaos, Place::Store),
        }
    }

    /// Puts an object and names it as its notification does.
    pub fn put(
        &self,
        bucket: &str,
        key: &str,
        bytes: impl Into<Bytes>,
        now: DateTime<Utc>,
    ) -> ObjectRef {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes).to_string();
        let mut objects = self.objects.lock().unwrap();
        let versions = objects
            .entry((bucket.to_owned(), key.to_owned()))
            .or_default();
        let id = self.versioned.then(|| format!("v{}", versions.len() + 1));
        if !self.versioned {
            versions.clear();
        }
        let version = Version {
            etag: digest.chars().take(32).collect(),
            id,
            put: now,
            bytes,
        };
        versions.push(version.clone());
        let mut object = ObjectRef::new(bucket, key);
        object.size = u64::try_from(version.bytes.len()).ok();
        object.etag = Some(version.etag);
        object.version_id = version.id;
        object.event_time = Some(now);
        object
    }

    /// Removes an object with all its versions.
    pub fn remove(&self, bucket: &str, key: &str) {
        let place = (bucket.to_owned(), key.to_owned());
        self.objects.lock().unwrap().remove(&place);
    }

    /// Lists the newest version of every object, by key.
    pub fn list(&self) -> Vec<(ObjectRef, DateTime<Utc>)> {
        let objects = self.objects.lock().unwrap();
        let newest = objects.iter().filter_map(|((bucket, key), versions)| {
            let version = versions.last()?;
            let mut object = ObjectRef::new(bucket, key);
            object.size = u64::try_from(version.bytes.len()).ok();
            object.etag = Some(version.etag.clone());
            Some((object, version.put))
        });
        newest.collect()
    }

    /// Finds the version that a name pins.
    fn find(&self, object: &ObjectRef) -> Result<Version, ObjectError> {
        let place = (object.bucket.clone(), object.key.clone());
        let objects = self.objects.lock().unwrap();
        let versions = objects.get(&place).ok_or_else(|| refused(object, 404))?;
        let newest = || versions.last().ok_or_else(|| refused(object, 404));
        let found = match (&object.version_id, &object.etag) {
            (Some(id), _) => versions
                .iter()
                .find(|version| version.id.as_ref() == Some(id))
                .ok_or_else(|| refused(object, 404))?,
            (None, Some(etag)) if newest()?.etag != *etag => return Err(refused(object, 412)),
            (None, _) => newest()?,
        };
        Ok(found.clone())
    }

    async fn get(
        &self,
        name: &'static str,
        object: &ObjectRef,
        from: u64,
    ) -> Result<OpenObject, ObjectError> {
        let passed = self
            .gate
            .before(name, format!("{object} from {from}"))
            .await;
        let call = passed.call.clone();
        let broken = match &passed.failure {
            Some(Failure::Break(at)) => Some((*at, None)),
            Some(Failure::BreakAndCrash(at)) => {
                let chaos = Arc::clone(self.gate.chaos());
                Some((*at, Some((chaos, call))))
            }
            Some(failure) => return Err(failed(object, failure)),
            None => None,
        };
        let version = self.find(object)?;
        let meta = meta(&version);
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let bytes = version.bytes.slice(from.min(version.bytes.len())..);
        let body = match broken {
            None => Body::from_bytes(bytes),
            Some((at, killer)) => Body::from_read(Broken {
                bytes: Cursor::new(bytes.slice(..at.min(bytes.len()))),
                killer,
            }),
        };
        match passed.after().await {
            Some(failure) => Err(failed(object, &failure)),
            None => Ok(OpenObject { meta, body }),
        }
    }
}

fn meta(version: &Version) -> ObjectMeta {
    ObjectMeta {
        etag: Some(version.etag.clone()),
        version_id: version.id.clone(),
        last_modified: version.put,
        size: u64::try_from(version.bytes.len()).ok(),
    }
}

fn failed(object: &ObjectRef, failure: &Failure) -> ObjectError {
    match failure {
        Failure::Status(status) => refused(object, *status),
        _ => refused(object, 503),
    }
}

fn refused(object: &ObjectRef, status: u16) -> ObjectError {
    ObjectError::Open {
        object: Box::new(object.clone()),
        class: match status {
            404 => ErrorClass::Missing,
            412 => ErrorClass::Superseded,
            403 => ErrorClass::Permission,
            _ => ErrorClass::Retry,
        },
        source: format!("status {status}").into(),
    }
}

/// Reads some bytes, then the connection breaks, and the process with it if it is to die there.
struct Broken {
    bytes: Cursor<Bytes>,
    killer: Option<(Arc<dyn Chaos>, Call)>,
}

impl Read for Broken {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.bytes.read(to)? {
            0 => {
                if let Some((chaos, call)) = self.killer.take() {
                    chaos.crashed(&call);
                }
                Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the download broke off",
                ))
            }
            count => Ok(count),
        }
    }
}

#[async_trait]
impl ObjectStore for FakeStore {
    async fn open(&self, object: &ObjectRef) -> Result<OpenObject, ObjectError> {
        self.get("open", object, 0).await
    }

    async fn open_from(&self, object: &ObjectRef, from: u64) -> Result<OpenObject, ObjectError> {
        self.get("open_from", object, from).await
    }

    async fn head(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError> {
        let passed = self.gate.before("head", object.to_string()).await;
        if let Some(failure) = &passed.failure {
            return Err(failed(object, failure));
        }
        let found = self.find(object).map(|version| meta(&version));
        match passed.after().await {
            Some(failure) => Err(failed(object, &failure)),
            None => found,
        }
    }
}
