//! What a batch asks for, and what all writers of a destination share.

use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn documents_are_replaced_where_the_batch_says_so() {
    let fake = fake(|n: usize, ids: &[String]| {
        let status = [200, 201][n];
        let body = format!(
            r#"{{"items":[{{"index":{{"_id":"{}","status":{status}}}}}]}}"#,
            ids[0]
        );
        whole(200, &body)
    });
    let destination = BulkDestination::new(fake, BulkSettings::default(), clock());
    let mut batch = batch(&["a"]);
    batch.mode = crate::WriteMode::Index;
    for _ in 0..2 {
        assert_eq!(destination.write(&batch).await.unwrap(), [Verdict::Indexed]);
    }
}

#[tokio::test(start_paused = true)]
async fn retries_end_where_the_batch_says_so() {
    let fake = fake(|_: usize, ids: &[String]| all(ids, 429, "rejected_execution_exception"));
    let destination = BulkDestination::new(Arc::clone(&fake), BulkSettings::default(), clock());
    let mut batch = batch(&["a"]);
    let start = Instant::now();
    batch.until = Some(start + Duration::from_secs(2));
    let verdicts = destination.write(&batch).await.unwrap();
    assert!(start.elapsed() <= Duration::from_secs(2));
    assert!(
        matches!(&verdicts[0], Verdict::Rejected { reason } if reason == "the cluster had no room: rejected_execution_exception: r"),
        "{verdicts:?}"
    );
    // Time that is up leaves one attempt, not none: the answer may be a duplicate.
    batch.until = Some(start);
    destination.write(&batch).await.unwrap();
    assert!(fake.sent.load(Ordering::SeqCst) >= 3);
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_said_once_and_stops_everything_until_an_item_is_taken() {
    let answering = std::sync::atomic::AtomicBool::new(false);
    let fake = fake(
        |_: usize, ids: &[String]| match answering.load(Ordering::SeqCst) {
            true => all(ids, 201, ""),
            false => cut(),
        },
    );
    let destination = BulkDestination::new(fake, BulkSettings::default(), clock());
    assert_eq!(destination.refuses_all(), None);
    destination.write(&batch(&["a"])).await.unwrap();
    let reason = destination.refuses_all().unwrap();
    assert!(
        reason.starts_with("no answer from `http://node` within `opensearch.timeout_ms`: "),
        "{reason}"
    );
    assert_eq!(reason.matches("no answer").count(), 1);
    answering.store(true, Ordering::SeqCst);
    destination.write(&batch(&["a"])).await.unwrap();
    assert_eq!(destination.refuses_all(), None);
}

#[tokio::test(start_paused = true)]
async fn expired_credentials_are_tried_again_and_never_bisected() {
    let expired = r#"{"message":"The security token included in the request is expired"}"#;
    for status in [400, 403] {
        let (verdicts, sent) = run(&["a", "b", "c"], 10_000, |n, ids| match n {
            0 => whole(status, expired),
            _ => all(ids, 201, ""),
        })
        .await;
        assert_eq!(verdicts, vec![Verdict::Indexed; 3]);
        assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn writers_share_the_requests_in_flight() {
    let fake = Slow::default();
    let settings = BulkSettings {
        max_in_flight: 3,
        ..BulkSettings::default()
    };
    let destination = Arc::new(BulkDestination::new(Arc::new(fake), settings, clock()));
    let writes = (0..20).map(|_| {
        let destination = Arc::clone(&destination);
        tokio::spawn(async move { destination.write(&batch(&["a"])).await.unwrap() })
    });
    for write in writes.collect::<Vec<_>>() {
        assert_eq!(write.await.unwrap(), [Verdict::Indexed]);
    }
    assert_eq!(destination.transport.most.load(Ordering::SeqCst), 3);
}

/// Takes its time, and counts how many wait together.
#[derive(Default)]
struct Slow {
    now: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Transport for Slow {
    async fn bulk(&self, body: Bytes) -> Answer {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.now.fetch_sub(1, Ordering::SeqCst);
        all(&ids(&body), 201, "")
    }
}

#[async_trait]
impl ClusterApi for Slow {
    async fn call(
        &self,
        _method: Method,
        _path: &str,
        _body: Option<Bytes>,
    ) -> Result<ApiAnswer, BulkError> {
        unreachable!("nothing is retired")
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_none() {
    let (verdicts, sent) = run(&["a", "b"], 10_000, |n, ids| match n {
        0 => whole(200, r#"{"items":[{"create":"#),
        _ => all(ids, 409, "version_conflict_engine_exception"),
    })
    .await;
    assert_eq!(verdicts, [Verdict::Duplicate, Verdict::Duplicate]);
    assert_eq!(sent.len(), 2);
}
