//! Reads one object as the pipeline does, up to the point where documents would be sent.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use sekisho_event::{ObjectRef, ObjectSlice, Reach};
use sekisho_object::ObjectLimits;
use sekisho_parser::{Catalog, ObjectContext, Outcome, ParserSettings};
use sekisho_pipeline::{ObjectReader, Step};
use serde_json::Value;

pub(crate) const CLOUDTRAIL: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/111122223333_CloudTrail_us-east-1_20261123T1015Z_abc.json.gz";
pub(crate) const VPCFLOW: &str = "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/11/23/111122223333_vpcflowlogs_us-east-1_fl-0123456789abcdef0_20261123T1015Z_abc.log.gz";
pub(crate) const WAF: &str = "AWSLogs/111122223333/WAFLogs/us-east-1/acl/2026/11/23/10/15/111122223333_waflogs_us-east-1_acl_20261123T1015Z_abc.log.gz";
pub(crate) const UNCLAIMED: &str = "app/2026/11/23/app.log";

/// When an object was stored whose LastModified does not matter.
const LAST_MODIFIED: &str = "2026-11-23T10:20:00Z";

/// How one record ended.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ended {
    /// `document`, `raw`, `excluded` or `quarantined`.
    pub(crate) outcome: &'static str,
    /// Why, where it is no plain document.
    pub(crate) reason: String,
    /// `_id`, empty without a document.
    pub(crate) id: String,
    /// `_index`, empty without a document.
    pub(crate) index: String,
    /// The document.
    pub(crate) document: Value,
}

/// How an object ended.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) records: Vec<Ended>,
    pub(crate) skipped: u64,
    /// Why the object's own bytes ended early.
    pub(crate) cut: Option<String>,
}

impl Read {
    pub(crate) fn outcomes(&self) -> Vec<&'static str> {
        self.records.iter().map(|record| record.outcome).collect()
    }
}

/// Limits small enough to reach in a test.
pub(crate) fn limits() -> ObjectLimits {
    ObjectLimits {
        max_compressed_bytes: 1 << 30,
        max_decompressed_bytes: 128 << 20,
        max_ratio: 200,
        max_entries: 1_000,
    }
}

/// Reads an object stored under `key` at `last_modified`.
pub(crate) fn read_at(key: &str, last_modified: &str, bytes: &[u8]) -> Read {
    let slice = ObjectSlice::whole(ObjectRef::new("example-logs", key));
    read_slice(&slice, last_modified, bytes)
}

/// Reads what lies behind an offset by its range, as a continuation does.
pub(crate) fn read_range(key: &str, start: usize, bytes: &[u8]) -> Read {
    let mut slice = ObjectSlice::whole(ObjectRef::new("example-logs", key));
    slice.start = start as u64;
    slice.reach = Reach::Range;
    read_slice(&slice, LAST_MODIFIED, &bytes[start - 1..])
}

fn read_slice(slice: &ObjectSlice, last_modified: &str, bytes: &[u8]) -> Read {
    let catalog = Catalog::builtin(ParserSettings::default()).unwrap();
    let object = &slice.object;
    let context = ObjectContext {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        entry: None,
        etag: None,
        last_modified: last_modified.parse().unwrap(),
    };
    let mut reader = ObjectReader::open_slice(&catalog, slice, context, &limits(), bytes).unwrap();
    let mut read = Read::default();
    let mut body = Vec::new();
    loop {
        body.clear();
        match reader.next(&mut body).unwrap() {
            Step::Record(parsed) => read.records.push(ended(parsed.outcome, &body)),
            Step::Skipped | Step::Before | Step::Behind(_) => {}
            Step::End => break,
        }
    }
    read.skipped = reader.skipped();
    read.cut = reader.cut().map(|cut| cut.reason.clone());
    assert_eq!(
        reader.records(),
        read.records.len() as u64,
        "framing counts what the parser settles"
    );
    read
}

/// Reads an object whose LastModified does not matter.
pub(crate) fn read(key: &str, bytes: &[u8]) -> Read {
    read_at(key, LAST_MODIFIED, bytes)
}

fn ended(outcome: Outcome, body: &[u8]) -> Ended {
    let document = |name, head: sekisho_document::DocumentHead, reason| Ended {
        outcome: name,
        reason,
        id: head.id.to_string(),
        index: head.index.to_string(),
        document: serde_json::from_slice(body).unwrap(),
    };
    let nothing = |name, reason| Ended {
        outcome: name,
        reason,
        id: String::new(),
        index: String::new(),
        document: Value::Null,
    };
    match outcome {
        Outcome::Document(head) => document("document", head, String::new()),
        Outcome::Raw { head, reason } => document("raw", head, reason),
        Outcome::Excluded { rule } => nothing("excluded", rule.to_string()),
        Outcome::Quarantined { reason } => nothing("quarantined", reason),
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A CloudTrail record with more members behind the required ones.
pub(crate) fn event(n: u32, more: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.11","eventTime":"2026-11-23T10:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","eventID":"00000000-0000-4000-8000-{n:012}","eventType":"AwsApiCall","recipientAccountId":"111122223333"{more}}}"#
    )
}

/// An object of CloudTrail records.
pub(crate) fn trail(records: &[String]) -> String {
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}
