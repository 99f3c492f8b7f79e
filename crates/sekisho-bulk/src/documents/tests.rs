//! A cluster that answers one call after the other as it is told.

use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::{ClusterApi, ErrorClass, Method};

#[derive(Default)]
struct Scripted {
    answers: Mutex<Vec<(u16, Value)>>,
    calls: Mutex<Vec<(String, String)>>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Self {
            answers: Mutex::new(answers),
            calls: Mutex::default(),
        }
    }

    fn calls(&self) -> Vec<(String, String)> {
        self.calls.lock().unwrap().clone()
    }
}

#[async_trait]
impl ClusterApi for Scripted {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<ApiAnswer, BulkError> {
        let body = body.map(|body| String::from_utf8(body.to_vec()).unwrap());
        self.calls
            .lock()
            .unwrap()
            .push((format!("{method:?} {path}"), body.unwrap_or_default()));
        let (status, value) = self.answers.lock().unwrap().pop().unwrap();
        Ok(ApiAnswer {
            status,
            body: value.to_string().into(),
        })
    }
}

fn write(id: &str, op: WriteOp, body: &str) -> DocumentWrite {
    DocumentWrite {
        index: "i".into(),
        id: id.into(),
        op,
        body: body.into(),
    }
}

#[tokio::test]
async fn a_look_up_tells_there_missing_and_unreadable_apart() {
    // As nodes of 2.19.4 and 3.4.0 answer.
    let api = Scripted::new([(
        200,
        json!({ "docs": [
            { "_index": "a", "_id": "1", "_version": 1, "_seq_no": 4, "_primary_term": 2, "found": true, "_source": { "x": 1 } },
            { "_index": "a", "_id": "2", "found": false },
            { "_index": "b", "_id": "1", "error": { "type": "index_not_found_exception", "reason": "no such index [b]" } },
            { "_index": "c", "_id": "1", "error": { "type": "index_closed_exception", "reason": "closed" } },
        ] }),
    )]);
    let ids = [("a", "1"), ("a", "2"), ("b", "1"), ("c", "1")];
    let found = mget(&api, &ids, Want::Source).await.unwrap();
    assert_eq!(
        found,
        [
            Found::Found {
                source: json!({ "x": 1 }),
                seq_no: 4,
                primary_term: 2
            },
            Found::Missing,
            Found::Missing,
            Found::Unreadable {
                kind: "index_closed_exception".into(),
                reason: "closed".into()
            },
        ]
    );
    assert_eq!(mget(&api, &[], Want::Source).await.unwrap(), []);
    assert_eq!(api.calls().len(), 1);
}

#[tokio::test]
async fn a_long_look_up_is_cut_and_an_answer_for_others_is_an_error() {
    let page = |from: usize, to: usize| {
        let docs: Vec<_> = (from..to)
            .map(|at| json!({ "_id": at.to_string(), "found": false }))
            .collect();
        (200, json!({ "docs": docs }))
    };
    let names: Vec<_> = (0..600).map(|at| at.to_string()).collect();
    let ids: Vec<_> = names.iter().map(|id| ("a", id.as_str())).collect();
    let api = Scripted::new([page(0, 500), page(500, 600)]);
    assert_eq!(mget(&api, &ids, Want::Presence).await.unwrap().len(), 600);
    assert!(api.calls()[0].0.ends_with("_source=false"));
    let api = Scripted::new([page(0, 500), page(500, 599)]);
    let error = mget(&api, &ids, Want::Presence).await.unwrap_err();
    assert!(matches!(error, BulkError::Mismatch { .. }), "{error}");
}

