//! The payload of one invocation: a batch of SQS messages, or one notification by itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{EventError, MessageError};
use crate::notification::Notifications;

/// One invocation's payload, cut into messages.
#[derive(Debug)]
pub struct Event {
    /// Who delivers it, which decides how failures are answered.
    pub delivery: Delivery,
    /// The messages in the order of the batch; a direct invocation is one message.
    pub messages: Vec<Message>,
}

/// Who delivers an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// SQS: failures are reported message by message.
    Queue,
    /// S3, SNS or EventBridge themselves: a failure is an error of the invocation, which the service repeats.
    Direct,
}

/// One message and what it names.
#[derive(Debug)]
pub struct Message {
    /// The SQS message id; empty for a direct invocation.
    pub id: String,
    /// What the queue says about this delivery; the default for a direct invocation.
    pub receipt: Receipt,
    /// Its notifications, or why they cannot be read.
    pub notifications: Result<Notifications, MessageError>,
}

/// What a queue says about one delivery of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// What deletes the message or changes its visibility; empty where the queue gave none.
    pub handle: String,
    /// How often the message was received, this time included; 0 where the queue does not say.
    pub receive_count: u32,
    /// When it was sent.
    pub sent: Option<DateTime<Utc>>,
    /// How often replay sent it back for a fault of its own, see [`attribute::REPLAYS`].
    pub replays: u32,
    /// Whether replay sent it back at all, or somebody who sends old notifications again said so: its delay says nothing of freshness.
    pub replayed: bool,
    /// Whether it is to be worked on alone, see [`attribute::ALONE`].
    pub alone: bool,
}

/// The names of the message attributes that Sekisho sets; S3 sets none.
pub mod attribute {
    /// How often replay sent the message back for a fault of its own; `0` where an outage was the fault.
    /// Whoever sends old notifications to the queue by hand sets it to `0`, so that they do not look late.
    pub const REPLAYS: &str = "sekisho.replays";
    /// Set where the message took its process with it: it is worked on alone.
    pub const ALONE: &str = "sekisho.alone";
}

