//! [`Letter`]: a dead-lettered message, whatever its shape, and the body that ingest understands.

use std::collections::BTreeMap;

use sekisho_delivery::{Outgoing, Received};
use sekisho_event::{MessageError, Notifications, attribute};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One message of a DLQ.
#[derive(Debug)]
pub(crate) struct Letter {
    /// As it was received.
    pub(crate) received: Received,
    /// How it came to be dead-lettered.
    pub(crate) form: Form,
    /// What is sent back.
    pub(crate) body: String,
    /// What it names.
    pub(crate) notifications: Result<Notifications, MessageError>,
    /// How often it was sent back for its own fault.
    pub(crate) replays: u32,
    /// Whether it is to be worked on alone.
    pub(crate) alone: bool,
}

/// How a message came to be dead-lettered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// By SQS: it was received too often.
    Queue,
    /// By Lambda: an asynchronous invocation failed.
    Asynchronous {
        /// What Lambda says.
        error: String,
    },
}

impl Letter {
    /// Reads a message.
    pub(crate) fn read(received: Received) -> Self {
        let (form, body) = shape(&received);
        let own = |name: &str| received.attributes.get(name);
        Self {
            notifications: Notifications::read(&body),
            replays: own(attribute::REPLAYS)
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            alone: own(attribute::ALONE).is_some(),
            form,
            body,
            received,
        }
    }

    /// The id that ingest knew the message by: an asynchronous event has none.
    pub(crate) fn id_at_ingest(&self) -> &str {
        match self.form {
            Form::Queue => &self.received.id,
            Form::Asynchronous { .. } => "",
        }
    }
}

/// Writes a message that is sent back; only our own attributes go with it, since SQS takes but ten.
pub(crate) fn outgoing(body: String, replays: u32, alone: bool) -> Outgoing {
    // Also as 0: ingest tells by it that the message is a replay.
    let mut attributes = BTreeMap::from([(attribute::REPLAYS.to_owned(), replays.to_string())]);
    if alone {
        attributes.insert(attribute::ALONE.to_owned(), "1".to_owned());
    }
    Outgoing {
        body,
        attributes,
        ..Outgoing::default()
    }
}

/// What Lambda writes to a destination on failure.
/// See <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Destination<'a> {
    #[serde(borrow)]
    request_payload: &'a RawValue,
    request_context: Option<RequestContext>,
    response_context: Option<ResponseContext>,
    response_payload: Option<ResponsePayload>,
}

#[derive(Deserialize)]
struct RequestContext {
    condition: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    function_error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponsePayload {
    error_type: Option<String>,
    error_message: Option<String>,
}

fn shape(received: &Received) -> (Form, String) {
    if let Ok(destination) = serde_json::from_str::<Destination<'_>>(&received.body) {
        let payload = destination.response_payload;
        let (kind, message) = payload.map_or((None, None), |payload| {
            (payload.error_type, payload.error_message)
        });
        let condition = destination
            .request_context
            .and_then(|context| context.condition);
        let function = destination
            .response_context
            .and_then(|context| context.function_error);
        let said = [condition, function, kind, message];
        let error = said.into_iter().flatten().collect::<Vec<_>>().join(": ");
        let body = destination.request_payload.get().to_owned();
        return (Form::Asynchronous { error }, body);
    }
    // A DLQ of the function itself holds the event as it was, and says why in attributes.
    let said = |name: &str| received.attributes.get(name);
    let form = match (
        said("RequestID"),
        said("ErrorCode").or(said("ErrorMessage")),
    ) {
        (Some(_), Some(_)) => {
            let said = [said("ErrorCode"), said("ErrorMessage")];
            let words: Vec<&str> = said.into_iter().flatten().map(String::as_str).collect();
            Form::Asynchronous {
                error: words.join(": "),
            }
        }
        _ => Form::Queue,
    };
    (form, received.body.clone())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const EVENT: &str = r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"a+b","eTag":"e"}}}]}"#;

    fn letter(body: &str, attributes: &[(&str, &str)]) -> Letter {
        let attributes = attributes.iter();
        Letter::read(Received {
            id: "1".to_owned(),
            handle: "h".to_owned(),
            body: body.to_owned(),
            receive_count: 11,
            sent: DateTime::UNIX_EPOCH,
            attributes: attributes
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        })
    }

    #[track_caller]
    fn check(letter: &Letter, form: &Form) {
        assert_eq!(letter.form, *form);
        let slices = &letter.notifications.as_ref().unwrap().slices;
        assert_eq!(slices[0].object.key, "a b");
        // Ingest reads what is sent back.
        assert_eq!(Notifications::read(&letter.body).unwrap().slices, *slices);
    }

    #[test]
    fn a_message_of_the_queue_is_sent_back_as_it_was() {
        let letter = letter(EVENT, &[("sekisho.replays", "2"), ("sekisho.alone", "1")]);
        check(&letter, &Form::Queue);
        assert_eq!((letter.replays, letter.alone), (2, true));
        assert_eq!(letter.id_at_ingest(), "1");
        let back = outgoing(letter.body, 3, true);
        assert_eq!(back.body, EVENT);
        assert_eq!(back.attributes["sekisho.replays"], "3");
    }

    #[test]
    fn a_failed_asynchronous_event_is_unwrapped() {
        let body = format!(
            r#"{{"version":"1.0","requestContext":{{"requestId":"r","condition":"RetriesExhausted"}},"requestPayload":{EVENT},"responseContext":{{"statusCode":200,"functionError":"Unhandled"}},"responsePayload":{{"errorMessage":"Task timed out"}}}}"#
        );
        let letter = letter(&body, &[]);
        let error = "RetriesExhausted: Unhandled: Task timed out".to_owned();
        check(&letter, &Form::Asynchronous { error });
        assert_eq!(letter.body, EVENT);
        assert_eq!(letter.id_at_ingest(), "");
    }

    #[test]
    fn the_functions_own_dlq_says_why_in_attributes() {
        let said = [
            ("RequestID", "r"),
            ("ErrorCode", "200"),
            ("ErrorMessage", "no"),
        ];
        let letter = letter(EVENT, &said);
        let error = "200: no".to_owned();
        check(&letter, &Form::Asynchronous { error });
        let attributes = outgoing(letter.body, 0, false).attributes;
        assert_eq!(attributes["sekisho.replays"], "0");
    }
}
