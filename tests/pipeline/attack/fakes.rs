//! The fakes answer as the real parts do, where the product depends on it.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use sekisho_bulk::{
    BulkBatch, BulkDestination, BulkError, BulkSettings, ClusterApi, Destination as _, Method,
    Transport as _, Verdict, check_version,
};
use sekisho_cluster::{TemplateSettings, TemplateState, apply, check_templates, templates};
use sekisho_delivery::{Files as _, Outgoing, Queue as _};
use sekisho_object::{ErrorClass, ObjectStore as _};
use sekisho_tests::fake::{
    Call, Calm, Chaos, Failure, FakeClock, FakeFiles, FakeOpenSearch, FakeQueue, FakeStore, Fault,
    ItemFault, Moment, Place, QueueSettings, Rule, Symptom,
};
use sekisho_tests::opensearch::{add, fixed_clock};
use serde_json::{Value, json};

/// Gives one fault, to the first call of a place and moment.
struct Once(Mutex<Option<(Place, Moment, Fault)>>);

impl Once {
    fn at(place: Place, moment: Moment, failure: Failure) -> Arc<dyn Chaos> {
        let fault = Fault::Fail(failure);
        Arc::new(Self(Mutex::new(Some((place, moment, fault)))))
    }
}

impl Chaos for Once {
    fn decide(&self, call: &Call, at: Moment) -> Fault {
        let mut open = self.0.lock().unwrap();
        match open.take() {
            Some((place, moment, fault)) if place == call.place && moment == at => fault,
            other => {
                *open = other;
                Fault::None
            }
        }
    }
}

fn clock() -> Arc<FakeClock> {
    Arc::new(FakeClock::new("2026-11-23T01:00:00Z".parse().unwrap()))
}

const MINUTE: Duration = Duration::from_secs(60);

fn queues() -> (FakeQueue, Arc<FakeQueue>, Arc<FakeClock>) {
    let clock = clock();
    let settings = |name, max_receive_count| QueueSettings {
        name,
        max_receive_count,
        ..QueueSettings::default()
    };
    let new = |settings| FakeQueue::new(settings, Arc::clone(&clock), Arc::new(Calm));
    let dead_letters = Arc::new(new(settings("dlq", 1000)));
    let queue = new(settings("queue", 2)).dead_lettering_to(Arc::clone(&dead_letters));
    (queue, dead_letters, clock)
}

