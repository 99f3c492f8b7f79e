//! A cluster that answers as it is told.

mod retired;
mod shared;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

use super::*;
use crate::request::tests::batch;
use crate::{ApiAnswer, BulkAnswer, Method};

/// Answers each request by a function of its number and the `_id`s in it.
struct Fake<F> {
    answer: F,
    sent: AtomicUsize,
    ids: Mutex<Vec<Vec<String>>>,
}

type Answer = Result<BulkAnswer, BulkError>;

fn ids(body: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(body).unwrap();
    assert!(text.ends_with('\n'));
    let actions = text.lines().step_by(2);
    actions
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let action = line.get("create").or_else(|| line.get("index")).unwrap();
            action["_id"].as_str().unwrap().to_owned()
        })
        .collect()
}

#[async_trait]
impl<F: Fn(usize, &[String]) -> Answer + Send + Sync> Transport for Fake<F> {
    async fn bulk(&self, body: Bytes) -> Answer {
        let ids = ids(&body);
        let answer = (self.answer)(self.sent.fetch_add(1, Ordering::SeqCst), &ids);
        self.ids.lock().unwrap().push(ids);
        answer
    }
}

/// Without any other API.
#[async_trait]
impl<F: Send + Sync> ClusterApi for Fake<F> {
    async fn call(
        &self,
        _method: Method,
        _path: &str,
        _body: Option<Bytes>,
    ) -> Result<ApiAnswer, BulkError> {
        Ok(ApiAnswer {
            status: 404,
            body: Bytes::new(),
        })
    }
}

