//! What Lambda's event source mapping hands over.

use aws_sdk_sqs::types::Message;
use serde_json::{Map, Value, json};

/// The event of these messages.
pub fn queue_event(messages: &[Message]) -> Value {
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

fn record(message: &Message) -> Value {
    let system = message.attributes().into_iter().flatten();
    let system: Map<String, Value> = system
        .map(|(name, value)| (name.as_str().to_owned(), json!(value)))
        .collect();
    let own = message.message_attributes().into_iter().flatten();
    let own: Map<String, Value> = own
        .map(|(name, value)| {
            let value = json!({ "stringValue": value.string_value(), "stringListValues": [],
                "binaryListValues": [], "dataType": value.data_type() });
            (name.clone(), value)
        })
        .collect();
    json!({ "messageId": message.message_id(), "receiptHandle": message.receipt_handle(), "body": message.body(),
        "attributes": system, "messageAttributes": own, "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q", "awsRegion": "us-east-1" })
}
