//! [`Actual`]: what really comes out of a sample.

use anyhow::Result;
use sekisho_document::DocumentHead;
use sekisho_event::ObjectRef;
use sekisho_object::ObjectLimits;
use sekisho_parser::{Catalog, ObjectContext, Outcome};
use sekisho_pipeline::{ObjectReader, Parsed, Step};

use super::folder::{Case, CaseFile};
use super::json::Json;

/// The bucket of every case.
const BUCKET: &str = "example-logs";
/// The ETag of every case.
const ETAG: &str = "0123456789abcdef0123456789abcdef";

/// What comes out of a sample.
#[derive(Debug, Default)]
pub(crate) struct Actual {
    /// The lines of `expected.ndjson`.
    pub(crate) lines: Vec<String>,
    /// The lines of `quarantine.ndjson`.
    pub(crate) quarantine: Vec<String>,
    /// The documents with their line numbers.
    pub(crate) documents: Vec<(usize, Json)>,
    /// What is wrong whatever was expected.
    pub(crate) faults: Vec<String>,
    /// Records that framing counted.
    pub(crate) records: u64,
}

impl Actual {
    pub(crate) fn read(catalog: &Catalog, case: &Case, file: &CaseFile) -> Result<Self> {
        let sample = case.sample()?;
        let object = ObjectRef::new(BUCKET, &file.key);
        let context = ObjectContext {
            bucket: BUCKET.to_owned(),
            key: file.key.clone(),
            entry: None,
            etag: Some(ETAG.to_owned()),
            last_modified: file.last_modified,
        };
        let limits = ObjectLimits {
            max_compressed_bytes: 1 << 30,
            max_decompressed_bytes: 1 << 30,
            max_ratio: 500,
            max_entries: 1_000,
        };
        let mut actual = Self::default();
        let mut reader = ObjectReader::open(catalog, &object, context, &limits, sample.as_slice())?;
        let dataset = reader.plan().dataset();
        if dataset != case.dataset {
            actual.faults.push(format!(
                "the key goes to `{dataset}`, not to `{}`",
                case.dataset
            ));
        }
        let mut body = Vec::new();
        let mut outcomes = 0;
        loop {
            body.clear();
            match reader.next(&mut body)? {
                Step::Record(parsed) => actual.take(parsed, &body),
                Step::Skipped | Step::Before | Step::Behind(_) => continue,
                Step::End => break,
            }
            outcomes += 1;
        }
        actual.records = reader.records();
        if actual.records != outcomes {
            let records = actual.records;
            actual
                .faults
                .push(format!("{records} records but {outcomes} outcomes"));
        }
        if let Some(cut) = reader.cut() {
            let reason = Json::Text(cut.reason.clone()).write();
            let line = format!(
                r#"{{"offset":{},"reason":{reason},"rest":true}}"#,
                cut.offset
            );
            actual.quarantine.push(line);
        }
        Ok(actual)
    }

    fn take(&mut self, parsed: Parsed<'_>, body: &[u8]) {
        let (offset, length) = (parsed.offset, parsed.length);
        match parsed.outcome {
            Outcome::Document(head) => self.document(&head, "indexed", body),
            Outcome::Raw { head, .. } => self.document(&head, "raw", body),
            Outcome::Excluded { rule } => {
                let rule = Json::Text(rule.to_string()).write();
                self.lines.push(format!(
                    r#"{{"offset":{offset},"outcome":"excluded","rule":{rule}}}"#
                ));
            }
            Outcome::Quarantined { reason } => {
                let reason = Json::Text(reason).write();
                self.quarantine.push(format!(
                    r#"{{"length":{length},"offset":{offset},"reason":{reason}}}"#
                ));
            }
        }
    }

    fn document(&mut self, head: &DocumentHead, outcome: &str, body: &[u8]) {
        let line = self.lines.len() + 1;
        let text = String::from_utf8_lossy(body);
        let document = match Json::read(&text) {
            Ok(document) => document,
            Err(error) => {
                self.faults
                    .push(format!("document {line}: {error}: {text}"));
                Json::Null
            }
        };
        if !takes_ingested(&text, head.ingested_at) {
            self.faults.push(format!(
                "document {line}: `ingested_at` {} is not the end of `event`",
                head.ingested_at
            ));
        }
        let index = Json::Text(head.index.to_string()).write();
        self.lines.push(format!(
            r#"{{"_id":"{}","_index":{index},"_source":{},"outcome":"{outcome}"}}"#,
            head.id,
            document.write()
        ));
        self.documents.push((line, document));
    }
}

/// Splices as the bulk does and looks for the result.
fn takes_ingested(body: &str, at: usize) -> bool {
    let (Some(before), Some(after)) = (body.get(..at), body.get(at..)) else {
        return false;
    };
    let time = "2026-11-23T00:00:00.000Z";
    Json::read(&format!(r#"{before},"ingested":"{time}"{after}"#))
        .is_ok_and(|document| document.at("event.ingested").and_then(Json::text) == Some(time))
}
