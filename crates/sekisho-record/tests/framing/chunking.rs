//! Properties: the chunking of the bytes changes nothing, and valid JSON is framed as serde_json reads it.

use proptest::collection::vec;
use proptest::prelude::*;
use sekisho_record::{Encoding, Format, Framing};
use serde_json::value::RawValue;

use crate::support::{Steps, csv, delimited, framing, json, json_any, multiline, render, w3c};

/// Pieces that make valid, nearly valid and broken input when put together.
const PIECES: &[&str] = &[
    r#"{"a":1}"#,
    r#"{"b":{"c":[{"d":"x"}]}}"#,
    r#"{"Records":["#,
    "]}",
    "},{",
    "\"",
    "\\",
    "\n",
    "\r\n",
    ",",
    " ",
    "[",
    "]",
    "{",
    "}",
    ":",
    "  ",
    "\"a\":",
    ",\"",
    "\",",
    "\"\"",
    "\"\n",
    ",\"x\ny\"",
    "\"version\",action\n",
    "\"k\":{",
    "x",
    "1",
    "true",
    "5 1 OK\n",
    "#Fields: a b\n",
    "#",
    "version account-id action\n",
    "\u{feff}",
    "\0",
    "\n  {",
    "\n    ",
    "},\n{",
    "\"x},",
    "{\"m\":\"\\\"\n\"}",
    "\"Records\":",
    "é",
];

/// Some pieces are longer than what a framer may look back over.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        40 => proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => (proptest::sample::select(&[" ", "x", "\n", "{", "}", "},{", "[", "\"a\",", ",", "\t"][..]), 1..1500_usize)
            .prop_map(|(piece, times)| piece.repeat(times).into_bytes()),
        1 => vec(any::<u8>(), 1..4),
    ]
}

fn any_framing() -> impl Strategy<Value = Framing> {
    let format = prop_oneof![
        6 => Just(json(&["Records"])),
        1 => Just(json(&["k", "Records"])),
        1 => Just(json_any(&[&["b", "c"], &["k", "a"], &["Records"]])),
        1 => Just(framing(Format::CloudwatchLogs)),
        1 => Just(framing(Format::Ndjson)),
        1 => Just(framing(Format::Lines)),
        1 => Just(multiline("^(x|5| )")),
        1 => Just(delimited(&["version"])),
        1 => Just(w3c(&["version"])),
        1 => Just(delimited(&[])),
        2 => Just(csv(&["version"])),
        2 => Just(framing(Format::Csv { separator: b',' })),
    ];
    let max_record_bytes = prop_oneof![1..60_usize, 500..2000_usize, Just(1 << 20)];
    (format, max_record_bytes, 1..6_usize, any::<bool>()).prop_map(
        |(mut framing, max_record_bytes, max_depth, wide)| {
            if wide && framing.format == Format::Lines {
                framing.encoding = Encoding::Utf16Le;
            }
            framing.max_record_bytes = max_record_bytes;
            framing.max_depth = max_depth;
            framing
        },
    )
}

fn json_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[a-z{}\\[\\],:\"\\\\\n é]{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::hash_map("[a-zR]{0,7}|Records", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunking_gives_the_same_frames(
        pieces in vec(piece(), 0..40),
        steps in vec(1..90_usize, 0..40),
        framing in any_framing(),
        torn in any::<bool>(),
    ) {
        let bytes = pieces.concat();
        let error = torn.then_some("gone");
        let whole = render(Steps { bytes: &bytes, steps: vec![], error }, &framing);
        prop_assert_eq!(&render(Steps { bytes: &bytes, steps, error }, &framing), &whole);
        prop_assert_eq!(&render(Steps { bytes: &bytes, steps: vec![1], error }, &framing), &whole);
    }

    #[test]
    fn valid_json_is_framed_as_serde_json_reads_it(
        values in vec((json_value(), any::<bool>(), proptest::sample::select(&[" ", "\n", "\r\n\t"][..])), 0..6),
    ) {
        let mut text = String::new();
        for (value, pretty, separator) in values {
            text += &if pretty { format!("{value:#}") } else { value.to_string() };
            text += separator;
        }
        let mut expected = Vec::new();
        for value in serde_json::Deserializer::from_str(&text).into_iter::<&RawValue>() {
            let value = value.unwrap().get();
            match serde_json::from_str::<Vec<&RawValue>>(value) {
                Ok(elements) => expected.extend(elements.iter().map(|element| located(&text, element.get()))),
                Err(_) => expected.push(located(&text, value)),
            }
        }
        prop_assert_eq!(render(text.as_bytes(), &json(&["not a key"])), expected);
    }

    #[test]
    fn the_elements_of_the_array_are_the_records(
        before in json_value(), elements in vec(json_value(), 0..5), after in json_value(), pretty in any::<bool>(),
    ) {
        let object = serde_json::json!({"a": before, "b": elements, "c": after});
        let text = if pretty { format!("{object:#}") } else { object.to_string() };
        let envelope: std::collections::BTreeMap<&str, &RawValue> = serde_json::from_str(&text).unwrap();
        let elements: Vec<&RawValue> = serde_json::from_str(envelope["b"].get()).unwrap();
        let expected: Vec<String> = elements.iter().map(|element| located(&text, element.get())).collect();
        prop_assert_eq!(render(text.as_bytes(), &json(&["b"])), expected);
    }
}

/// Renders a slice of `text` as a record.
fn located(text: &str, slice: &str) -> String {
    let offset = slice.as_ptr() as usize - text.as_ptr() as usize;
    format!("{offset} {}", slice.as_bytes().escape_ascii())
}
