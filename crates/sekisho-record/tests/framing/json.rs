//! JSON in every layout, whole and broken.

use crate::support::{Steps, check, json, render};

#[test]
fn values_one_after_the_other() {
    let framing = json(&[]);
    check(&framing, b"", &[]);
    check(&framing, b" \n\r\n\t", &[]);
    check(&framing, b"{}", &["{}"]);
    check(
        &framing,
        br#"{"a":1}{"b":2}"#,
        &[r#"{\"a\":1}"#, r#"{\"b\":2}"#],
    );
    check(&framing, b"{}\n{}\r\n\n{}\n", &["{}", "{}", "{}"]);
    check(&framing, b"{}, {},{}", &["{}", "{}", "{}"]);
    check(
        &framing,
        b"{\n  \"a\": [\n    1\n  ]\n}\n{\n}\n",
        &[r#"{\n  \"a\": [\n    1\n  ]\n}"#, r"{\n}"],
    );
    check(
        &framing,
        br#"1 -2.5e3 true "x" null"#,
        &["1", "-2.5e3", "true", r#"\"x\""#, "null"],
    );
}

#[test]
fn elements_of_an_array_that_stands_alone() {
    let framing = json(&["Records"]);
    check(&framing, b"[]", &[]);
    check(
        &framing,
        br#"[{"a":1}, 2,[3],"x"]"#,
        &[r#"{\"a\":1}"#, "2", "[3]", r#"\"x\""#],
    );
    check(&framing, b"[\n  {},\n  {}\n]\n[{}]", &["{}", "{}", "{}"]);
}

#[test]
fn elements_of_the_array_under_a_key() {
    let framing = json(&["Records"]);
    check(&framing, br#"{"Records":[]}"#, &[]);
    check(
        &framing,
        br#"{"Records":[{"a":1},{"b":[{}]}]}"#,
        &[r#"{\"a\":1}"#, r#"{\"b\":[{}]}"#],
    );
    check(
        &framing,
        br#"{"x":{"Records":[1]},"y":"Records","Records" : [ {} , 5 ] ,"z":[{}]}"#,
        &["{}", "5"],
    );
    check(
        &framing,
        br#"{"Records":[1]}{"Records":[2]}{"a":[3]}"#,
        &["1", "2", r#"{\"a\":[3]}"#],
    );
    check(&framing, br#"{"Records":[1],"Records":[2]}"#, &["1", "2"]);
    check(
        &framing,
        br#"{"Records":{"a":1}}"#,
        &[r#"{\"Records\":{\"a\":1}}"#],
    );
    check(&framing, br#"{"records":[1]}"#, &[r#"{\"records\":[1]}"#]);
    check(&framing, br#"{"Records":null}"#, &[r#"{\"Records\":null}"#]);
    let deeper = json(&["detail", "records"]);
    check(
        &deeper,
        br#"{"records":[0],"detail":{"x":{"records":[0]},"records":[1,2]},"detail":3}"#,
        &["1", "2"],
    );
    check(
        &deeper,
        br#"{"detail":{"a":1},"records":[0]}"#,
        &[r#"{\"detail\":{\"a\":1},\"records\":[0]}"#],
    );
}

#[test]
fn a_byte_order_mark_is_skipped_where_a_file_begins() {
    let framing = json(&["Records"]);
    check(
        &framing,
        b"\xEF\xBB\xBF{\"Records\":[1]}\n\xEF\xBB\xBF{\"Records\":[2]}",
        &["1", "2"],
    );
    check(&framing, b"\xEF\xBB\xBF", &[]);
    check(&framing, b"\xEF\xBB", &[r"!NotJson \xef\xbb"]);
}

#[test]
fn any_bytes_may_stand_in_strings() {
    let framing = json(&[]);
    check(
        &framing,
        b"{\"a\":\"caf\xE9 \x00 \\ud800 \\\" \\\\\"}{}",
        &[r#"{\"a\":\"caf\xe9 \x00 \\ud800 \\\" \\\\\"}"#, "{}"],
    );
}

#[test]
fn an_unclosed_quote_costs_one_record() {
    let framing = json(&["Records"]);
    check(
        &framing,
        b"{\"a\":\"x}\n{\"b\":1}\n{\"c\":2}\n",
        &[r#"!NotJson {\"a\":\"x}"#, r#"{\"b\":1}"#, r#"{\"c\":2}"#],
    );
    check(
        &framing,
        br#"{"Records":[{"a":"x},{"b":1},{"c":"y}, {"d":2}]}"#,
        &[
            r#"!NotJson {\"a\":\"x}"#,
            r#"{\"b\":1}"#,
            r#"!NotJson {\"c\":\"y}"#,
            r#"{\"d\":2}"#,
        ],
    );
    check(
        &framing,
        b"{\"Records\":[{\"a\":1},{\"b\":\"x}]}\n{\"Records\":[{\"c\":1}]}",
        &[r#"{\"a\":1}"#, r#"!NotJson {\"b\":\"x}]}"#, r#"{\"c\":1}"#],
    );
    check(
        &framing,
        b"{\"Records\":[\n{\"a\":\"x},\n{\"b\":1}\n]}",
        &[r#"!NotJson {\"a\":\"x}"#, r#"{\"b\":1}"#],
    );
    check(
        &framing,
        br#"{"a":"x}{"b":1}"#,
        &[r#"!NotJson {\"a\":\"x}"#, r#"{\"b\":1}"#],
    );
}

#[test]
fn a_line_break_in_a_string_costs_one_record() {
    let framing = json(&["Records"]);
    check(
        &framing,
        b"{\"Records\":[{\"m\":\"x\ny\",\"n\":1},{\"b\":1}]}",
        &[r#"!NotJson {\"m\":\"x\ny\",\"n\":1}"#, r#"{\"b\":1}"#],
    );
    check(&framing, b"\"x\n\"y\"\n", &[r#"!NotJson \"x"#, r#"\"y\""#]);
    check(&framing, b"{\"Records\": [\n  {\n    \"a\": \"x,\n    \"r\": [\n      {\n      }\n    ]\n  },\n  {}\n]}", &[
        r#"!NotJson {\n    \"a\": \"x,\n    \"r\": [\n      {\n      }\n    ]\n  }"#,
        "{}",
    ]);
}

#[test]
fn an_unclosed_bracket_costs_one_record() {
    let framing = json(&["Records"]);
    check(
        &framing,
        b"{\"a\":{\"b\":1}\n{\"c\":2}",
        &[r#"!NotJson {\"a\":{\"b\":1}"#, r#"{\"c\":2}"#],
    );
    check(
        &framing,
        br#"[{"a":[1},{"b":2}]"#,
        &[r#"!NotJson {\"a\":[1}"#, r#"{\"b\":2}"#],
    );
    check(
        &framing,
        br#"[{"a":{"x":1},{"b":2},{"c":3}]"#,
        &[
            r#"!NotJson {\"a\":{\"x\":1}"#,
            r#"{\"b\":2}"#,
            r#"{\"c\":3}"#,
        ],
    );
    check(
        &framing,
        br#"[{"a":1}},{"b":2}]"#,
        &[r#"{\"a\":1}"#, "!NotJson }", r#"{\"b\":2}"#],
    );
    check(
        &framing,
        br#"[{"a" 1},{"b":2}]"#,
        &[r#"!NotJson {\"a\" 1}"#, r#"{\"b\":2}"#],
    );
}

#[test]
fn an_array_that_nobody_closed_ends_where_a_new_object_begins() {
    check(
        &json(&["Records"]),
        b"{\"Records\":[{\"a\":1}\n{\"Records\":[{\"c\":1}]}",
        &[r#"{\"a\":1}"#, "!NotJson ", r#"{\"c\":1}"#],
    );
}

#[test]
fn garbage_between_values_is_a_fault_of_its_own() {
    let framing = json(&["Records"]);
    check(
        &framing,
        b"hello world\n{\"a\":1}\nbye {\"b\":1} 01\n",
        &[
            "!NotJson hello world",
            r#"{\"a\":1}"#,
            "!NotJson bye",
            r#"{\"b\":1}"#,
            "!NotJson 01",
        ],
    );
    check(
        &framing,
        br#"{"Records":[{},oops,{}] junk}{}"#,
        &["{}", "!NotJson oops", "{}", "!NotJson  junk}", "{}"],
    );
}

#[test]
fn the_end_inside_a_record_is_a_fault() {
    let framing = json(&["Records"]);
    check(
        &framing,
        br#"{"Records":[{"a":1},{"b":"#,
        &[r#"{\"a\":1}"#, r#"!Truncated {\"b\":"#],
    );
    check(
        &framing,
        br#"{"Records":[{"a":1},"#,
        &[r#"{\"a\":1}"#, "!Truncated "],
    );
    check(
        &framing,
        br#"{"Records":[{"a":1}]"#,
        &[r#"{\"a\":1}"#, "!Truncated "],
    );
    check(&framing, br#"{"Rec"#, &[r#"!Truncated {\"Rec"#]);
}

#[test]
fn a_read_error_comes_after_every_record() {
    let steps = |bytes| Steps {
        bytes,
        steps: vec![],
        error: Some("gone"),
    };
    let framing = json(&["Records"]);
    assert_eq!(
        render(steps(br#"{"Records":[{},{},"#), &framing),
        ["12 {}", "15 {}", "18 read error: gone"]
    );
    let frames = render(steps(br#"{"Records":[{},{"a"#), &framing);
    assert_eq!(frames[0], "12 {}");
    assert!(frames[1].starts_with("15 !Truncated"), "{frames:?}");
    assert_eq!(frames[2..], ["18 read error: gone"]);
}
