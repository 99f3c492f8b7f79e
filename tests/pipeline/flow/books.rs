//! Every record has one outcome, objects share requests, nothing doubles.

use std::sync::Arc;

use sekisho_pipeline::{Books, Summary};

use crate::fake::{Cluster, Given, World, line, lines};

#[tokio::test(flavor = "multi_thread")]
async fn each_outcome_is_counted_once() {
    let mut bytes = line("a") + &line("health") + "\n{broken\n" + &line("b");
    bytes += &"x".repeat(2 << 20);
    let world = World::new([("app/1", Given::Bytes(bytes.into_bytes()))]);
    let kept = Arc::clone(&world.kept);
    let reports = world.run(Arc::new(Cluster::taking_all())).await;
    assert!(reports[0].error.is_none(), "{:?}", reports[0].error);
    assert_eq!(
        reports[0].books,
        Books {
            records: 5,
            skipped: 1,
            indexed: 2,
            raw: 1,
            duplicate: 0,
            excluded: 1,
            quarantined: 1,
        }
    );
    let kept = kept.0.lock().unwrap();
    assert_eq!(
        (kept.len(), kept[0].length, kept[0].bytes.len()),
        (1, 2 << 20, 64 << 10)
    );
    assert!(
        kept[0].parser.starts_with("test.app@"),
        "{}",
        kept[0].parser
    );
    assert_eq!(reports[0].reasons.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_objects_share_requests() {
    let keys: Vec<String> = (0..300).map(|n| format!("app/{n:03}")).collect();
    let world = World::new(keys.iter().map(|key| (key.as_str(), lines(["a", "b"]))));
    let cluster = Arc::new(Cluster::taking_all());
    let reports = world.run(Arc::clone(&cluster) as _).await;
    assert_eq!(cluster.n_documents(), 600);
    assert!(cluster.n_requests() <= 30, "{}", cluster.n_requests());
    assert!(
        reports
            .iter()
            .all(|report| report.clean() && report.books.indexed == 2)
    );
    let in_order = reports.iter().map(|report| &report.object.key).eq(&keys);
    assert!(in_order);
    let total = Summary::of(&reports).total;
    assert_eq!((total.objects, total.books.records), (300, 600));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_adds_nothing() {
    let cluster = Arc::new(Cluster::taking_all());
    for duplicate in [0, 3] {
        let world = World::new([("app/1", lines(["a", "a", "b"]))]);
        let reports = world.run(Arc::clone(&cluster) as _).await;
        assert_eq!(reports[0].books.duplicate, duplicate);
        assert!(reports[0].clean());
    }
    assert_eq!(cluster.n_documents(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_nobody_claims_is_raw_up_to_its_cap() {
    let text: String = (0..10).map(|n| format!("line {n}\n")).collect();
    let world = World::new([("other/x.log", Given::Bytes(text.into_bytes()))]);
    let reports = world.run(Arc::new(Cluster::taking_all())).await;
    let books = reports[0].books;
    assert_eq!((books.records, books.raw, books.quarantined), (4, 3, 1));
    assert!(
        reports[0]
            .reasons
            .iter()
            .any(|reason| reason.reason.contains("unknown_lines"))
    );
}
