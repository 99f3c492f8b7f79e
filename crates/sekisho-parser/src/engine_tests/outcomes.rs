//! Raw documents, identity, days, columns, hostile bytes and what nobody claims.

use super::*;

#[test]
fn makes_raw_documents_of_what_it_cannot_read() {
    let catalog = catalog(
        &json_spec("require = [\"name\"]\n"),
        None,
        None,
        ParserSettings::default(),
    )
    .unwrap();
    let made = records(
        &catalog,
        KEY,
        "{\"name\":1}\n{\"other\":\"from 192.0.2.7\"}\n{\"name\":tru}\n[1]\n{\"name\":2".as_bytes(),
    );
    let outcomes: Vec<_> = made
        .iter()
        .map(|made| matches!(made.outcome, Outcome::Raw { .. }))
        .collect();
    assert_eq!(outcomes, [false, true, true, true, true]);
    let raw = &made[1].document;
    assert_eq!(raw["event"]["kind"], "pipeline_error");
    assert_eq!(raw["event"]["original"], "{\"other\":\"from 192.0.2.7\"}");
    assert_eq!(raw["message"], raw["event"]["original"]);
    assert_eq!(raw["related"]["ip"], json!(["192.0.2.7"]));
    assert_eq!(
        raw["error"]["message"],
        "the record has no `name`, so it is no record of aws.test"
    );
    assert_eq!(raw["@timestamp"], "2026-11-23T00:00:00Z");
    assert_eq!(raw["sekisho"]["timestamp"], "object");
}

#[test]
fn keeps_the_original_where_a_value_was_cut_or_always() {
    let long = "x".repeat(40_000);
    let cut = one("", &json!({"a": long})).document;
    assert_eq!(cut["sekisho"]["truncated"], true);
    assert_eq!(cut["event"]["original"], json!({"a": long}).to_string());
    let settings = ParserSettings {
        keep_original: KeepOriginal::Always,
        ..ParserSettings::default()
    };
    let catalog = catalog(&json_spec(""), None, None, settings).unwrap();
    assert_eq!(
        one_of(&catalog, &json!({"a": 1})).document["event"]["original"],
        "{\"a\":1}"
    );
}

#[test]
fn takes_ids_from_content_where_a_record_is_unique() {
    let catalog = catalog(
        &json_spec("unique_by = [\"id\"]\n"),
        None,
        None,
        ParserSettings::default(),
    )
    .unwrap();
    let ids = |key: &str, text: &str| -> Vec<String> {
        let made = records(&catalog, key, text.as_bytes());
        made.iter()
            .map(|made| {
                if let Outcome::Document(head) = &made.outcome {
                    head.id.to_string()
                } else {
                    panic!()
                }
            })
            .collect()
    };
    let first = ids(KEY, "{\"id\":\"1\"}{\"id\":\"\"}{\"id\":\"\"}");
    let second = ids("elsewhere", "{\"id\":\"1\"}");
    assert_eq!(first[0], second[0]);
    assert_ne!(first[1], first[2]);
}

#[test]
fn files_records_without_a_usable_day_under_the_object() {
    let catalog = catalog(
        &json_spec("[timestamp]\nfrom = \"t\"\nformats = [\"rfc3339\", \"epoch\"]\n"),
        None,
        None,
        ParserSettings::default(),
    )
    .unwrap();
    let index = |record: &Value| match one_of(&catalog, record) {
        Made {
            outcome: Outcome::Document(head),
            document,
        } => (
            head.index.to_string(),
            document["@timestamp"].clone(),
            document["sekisho"]["day"].clone(),
        ),
        _ => panic!(),
    };
    assert_eq!(
        index(&json!({"t": "9999-12-31T00:00:00Z"})),
        (
            "log-aws-test-2026.11.23".into(),
            json!("9999-12-31T00:00:00Z"),
            json!("object")
        )
    );
    assert_eq!(
        index(&json!({"t": "soon"})),
        (
            "log-aws-test-2026.11.23".into(),
            json!("2026-11-23T00:00:00Z"),
            json!("object")
        )
    );
    assert_eq!(
        index(&json!({"t": 1_795_428_900_000_i64})),
        (
            "log-aws-test-2026.11.23".into(),
            json!("2026-11-23T10:15:00Z"),
            Value::Null
        )
    );
    let made = one_of(&catalog, &json!({"t": "soon"}));
    assert_eq!(made.document["aws"]["test"]["other"]["t"], "soon");
}

