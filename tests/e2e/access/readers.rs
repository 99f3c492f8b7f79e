//! Readers see the sources that the settings name, with or without what did not parse, and never the ledger.

use anyhow::{Result, ensure};
use sekisho_bulk::Method;
use serde_json::{Value, json};

use crate::{World, settings};

crate::cases![readers_see_what_the_settings_say];

async fn readers_see_what_the_settings_say(world: World) -> Result<()> {
    world.set_up().await?;
    let admin = world.admin().await?;
    admin.delete("log-*").await?;
    for (index, kind) in [
        ("log-aws-waf-2026.11.01", "event"),
        ("log-aws-waf-2026.11.02", "pipeline_error"),
        ("log-aws-cloudtrail-2026.11.01", "event"),
        ("log-other-2026.11.01", "event"),
    ] {
        let path = format!("/{index}/_doc/1?refresh=true");
        let doc = json!({ "event": { "kind": kind } });
        admin.must(Method::Put, &path, Some(doc)).await?;
    }
    let all = || json!({ "match_all": {} });
    let reader = world.user("reader").await?;
    ensure!(reader.count("log-*", all()).await? == 4);
    let mut narrow = settings();
    narrow.access.reader_raw = false;
    narrow.access.reader_sources = vec!["aws.waf".to_owned()];
    world.apply(&narrow).await?;
    let count = reader.count("log-aws-waf-*", all()).await?;
    ensure!(count == 1, "{count} documents");
    let hidden = "/log-aws-waf-2026.11.02/_doc/1";
    let (status, answer) = reader.call(Method::Get, hidden, None).await?;
    ensure!(
        status == 404 || answer.get("found") == Some(&Value::Bool(false)),
        "{answer}"
    );
    for index in ["log-aws-cloudtrail-*", "log-other-2026.11.01"] {
        let path = format!("/{index}/_count");
        let (status, answer) = reader.call(Method::Get, &path, None).await?;
        ensure!(status == 403, "{index}: {status} {answer}");
    }
    world.apply(&settings()).await?;
    ensure!(reader.count("log-*", all()).await? == 4);
    Ok(())
}
