//! Role × action: what is granted succeeds, and everything else is denied.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use sekisho_bulk::{ClusterApi as _, Method};
use sekisho_tests::opensearch::Cluster;
use serde_json::json;

use crate::{ROLES, World};

crate::cases![each_role_does_its_work_and_nothing_else];

const LOG: &str = "log-aws-waf-2026.11.23";
const LEDGER: &str = "sekisho-ledger-2026.11.23";
const FOREIGN: &str = "payroll-2026";

/// What is tried: its name, the call, and who may.
struct Try {
    name: &'static str,
    method: Method,
    path: String,
    body: Option<String>,
    allowed: &'static [&'static str],
}

type Row = (
    &'static str,
    Method,
    String,
    Option<String>,
    &'static [&'static str],
);

const NOBODY: &[&str] = &[];
const WRITERS: &[&str] = &["ingest", "replay", "reload"];
const RELOAD: &[&str] = &["reload"];
const APPLY: &[&str] = &["apply"];

fn bulk(action: &str, index: &str, id: &str, source: &str) -> String {
    let action = json!({ action: { "_index": index, "_id": id } });
    format!("{action}\n{source}")
}

/// One document of its own for each user.
fn tries(user: &str) -> Vec<Try> {
    let doc = "{\"event\":{\"kind\":\"event\"}}\n";
    let (get, post, put, delete) = (Method::Get, Method::Post, Method::Put, Method::Delete);
    let mget = |index: &str| json!({ "docs": [{ "_index": index, "_id": "1" }] }).to_string();
    let query = || Some(json!({ "query": { "match_all": {} } }).to_string());
    let new_log = format!("log-aws-{user}-2026.11.23");
    let rows: Vec<Row> = vec![
        ("ask for the version", get, "/".into(), None, &["ingest", "replay", "reload", "apply"]),
        ("read a part of templates", get, "/_component_template/sekisho-core".into(), None, &["ingest", "replay", "reload", "apply"]),
        ("read a template", get, "/_index_template/sekisho-log".into(), None, &["ingest", "replay", "reload", "apply"]),
        ("create a log in a new index", post, "/_bulk".into(), Some(bulk("create", &new_log, "1", doc)), WRITERS),
        ("create a log", post, "/_bulk".into(), Some(bulk("create", LOG, user, doc)), WRITERS),
        ("overwrite a log", post, "/_bulk".into(), Some(bulk("index", LOG, user, doc)), WRITERS),
        ("update a log", post, "/_bulk".into(), Some(bulk("update", LOG, "1", "{\"doc\":{\"a\":1}}\n")), NOBODY),
        ("delete a log", post, "/_bulk".into(), Some(bulk("delete", LOG, user, "")), RELOAD),
        ("get logs", post, "/_mget".into(), Some(mget(LOG)), &["ingest", "replay", "reload", "reader"]),
        ("read the retirement mark", get, format!("/{LOG}/_alias/sekisho-retired"), None, &["ingest", "replay", "reload", "apply"]),
        ("search logs", post, "/log-*/_search".into(), query(), &["reload", "reader"]),
        ("count logs", post, "/log-*/_count".into(), query(), &["reload", "reader"]),
        ("search several ways at once", post, "/_msearch".into(), Some(format!("{{\"index\":\"{LOG}\"}}\n{{}}\n")), &["reload", "reader"]),
        ("scroll logs", post, format!("/{LOG}/_search?scroll=1s"), query(), &["reload", "reader"]),
        ("refresh logs", post, "/log-*/_refresh".into(), None, &["reload", "apply"]),
        ("resolve names", get, "/_resolve/index/log-*".into(), None, &["reload", "apply", "reader"]),
        ("ask for types", get, "/log-*/_field_caps?fields=*".into(), None, &["apply", "reader"]),
        ("ask for mappings", get, "/log-*/_mapping".into(), None, &["apply", "reader"]),
        ("delete by query", post, format!("/{LOG}/_delete_by_query"), query(), NOBODY),
        ("write a ledger entry", post, "/_bulk".into(), Some(bulk("index", LEDGER, "1", "{\"bucket\":\"b\"}\n")), WRITERS),
        ("get ledger entries", post, "/_mget".into(), Some(mget(LEDGER)), WRITERS),
        ("search the ledger", post, "/sekisho-ledger-2026.11.23/_search".into(), query(), NOBODY),
        ("delete a ledger entry", post, "/_bulk".into(), Some(bulk("delete", LEDGER, "1", "")), NOBODY),
        ("create a foreign index", post, "/_bulk".into(), Some(bulk("create", "payroll-new", "1", doc)), NOBODY),
        ("write a foreign index", post, "/_bulk".into(), Some(bulk("create", FOREIGN, user, doc)), NOBODY),
        ("get from a foreign index", post, "/_mget".into(), Some(mget(FOREIGN)), NOBODY),
        ("search a foreign index", post, format!("/{FOREIGN}/_search"), query(), NOBODY),
        ("ask for a foreign index", get, format!("/{FOREIGN}"), None, NOBODY),
        ("delete a foreign index", delete, format!("/{FOREIGN}"), None, NOBODY),
        ("ask for health", get, "/_cluster/health".into(), None, &["replay"]),
        ("ask for blocks", get, "/_cluster/state/blocks".into(), None, &["replay"]),
        ("ask for settings", get, "/_cluster/settings?flat_settings=true".into(), None, &["replay"]),
        ("ask for storage", get, "/_nodes/stats/fs".into(), None, &["replay"]),
        ("ask for allocation", get, "/_cat/allocation?format=json&bytes=b".into(), None, &["replay"]),
        ("set a setting of the cluster", put, "/_cluster/settings".into(), Some(json!({ "transient": { "cluster.routing.allocation.enable": null } }).to_string()), NOBODY),
        ("put a template", put, "/_index_template/sekisho-try".into(), Some(json!({ "index_patterns": ["try-*"], "priority": 1 }).to_string()), APPLY),
        ("delete a template", delete, "/_index_template/sekisho-try".into(), None, APPLY),
        ("block an index", put, format!("/log-try-{user}/_settings"), Some(json!({ "index.blocks.write": true }).to_string()), APPLY),
        ("mark an index as retired", post, "/_aliases".into(), Some(json!({ "actions": [{ "add": { "index": format!("log-try-{user}"), "alias": "sekisho-retired" } }] }).to_string()), APPLY),
        ("delete an index", delete, format!("/log-try-{user}"), None, APPLY),
        ("read roles", get, "/_plugins/_security/api/roles/sekisho-ingest".into(), None, NOBODY),
        ("give itself a role", put, "/_plugins/_security/api/rolesmapping/all_access".into(), Some(json!({ "users": [user] }).to_string()), NOBODY),
        ("list snapshots", get, "/_snapshot".into(), None, NOBODY),
        ("run a pipeline", put, "/_ingest/pipeline/try".into(), Some(json!({ "processors": [] }).to_string()), NOBODY),
    ];
    let rows = rows.into_iter();
    rows.map(|(name, method, path, body, allowed)| Try {
        name,
        method,
        path,
        body,
        allowed,
    })
    .collect()
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Allowed,
    Denied,
    Other(String),
}

