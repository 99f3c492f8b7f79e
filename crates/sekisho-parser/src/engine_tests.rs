//! The engine as a whole: small parsers, one record at a time.

use crate::{Catalog, KeepOriginal, ObjectContext, Outcome, ParserFiles, ParserSettings};
use sekisho_record::{Frame, Framing, Record, RecordReader};
use serde_json::{Value, json};

const HEAD: &str = r#"
[source]
dataset = "aws.test"
title = "Test"
reference = "https://example.com"
index = "log-aws-test"
[match]
keys = ["**"]
capture = 'AWSLogs/(?<account>\d{12})/'
"#;

const KEY: &str = "AWSLogs/111122223333/test/2026/11/23/x.json";

struct Made {
    outcome: Outcome,
    document: Value,
}

fn catalog(
    spec: &str,
    script: Option<&str>,
    table: Option<&str>,
    settings: ParserSettings,
) -> Result<Catalog, String> {
    let mut files = ParserFiles {
        folder: "aws/test".into(),
        spec: format!("{HEAD}{spec}"),
        script: script.map(str::to_owned),
        ..ParserFiles::default()
    };
    if let Some(table) = table {
        files.tables.insert("table.csv".into(), table.into());
    }
    let catalog = Catalog::from_files(vec![files], settings).map_err(|error| error.to_string())?;
    catalog.mappings().map_err(|error| error.to_string())?;
    Ok(catalog)
}

fn context(key: &str) -> ObjectContext {
    ObjectContext {
        bucket: "b".into(),
        key: key.into(),
        entry: None,
        etag: Some("e".into()),
        last_modified: "2026-12-24T00:00:00Z".parse().unwrap(),
    }
}

fn records(catalog: &Catalog, key: &str, text: &[u8]) -> Vec<Made> {
    let mut plan = catalog.plan(context(key), text).unwrap();
    let framing: Framing = plan.framing().clone();
    let mut reader = RecordReader::new(text, framing);
    let mut made = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        if matches!(frame, Frame::Skipped(_)) {
            continue;
        }
        let mut body = Vec::new();
        let outcome = plan.parse(&frame, &mut body);
        let document = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body)
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)))
        };
        if let Outcome::Document(head) | Outcome::Raw { head, .. } = &outcome {
            check_splice(&body, head.ingested_at);
        }
        made.push(Made { outcome, document });
    }
    made
}

