//! A cluster in memory that fails as it is told.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use bytes::Bytes;
use sekisho_bulk::{ApiAnswer, BulkError, ErrorClass, Method};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::*;
use crate::{Books, Next};

/// What happens to one call.
enum Fault {
    /// It is refused as a whole.
    Status(u16, &'static str),
    /// Its items are refused.
    Items(u16, &'static str),
    /// It is done, and the answer is lost.
    Lost,
    /// Somebody else writes each of its documents right before.
    Overtaken,
}

#[derive(Default)]
struct Fake {
    documents: Mutex<HashMap<String, (u64, Value)>>,
    /// For the next calls of a path, in order.
    faults: Mutex<VecDeque<(&'static str, Fault)>>,
    calls: Mutex<Vec<String>>,
}

impl Fake {
    fn failing(faults: impl IntoIterator<Item = (&'static str, Fault)>) -> Arc<Self> {
        Arc::new(Self {
            faults: Mutex::new(faults.into_iter().collect()),
            ..Self::default()
        })
    }

    fn fault(&self, path: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let first = faults.front()?;
        if !path.starts_with(first.0) {
            return None;
        }
        faults.pop_front().map(|(_, fault)| fault)
    }

    fn mget(&self, body: &Value) -> Value {
        let documents = self.documents.lock().unwrap();
        let docs = body["docs"].as_array().unwrap().iter().map(|doc| {
            let (index, id) = (&doc["_index"], &doc["_id"]);
            let any = |key: &String| key.starts_with(index.as_str().unwrap());
            if !documents.keys().any(any) {
                return json!({ "_index": index, "_id": id, "error": { "type": "index_not_found_exception", "reason": "no such index" } });
            }
            match documents.get(&place(doc)) {
                Some((seq_no, source)) => json!({
                    "_index": index, "_id": id, "found": true,
                    "_seq_no": seq_no, "_primary_term": 1, "_source": source,
                }),
                None => json!({ "_index": index, "_id": id, "found": false }),
            }
        });
        json!({ "docs": docs.collect::<Vec<_>>() })
    }

    fn bulk(&self, body: &str, fault: Option<&Fault>) -> Value {
        let mut documents = self.documents.lock().unwrap();
        let lines: Vec<Value> = body
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let items = lines.chunks(2).map(|lines| {
            let (name, action) = lines[0].as_object().unwrap().iter().next().unwrap();
            let (id, place) = (&action["_id"], place(action));
            if let Some(Fault::Items(status, kind)) = fault {
                return json!({ name: { "_id": id, "status": status, "error": { "type": kind, "reason": "told so" } } });
            }
            if let Some(Fault::Overtaken) = fault {
                let held = documents.get(&place).map(|(seq_no, source)| (seq_no + 1, source.clone()));
                documents.insert(place.clone(), held.unwrap_or((0, lines[1].clone())));
            }
            let held = documents.get(&place).map(|(seq_no, _)| *seq_no);
            let fits = match name.as_str() {
                "create" => held.is_none(),
                _ => action.get("if_seq_no").and_then(Value::as_u64) == held,
            };
            if !fits {
                return json!({ name: { "_id": id, "status": 409, "error": { "type": "version_conflict_engine_exception", "reason": "conflict" } } });
            }
            documents.insert(place, (held.map_or(0, |held| held + 1), lines[1].clone()));
            json!({ name: { "_id": id, "status": 201 } })
        });
        json!({ "items": items.collect::<Vec<_>>() })
    }
}

fn place(at: &Value) -> String {
    format!(
        "{}/{}",
        at["_index"].as_str().unwrap(),
        at["_id"].as_str().unwrap()
    )
}

#[async_trait]
impl ClusterApi for Fake {
    async fn call(
        &self,
        _: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<ApiAnswer, BulkError> {
        self.calls.lock().unwrap().push(path.to_owned());
        sleep(Duration::from_millis(20)).await;
        let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
        let fault = self.fault(path);
        if let Some(Fault::Status(status, kind)) = fault {
            let body = json!({ "error": { "type": kind, "reason": "told so" }, "status": status });
            return Ok(ApiAnswer {
                status,
                body: body.to_string().into(),
            });
        }
        let answer = match path {
            path if path.starts_with("/_mget") => self.mget(&serde_json::from_str(&body).unwrap()),
            _ => self.bulk(&body, fault.as_ref()),
        };
        if let Some(Fault::Lost) = fault {
            return Err(BulkError::Unreadable {
                call: path.to_owned(),
                source: serde_json::from_str::<Value>("").unwrap_err(),
            });
        }
        Ok(ApiAnswer {
            status: 200,
            body: answer.to_string().into(),
        })
    }
}

fn ledger(fake: &Arc<Fake>) -> Arc<ClusterLedger> {
    Arc::new(ClusterLedger::new(Arc::clone(fake) as _, "team-"))
}

fn slice(key: &str) -> SliceKey {
    SliceKey {
        bucket: "logs".into(),
        key: key.into(),
        etag: Some("e".into()),
        start: 0,
        last_modified: "2026-11-23T01:00:00Z".parse().unwrap(),
    }
}

fn attempt(key: &str, indexed: u64) -> Attempt {
    Attempt {
        slice: slice(key),
        version_id: None,
        end: 100,
        eof: false,
        next: Some(Next::Pending),
        books: Books {
            records: indexed,
            indexed,
            ..Books::default()
        },
        raw_seen: 0,
        bytes: 9,
        duration_ms: 1,
        dataset: Some("aws.elb".into()),
        parser: "p".into(),
        rules: "r".into(),
        cut: None,
        error: None,
        at: "2026-11-23T02:00:00.123456789Z".parse().unwrap(),
        replaced: false,
    }
}

fn start(
    ledger: &Arc<ClusterLedger>,
    attempt: Attempt,
) -> JoinHandle<Result<LedgerEntry, LedgerError>> {
    let ledger = Arc::clone(ledger);
    tokio::spawn(async move { ledger.record(attempt).await })
}

async fn one(ledger: &ClusterLedger, key: &str) -> Option<LedgerEntry> {
    ledger.find(&[slice(key)]).await.unwrap().remove(0)
}

#[tokio::test(start_paused = true)]
async fn what_is_recorded_is_found_and_nothing_is_found_before() {
    let fake = Fake::failing([]);
    let ledger = ledger(&fake);
    assert_eq!(one(&ledger, "k").await, None);
    let entry = ledger.record(attempt("k", 3)).await.unwrap();
    assert_eq!(one(&ledger, "k").await, Some(entry));
    let place = format!("team-sekisho-ledger-2026.11.23/{}", slice("k").id());
    assert!(fake.documents.lock().unwrap().contains_key(&place));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_share_four_requests_and_two_of_a_slice_are_merged() {
    let fake = Fake::failing([]);
    let ledger = ledger(&fake);
    let callers: Vec<_> = (0..1000)
        .map(|n| start(&ledger, attempt(&format!("k{}", n / 2), n)))
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(fake.calls.lock().unwrap().len(), 4);
    let entry = one(&ledger, "k499").await.unwrap();
    assert_eq!((entry.attempts, entry.last.indexed), (2, 999));
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_put_on_two_days_have_two_entries() {
    let fake = Fake::failing([]);
    let ledger = ledger(&fake);
    let days = ["2026-11-23T23:00:00Z", "2026-11-24T01:00:00Z"];
    let attempts = days.map(|day| {
        let mut attempt = attempt("k", 3);
        attempt.slice.last_modified = day.parse().unwrap();
        attempt
    });
    let keys = attempts.clone().map(|attempt| attempt.slice);
    let callers = attempts.map(|attempt| start(&ledger, attempt));
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    let found = ledger.find(&keys).await.unwrap();
    let attempts: Vec<_> = found.iter().flatten().map(|entry| entry.attempts).collect();
    assert_eq!(attempts, [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn processes_that_write_at_once_lose_no_attempt() {
    let fake = Fake::failing([]);
    let ledgers: Vec<_> = (0..6).map(|_| ledger(&fake)).collect();
    let callers: Vec<_> = (0..30)
        .map(|n| start(&ledgers[n % 6], attempt("k", n as u64)))
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    let entry = one(&ledgers[0], "k").await.unwrap();
    assert_eq!((entry.attempts, entry.highest.indexed), (30, 29));
}

#[tokio::test(start_paused = true)]
async fn sent_counts_no_attempt_and_needs_an_entry() {
    let fake = Fake::failing([]);
    let ledger = ledger(&fake);
    ledger.sent(&slice("k"), 100).await.unwrap();
    assert_eq!(one(&ledger, "k").await, None);
    ledger.record(attempt("k", 3)).await.unwrap();
    ledger.sent(&slice("k"), 100).await.unwrap();
    let entry = one(&ledger, "k").await.unwrap();
    assert_eq!((entry.attempts, entry.next), (1, Some(Next::Sent)));
    let n_calls = fake.calls.lock().unwrap().len();
    ledger.sent(&slice("k"), 100).await.unwrap();
    // Nothing changes, so nothing is written.
    assert_eq!(fake.calls.lock().unwrap().len(), n_calls + 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_no_second_attempt() {
    let fake = Fake::failing([
        ("/_bulk", Fault::Lost),
        ("/_mget", Fault::Status(503, "unavailable")),
        ("/_mget", Fault::Lost),
    ]);
    let ledger = ledger(&fake);
    let entry = ledger.record(attempt("k", 3)).await.unwrap();
    assert_eq!(entry.attempts, 1);
    assert_eq!(one(&ledger, "k").await, Some(entry));
}

#[tokio::test(start_paused = true)]
async fn rejections_pass_or_end_after_ten_seconds() {
    let rejected = || ("/_bulk", Fault::Items(429, "rejected_execution_exception"));
    let fake = Fake::failing([rejected(), rejected()]);
    assert_eq!(
        ledger(&fake)
            .record(attempt("k", 3))
            .await
            .unwrap()
            .attempts,
        1
    );
    let fake = Fake::failing((0..1000).map(|_| rejected()));
    let began = Instant::now();
    let error = ledger(&fake).record(attempt("k", 3)).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retry);
    assert!(began.elapsed() <= Duration::from_secs(11));
    assert!((5..60).contains(&fake.calls.lock().unwrap().len()));
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_named_at_once() {
    for fault in [
        ("/_mget", Fault::Status(403, "security_exception")),
        ("/_bulk", Fault::Items(403, "security_exception")),
    ] {
        let fake = Fake::failing([fault]);
        let began = Instant::now();
        let error = ledger(&fake).record(attempt("k", 3)).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::State);
        assert!(began.elapsed() < Duration::from_secs(1));
        let text = error.to_string();
        for word in ["403", "indices:data/read/mget*", "`team-sekisho-ledger-*`"] {
            assert!(text.contains(word), "{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_that_others_write_each_time_is_contended() {
    let fake = Fake::failing((0..100).map(|_| ("/_bulk", Fault::Overtaken)));
    let ledger = ledger(&fake);
    let held = json!(LedgerEntry::default().with(attempt("k", 1)));
    let place = format!("team-sekisho-ledger-2026.11.23/{}", slice("k").id());
    fake.documents.lock().unwrap().insert(place, (7, held));
    let error = ledger.record(attempt("k", 3)).await.unwrap_err();
    assert!(matches!(error, LedgerError::Contended { attempts: 20, .. }));
    assert_eq!(error.class(), ErrorClass::Retry);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_dropped_while_it_writes_for_all_hangs_nobody() {
    // Before the look-up, within it, within the write.
    for after in [2, 15, 35] {
        let fake = Fake::failing([]);
        let ledger = ledger(&fake);
        let first = start(&ledger, attempt("a", 1));
        let second = start(&ledger, attempt("b", 2));
        sleep(Duration::from_millis(after)).await;
        first.abort();
        let entry = tokio::time::timeout(Duration::from_secs(5), second).await;
        assert_eq!(entry.unwrap().unwrap().unwrap().attempts, 1, "{after}");
        assert_eq!(one(&ledger, "b").await.unwrap().attempts, 1, "{after}");
    }
}
