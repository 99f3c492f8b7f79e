//! What stands around the records: CloudWatch Logs subscriptions, and what is kept of any object with an array of records.

use std::io::Read;

use proptest::collection::vec;
use proptest::prelude::*;
use sekisho_record::{Format, Frame, Framing, RecordReader};

use crate::support::{Steps, check, framing, json, json_any};

fn subscription() -> Framing {
    framing(Format::CloudwatchLogs)
}

/// Each record with what stands before its array.
fn envelopes(read: impl Read, framing: &Framing) -> Vec<(String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut reader = RecordReader::new(read, framing.clone());
    let mut found = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        if let Frame::Record(record) = frame {
            found.push((text(record.bytes), record.envelope.as_deref().map(text)));
        }
    }
    found
}

#[track_caller]
fn check_envelopes(framing: &Framing, input: &str, expected: &[(&str, Option<&str>)]) {
    let found = envelopes(input.as_bytes(), framing);
    let found: Vec<_> = found
        .iter()
        .map(|(record, around)| (record.as_str(), around.as_deref()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn keeps_what_stands_before_the_array() {
    check_envelopes(
        &json(&["Records"]),
        r#"{"a":1, "b":[2] ,"Records":[{"r":1},5],"c":3}{"Records":[6]} 7 [8]"#,
        &[
            (r#"{"r":1}"#, Some(r#"{"a":1, "b":[2] }"#)),
            ("5", Some(r#"{"a":1, "b":[2] }"#)),
            ("6", Some("{}")),
            ("7", None),
            ("8", None),
        ],
    );
    check_envelopes(
        &json(&["detail", "findings"]),
        r#"{"account":"111122223333","detail":{"n":1,"findings":[{"f":1}]}}"#,
        &[(
            r#"{"f":1}"#,
            Some(r#"{"account":"111122223333","detail":{"n":1}}"#),
        )],
    );
    check_envelopes(
        &json(&["Records"]),
        r#"{"a":1,"Records":[1],"b":2,"Records":[3]}"#,
        &[("1", Some(r#"{"a":1}"#)), ("3", Some(r#"{"a":1}"#))],
    );
}

#[test]
fn the_array_may_lie_under_several_paths() {
    let framing = json_any(&[
        &["findings"],
        &["Findings"],
        &["detail", "findings"],
        &["detail", "x", "y"],
    ]);
    check_envelopes(
        &framing,
        r#"{"findings":[1]}{"Findings":[2]}{"account":"a","detail":{"n":{"findings":0},"findings":[3]}}{"detail":{"x":{"findings":[7],"y":[4]}}}{"bare":5}"#,
        &[
            ("1", Some("{}")),
            ("2", Some("{}")),
            (
                "3",
                Some(r#"{"account":"a","detail":{"n":{"findings":0}}}"#),
            ),
            ("4", Some(r#"{"detail":{"x":{"findings":[7]}}}"#)),
            (r#"{"bare":5}"#, None),
        ],
    );
}

#[test]
fn a_broken_or_long_envelope_is_not_kept_and_harms_no_record() {
    check_envelopes(
        &json(&["Records"]),
        r#"{"a" 1,"Records":[7]}"#,
        &[("7", None)],
    );
    let long = format!(r#"{{"a":"{}","Records":[7]}}"#, "x".repeat(17 << 10));
    check_envelopes(&json(&["Records"]), &long, &[("7", None)]);
}

#[test]
fn events_of_subscriptions_are_the_records() {
    let data = r#"{"messageType":"DATA_MESSAGE","owner":"111122223333","logEvents":[{"id":"1","message":"a"},{"id":"2","message":"b"}]}"#;
    let control = r#"{"messageType" : "CONTROL_MESSAGE","owner":"CloudwatchLogs","logEvents":[{"id":"","message":"CWL CONTROL MESSAGE: Checking health of destination Firehose."}]}"#;
    let (first, second) = (
        r#"{\"id\":\"1\",\"message\":\"a\"}"#,
        r#"{\"id\":\"2\",\"message\":\"b\"}"#,
    );
    for between in ["", "\n", " \r\n", ","] {
        let input = [data, control, data].join(between);
        check(
            &subscription(),
            input.as_bytes(),
            &[first, second, "-Control", first, second],
        );
    }
    // Behind a control message nothing else is taken for one.
    check(
        &subscription(),
        format!("{control}[1]{{}}").as_bytes(),
        &["-Control", "1", "{}"],
    );
}

#[test]
fn members_behind_the_events_break_nothing() {
    let input = r#"{"logEvents":[{"id":"1"}],"messageType":"CONTROL_MESSAGE"}{"logEvents":[2]}"#;
    check_envelopes(
        &subscription(),
        input,
        &[(r#"{"id":"1"}"#, Some("{}")), ("2", Some("{}"))],
    );
}

#[test]
fn no_value_imitates_a_control_message() {
    for group in [
        r#""\"messageType\":\"CONTROL_MESSAGE\"""#,
        r#"["messageType","CONTROL_MESSAGE"]"#,
    ] {
        let around = format!(r#"{{"logGroup":{group}}}"#);
        let input = format!(r#"{{"logGroup":{group},"logEvents":[1]}}"#);
        check_envelopes(&subscription(), &input, &[("1", Some(&around))]);
    }
}

#[test]
fn a_cut_subscription_is_a_truncated_record() {
    check(
        &subscription(),
        br#"{"messageType":"DATA_MESSAGE","logEvents":[{"id":"1"},{"id":"#,
        &[r#"{\"id\":\"1\"}"#, r#"!Truncated {\"id\":"#],
    );
}

/// Pieces that make whole and broken subscriptions when put together.
const PIECES: &[&str] = &[
    r#"{"messageType":"DATA_MESSAGE","logEvents":["#,
    r#"{"messageType":"CONTROL_MESSAGE","#,
    "\"logEvents\":[",
    "{\"id\":\"1\"},",
    "{\"id\":\"1\"}",
    "]}",
    "\"a\":1,",
    "{",
    "\n",
    "\"",
    "   ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunking_keeps_the_same_envelopes(
        pieces in vec(proptest::sample::select(PIECES), 0..30),
        steps in vec(1..60_usize, 0..30),
        max_record_bytes in prop_oneof![1..80_usize, Just(1 << 20)],
    ) {
        let bytes = pieces.concat().into_bytes();
        let framing = Framing { max_record_bytes, ..subscription() };
        let whole = envelopes(bytes.as_slice(), &framing);
        let stepped = Steps { bytes: &bytes, steps, error: None };
        prop_assert_eq!(&envelopes(stepped, &framing), &whole);
        let single = Steps { bytes: &bytes, steps: vec![1], error: None };
        prop_assert_eq!(&envelopes(single, &framing), &whole);
    }
}
