//! The payload of one invocation: a batch of SQS messages, or one notification by itself.

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
    /// Its notifications, or why they cannot be read.
    pub notifications: Result<Notifications, MessageError>,
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
                    notifications,
                }],
            }),
        }
    }

    fn from_queue(records: &[&RawValue]) -> Result<Self, EventError> {
        let messages = records.iter().enumerate().map(|(position, raw)| {
            let no_id = EventError::NoMessageId { position };
            let Some(record) = SqsRecord::read(raw) else {
                return Err(no_id);
            };
            let id = record.message_id.filter(|id| !id.is_empty()).ok_or(no_id)?;
            let notifications = match record.body {
                Some(body) => Notifications::read(&body),
                None => Err(MessageError::NoBody),
            };
            Ok(Message { id, notifications })
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
    event_source: Option<String>,
    body: Option<String>,
}

impl SqsRecord {
    fn read(raw: &RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok()
    }
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
                        .map(|n| n.objects[0].key.as_str()),
                )
            })
            .collect();
        assert_eq!(keys, [("1", Some("a")), ("2", None), ("3", Some("b"))]);
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
            event.messages[0].notifications.as_ref().unwrap().objects[0].key,
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
