//! Reads bytes as the pipeline does and checks what has to hold whatever they are.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sekisho_event::ObjectRef;
use sekisho_object::ObjectLimits;
use sekisho_parser::{Catalog, ObjectContext, Outcome};
use sekisho_pipeline::{ObjectReader, Step};
use serde_json::Value;

/// How long one input may take in a debug build: what costs its square takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads an object and gives its documents; every record has to end somewhere known.
pub(crate) fn documents(catalog: &Catalog, key: &str, bytes: &[u8]) -> Result<Vec<Value>> {
    let started = Instant::now();
    let object = ObjectRef::new("example-logs", key);
    let context = ObjectContext {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        entry: None,
        etag: None,
        last_modified: "2026-11-23T10:20:00Z".parse()?,
    };
    let limits = ObjectLimits {
        max_compressed_bytes: 1 << 30,
        max_decompressed_bytes: 128 << 20,
        max_ratio: 200,
        max_entries: 1_000,
    };
    let mut reader = ObjectReader::open(catalog, &object, context, &limits, bytes)?;
    let (mut body, mut documents, mut n_ended) = (Vec::new(), Vec::new(), 0);
    loop {
        body.clear();
        let parsed = match reader.next(&mut body)? {
            Step::Record(parsed) => parsed,
            Step::Skipped => continue,
            Step::Before | Step::Behind(_) => anyhow::bail!("a whole object has no other slices"),
            Step::End => break,
        };
        n_ended += 1;
        let (head, is_raw) = match parsed.outcome {
            Outcome::Document(head) => (head, false),
            Outcome::Raw { head, .. } => (head, true),
            Outcome::Excluded { .. } => {
                ensure!(body.is_empty(), "an excluded record left a document");
                continue;
            }
            Outcome::Quarantined { reason } => {
                ensure!(
                    !reason.is_empty() && body.is_empty(),
                    "quarantined without a reason"
                );
                continue;
            }
        };
        ensure!(
            !body.contains(&b'\n'),
            "a line feed breaks the bulk request"
        );
        body.splice(
            head.ingested_at..head.ingested_at,
            *br#","ingested":"2026-11-23T00:00:00.000Z""#,
        );
        let document: Value = serde_json::from_slice(&body).context("the document is no JSON")?;
        let is_error = document["event"]["kind"] == "pipeline_error";
        ensure!(
            is_raw == is_error,
            "raw is not told from parsed: {document}"
        );
        ensure!(
            !is_raw || document["event"]["original"].is_string(),
            "raw without its original"
        );
        documents.push(document);
    }
    let n_records = reader.records();
    ensure!(
        n_records == n_ended,
        "{n_records} records, {n_ended} of them ended"
    );
    let took = started.elapsed();
    ensure!(took < PATIENCE, "it took {took:?}");
    Ok(documents)
}
