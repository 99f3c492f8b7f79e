//! The cluster, below the real client of `_bulk`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sekisho_bulk::{
    BulkBatch, BulkDestination, BulkError, BulkSettings, ClusterApi, Destination as _, Method,
    Transport as _, Verdict, check_version,
};
use sekisho_cluster::{TemplateSettings, TemplateState, apply, check_templates, templates};
use sekisho_tests::fake::{Calm, Failure, FakeOpenSearch, ItemFault, Moment, Place, Rule, Symptom};
use sekisho_tests::opensearch::{add, fixed_clock};
use serde_json::{Value, json};

use super::Once;

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
