//! What a destination refuses, and what panics, costs only itself.

use std::sync::Arc;

use async_trait::async_trait;
use sekisho_bulk::{BulkBatch, BulkError, Destination, Verdict};
use sekisho_pipeline::{Digest, FailureClass, PipelineError};

use crate::fake::{Cluster, Given, World, document_fault, error_of, line, lines};

/// Refuses `poison` until it is raw, `deadly` always, `state` for reasons of its own.
fn picky() -> Cluster {
    Cluster::new(|item, body| match body {
        body if body.contains("deadly") => document_fault(),
        body if body.contains("poison") && !item.raw => document_fault(),
        body if body.contains("state") => Verdict::StateFault {
            reason: "security_exception: no permissions".to_owned(),
        },
        _ => Verdict::Indexed,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_document_is_made_again_as_raw_then_quarantined() {
    let world = World::new([("app/1", lines(["a", "poison", "deadly", "b"]))]);
    let kept = Arc::clone(&world.kept);
    let cluster = Arc::new(picky());
    let reports = world.run(Arc::clone(&cluster) as _).await;
    let books = reports[0].books;
    assert!(reports[0].error.is_none(), "{:?}", reports[0].error);
    assert_eq!((books.indexed, books.raw, books.quarantined), (2, 1, 1));
    let bodies = cluster.bodies.lock().unwrap();
    let raw = bodies.iter().find(|body| body.contains("poison")).unwrap();
    assert!(
        raw.contains("pipeline_error") && raw.contains("mapper_parsing_exception"),
        "{raw}"
    );
    let kept = kept.0.lock().unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        String::from_utf8_lossy(&kept[0].bytes),
        line("deadly").trim_end()
    );
    assert_eq!(kept[0].offset, (line("a") + &line("poison")).len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_fault_fails_its_object_and_no_other() {
    let world = World::new([("app/1", lines(["a", "state"])), ("app/2", lines(["b"]))]);
    let kept = Arc::clone(&world.kept);
    let reports = world.run(Arc::new(picky())).await;
    assert!(error_of(&reports[0]).contains("security_exception"));
    let class = reports[0].error.as_ref().map(PipelineError::class);
    assert_eq!(class, Some(FailureClass::State));
    assert!(reports[1].clean());
    assert!(kept.0.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_quarantine_the_object_fails() {
    let mut world = World::new([("app/1", lines(["deadly"])), ("app/2", lines(["b"]))]);
    world.has_quarantine = false;
    let reports = world.run(Arc::new(picky())).await;
    assert!(error_of(&reports[0]).contains("quarantine.bucket"));
    assert!(reports[1].clean());
}

/// A destination that goes wrong as a whole.
enum Wrong {
    Error,
    Panic,
    TooFew,
}

#[async_trait]
impl Destination for Wrong {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        match self {
            Self::Error => Err(BulkError::Mismatch {
                sent: "one".to_owned(),
                answered: "another".to_owned(),
            }),
            Self::Panic => panic!("the destination panics"),
            Self::TooFew => Ok(vec![Verdict::Indexed; batch.items.len() - 1]),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_goes_wrong_fails_objects_with_its_reason() {
    for (wrong, reason) in [
        (Wrong::Error, "does not match its request"),
        (Wrong::Panic, "the destination panics"),
        (Wrong::TooFew, "1 verdicts for 2 documents"),
    ] {
        let world = World::new([("app/1", lines(["a", "b"]))]);
        let reports = world.run(Arc::new(wrong)).await;
        assert!(
            error_of(&reports[0]).contains(reason),
            "{}",
            error_of(&reports[0])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_fails_its_object_and_no_other() {
    let bytes = line("a").repeat(3).into_bytes();
    let world = World::new([
        ("app/1", lines(["a"])),
        ("app/2", Given::Panic(bytes)),
        ("app/3", lines(["b"])),
    ]);
    let reports = world.run(Arc::new(Cluster::taking_all())).await;
    assert!(reports[0].clean() && reports[2].clean());
    assert!(error_of(&reports[1]).contains("the reader panics"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_quarantine_has_no_secret_and_the_digest_of_the_whole() {
    let refused = "deadly password=s3cr3t";
    let long = format!("password=s3cr3t {}", "x".repeat(2 << 20));
    let world = World::new([("app/1", lines([refused, long.as_str(), "b"]))]);
    let kept = Arc::clone(&world.kept);
    let reports = world.run(Arc::new(picky())).await;
    assert_eq!(reports[0].books.quarantined, 2);
    let mut kept = kept.0.lock().unwrap().clone();
    kept.sort_by_key(|entry| entry.offset);
    for (entry, text) in kept.iter().zip([refused, long.as_str()]) {
        let shown = String::from_utf8_lossy(&entry.bytes);
        assert!(shown.contains("password=[redacted]"), "{}", entry.reason);
        assert!(!shown.contains("s3cr3t"), "{}", entry.reason);
        let record = line(text);
        assert_eq!(entry.length, record.trim_end().len() as u64);
        assert_eq!(entry.digest, Digest::of(record.trim_end().as_bytes()));
    }
}
