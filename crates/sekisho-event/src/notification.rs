//! One message's body: S3 notifications, bare, inside SNS or as EventBridge writes them.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::MessageError;
use crate::key::decode;
use crate::object_ref::ObjectRef;
use crate::slice::ObjectSlice;

/// SNS inside SNS does not occur; the limit keeps a hostile body from recursing.
const MAX_WRAPPERS: u8 = 4;

/// What the notifications of one message name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notifications {
    /// The objects, or parts of objects, to read, in the order of the message.
    pub slices: Vec<ObjectSlice>,
    /// What is acknowledged without reading.
    pub ignored: Vec<Ignored>,
}

/// A notification that names nothing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The object, where the notification names one.
    pub object: Option<ObjectRef>,
    /// Why it is not read.
    pub reason: IgnoreReason,
}

/// Why a notification is acknowledged without reading an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IgnoreReason {
    /// S3 sends `s3:TestEvent` when a notification is configured.
    TestEvent,
    /// Another event than a creation, like `ObjectRemoved:Delete`.
    NotCreated(String),
    /// An empty object whose key ends with `/`: the console's folder.
    Folder,
    /// The quarantine's own bucket, which must not be an input.
    Quarantine,
    /// A pattern of `ignore.keys`.
    Pattern(String),
}

impl Notifications {
    /// Reads the body of one message.
    ///
    /// # Errors
    /// When the body is no notification, or one of its notifications names no object.
    pub fn read(body: &str) -> Result<Self, MessageError> {
        let mut notifications = Self::default();
        notifications.add_body(body, 0)?;
        Ok(notifications)
    }

    fn add_body(&mut self, body: &str, wrappers: u8) -> Result<(), MessageError> {
        let envelope: Envelope<'_> = serde_json::from_str(body).map_err(|error| {
            if error.is_data() {
                MessageError::UnknownShape(error.to_string())
            } else {
                MessageError::NoJson(error.to_string())
            }
        })?;
        if wrappers >= MAX_WRAPPERS {
            return Err(MessageError::UnknownShape(format!(
                "wrapped more than {MAX_WRAPPERS} times"
            )));
        }
        match envelope {
            Envelope {
                sekisho: Some(_), ..
            } => {
                self.slices.push(ObjectSlice::from_message(body)?);
                Ok(())
            }
            // How Lambda hands on an asynchronous event that it could not get rid of.
            Envelope {
                request_payload: Some(payload),
                ..
            } => self.add_body(payload.get(), wrappers + 1),
            Envelope {
                records: Some(records),
                ..
            } => {
                for record in records {
                    self.add_record(record, wrappers)?;
                }
                Ok(())
            }
            Envelope {
                message: Some(message),
                ..
            } => self.add_body(&message, wrappers + 1),
            Envelope {
                detail: Some(detail),
                detail_type,
                time,
                ..
            } => self.add_event_bridge(
                detail.get(),
                &detail_type.unwrap_or_default(),
                time.as_deref(),
            ),
            Envelope {
                event: Some(event), ..
            } if event == "s3:TestEvent" => {
                self.ignored.push(Ignored {
                    object: None,
                    reason: IgnoreReason::TestEvent,
                });
                Ok(())
            }
            _ => Err(MessageError::UnknownShape(
                "it has neither `Records` nor `Message` nor `detail`".to_owned(),
            )),
        }
    }

    fn add_record(&mut self, record: &RawValue, wrappers: u8) -> Result<(), MessageError> {
        let record: S3Record<'_> = from_raw(record)?;
        if let Some(sns) = record.sns {
            return self.add_body(&sns.message, wrappers + 1);
        }
        let Some(entity) = record.s3 else {
            return Err(MessageError::Missing("s3"));
        };
        let mut object = entity.object_ref()?;
        object.key = decode(&object.key)?;
        object.event_time = record.event_time.as_deref().and_then(time);
        let name = record.event_name.unwrap_or_default();
        let name = name.strip_prefix("s3:").unwrap_or(&name);
        self.add_object(
            object,
            name,
            name.is_empty() || name.starts_with("ObjectCreated:"),
        );
        Ok(())
    }

    /// EventBridge does not encode keys and spells `etag` and `version-id` its own way.
    fn add_event_bridge(
        &mut self,
        detail: &str,
        detail_type: &str,
        event_time: Option<&str>,
    ) -> Result<(), MessageError> {
        let entity: Entity = serde_json::from_str(detail)
            .map_err(|error| MessageError::UnknownShape(error.to_string()))?;
        let mut object = entity.object_ref()?;
        object.event_time = event_time.and_then(time);
        self.add_object(object, detail_type, detail_type == "Object Created");
        Ok(())
    }

    fn add_object(&mut self, object: ObjectRef, event_name: &str, created: bool) {
        let reason = if !created {
            IgnoreReason::NotCreated(event_name.to_owned())
        } else if object.is_folder() {
            IgnoreReason::Folder
        } else {
            self.slices.push(ObjectSlice::whole(object));
            return;
        };
        self.ignored.push(Ignored {
            object: Some(object),
            reason,
        });
    }
}

fn from_raw<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, MessageError> {
    serde_json::from_str(raw.get()).map_err(|error| MessageError::UnknownShape(error.to_string()))
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.to_utc())
}

/// The outermost object of a body, in any of its shapes.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    sekisho: Option<&'a RawValue>,
    #[serde(borrow, rename = "requestPayload")]
    request_payload: Option<&'a RawValue>,
    #[serde(borrow, rename = "Records")]
    records: Option<Vec<&'a RawValue>>,
    #[serde(rename = "Message")]
    message: Option<String>,
    #[serde(rename = "Event")]
    event: Option<String>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    time: Option<String>,
}

/// One element of `Records`; everything that is not needed may be missing.
#[derive(Deserialize)]
struct S3Record<'a> {
    #[serde(rename = "eventName")]
    event_name: Option<String>,
    #[serde(borrow, rename = "eventTime")]
    event_time: Option<std::borrow::Cow<'a, str>>,
    s3: Option<Entity>,
    #[serde(rename = "Sns")]
    sns: Option<Sns>,
}

#[derive(Deserialize)]
struct Sns {
    #[serde(rename = "Message")]
    message: String,
}

#[derive(Deserialize)]
struct Entity {
    bucket: Option<Bucket>,
    object: Option<Object>,
}

#[derive(Deserialize)]
struct Bucket {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Object {
    key: Option<String>,
    size: Option<u64>,
    #[serde(alias = "eTag")]
    etag: Option<String>,
    #[serde(rename = "versionId", alias = "version-id")]
    version_id: Option<String>,
}

impl Entity {
    /// The object with its key as written.
    fn object_ref(self) -> Result<ObjectRef, MessageError> {
        let bucket = self
            .bucket
            .and_then(|bucket| bucket.name)
            .filter(|name| !name.is_empty());
        let object = self.object.ok_or(MessageError::Missing("object"))?;
        let key = object.key.filter(|key| !key.is_empty());
        let etag = object.etag.map(|etag| etag.trim_matches('"').to_owned());
        // "null" names whatever is newest while versioning is suspended, so it pins nothing.
        let version_id = object
            .version_id
            .filter(|id| !id.is_empty() && id != "null");
        Ok(ObjectRef {
            bucket: bucket.ok_or(MessageError::Missing("bucket.name"))?,
            key: key.ok_or(MessageError::Missing("object.key"))?,
            size: object.size,
            etag: etag.filter(|etag| !etag.is_empty()),
            version_id,
            event_time: None,
        })
    }
}

#[cfg(test)]
mod tests;