fn ok(items: impl Iterator<Item = (String, u16, &'static str)>) -> Answer {
    let items: Vec<_> = items
        .map(|(id, status, kind)| match kind {
            "" => format!(r#"{{"create":{{"_id":"{id}","status":{status}}}}}"#),
            kind => format!(
                r#"{{"create":{{"_id":"{id}","status":{status},"error":{{"type":"{kind}","reason":"r"}}}}}}"#
            ),
        })
        .collect();
    whole(200, &format!(r#"{{"items":[{}]}}"#, items.join(",")))
}

fn all(ids: &[String], status: u16, kind: &'static str) -> Answer {
    ok(ids.iter().map(|id| (id.clone(), status, kind)))
}

fn whole(status: u16, body: &str) -> Answer {
    Ok(BulkAnswer {
        status,
        body: Bytes::copy_from_slice(body.as_bytes()),
        retry_after: None,
    })
}

fn cut() -> Answer {
    // Nothing else makes an error of the client without a server.
    let source = opensearch::http::transport::Transport::single_node("no address").unwrap_err();
    Err(BulkError::Connection {
        url: "http://node".into(),
        timeout: true,
        source,
    })
}

async fn run<F>(
    messages: &[&str],
    max_bulk_bytes: usize,
    answer: F,
) -> (Vec<Verdict>, Vec<Vec<String>>)
where
    F: Fn(usize, &[String]) -> Answer + Send + Sync,
{
    let fake = fake(answer);
    let settings = BulkSettings {
        max_bulk_bytes,
        ..BulkSettings::default()
    };
    let destination = BulkDestination::new(Arc::clone(&fake), settings, clock());
    let verdicts = destination.write(&batch(messages)).await.unwrap();
    let ids = fake.ids.lock().unwrap().clone();
    (verdicts, ids)
}

fn clock() -> Clock {
    Arc::new(|| "2026-11-23T00:00:00Z".parse().unwrap())
}

fn fake<F>(answer: F) -> Arc<Fake<F>> {
    Arc::new(Fake {
        answer,
        sent: AtomicUsize::new(0),
        ids: Mutex::default(),
    })
}

fn id_of(messages: &[&str], at: usize) -> String {
    batch(messages).items[at].id.to_string()
}

#[tokio::test(start_paused = true)]
async fn only_the_rejected_item_is_sent_again() {
    let messages = ["a", "b", "c"];
    let b = id_of(&messages, 1);
    let (verdicts, sent) = run(&messages, 10_000, |n, ids| {
        ok(ids.iter().map(|id| match (n, *id == b) {
            (0, true) => (id.clone(), 429, "rejected_execution_exception"),
            (0, false) => (id.clone(), 201, ""),
            _ => (id.clone(), 409, "version_conflict_engine_exception"),
        }))
    })
    .await;
    assert_eq!(
        verdicts,
        [Verdict::Indexed, Verdict::Duplicate, Verdict::Indexed]
    );
    assert_eq!(sent[1], [b]);
}

#[tokio::test(start_paused = true)]
async fn rejections_end_with_the_budget_and_stay_rejected() {
    let (verdicts, sent) = run(&["a", "b"], 10_000, |_, ids| {
        all(ids, 503, "unavailable_shards_exception")
    })
    .await;
    assert!(
        verdicts
            .iter()
            .all(|v| matches!(v, Verdict::Rejected { .. }))
    );
    assert!((4..60).contains(&sent.len()), "{}", sent.len());
}

#[tokio::test(start_paused = true)]
async fn a_cut_connection_is_sent_again() {
    let (verdicts, sent) = run(&["a"], 10_000, |n, ids| {
        if n == 0 { cut() } else { all(ids, 201, "") }
    })
    .await;
    assert_eq!(verdicts, [Verdict::Indexed]);
    assert_eq!(sent.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_round_stops_at_its_first_request() {
    let (verdicts, sent) = run(&["a", "b", "c"], 1, |n, ids| {
        if n == 0 {
            whole(429, "")
        } else {
            all(ids, 201, "")
        }
    })
    .await;
    assert_eq!(
        verdicts,
        [Verdict::Indexed, Verdict::Indexed, Verdict::Indexed]
    );
    assert_eq!(sent.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn document_and_state_faults_stop_nothing_else() {
    let messages = ["a", "b", "c"];
    let (a, b) = (id_of(&messages, 0), id_of(&messages, 1));
    let (verdicts, sent) = run(&messages, 10_000, |_, ids| {
        ok(ids.iter().map(|id| match id {
            id if *id == a => (id.clone(), 400, "mapper_parsing_exception"),
            id if *id == b => (id.clone(), 403, "security_exception"),
            id => (id.clone(), 201, ""),
        }))
    })
    .await;
    assert!(matches!(verdicts[0], Verdict::DocumentFault { .. }));
    assert!(matches!(verdicts[1], Verdict::StateFault { .. }));
    assert_eq!(verdicts[2], Verdict::Indexed);
    assert_eq!(sent.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_whole_400_is_bisected_to_its_item() {
    let messages = ["a", "b", "c", "d", "e"];
    let bad = id_of(&messages, 3);
    let (verdicts, sent) = run(&messages, 10_000, |_, ids| {
        if ids.contains(&bad) {
            whole(
                400,
                r#"{"error":{"type":"json_parse_exception","reason":"r"},"status":400}"#,
            )
        } else {
            all(ids, 201, "")
        }
    })
    .await;
    for (at, verdict) in verdicts.iter().enumerate() {
        match at {
            3 => assert!(
                matches!(verdict, Verdict::DocumentFault { .. }),
                "{verdict:?}"
            ),
            _ => assert_eq!(*verdict, Verdict::Indexed),
        }
    }
    assert!(sent.len() <= 7, "{}", sent.len());
}

#[tokio::test(start_paused = true)]
async fn a_413_is_halved() {
    let (verdicts, sent) = run(&["a", "b", "c", "d"], 10_000, |_, ids| {
        if ids.len() > 2 {
            whole(413, "")
        } else {
            all(ids, 201, "")
        }
    })
    .await;
    assert_eq!(verdicts.len(), 4);
    assert!(verdicts.iter().all(|v| *v == Verdict::Indexed));
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_a_state_fault_after_one_request() {
    let (verdicts, sent) = run(&["a", "b"], 1, |_, _| whole(401, "Unauthorized")).await;
    for verdict in verdicts {
        let Verdict::StateFault { reason } = verdict else {
            panic!("{verdict:?}");
        };
        assert!(
            reason.starts_with("status 401: Unauthorized; check `opensearch.auth`"),
            "{reason}"
        );
    }
    assert_eq!(sent.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_untrusted_certificate_is_a_state_fault_after_one_request() {
    let (verdicts, sent) = run(&["a", "b"], 1, |_, _| {
        Err(BulkError::Certificate {
            url: "https://node".into(),
            reason: "invalid peer certificate: UnknownIssuer".into(),
        })
    })
    .await;
    for verdict in verdicts {
        assert!(
            matches!(&verdict, Verdict::StateFault { reason } if reason.contains("`opensearch.ca_file`")),
            "{verdict:?}"
        );
    }
    assert_eq!(sent.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_says_its_cause() {
    let (verdicts, _) = run(&["a"], 1, |_, _| cut()).await;
    assert!(
        matches!(verdicts.as_slice(), [Verdict::Rejected { reason }] if reason.contains("relative URL")),
        "{verdicts:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_400_that_every_item_gets_is_no_storm() {
    let messages = ["a"; 64];
    let (verdicts, sent) = run(&messages, 100_000, |_, _| {
        whole(400, r#"{"error":{"type":"illegal_argument_exception","reason":"no such parameter"},"status":400}"#)
    })
    .await;
    assert!(
        verdicts
            .iter()
            .all(|v| matches!(v, Verdict::StateFault { .. }))
    );
    assert!(sent.len() <= 8, "{}", sent.len());
}

#[tokio::test(start_paused = true)]
async fn an_answer_for_other_items_is_an_error() {
    let fake = fake(|_: usize, ids: &[String]| all(&ids[1..], 201, ""));
    let destination = BulkDestination::new(fake, BulkSettings::default(), clock());
    let error = destination.write(&batch(&["a", "b"])).await.unwrap_err();
    assert!(matches!(error, BulkError::Mismatch { .. }));
}
