//! Every way of the functions through AWS and the cluster, once, and the list of what they asked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sekisho_tests::aws::Bootstrap;
use sekisho_tests::node::setting;
use sekisho_tests::proxy::Fault;
use serde_json::{Value, json};

use crate::lifecycle;
use crate::site::{LOGS, LONG, Site, notification, respond};
use crate::world::{FOREIGN, World, key, requests};

sekisho_tests::cases!(World; ask_for_what_the_list_says);

/// What the proof in `infra/test/iam` reads.
fn list() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/test/iam/calls.json")
}

async fn ask_for_what_the_list_says(world: Arc<World>) -> Result<()> {
    let site = Site::new(&world).await?;
    let found = json!({
        "sekisho-apply": apply(&site)?,
        "sekisho-ingest": ingest(&site).await?,
        "sekisho-replay": replay(&site).await?,
    });
    let found = serde_json::to_string_pretty(&found)? + "\n";
    if setting("UPDATE_EXPECT").is_some() {
        return Ok(std::fs::write(list(), found)?);
    }
    let expected = std::fs::read_to_string(list()).unwrap_or_default();
    let line = found.lines().zip(expected.lines()).find(|(a, b)| a != b);
    ensure!(
        found == expected,
        "`infra/test/iam/calls.json` is stale (first difference: {line:?}); run this test with UPDATE_EXPECT=1, then `cargo xtask infra`:\n{found}"
    );
    Ok(())
}

fn apply(site: &Site) -> Result<Value> {
    let function = site.start("sekisho-apply")?;
    site.to_cluster.rule(lifecycle::answer);
    respond(&function, &json!({ "reason": "deployment" }), LONG)?;
    site.to_cluster.calm();
    site.calls()
}

async fn ingest(site: &Site) -> Result<Value> {
    let function = site.start("sekisho-ingest")?;
    // A record over the limit goes into the quarantine.
    let long = "x".repeat(3_000) + "\n";
    site.put(&key(1), requests(2) + &long).await?;
    site.consume(&function).await?;
    site.publish().await?;
    site.keep_versions().await?;
    continued(site, &function).await?;
    site.tell(FOREIGN, &key(0)).await?;
    site.consume(&function).await?;
    suspect(site, &function).await?;
    drop(function);
    site.calls()
}

/// An object that takes longer than the function has: a message names the rest.
async fn continued(site: &Site, function: &Bootstrap) -> Result<()> {
    site.put(&key(2), requests(4_000)).await?;
    let messages = site.receive(30).await?;
    site.to_cluster
        .rule(|request| match request.path.contains("/_bulk") {
            true => Fault::Delay(Duration::from_millis(30)),
            false => Fault::Pass,
        });
    let time = Duration::from_secs(4);
    let failed = site.hand_over(function, &messages, time).await?;
    site.to_cluster.calm();
    ensure!(failed == 0, "{failed} messages failed: {messages:?}");
    site.consume(function).await
}

/// A message that came three times without a note is tried alone, after the others are deleted; its object is gone.
async fn suspect(site: &Site, function: &Bootstrap) -> Result<()> {
    site.tell(LOGS, "AWSLogs/gone").await?;
    for _ in 0..2 {
        let received = site.receive(0).await?;
        ensure!(received.len() == 1, "{received:?}");
    }
    site.put(&key(3), requests(1)).await?;
    let messages = site.receive(30).await?;
    ensure!(messages.len() == 2, "{messages:?}");
    let failed = site.hand_over(function, &messages, LONG).await?;
    ensure!(failed == 1, "{failed} messages failed: {messages:?}");
    site.wear_out().await
}

async fn replay(site: &Site) -> Result<Value> {
    let dead = site.dead_letters().await?;
    ensure!(dead == 1, "{dead} dead letters");
    // The first object was put before the bucket kept versions.
    let plain = notification(LOGS, &key(1));
    let versioned = versioned(site).await?;
    for body in [&plain, &versioned, &notification(FOREIGN, &key(0))] {
        site.dead_letter(body).await?;
    }
    let function = site.start("sekisho-replay")?;
    // A cluster that takes nothing: each message is looked at and shown again.
    site.to_cluster
        .rule(|request| match request.path.contains("/_cluster/health") {
            true => Fault::Answer(200, r#"{"status":"red"}"#),
            false => Fault::Pass,
        });
    let closed = respond(&function, &json!({}), LONG)?;
    ensure!(site.dead_letters().await? == 4, "{closed}");
    site.to_cluster.calm();
    let report = respond(&function, &json!({}), LONG)?;
    ensure!(site.dead_letters().await? == 0, "{report}");
    site.calls()
}

/// The notification of a version, as the bucket sends it.
async fn versioned(site: &Site) -> Result<String> {
    site.put(&key(4), requests(1)).await?;
    let messages = site.receive(30).await?;
    let body = messages.first().and_then(|message| message.body());
    Ok(body.context("no notification")?.to_owned())
}