impl Event {
    /// Reads the payload of an invocation.
    ///
    /// # Errors
    /// When the payload cannot be cut into messages; what is wrong inside one message is that message's error.
    pub fn read(payload: &str) -> Result<Self, EventError> {
        let batch: Batch<'_> = match serde_json::from_str(payload) {
            Ok(batch) => batch,
            Err(error) if error.is_data() => return Err(EventError::UnknownShape),
            Err(error) => return Err(EventError::NoJson(error)),
        };
        let records = batch.records.unwrap_or_default();
        let first = records.first().and_then(|raw| SqsRecord::read(raw));
        if first.is_some_and(|record| record.event_source.as_deref() == Some("aws:sqs")) {
            return Self::from_queue(&records);
        }
        match Notifications::read(payload) {
            Err(MessageError::NoJson(_) | MessageError::UnknownShape(_)) => {
                Err(EventError::UnknownShape)
            }
            notifications => Ok(Self {
                delivery: Delivery::Direct,
                messages: vec![Message {
                    id: String::new(),
                    receipt: Receipt::default(),
                    notifications,
                }],
            }),
        }
    }

    fn from_queue(records: &[&RawValue]) -> Result<Self, EventError> {
        let messages = records.iter().enumerate().map(|(position, raw)| {
            let no_id = EventError::NoMessageId { position };
            let Some(mut record) = SqsRecord::read(raw) else {
                return Err(no_id);
            };
            let receipt = record.receipt();
            let id = record.message_id.filter(|id| !id.is_empty()).ok_or(no_id)?;
            let notifications = match record.body {
                Some(body) => Notifications::read(&body),
                None => Err(MessageError::NoBody),
            };
            Ok(Message {
                id,
                receipt,
                notifications,
            })
        });
        Ok(Self {
            delivery: Delivery::Queue,
            messages: messages.collect::<Result<_, _>>()?,
        })
    }
}

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow, rename = "Records")]
    records: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SqsRecord {
    message_id: Option<String>,
    receipt_handle: Option<String>,
    event_source: Option<String>,
    body: Option<String>,
    attributes: Option<Box<RawValue>>,
    message_attributes: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribute {
    string_value: Option<String>,
}

impl SqsRecord {
    fn read(raw: &RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }

    fn receipt(&mut self) -> Receipt {
        let queue: BTreeMap<String, String> = lenient(self.attributes.as_deref());
        let number = |name: &str| queue.get(name).and_then(|text| text.parse().ok());
        let ours: BTreeMap<String, Attribute> = lenient(self.message_attributes.as_deref());
        let own = |name: &str| ours.get(name)?.string_value.as_deref();
        Receipt {
            handle: self.receipt_handle.take().unwrap_or_default(),
            receive_count: number("ApproximateReceiveCount")
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or_default(),
            sent: number("SentTimestamp").and_then(DateTime::from_timestamp_millis),
            replays: own(attribute::REPLAYS)
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            replayed: own(attribute::REPLAYS).is_some(),
            alone: own(attribute::ALONE).is_some(),
        }
    }
}

/// Attributes help and never decide whether a message can be read.
fn lenient<T: Default + for<'a> Deserialize<'a>>(raw: Option<&RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqs(id: &str, body: &str) -> serde_json::Value {
        serde_json::json!({"messageId": id, "receiptHandle": "h", "body": body, "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {}, "md5OfBody": "x", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:q", "awsRegion": "us-east-1"})
    }

    fn s3(key: &str) -> String {
        format!(
            r#"{{"Records":[{{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}"}}}}}}]}}"#
        )
    }

    fn batch(records: &[serde_json::Value]) -> String {
        serde_json::json!({ "Records": records }).to_string()
    }

    #[test]
    fn each_message_holds_its_own_objects_or_its_own_error() {
        let payload = batch(&[sqs("1", &s3("a")), sqs("2", "not json"), sqs("3", &s3("b"))]);
        let event = Event::read(&payload).unwrap();
        assert_eq!(event.delivery, Delivery::Queue);
        let keys: Vec<(&str, Option<&str>)> = event
            .messages
            .iter()
            .map(|m| {
                (
                    m.id.as_str(),
                    m.notifications
                        .as_ref()
                        .ok()
                        .map(|n| n.slices[0].object.key.as_str()),
                )
            })
            .collect();
        assert_eq!(keys, [("1", Some("a")), ("2", None), ("3", Some("b"))]);
    }

    #[test]
    fn a_receipt_says_how_often_and_what_replay_wrote() {
        let mut message = sqs("1", &s3("a"));
        message["attributes"] =
            serde_json::json!({"ApproximateReceiveCount": "3", "SentTimestamp": "1780000000000"});
        message["messageAttributes"] = serde_json::json!({"sekisho.replays": {"stringValue": "2", "dataType": "Number"}, "sekisho.alone": {"stringValue": "1", "dataType": "String"}});
        let event = Event::read(&batch(&[message])).unwrap();
        assert_eq!(
            event.messages[0].receipt,
            Receipt {
                handle: "h".to_owned(),
                receive_count: 3,
                sent: DateTime::from_timestamp_millis(1_780_000_000_000),
                replays: 2,
                replayed: true,
                alone: true,
            }
        );
    }

    #[test]
    fn a_message_without_a_body_fails_alone() {
        let mut message = sqs("1", "");
        message["body"] = serde_json::Value::Null;
        let event = Event::read(&batch(&[message, sqs("2", &s3("b"))])).unwrap();
        assert!(event.messages[0].notifications.is_err());
        assert!(event.messages[1].notifications.is_ok());
    }

    #[test]
    fn an_id_is_never_made_up() {
        let payload = batch(&[sqs("1", &s3("a")), sqs("", &s3("b"))]);
        let message = Event::read(&payload).unwrap_err().to_string();
        assert_eq!(message, "SQS message 1 of the batch has no `messageId`");
    }

    #[test]
    fn notifications_come_directly_too() {
        let event = Event::read(&s3("a+b")).unwrap();
        assert_eq!(event.delivery, Delivery::Direct);
        assert_eq!(
            event.messages[0].notifications.as_ref().unwrap().slices[0]
                .object
                .key,
            "a b"
        );
        let test = Event::read(r#"{"Event":"s3:TestEvent","Bucket":"b"}"#).unwrap();
        assert_eq!(
            test.messages[0]
                .notifications
                .as_ref()
                .unwrap()
                .ignored
                .len(),
            1
        );
    }

    #[test]
    fn other_payloads_are_errors() {
        assert!(matches!(Event::read("nope"), Err(EventError::NoJson(_))));
        assert!(matches!(Event::read("{}"), Err(EventError::UnknownShape)));
        assert!(matches!(Event::read("[1]"), Err(EventError::UnknownShape)));
    }
}
