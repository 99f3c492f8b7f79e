//! Objects that do not come as they should.

use std::sync::Arc;

use sekisho_object::ErrorClass;

use crate::fake::{Cluster, Given, World, error_of, line, lines};

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_connection_fails_the_object_and_leaves_no_torn_record() {
    let whole = line("a") + &line("b") + &line("c");
    let torn = whole.as_bytes()[..whole.len() - 10].to_vec();
    let cluster = Arc::new(Cluster::taking_all());
    let world = World::new([("app/1", Given::Broken(torn))]);
    let reports = world.run(Arc::clone(&cluster) as _).await;
    assert!(error_of(&reports[0]).contains("connection reset"));
    assert!(reports[0].books.balanced(), "{}", reports[0].books);
    assert_eq!(cluster.n_documents(), 2);
    let world = World::new([("app/1", Given::Bytes(whole.into_bytes()))]);
    let reports = world.run(Arc::clone(&cluster) as _).await;
    let books = reports[0].books;
    assert_eq!((books.indexed, books.duplicate, books.raw), (1, 2, 0));
    assert_eq!(cluster.n_documents(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_gzip_is_finished_with_a_reason() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let text: String = (0..20_000).map(|n| line(&format!("message {n}"))).collect();
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    let mut bytes = gzip.finish().unwrap();
    bytes.truncate(bytes.len() * 3 / 4);
    let world = World::new([("app/1", Given::Bytes(bytes)), ("app/2", lines(["a"]))]);
    let kept = Arc::clone(&world.kept);
    let reports = world.run(Arc::new(Cluster::taking_all())).await;
    let report = &reports[0];
    assert!(report.error.is_none(), "{:?}", report.error);
    assert!(
        report.books.indexed > 5_000 && report.books.raw <= 1,
        "{}",
        report.books
    );
    let cut = report.cut.as_ref().unwrap();
    assert!(cut.reason.contains("inside a member"), "{}", cut.reason);
    assert_eq!(kept.0.lock().unwrap()[0].reason, cut.reason);
    assert!(!report.clean() && reports[1].clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_object_is_finished_and_a_missing_one_is_not() {
    let world = World::new([
        ("app/1", Given::Refused(ErrorClass::Superseded)),
        ("app/2", Given::Refused(ErrorClass::Missing)),
        ("app/3", lines(["a"])),
    ]);
    let reports = world.run(Arc::new(Cluster::taking_all())).await;
    assert!(reports[0].ignored.is_some() && reports[0].clean());
    assert!(error_of(&reports[1]).contains("cannot open"));
    assert!(reports[2].clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_log_is_not_opened() {
    let refused = Given::Refused(ErrorClass::Retry);
    let world = World::new([("app/digest/1", refused)]);
    let reports = world.run(Arc::new(Cluster::taking_all())).await;
    assert!(reports[0].clean());
    assert!(
        reports[0]
            .ignored
            .as_ref()
            .unwrap()
            .contains("app/digest/**")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_that_nobody_claims_is_one_entry() {
    let bytes = b"\x7fELF\0\0\0\0\0\0\0\0\0\0".to_vec();
    let world = World::new([("other/x", Given::Bytes(bytes))]);
    let kept = Arc::clone(&world.kept);
    let reports = world.run(Arc::new(Cluster::taking_all())).await;
    assert!(reports[0].error.is_none() && reports[0].books.records == 0);
    assert!(
        reports[0]
            .cut
            .as_ref()
            .unwrap()
            .reason
            .contains("unknown_binary")
    );
    assert_eq!(kept.0.lock().unwrap().len(), 1);
}