#[test]
fn reads_columns_by_the_header_and_keeps_what_is_too_much() {
    let spec = "[record]\nformat = \"delimited\"\ncolumns = [\"a\", \"b\", \"n\"]\n[types]\n\"n\" = \"long\"\n[fields]\n\"event.action\" = \"a\"\n";
    let catalog = catalog(spec, None, None, ParserSettings::default()).unwrap();
    let made = records(&catalog, KEY, b"a n new b\nx 1 2 -\ny 2 3 4 5\nz 1\n");
    assert_eq!(made.len(), 3);
    assert_eq!(
        made[0].document["aws"]["test"],
        json!({"n": 1, "other": {"new": "2"}})
    );
    assert_eq!(
        made[1].document["aws"]["test"],
        json!({"n": 2, "other": {"new": "3", "b": "4", "column_5": "5"}})
    );
    assert!(
        matches!(&made[2].outcome, Outcome::Raw { reason, .. } if reason.contains("2 columns where the header names 4"))
    );
}

#[test]
fn keeps_both_of_two_columns_of_one_name() {
    let spec =
        "[record]\nformat = \"delimited\"\ncolumns = [\"a\", \"n\"]\n[types]\n\"n\" = \"long\"\n";
    let catalog = catalog(spec, None, None, ParserSettings::default()).unwrap();
    let made = records(&catalog, KEY, b"a n n x x x\n1 2 3 4 5 6\n");
    assert_eq!(
        made[0].document["aws"]["test"],
        json!({"n": 2, "other": {"a": "1", "n~2": "3", "x": "4", "x~2": "5", "x~3": "6"}})
    );
}

#[test]
fn keeps_what_is_hostile() {
    let spec = "[types]\n\"k\" = \"keyword\"\n";
    let catalog = catalog(&json_spec(spec), None, None, ParserSettings::default()).unwrap();
    let texts: [&[u8]; 6] = [
        br#"{"k":"a","k":"b","x":{"y":1,"y":2}}"#,
        br#"{"k":"\ud800","":1,"..":2}"#,
        b"{\"k\":\"\xff\xfe\"}",
        b"{\"k\":\"a\0b\"}",
        br#"{"k":1e400,"n":123456789012345678901234567890}"#,
        b"\xef\xbb\xbf{\"k\":\"bom\"}",
    ];
    for text in texts {
        let made = records(&catalog, KEY, text);
        assert_eq!(made.len(), 1, "{}", String::from_utf8_lossy(text));
        assert!(
            matches!(made[0].outcome, Outcome::Document(_)),
            "{}",
            String::from_utf8_lossy(text)
        );
    }
    let twice = records(&catalog, KEY, texts[0]).remove(0).document;
    assert_eq!(
        twice["aws"]["test"],
        json!({"k": "a", "other": {"k": "b", "x": {"y": 1, "y~2": 2}}})
    );
}

#[test]
fn indexes_what_nobody_claims_up_to_a_cap() {
    let files = ParserFiles {
        folder: "aws/test".into(),
        spec: HEAD.replace("\"**\"", "\"x/**\"") + "[record]\nformat = \"json\"\n",
        ..ParserFiles::default()
    };
    let settings = ParserSettings {
        unknown_records: 2,
        ..ParserSettings::default()
    };
    let catalog = Catalog::from_files(vec![files], settings).unwrap();
    let mut plan = catalog.plan(context("y"), b"a line\n").unwrap();
    let mut body = Vec::new();
    assert_eq!(plan.over_cap(), None);
    for n in 0..2 {
        let outcome = plan.parse(
            &Frame::Record(Record {
                offset: n,
                bytes: b"from 192.0.2.1",
                columns: None,
                envelope: None,
            }),
            &mut body,
        );
        assert!(
            matches!(outcome, Outcome::Raw { head, .. } if head.index.starts_with("log-unknown-"))
        );
    }
    assert!(
        plan.over_cap()
            .is_some_and(|reason| reason.starts_with("unknown_lines"))
    );
    assert!(
        catalog
            .plan(context("y"), b"\x7fELF\0\0\0\0")
            .unwrap_err()
            .to_string()
            .starts_with("unknown_binary")
    );
}
