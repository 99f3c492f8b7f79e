//! The engine as a whole: small parsers, one record at a time.

mod csv;
mod documents;
mod encodings;
mod envelopes;
mod objects;
mod or_json;
mod outcomes;
mod refusals;
mod rules;
mod times;
mod tokens;
mod web;

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