#[tokio::test(start_paused = true)]
async fn a_message_is_hidden_returns_and_is_dead_lettered_with_its_first_time() {
    let (queue, dead_letters, clock) = queues();
    clock.enter();
    queue.put("a");
    let sent = clock.time();
    for count in 1..=2 {
        let batch = queue.take_batch(10, MINUTE).unwrap();
        let event: Value = serde_json::from_str(&batch.payload).unwrap();
        let attributes = &event["Records"][0]["attributes"];
        assert_eq!(attributes["ApproximateReceiveCount"], count.to_string());
        assert!(queue.take_batch(10, MINUTE).is_none());
        queue.settle(&batch, &["queue-1".to_owned()]);
        tokio::time::sleep(MINUTE).await;
    }
    assert!(queue.take_batch(10, MINUTE).is_none());
    assert!(queue.messages().is_empty());
    let received = dead_letters.receive(MINUTE).await.unwrap();
    let (count, first, id) = (
        received[0].receive_count,
        received[0].sent,
        &*received[0].id,
    );
    assert_eq!((count, first, id), (3, sent, "queue-1"));
    // Sent again it is a new message.
    let again = Outgoing {
        body: received[0].body.clone(),
        ..Outgoing::default()
    };
    queue.send(&[again]).await.unwrap();
    assert_eq!(queue.messages()[0].receive_count, 0);
    tokio::time::sleep(14 * 24 * 60 * MINUTE).await;
    assert!(dead_letters.messages().is_empty());
    assert_eq!(dead_letters.expired().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_old_handle_deletes_nothing_and_hides_nothing() {
    let (queue, _, clock) = queues();
    clock.enter();
    queue.put("a");
    let first = queue.receive(MINUTE).await.unwrap();
    tokio::time::sleep(MINUTE).await;
    let second = queue.receive(MINUTE).await.unwrap();
    let handle = |received: &[sekisho_delivery::Received]| vec![received[0].handle.clone()];
    assert!(queue.delete(&handle(&first)).await.unwrap()[0].is_ok());
    let hidden = queue.hide(&[(first[0].handle.clone(), MINUTE)]).await;
    assert!(hidden.unwrap()[0].is_err());
    assert_eq!(queue.messages().len(), 1);
    let shown = queue
        .hide(&[(second[0].handle.clone(), Duration::ZERO)])
        .await;
    assert!(shown.unwrap()[0].is_ok());
    assert_eq!(queue.next_visible(), Some(clock.time()));
    queue.delete(&handle(&second)).await.unwrap();
    assert!(queue.messages().is_empty());
}

#[tokio::test]
async fn a_store_pins_by_version_or_etag() {
    let clock = clock();
    for versioned in [false, true] {
        let store = FakeStore::new(Arc::new(Calm), versioned);
        let first = store.put("logs", "k", "one", clock.time());
        assert!(store.open(&first).await.is_ok());
        store.put("logs", "k", "two!", clock.time());
        let opened = store.open(&first).await;
        if versioned {
            assert_eq!(opened.unwrap().meta.size, Some(3));
        } else {
            assert_eq!(opened.unwrap_err().class(), ErrorClass::Superseded);
        }
        store.remove("logs", "k");
        let class = store.head(&first).await.unwrap_err().class();
        assert_eq!(class, ErrorClass::Missing);
    }
}

#[tokio::test]
async fn a_body_breaks_in_the_middle() {
    let chaos = Once::at(Place::Store, Moment::Before, Failure::Break(2));
    let store = FakeStore::new(chaos, false);
    let object = store.put("logs", "k", "12345", clock().time());
    let read = |body: sekisho_object::Body| std::io::read_to_string(body.into_read());
    let broken = store.open_from(&object, 1).await.unwrap();
    assert!(read(broken.body).is_err());
    let whole = store.open_from(&object, 1).await.unwrap();
    assert_eq!(
        (read(whole.body).unwrap().as_str(), whole.meta.size),
        ("2345", Some(5))
    );
}

#[tokio::test]
async fn files_are_listed_in_pages() {
    let files = FakeFiles::new(Arc::new(Calm));
    for number in 0..20 {
        let key = format!("parked/{number:02}");
        files.put(&key, Bytes::from_static(b"x")).await.unwrap();
    }
    files.put("z", Bytes::new()).await.unwrap();
    let (mut keys, mut next) = (Vec::new(), None);
    loop {
        let page = files.list("parked/", next.as_deref()).await.unwrap();
        keys.extend(page.keys);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(keys, files.keys("parked/"));
    assert_eq!(keys.len(), 20);
}

const EVENT: &str = r#"{"event":{"kind":"event"}"#;

fn batch(index: &str, rests: &[&str]) -> BulkBatch {
    let mut batch = BulkBatch::default();
    for rest in rests {
        add(&mut batch, index, &format!("{EVENT}{rest}}}")).unwrap();
    }
    batch
}

async fn write(cluster: &FakeOpenSearch, batch: &BulkBatch) -> Vec<Verdict> {
    let settings = BulkSettings {
        retry_budget: Duration::from_secs(30),
        ..BulkSettings::default()
    };
    let destination = BulkDestination::new(cluster.clone(), settings, fixed_clock());
    destination.write(batch).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_second_create_is_a_duplicate() {
    let cluster = FakeOpenSearch::new(Arc::new(Calm));
    let batch = batch("log-x", &["", ",\"a\":1"]);
    assert_eq!(
        write(&cluster, &batch).await,
        [Verdict::Indexed, Verdict::Indexed]
    );
    let again = write(&cluster, &batch).await;
    assert_eq!(again, [Verdict::Duplicate, Verdict::Duplicate]);
    assert_eq!(cluster.documents(|_| true).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_lost_after_the_write_is_a_duplicate_of_itself() {
    let chaos = Once::at(Place::Bulk, Moment::After, Failure::Connection);
    let cluster = FakeOpenSearch::new(chaos);
    let batch = batch("log-x", &[""]);
    assert_eq!(write(&cluster, &batch).await, [Verdict::Duplicate]);
}

#[tokio::test(start_paused = true)]
async fn items_fail_by_themselves() {
    let check = |fault, retried: bool| async move {
        let chaos = Once::at(Place::Bulk, Moment::Before, Failure::Items(fault, 1));
        let cluster = FakeOpenSearch::new(chaos);
        let verdicts = write(&cluster, &batch("log-x", &["", ",\"a\":1"])).await;
        let first_is_fine = verdicts[0] == Verdict::Indexed;
        let is_state = matches!(verdicts[0], Verdict::StateFault { .. });
        assert_eq!(
            (first_is_fine, is_state),
            (retried, !retried),
            "{verdicts:?}"
        );
        assert_eq!(verdicts[1], Verdict::Indexed);
    };
    check(ItemFault::Rejected, true).await;
    check(ItemFault::Unavailable, true).await;
    for fault in [
        ItemFault::Security,
        ItemFault::WriteBlock,
        ItemFault::Watermark,
        ItemFault::ShardLimit,
        ItemFault::NotFound,
        ItemFault::Unknown,
    ] {
        check(fault, false).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_mapping_refuses_by_the_document_alone() {
    let cluster = FakeOpenSearch::new(Arc::new(Calm));
    let rule = |field: &str, symptom, named| Rule {
        index: String::new(),
        field: field.to_owned(),
        symptom,
        named,
    };
    cluster.set_rules(vec![
        rule("ns.port", Symptom::NoLong, true),
        rule("ns.strict", Symptom::Unknown, true),
        rule("*", Symptom::Holds("poison".to_owned()), false),
    ]);
    let batch = batch(
        "log-x",
        &[
            ",\"ns\":{\"port\":\"high\"}",
            ",\"ns\":{\"port\":[1,\"2\"]}",
            ",\"ns\":{\"strict\":1}",
            ",\"message\":\"a poison\"",
        ],
    );
    let verdicts = write(&cluster, &batch).await;
    let field = |verdict: &Verdict| match verdict {
        Verdict::DocumentFault { field, .. } => field.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(field(&verdicts[0]).as_deref(), Some("ns.port"));
    assert_eq!(verdicts[1], Verdict::Indexed);
    field(&verdicts[2]);
    assert_eq!(field(&verdicts[3]), None);
}

#[tokio::test(start_paused = true)]
async fn bodies_over_the_limit_and_malformed_ones_are_refused_whole() {
    let cluster = FakeOpenSearch::new(Arc::new(Calm));
    cluster.set_max_body_bytes(300);
    let verdicts = write(
        &cluster,
        &batch("log-x", &["", ",\"a\":1", ",\"b\":1", ",\"c\":2"]),
    )
    .await;
    assert_eq!(verdicts, vec![Verdict::Indexed; 4]);
    let status = |body: &'static str| {
        let cluster = cluster.clone();
        async move {
            cluster
                .bulk(Bytes::from_static(body.as_bytes()))
                .await
                .unwrap()
                .status
        }
    };
    assert_eq!(
        status("{\"create\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{}").await,
        400
    );
    assert_eq!(
        status("{\"upsert\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{}\n").await,
        400
    );
}

#[tokio::test]
async fn a_cut_connection_is_told_as_one() {
    let chaos = Once::at(Place::Api, Moment::Before, Failure::Connection);
    let cluster = FakeOpenSearch::new(chaos);
    let error = cluster.call(Method::Get, "/", None).await.unwrap_err();
    assert!(matches!(error, BulkError::Connection { .. }));
    assert_eq!(check_version(&cluster).await.unwrap().number, "3.4.0");
}

async fn ask(cluster: &FakeOpenSearch, path: &str, body: Value) -> (u16, Value) {
    let body = Some(body.to_string().into());
    let answer = cluster.call(Method::Post, path, body).await.unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[tokio::test(start_paused = true)]
async fn searches_see_what_was_refreshed_and_look_ups_everything() {
    let cluster = FakeOpenSearch::new(Arc::new(Calm));
    let path = ",\"log\":{\"file\":{\"path\":\"s3://b/k\"}},\"sekisho\":{\"offset\":";
    let rests: Vec<String> = (0..5).map(|at| format!("{path}{at}}}")).collect();
    let rests: Vec<&str> = rests.iter().map(String::as_str).collect();
    let batch = batch("log-x-2026.11.23", &rests);
    write(&cluster, &batch).await;
    let query = json!({ "size": 2, "sort": ["sekisho.offset"], "query": { "bool": { "filter": [
        { "term": { "log.file.path": "s3://b/k" } },
        { "range": { "sekisho.offset": { "gte": 1, "lt": 4 } } },
    ] } } });
    let total = |found: &Value| found["hits"]["total"]["value"].as_u64().unwrap();
    let (_, found) = ask(&cluster, "/log-*/_search", query.clone()).await;
    assert_eq!(total(&found), 0);
    let id = batch.items[0].id.to_string();
    let (_, looked) = ask(
        &cluster,
        "/log-x-2026.11.23/_mget",
        json!({ "ids": [id, "no"] }),
    )
    .await;
    assert_eq!(
        (&looked["docs"][0]["found"], &looked["docs"][1]["found"]),
        (&json!(true), &json!(false))
    );
    ask(&cluster, "/log-*/_refresh", Value::Null).await;
    let (_, found) = ask(&cluster, "/log-*/_search", query.clone()).await;
    assert_eq!(total(&found), 3);
    let offsets = |found: &Value| -> Vec<u64> {
        let hits = found["hits"]["hits"].as_array().unwrap();
        hits.iter()
            .map(|hit| hit["_source"]["sekisho"]["offset"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(offsets(&found), [1, 2]);
    let mut next = query;
    next["search_after"] = found["hits"]["hits"][1]["sort"].clone();
    let (_, found) = ask(&cluster, "/log-*/_search", next).await;
    assert_eq!(offsets(&found), [3]);
}

#[tokio::test(start_paused = true)]
async fn a_retired_index_is_marked_and_a_closed_one_cannot_be_read() {
    let cluster = FakeOpenSearch::new(Arc::new(Calm));
    let (status, _) = ask(&cluster, "/_alias/sekisho-retired", Value::Null).await;
    assert_eq!(status, 404);
    cluster.retire("log-a", false);
    cluster.retire("log-b", true);
    cluster.block("log-c", true);
    let (_, marked) = ask(&cluster, "/_alias/sekisho-retired", Value::Null).await;
    let marked: Vec<&String> = marked.as_object().unwrap().keys().collect();
    assert_eq!(marked, ["log-a", "log-b"]);
    let docs =
        json!({ "docs": [{ "_index": "log-a", "_id": "1" }, { "_index": "log-b", "_id": "1" }] });
    let (_, looked) = ask(&cluster, "/_mget", docs).await;
    assert_eq!(looked["docs"][0]["found"], false);
    assert_eq!(looked["docs"][1]["error"]["type"], "index_closed_exception");
}

#[tokio::test(start_paused = true)]
async fn a_sequence_number_guards_an_entry() {
    let cluster = FakeOpenSearch::new(Arc::new(Calm));
    let write = |action: Value| {
        let body = format!("{action}\n{{}}\n");
        let cluster = cluster.clone();
        async move {
            let answer = cluster.bulk(body.into()).await.unwrap();
            let answer: Value = serde_json::from_slice(&answer.body).unwrap();
            let (_, item) = answer["items"][0]
                .as_object()
                .unwrap()
                .iter()
                .next()
                .unwrap();
            (item["status"].as_u64().unwrap(), item["_seq_no"].as_u64())
        }
    };
    let place = json!({ "_index": "sekisho-ledger-x", "_id": "1" });
    assert_eq!(write(json!({ "create": place })).await, (201, Some(0)));
    let guarded = |seq_no: u64| json!({ "index": { "_index": "sekisho-ledger-x", "_id": "1", "if_seq_no": seq_no, "if_primary_term": 1 } });
    assert_eq!(write(guarded(0)).await, (200, Some(1)));
    assert_eq!(write(guarded(0)).await, (409, None));
}

#[tokio::test]
async fn templates_are_kept() {
    let cluster = FakeOpenSearch::new(Arc::new(Calm));
    let state = check_templates(&cluster, "").await.unwrap();
    assert_eq!(state, TemplateState::Missing);
    let wanted = templates(&TemplateSettings::default(), &[]).unwrap();
    apply(&cluster, &wanted).await.unwrap();
    let state = check_templates(&cluster, "").await.unwrap();
    assert_eq!(state, TemplateState::Current);
}
