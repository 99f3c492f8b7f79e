//! Envelopes around records: opened, their members sources, their identity the outer bytes.

use serde_json::{Value, json};

use super::{KEY, Made, catalog, records};
use crate::{Outcome, ParserSettings};

const ALL: &str = r#"unwrap = ["eventbridge", "sns", "cloudwatch_logs", "firelens"]"#;

fn made_of(record: &str, text: &str) -> Vec<Made> {
    let spec = format!("[record]\n{record}\n{ALL}\n{FIELDS}");
    let catalog = catalog(&spec, None, None, ParserSettings::default());
    records(
        &catalog.unwrap_or_else(|error| panic!("{error}")),
        KEY,
        text.as_bytes(),
    )
}

const FIELDS: &str = r#"
[timestamp]
from = ["time", "@envelope.timestamp", "@envelope.time"]
formats = ["rfc3339", "epoch"]
[fields]
"cloud.region" = "@envelope.region"
"log.logger" = "@envelope.logGroup"
"event.reason" = ["text", "@record"]
"#;

fn json_of(record: &Value) -> Made {
    made_of("format = \"json\"", &record.to_string()).remove(0)
}

fn eventbridge(detail: &Value) -> Value {
    json!({
        "version": "0", "id": "e-1", "detail-type": "A Finding", "source": "aws.test",
        "account": "111122223333", "time": "2026-11-23T01:00:00Z", "region": "ap-northeast-1",
        "resources": [], "detail": detail,
    })
}

fn sns(message: &str) -> Value {
    json!({
        "Type": "Notification", "MessageId": "m-1", "Message": message,
        "TopicArn": "arn:aws:sns:ap-northeast-1:111122223333:logs",
    })
}

fn subscription(messages: &[&str]) -> Value {
    let events = messages.iter().enumerate();
    let events: Vec<_> = events
        .map(|(n, message)| json!({ "id": format!("i{n}"), "timestamp": 1_795_395_600_000_u64, "message": message }))
        .collect();
    // `json!` sorts its keys, and CloudWatch Logs writes the events last.
    let around = r#"{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"/app/web","logStream":"s","subscriptionFilters":["f"],"logEvents":"#;
    serde_json::from_str(&format!("{around}{}}}", json!(events))).unwrap()
}

fn subscription_text(messages: &[&str]) -> String {
    let events = subscription(messages)["logEvents"].to_string();
    format!(
        r#"{{"messageType":"DATA_MESSAGE","owner":"111122223333","logGroup":"/app/web","logStream":"s","subscriptionFilters":["f"],"logEvents":{events}}}"#
    )
}

fn inner(made: &Made) -> &Value {
    &made.document["aws"]["test"]
}

#[test]
fn a_record_without_an_envelope_is_as_it_was() {
    let made = json_of(&json!({ "text": "plain", "detail": { "a": 1 }, "x": 2 }));
    assert_eq!(made.document["event"]["reason"], "plain");
    assert_eq!(
        inner(&made),
        &json!({ "other": { "detail": { "a": 1 }, "x": 2 } })
    );
}

#[test]
fn eventbridge_holds_the_record_in_detail() {
    let made = json_of(&eventbridge(&json!({ "text": "inner", "a": 1 })));
    assert_eq!(made.document["event"]["reason"], "inner");
    assert_eq!(made.document["cloud"]["region"], "ap-northeast-1");
    assert_eq!(made.document["@timestamp"], "2026-11-23T01:00:00Z");
    let around = json!({
        "version": "0", "id": "e-1", "detail-type": "A Finding", "source": "aws.test",
        "account": "111122223333",
    });
    assert_eq!(
        inner(&made),
        &json!({ "other": { "a": 1, "envelope": around } })
    );
}

#[test]
fn envelopes_nest() {
    let event = eventbridge(&json!({ "text": "deep" }));
    let made = json_of(&sns(&event.to_string()));
    assert_eq!(made.document["event"]["reason"], "deep");
    assert_eq!(made.document["cloud"]["region"], "ap-northeast-1");
    let around = &inner(&made)["other"]["envelope"];
    assert_eq!(around["MessageId"], "m-1");
    assert_eq!(around["account"], "111122223333");
    assert_eq!(around["Message"], Value::Null);

    // Three deep, and a name that two of them have: the inner one's, the outer one's beside it.
    let text = subscription_text(&[&sns(&event.to_string()).to_string()]);
    let made = made_of("format = \"json\"", &text).remove(0);
    assert_eq!(made.document["event"]["reason"], "deep");
    assert_eq!(made.document["log"]["logger"], "/app/web");
    let around = &inner(&made)["other"]["envelope"];
    assert_eq!(
        (&around["id"], &around["id~2"]),
        (&json!("e-1"), &json!("i0"))
    );
}

#[test]
fn a_chain_without_end_stops() {
    let mut record = json!({ "text": "end" });
    for _ in 0..20 {
        record = eventbridge(&record);
    }
    let made = json_of(&record);
    assert!(matches!(made.outcome, Outcome::Document(_)));
    assert_eq!(inner(&made)["other"]["detail-type"], "A Finding");
}