async fn ask(cluster: &Cluster, one: Try) -> Result<Answer> {
    let body = one.body.map(Bytes::from);
    let answer = cluster
        .transport()
        .call(one.method, &one.path, body)
        .await?;
    let text = String::from_utf8_lossy(&answer.body);
    let is_denied = answer.status == 403 || text.contains("security_exception");
    Ok(match answer.status {
        _ if is_denied => Answer::Denied,
        200 | 201 if !text.contains("\"errors\":true") => Answer::Allowed,
        // No index carries the mark: that was allowed to be asked.
        404 if text.contains("alias [sekisho-retired] missing") => Answer::Allowed,
        status => Answer::Other(format!("{status} {text:.300}")),
    })
}

async fn each_role_does_its_work_and_nothing_else(world: World) -> Result<()> {
    world.set_up().await?;
    let admin = world.admin().await?;
    admin.delete("log-*,sekisho-ledger-*,payroll-*").await?;
    for index in [LOG, LEDGER, FOREIGN] {
        let path = format!("/{index}/_doc/1?refresh=true");
        let doc = json!({ "event": { "kind": "event" } });
        admin.must(Method::Put, &path, Some(doc)).await?;
    }
    let mut wrong = Vec::new();
    let mut n_tried = 0;
    for role in ROLES {
        admin.create(&format!("log-try-{role}"), json!({})).await?;
        let user = world.user(role).await?;
        for one in tries(role) {
            let expected = match one.allowed.contains(&role) {
                true => Answer::Allowed,
                false => Answer::Denied,
            };
            let name = one.name;
            let found = ask(&user, one)
                .await
                .with_context(|| format!("{role}: {name}"))?;
            if found != expected {
                wrong.push(format!("{role}: {name}: {found:?}"));
            }
            n_tried += 1;
        }
    }
    ensure!(wrong.is_empty(), "{n_tried} tries:\n{}", wrong.join("\n"));
    eprintln!("{n_tried} tries of {} roles went as granted", ROLES.len());
    Ok(())
}
