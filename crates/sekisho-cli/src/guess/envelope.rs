//! The envelope that a sample's records travel in.

use crate::cases::Json;

use super::Doubt;
use super::shape::{CASE_BYTES, Format, MAX_RECORDS, Shape, lines, object, values};

/// Objects of a CloudWatch Logs subscription: their messages are the records.
pub(super) fn subscription(text: &str, doubts: &mut Vec<Doubt>) -> Option<Shape> {
    if !(text.starts_with('{') && text.contains("\"logEvents\"") && text.contains("\"logGroup\"")) {
        return None;
    }
    let mut messages = Vec::new();
    for value in values(text) {
        let Json::List(events) = value.get("logEvents")? else {
            return None;
        };
        for event in events {
            let Json::Text(message) = event.get("message")? else {
                return None;
            };
            messages.push(message.trim_end().to_owned());
        }
    }
    messages.truncate(MAX_RECORDS);
    let objects: Vec<Json> = messages.iter().filter_map(|text| object(text)).collect();
    let inner = if objects.len() == messages.len() {
        Shape {
            unwrap: None,
            format: Format::Json(None),
            records: objects,
            case: String::new(),
        }
    } else {
        lines(&messages.join("\n"), doubts)
    };
    // An object is one value; the case holds as many whole ones as fit, at least the first.
    let first = text.split_inclusive('\n').next().unwrap_or(text);
    let case = if text.len() <= CASE_BYTES {
        text
    } else {
        first
    };
    Some(Shape {
        unwrap: Some("cloudwatch_logs"),
        case: case.to_owned(),
        ..inner
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Sample, shape};
    use super::*;

    #[test]
    fn opens_the_envelope_of_cloudwatch_logs() {
        let around = |messages: &[&str]| {
            let events: Vec<_> = messages
                .iter()
                .map(|message| serde_json::json!({"id": "1", "timestamp": 1, "message": message}))
                .collect();
            serde_json::json!({"logGroup": "g", "logEvents": events, "messageType": "DATA_MESSAGE"})
                .to_string()
        };
        let json = around(&["{\"a\":1}", "{\"a\":2}"]) + &around(&["{\"a\":3}"]);
        let found = shape(&Sample::of(&json), &mut Vec::new());
        assert_eq!(found.unwrap, Some("cloudwatch_logs"));
        assert_eq!(
            (&found.format, found.records.len()),
            (&Format::Json(None), 3)
        );
        let text = around(&["one two", "three"]);
        let found = shape(&Sample::of(&text), &mut Vec::new());
        assert_eq!(
            (&found.format, found.unwrap),
            (&Format::Lines, Some("cloudwatch_logs"))
        );
    }
}