#[test]
fn subscriptions_hold_json_and_text() {
    let messages = [r#"{"text":"one"}"#, "no json", r#"{"text":"three"}"#];
    let made = made_of("format = \"json\"", &subscription_text(&messages));
    assert_eq!(made.len(), 3);
    assert_eq!(made[0].document["event"]["reason"], "one");
    assert_eq!(made[0].document["@timestamp"], "2026-11-23T01:00:00Z");
    let around = json!({ "messageType": "DATA_MESSAGE", "owner": "111122223333", "logStream": "s", "subscriptionFilters": ["f"], "id": "i0" });
    assert_eq!(inner(&made[0])["other"]["envelope"], around);
    let Outcome::Raw { reason, .. } = &made[1].outcome else {
        panic!("{:?}", made[1].outcome)
    };
    assert!(reason.contains("not JSON"), "{reason}");
    let original = made[1].document["event"]["original"].as_str();
    assert_eq!(
        original,
        Some(subscription(&messages)["logEvents"][1].to_string().as_str())
    );
    assert_eq!(made[2].document["event"]["reason"], "three");

    for format in ["lines", "ndjson", "json"] {
        let records = if format == "json" {
            "\nrecords = \"Records\""
        } else {
            ""
        };
        let text = subscription_text(&[r#"{"text":"one"}"#, r#"{"text":"two"}"#]);
        let made = made_of(&format!("format = \"{format}\"{records}"), &text.repeat(2));
        assert_eq!(made.len(), 4, "{format}");
    }
    let made = made_of(
        "format = \"lines\"",
        &subscription_text(&["192.0.2.1 GET /\r\n"]),
    );
    assert_eq!(made[0].document["event"]["reason"], "192.0.2.1 GET /");
}

#[test]
fn lines_of_a_subscription_have_the_default_columns() {
    let columns =
        "format = \"delimited\"\ncolumns = [\"a\", \"b\"]\ndefault_columns = [\"a\", \"b\"]";
    let made = made_of(columns, &subscription_text(&["1 2", "3 4 5"]));
    assert_eq!(inner(&made[0])["other"]["a"], "1");
    assert_eq!(inner(&made[1])["other"]["column_3"], "5");
}

#[test]
fn members_behind_the_events_are_absent() {
    let text = r#"{"logEvents":[{"id":"1","timestamp":1795395600000,"message":"{\"text\":\"x\"}"}],"logGroup":"/app"}"#;
    let made = made_of("format = \"json\"", text).remove(0);
    assert_eq!(made.document["event"]["reason"], "x");
    assert_eq!(made.document["log"]["logger"], Value::Null);
}

#[test]
fn firelens_and_sns_hold_text() {
    let log = json!({ "container_id": "c", "container_name": "web", "source": "stdout", "log": "192.0.2.1 GET /\n" });
    let made = made_of(
        "format = \"lines\"",
        &format!("{log}\nplain line\n{}\n", sns("text")),
    );
    assert_eq!(made[0].document["event"]["reason"], "192.0.2.1 GET /");
    assert_eq!(inner(&made[0])["other"]["envelope"]["source"], "stdout");
    assert_eq!(made[1].document["event"]["reason"], "plain line");
    assert_eq!(made[2].document["event"]["reason"], "text");
}

#[test]
fn a_broken_inside_is_raw_with_the_outer_bytes() {
    let record = sns("{\"text\":");
    let made = json_of(&record);
    assert!(matches!(made.outcome, Outcome::Raw { .. }));
    assert_eq!(made.document["event"]["original"], record.to_string());
    let text = r#"{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":1},5,{"id":"1","timestamp":2,"message":7}]}"#;
    for made in made_of("format = \"json\"", text) {
        assert!(matches!(made.outcome, Outcome::Raw { .. }));
    }
}

#[test]
fn no_record_imitates_an_envelope() {
    let record =
        json!({ "text": "x", "@envelope": { "region": "r" }, "envelope": { "region": "s" } });
    let made = json_of(&eventbridge(&record));
    assert_eq!(made.document["cloud"]["region"], "ap-northeast-1");
    let other = &inner(&made)["other"];
    assert_eq!(other["envelope"], json!({ "region": "s" }));
    assert_eq!(other["envelope~2"]["account"], "111122223333");
    assert_eq!(json_of(&record).document["cloud"]["region"], Value::Null);
}

#[test]
fn the_outer_bytes_are_the_identity() {
    let spec = |unique: &str| format!("[record]\nformat = \"json\"\n{ALL}\n{unique}");
    let id = |unique: &str, record: &Value| {
        let catalog = catalog(&spec(unique), None, None, ParserSettings::default()).unwrap();
        match records(&catalog, KEY, record.to_string().as_bytes())
            .remove(0)
            .outcome
        {
            Outcome::Document(head) => head.id,
            other => panic!("{other:?}"),
        }
    };
    let record = eventbridge(&json!({ "a": 1 }));
    assert_ne!(id("", &record), id("unique_by = [\"a\"]", &record));
    assert_eq!(id("", &record), id("unique_by = [\"none\"]", &record));
}

#[test]
fn envelope_sources_need_an_envelope() {
    let refused = super::refused("[fields]\n\"event.reason\" = \"@envelope.logGroup\"\n");
    assert!(refused.contains("`[record] unwrap`"), "{refused}");
}

#[test]
fn a_message_may_nest_as_deep_as_it_likes() {
    let deep = format!("{{\"a\":{}", "[".repeat(1 << 20));
    let message = json!({"messageType": "DATA_MESSAGE", "logGroup": "g", "logStream": "s", "logEvents": [{"id": "1", "timestamp": 1, "message": deep}, {"id": "2", "timestamp": 1, "message": "{\"cookie\":\"[[\"}"}]});
    let spec = "[record]\nformat = \"json\"\nunwrap = [\"cloudwatch_logs\", \"eventbridge\", \"sns\", \"firelens\"]\n";
    let catalog = catalog(spec, None, None, ParserSettings::default()).unwrap();
    let made = records(&catalog, KEY, message.to_string().as_bytes());
    assert!(matches!(made[0].outcome, Outcome::Raw { .. }));
    assert!(matches!(made[1].outcome, Outcome::Document(_)));
}