#[tokio::test]
async fn each_write_gets_its_own_answer() {
    let conflict = json!({ "type": "version_conflict_engine_exception", "reason": "r" });
    let api = Scripted::new([(
        200,
        json!({ "errors": true, "items": [
            { "create": { "_id": "1", "status": 201 } },
            { "index": { "_id": "1", "status": 409, "error": conflict } },
            { "delete": { "_id": "2", "status": 404 } },
            { "delete": { "_id": "1", "status": 200 } },
            { "index": { "_id": "3", "status": 404, "error": { "type": "index_not_found_exception", "reason": "no such index [i]" } } },
        ] }),
    )]);
    let op = WriteOp::IndexIf {
        seq_no: 7,
        primary_term: 1,
    };
    let writes = [
        write("1", WriteOp::Create, "{\n\"a\": 1}"),
        write("1", op, "{}"),
        write("2", WriteOp::Delete, ""),
        write("1", WriteOp::Delete, ""),
        write("3", WriteOp::Index, "{}"),
    ];
    assert_eq!(
        write_documents(&api, &writes).await.unwrap(),
        [
            WriteAnswer::Done,
            WriteAnswer::Conflict,
            WriteAnswer::NotFound,
            WriteAnswer::Done,
            WriteAnswer::Refused {
                status: 404,
                kind: "index_not_found_exception".into(),
                reason: "no such index [i]".into()
            },
        ]
    );
    let calls = api.calls();
    let lines: Vec<Value> = calls[0]
        .1
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let at = |id: &str| json!({ "_index": "i", "_id": id });
    let state = json!({ "_index": "i", "_id": "1", "if_seq_no": 7, "if_primary_term": 1 });
    assert_eq!(
        lines,
        [
            json!({ "create": at("1") }),
            json!({ "a": 1 }),
            json!({ "index": state }),
            json!({}),
            json!({ "delete": at("2") }),
            json!({ "delete": at("1") }),
            json!({ "index": at("3") }),
            json!({}),
        ]
    );
}

#[tokio::test]
async fn writes_are_cut_by_size_and_halved_after_a_413() {
    let done = |ids: &[&str]| {
        let items: Vec<_> = ids
            .iter()
            .map(|id| json!({ "create": { "_id": id, "status": 201 } }))
            .collect();
        (200, json!({ "items": items }))
    };
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(3 << 20));
    let writes = [
        write("1", WriteOp::Create, &long),
        write("2", WriteOp::Create, &long),
        write("3", WriteOp::Create, "{}"),
        write("4", WriteOp::Create, "{}"),
    ];
    let api = Scripted::new([
        done(&["1"]),
        (413, json!("")),
        done(&["2"]),
        done(&["3", "4"]),
    ]);
    assert_eq!(
        write_documents(&api, &writes).await.unwrap(),
        vec![WriteAnswer::Done; 4]
    );
    assert_eq!(write_documents(&api, &[]).await.unwrap(), []);
}

#[tokio::test]
async fn a_refused_call_says_which_and_whether_to_try_again() {
    let refused = |status, kind: &str| {
        Scripted::new([(
            status,
            json!({ "error": { "type": kind, "reason": "because" }, "status": status }),
        )])
    };
    let api = refused(403, "security_exception");
    let error = mget(&api, &[("a", "1")], Want::Presence).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::State);
    let text = error.to_string();
    assert!(
        text.starts_with("`POST /_mget` was refused with 403: security_exception: because"),
        "{text}"
    );
    let api = refused(429, "circuit_breaking_exception");
    let writes = [write("1", WriteOp::Index, "{}")];
    let error = write_documents(&api, &writes).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Retry);
}

#[tokio::test]
async fn a_page_goes_on_after_the_last_hit() {
    let api = Scripted::new([
        (
            200,
            json!({ "hits": { "hits": [
                { "_index": "log-a", "_id": "1", "_score": null, "_source": { "x": 1 }, "sort": ["1"] },
            ] } }),
        ),
        (200, json!({ "hits": { "hits": [] } })),
    ]);
    let mut search = Search {
        pattern: "log-*",
        query: json!({ "match_all": {} }),
        source: &["x"],
        sort: json!([{ "_id": "asc" }]),
        size: 1,
        search_after: None,
    };
    let hits = search_page(&api, &search).await.unwrap();
    assert_eq!(hits[0].source, json!({ "x": 1 }));
    search.search_after = Some(hits[0].sort.clone());
    assert_eq!(search_page(&api, &search).await.unwrap(), []);
    let calls = api.calls();
    assert!(calls[1].0.contains("allow_partial_search_results=false"));
    let body: Value = serde_json::from_str(&calls[1].1).unwrap();
    assert_eq!(body["search_after"], json!(["1"]));
}

#[tokio::test]
async fn a_refresh_leaves_out_what_cannot_be_refreshed() {
    let api = Scripted::new([(200, json!({}))]);
    refresh(&api, "log-*").await.unwrap();
    assert_eq!(
        api.calls()[0].0,
        "Post /log-*/_refresh?ignore_unavailable=true&allow_no_indices=true"
    );
}