/// The place for `event.ingested` must give a document again.
fn check_splice(body: &[u8], at: usize) {
    let mut spliced = body[..at].to_vec();
    spliced.extend_from_slice(br#","ingested":"2026-11-23T00:00:00.000Z""#);
    spliced.extend_from_slice(&body[at..]);
    let document: Value = serde_json::from_slice(&spliced).unwrap();
    assert_eq!(document["event"]["ingested"], "2026-11-23T00:00:00.000Z");
}

fn json_spec(rest: &str) -> String {
    format!("[record]\nformat = \"json\"\nrecords = \"Records\"\n{rest}")
}

fn one(spec: &str, record: &Value) -> Made {
    one_of(
        &catalog(&json_spec(spec), None, None, ParserSettings::default()).unwrap(),
        record,
    )
}

fn one_of(catalog: &Catalog, record: &Value) -> Made {
    records(catalog, KEY, record.to_string().as_bytes()).remove(0)
}

fn refused(spec: &str) -> String {
    catalog(&json_spec(spec), None, None, ParserSettings::default()).unwrap_err()
}

#[test]
fn writes_the_facts_that_every_document_has() {
    let made = one(
        "[timestamp]\nfrom = \"t\"\n",
        &json!({"t": "2026-11-22T23:00:00+09:00"}),
    );
    let expected = json!({
        "@timestamp": "2026-11-22T14:00:00Z",
        "ecs": {"version": "9.4.0"},
        "event": {"created": "2026-12-24T00:00:00Z", "dataset": "aws.test", "kind": "event", "module": "aws"},
        "log": {"file": {"path": format!("s3://b/{KEY}")}},
        "sekisho": {"etag": "e", "offset": 0, "parser": "aws.test@0.1.0"},
    });
    assert_eq!(made.document, expected);
    let Outcome::Document(head) = made.outcome else {
        panic!()
    };
    assert_eq!(&*head.index, "log-aws-test-2026.11.22");
}

#[test]
fn keeps_every_field_of_the_source_somewhere() {
    let spec = "[types]\n\"kind\" = \"keyword\"\n\"n\" = \"long\"\n\"open\" = \"flat_object\"\n\"a.b\" = \"ip\"\n[fields]\n\"event.action\" = \"name\"\n\"source.ip\" = \"address\"\n";
    let record = json!({"kind": "k", "n": "12", "open": {"x": 1}, "a": {"b": "192.0.2.1", "c": 2}, "name": "Act", "address": "nonsense", "extra": [1], "empty": "", "null": null});
    let document = one(spec, &record).document;
    assert_eq!(
        document["aws"]["test"],
        json!({"kind": "k", "n": 12, "open": {"x": 1}, "a": {"b": "192.0.2.1"}, "other": {"a": {"c": 2}, "address": "nonsense", "extra": [1], "empty": ""}})
    );
    assert_eq!(document["event"]["action"], "Act");
    assert_eq!(document["source"], Value::Null);
    assert_eq!(document["related"]["ip"], json!(["192.0.2.1"]));
}

#[test]
fn turns_pairs_into_a_map_once() {
    let spec = "[fields]\n\"aws.test.headers\" = { from = \"h.list\", map_by = [\"name\", \"value\"], as = \"flat_object\" }\n\"url.domain\" = \"h.list[name=host].value\"\n";
    let pairs = json!({"h": {"list": [{"name": "Host", "value": "a.example.com"}, {"name": "X", "value": "1"}, {"name": "x", "value": "2"}], "none": [], "empty": {}}});
    let document = one(spec, &pairs).document;
    assert_eq!(
        document["aws"]["test"],
        json!({"headers": {"host": "a.example.com", "x": ["1", "2"]}})
    );
    assert_eq!(document["url"]["domain"], "a.example.com");
    let more = json!({"h": {"list": [{"name": "a", "value": "b", "more": 1}]}});
    assert_eq!(
        one(spec, &more).document["aws"]["test"],
        json!({"headers": {"a": "b"}, "other": {"h.list": [{"name": "a", "value": "b", "more": 1}]}})
    );
}

#[test]
fn puts_another_shape_than_declared_into_other() {
    let spec = "[types]\n\"k\" = \"keyword\"\n\"open\" = \"flat_object\"\n\"a.b\" = \"keyword\"\n\"n\" = \"long\"\n";
    let document = one(
        spec,
        &json!({"k": {"x": 1}, "open": "text", "a": "text", "n": 1.5}),
    )
    .document;
    assert_eq!(
        document["aws"]["test"],
        json!({"other": {"k": {"x": 1}, "open": "text", "a": "text", "n": 1.5}})
    );
}

#[test]
fn takes_the_first_usable_source_and_applies_steps() {
    let spec = r#"[fields]
"user.name" = ["a", "b"]
"http.version" = { from = "v", strip_prefix = "HTTP/" }
"event.duration" = { from = "s", multiply = 1000000 }
"rule.name" = { from = "arn", after_last = "/" }
"network.transport" = { from = "p", map = { "6" = "tcp" } }
"url.path" = { from = "u", url_decode = true }
"source.ip" = { from = "ip", as = "ip", else = "source.address" }
"host.ip" = { all = ["l[].ip", "ip2"] }
"aws.test.mail" = { from = "who", extract = '[^/]+@[^/]+', as = "keyword" }
"cloud.account.id" = "@key.account"
"#;
    let record = json!({"a": "-", "b": "x", "v": "HTTP/1.1", "s": 2, "arn": "a/b/c", "p": 6, "u": "/a%20b", "ip": "svc.example.com", "l": [{"ip": "192.0.2.1"}, {"ip": "192.0.2.1"}], "ip2": "2001:db8::1", "who": "role/me@example.com"});
    let document = one(spec, &record).document;
    assert_eq!(document["user"]["name"], "x");
    assert_eq!(document["http"]["version"], "1.1");
    assert_eq!(document["event"]["duration"], 2_000_000);
    assert_eq!(document["rule"]["name"], "c");
    assert_eq!(document["network"]["transport"], "tcp");
    assert_eq!(document["url"]["path"], "/a b");
    assert_eq!(document["source"], json!({"address": "svc.example.com"}));
    assert_eq!(document["host"]["ip"], json!(["192.0.2.1", "2001:db8::1"]));
    assert_eq!(document["aws"]["test"]["mail"], "me@example.com");
    assert_eq!(document["cloud"]["account"]["id"], "111122223333");
    assert_eq!(
        document["related"],
        json!({"ip": ["192.0.2.1", "2001:db8::1"], "user": ["x"]})
    );
}

#[test]
fn decides_by_conditions_and_tables() {
    let spec = r#"[constants]
"event.category" = ["web"]
[[when]]
field = "error"
exists = true
set = { "event.outcome" = "failure", "error.code" = { from = "error" } }
otherwise = { "event.outcome" = "success" }
[[when]]
any = [{ field = "n", greater_than = 400 }, { field = "name", starts_with = "del", ignore_case = true }]
append = { "event.category" = "iam", "related.user" = { from = "who" } }
[lookup.types]
from = ["name", "ro"]
table = "table.csv"
[[exclude]]
name = "health"
when = [{ field = "agent", contains = "health" }]
reason = "health checks"
"#;
    let table = "name,ro,event.type\nDeleteUser,*,user|deletion\nGet*,true,access\n*,*,info\n";
    let catalog = catalog(
        &json_spec(spec),
        None,
        Some(table),
        ParserSettings::default(),
    )
    .unwrap();
    let delete = one_of(
        &catalog,
        &json!({"name": "DeleteUser", "error": "Denied", "who": "w"}),
    )
    .document;
    assert_eq!(delete["event"]["outcome"], "failure");
    assert_eq!(delete["event"]["category"], json!(["web", "iam"]));
    assert_eq!(delete["event"]["type"], json!(["user", "deletion"]));
    assert_eq!(delete["related"]["user"], json!(["w"]));
    let get = one_of(&catalog, &json!({"name": "GetUser", "ro": true, "n": 5})).document;
    assert_eq!(get["event"]["outcome"], "success");
    assert_eq!(get["event"]["type"], json!(["access"]));
    assert_eq!(get["event"]["category"], json!(["web"]));
    assert_eq!(
        one_of(&catalog, &json!({"agent": "a health check"})).outcome,
        Outcome::Excluded {
            rule: "health".into()
        }
    );
}

#[test]
fn runs_a_script_over_document_and_record() {
    let script = r#"
.user.name = upcase(string!(.user.name))
.event.type = ["info", string!(%deep.value)]
.aws.test.n = 7
"#;
    let spec = "[fields]\n\"user.name\" = \"who\"\n\"aws.test.n\" = { from = \"nothing\", as = \"long\" }\n";
    let with = |spec: &str| {
        catalog(
            &json_spec(spec),
            Some(script),
            None,
            ParserSettings::default(),
        )
        .unwrap()
    };
    let document = one_of(
        &with(spec),
        &json!({"who": "me", "deep": {"value": "start", "more": 1}}),
    )
    .document;
    assert_eq!(document["user"]["name"], "ME");
    assert_eq!(document["event"]["type"], json!(["info", "start"]));
    assert_eq!(document["aws"]["test"]["n"], 7);
    assert_eq!(document["related"]["user"], json!(["ME"]));
    let failed = one_of(&with(spec), &json!({"deep": {"value": "start"}}));
    assert!(
        matches!(&failed.outcome, Outcome::Raw { reason, .. } if reason.contains("transform.vrl"))
    );
    let gated = format!("{spec}[[when]]\nfield = \"go\"\nexists = true\ntransform = true\n");
    assert_eq!(
        one_of(&with(&gated), &json!({"who": "me"})).document["user"]["name"],
        "me"
    );
    assert_eq!(
        one_of(
            &with(&gated),
            &json!({"who": "me", "go": 1, "deep": {"value": "end"}})
        )
        .document["user"]["name"],
        "ME"
    );
}

#[test]
fn refuses_scripts_that_reach_too_far() {
    let refused = |script: &str| {
        catalog(
            &json_spec(""),
            Some(script),
            None,
            ParserSettings::default(),
        )
        .unwrap_err()
    };
    assert!(refused(". = {}").contains("whole document"));
    assert!(refused(".user.nam = \"x\"").contains("user.name"));
    assert!(
        refused("%x = 1").contains("read-only"),
        "{}",
        refused("%x = 1")
    );
    assert!(refused(".user.name = upcase(%x)").contains("aws/test/transform.vrl"));
}

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

#[test]
fn says_what_is_wrong_with_a_parser() {
    let check = |spec: &str, part: &str| {
        let error = refused(spec);
        assert!(error.contains(part), "{error}");
        assert!(error.starts_with("aws/test/parser.toml:"), "{error}");
    };
    check(
        "[fields]\n\"source.ipp\" = \"a\"\n",
        "did you mean `source.ip`",
    );
    check(
        "[fields]\n\"aws.test.x\" = \"a\"\n",
        "say its type with `as`",
    );
    check(
        "[fields]\n\"event.ingested\" = \"a\"\n",
        "written by the engine",
    );
    check("[fields]\n\"user.name\" = \"a[\"\n", "no source path");
    check(
        "[fields]\n\"user.name\" = \"@key.nothing\"\n",
        "no group `nothing`",
    );
    check(
        "[fields]\n\"user.name\" = \".user.id\"\n",
        "nothing sets `user.id`",
    );
    check(
        "[constants]\n\"event.kind\" = \"evnt\"\n",
        "ECS does not allow `evnt`",
    );
    check(
        "[constants]\n\"network.bytes\" = \"many\"\n",
        "which this value is not",
    );
    check(
        "[types]\n\"a\" = \"keyword\"\n\"a.b\" = \"keyword\"\n",
        "declared already",
    );
    check("[types]\n\"a\" = \"string\"\n", "unknown type `string`");
    check(
        "[types]\n\"a\" = \"flat_object\"\n[fields]\n\"aws.test.a.b\" = { from = \"x\", as = \"keyword\" }\n",
        "lies inside",
    );
    check(
        "[[when]]\nfield = \"a\"\nset = { \"event.kind\" = \"alert\" }\n",
        "tests nothing",
    );
    check(
        "[lookup.x]\nfrom = \"a\"\ntable = \"no.csv\"\n",
        "no table `no.csv`",
    );
    check(
        "[timestamp]\nfrom = \"a\"\nformats = [\"iso\"]\n",
        "unknown time format `iso`",
    );
}

#[test]
fn names_both_patterns_of_a_tie() {
    let files = |dataset: &str, key: &str| ParserFiles {
        folder: dataset.replace('.', "/"),
        spec: HEAD
            .replace("aws.test", dataset)
            .replace("\"**\"", &format!("\"{key}\""))
            + "[record]\nformat = \"json\"\n",
        ..ParserFiles::default()
    };
    let tie = Catalog::from_files(
        vec![files("aws.a", "**/abc/*"), files("aws.b", "**/xyz/*")],
        ParserSettings::default(),
    );
    assert!(tie.is_ok());
    let tie = Catalog::from_files(
        vec![files("aws.a", "**/*abc*"), files("aws.b", "**/*xyz*")],
        ParserSettings::default(),
    )
    .unwrap_err()
    .to_string();
    assert!(
        tie.contains("`**/*abc*` (aws.a)") && tie.contains("`**/*xyz*` (aws.b)"),
        "{tie}"
    );
}
