//! The ledger by a role that may do no more than the documentation grants.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use sekisho_aws::connect_cluster;
use sekisho_bulk::{ErrorClass, Method};
use sekisho_config::{Auth, OpenSearchSettings};
use sekisho_ledger::{Attempt, Books, ClusterLedger, Ledger, SliceKey};
use sekisho_tests::node::ADMIN;
use sekisho_tests::opensearch::Cluster;
use serde_json::{Value, json};

use crate::Secured;

crate::cases![Secured:
    the_documented_permissions_are_enough,
    a_missing_permission_is_named,
];

const PASSWORD: &str = "Kawasemi-7-hisui-rail";

async fn connect(node: &Secured, (username, password): (&str, &str)) -> Result<Cluster> {
    let settings = OpenSearchSettings {
        url: node.url.clone(),
        auth: Auth::Basic,
        username: username.to_owned(),
        password: password.to_owned().into(),
        ca_file: node.ca_file.to_str().context("a path")?.to_owned(),
        ..OpenSearchSettings::default()
    };
    Ok(Cluster::over(connect_cluster(&settings).await?))
}

/// Makes a user who may do these on the ledger's indices.
async fn ledger(node: &Secured, user: &str, actions: Value) -> Result<ClusterLedger> {
    let admin = connect(node, ADMIN).await?;
    admin.apply(&[]).await?;
    admin.delete("sekisho-ledger-*").await?;
    let role = json!({
        "cluster_permissions": ["indices:data/write/bulk", "indices:data/read/mget"],
        "index_permissions": [{
            "index_patterns": ["sekisho-ledger-*"],
            "allowed_actions": actions,
        }],
    });
    let security = "/_plugins/_security/api";
    let path = format!("{security}/roles/{user}");
    admin.must(Method::Put, &path, Some(role)).await?;
    let login = json!({ "password": PASSWORD, "opendistro_security_roles": [user] });
    let path = format!("{security}/internalusers/{user}");
    admin.must(Method::Put, &path, Some(login)).await?;
    let cluster = connect(node, (user, PASSWORD)).await?;
    Ok(ClusterLedger::new(
        Arc::new(cluster.transport().clone()),
        "",
    ))
}

fn attempt() -> Result<Attempt> {
    Ok(Attempt {
        slice: SliceKey {
            bucket: "logs".into(),
            key: "k".into(),
            etag: Some("e".into()),
            start: 0,
            last_modified: "2026-11-22T00:00:00Z".parse()?,
        },
        version_id: None,
        end: 9,
        eof: true,
        next: None,
        books: Books::default(),
        raw_seen: 0,
        bytes: 9,
        duration_ms: 1,
        dataset: None,
        parser: "p".into(),
        rules: "r".into(),
        cut: None,
        error: None,
        at: "2026-11-23T00:00:00Z".parse()?,
        replaced: false,
    })
}

async fn the_documented_permissions_are_enough(node: Secured) -> Result<()> {
    let actions = json!([
        "create_index",
        "indices:data/write/index",
        "indices:data/write/bulk*",
        "indices:data/read/mget*",
    ]);
    let ledger = ledger(&node, "sekisho-bookkeeper", actions).await?;
    let slice = attempt()?.slice;
    ensure!(ledger.find(std::slice::from_ref(&slice)).await? == [None]);
    for attempts in 1..3 {
        let entry = ledger.record(attempt()?).await?;
        ensure!(entry.attempts == attempts, "{entry:?}");
    }
    ensure!(ledger.find(&[slice]).await?.iter().all(Option::is_some));
    Ok(())
}

async fn a_missing_permission_is_named(node: Secured) -> Result<()> {
    let reader = json!(["indices:data/read/mget*"]);
    let ledger = ledger(&node, "sekisho-onlooker", reader).await?;
    let error = ledger.record(attempt()?).await;
    let error = error.err().context("it was written")?;
    ensure!(error.class() == ErrorClass::State, "{error}");
    let text = error.to_string();
    for word in [
        "403",
        "no permissions for",
        "`indices:data/write/bulk*`",
        "`sekisho-ledger-*`",
    ] {
        ensure!(text.contains(word), "{text}");
    }
    Ok(())
}
