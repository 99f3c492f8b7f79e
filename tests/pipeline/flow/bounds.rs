//! Memory is bounded by settings, and no bound stops the run.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sekisho_bulk::Verdict;
use sekisho_pipeline::PipelineSettings;

use crate::fake::{Cluster, Given, World, document_fault, line};

const BUFFERED: usize = 64 << 10;

fn tight() -> PipelineSettings {
    PipelineSettings {
        objects_in_flight: 3,
        buffered_bytes: BUFFERED,
        chunk_bytes: 4 << 10,
        max_bulk_bytes: 16 << 10,
        bulks_in_flight: 2,
        linger_ms: 20,
        ..PipelineSettings::default()
    }
}

fn large_objects() -> World {
    let text: String = (0..3_000).map(|n| line(&format!("message {n}"))).collect();
    let given = Given::Bytes(text.into_bytes());
    let keys = ["app/1", "app/2", "app/3", "app/4", "app/5"];
    let mut world = World::new(keys.map(|key| (key, given.clone())));
    world.settings = tight();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_stays_under_the_budget() {
    let cluster = Arc::new(Cluster::taking_all());
    let reports = large_objects().run(Arc::clone(&cluster) as _).await;
    assert!(reports.iter().all(|report| report.books.indexed == 3_000));
    let peak = cluster.peak.load(Ordering::SeqCst);
    assert!(peak <= BUFFERED, "{peak}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_refuses_every_document_does_not_stop_the_run() {
    let refusing = |item: &sekisho_bulk::BulkItem, _: &str| match item.raw {
        true => Verdict::Indexed,
        false => document_fault(),
    };
    let reports = large_objects().run(Arc::new(Cluster::new(refusing))).await;
    for report in reports {
        assert!(report.error.is_none(), "{:?}", report.error);
        assert_eq!(report.books.raw, 3_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_larger_than_the_budget_passes() {
    let giant = line(&"x".repeat(BUFFERED * 4)) + &line("a");
    let mut world = World::new([("app/1", Given::Bytes(giant.into_bytes()))]);
    world.settings = tight();
    let reports = world.run(Arc::new(Cluster::taking_all())).await;
    assert_eq!(reports[0].books.indexed, 2);
}
