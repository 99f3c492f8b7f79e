//! From a bucket to an index, and nothing twice.

use std::sync::Arc;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::world::{FLOW_KEY, World, flow_log};

sekisho_tests::cases!(
    World;
    an_object_becomes_searchable,
    the_same_object_adds_nothing,
    every_wrapping_names_the_same_object,
    keys_arrive_as_they_are,
    no_json_fails_alone,
    an_object_that_is_gone_is_dead_lettered,
);

/// Also shows `s3:TestEvent`, which the stand-ins send when the notification is configured: were it failed, it would be dead-lettered.
async fn an_object_becomes_searchable(world: Arc<World>) -> Result<()> {
    let site = world.deploy("searchable").await?;
    world
        .aws
        .send(
            &site,
            r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"searchable"}"#,
        )
        .await?;
    world.aws.put(&site, FLOW_KEY, &flow_log(3)?).await?;
    world.aws.put(&site, "AWSLogs/111122223333/", b"").await?;
    world.expect("searchable", 3).await?;
    let query = json!({ "bool": { "filter": [
        { "term": { "log.file.path": format!("s3://searchable/{FLOW_KEY}") } },
        { "term": { "event.dataset": "aws.vpcflow" } },
        { "term": { "source.ip": "192.0.2.0/24" } },
        { "range": { "@timestamp": { "gte": "2026-11-23T00:00:00Z", "lt": "2026-11-24T00:00:00Z" } } },
    ] } });
    ensure!(
        world.count(query).await? == 3,
        "the flows are not found by what they say"
    );
    world.aws.drain(&site).await?;
    let dead = world.aws.dead_letters(&site).await?;
    ensure!(dead.is_empty(), "dead-lettered: {dead:?}");
    Ok(())
}

async fn the_same_object_adds_nothing(world: Arc<World>) -> Result<()> {
    let site = world.deploy("again").await?;
    let log = flow_log(5)?;
    world.aws.put(&site, FLOW_KEY, &log).await?;
    world.expect("again", 5).await?;
    world.aws.put(&site, FLOW_KEY, &log).await?;
    let notification = notification("again", FLOW_KEY).to_string();
    for _ in 0..2 {
        world.aws.send(&site, &notification).await?;
    }
    world.aws.drain(&site).await?;
    let reports = world.load("again").await?;
    let [report] = reports.as_slice() else {
        anyhow::bail!("the listing gave {} objects", reports.len());
    };
    ensure!(report.error.is_none(), "{:?}", report.error);
    ensure!(
        report.books.duplicate == 5 && report.books.balanced(),
        "{}",
        report.books
    );
    world.expect("again", 5).await
}

async fn every_wrapping_names_the_same_object(world: Arc<World>) -> Result<()> {
    let site = world.deploy("wrapped").await?;
    world.aws.put(&site, FLOW_KEY, &flow_log(2)?).await?;
    world.expect("wrapped", 2).await?;
    let bare = notification("wrapped", FLOW_KEY);
    let sns = json!({ "Type": "Notification", "MessageId": "m", "TopicArn": "t", "Message": bare.to_string() });
    let event_bridge = json!({ "version": "0", "detail-type": "Object Created", "source": "aws.s3", "time": "2026-11-23T00:00:00Z",
        "detail": { "bucket": { "name": "wrapped" }, "object": { "key": FLOW_KEY } } });
    for body in [&sns, &event_bridge] {
        world.aws.send(&site, &body.to_string()).await?;
    }
    world.aws.drain(&site).await?;
    world.aws.invoke(&world.function, &bare).await?;
    let dead = world.aws.dead_letters(&site).await?;
    ensure!(dead.is_empty(), "dead-lettered: {dead:?}");
    world.expect("wrapped", 2).await
}

async fn keys_arrive_as_they_are(world: Arc<World>) -> Result<()> {
    let site = world.deploy("keys").await?;
    let keys = [
        "a b+c.log",
        "slash%2Fescaped.log",
        "が-composed.log",
        "か\u{3099}-decomposed.log",
        "日本/year=2026/x&y.log",
    ];
    for key in keys {
        world.aws.put(&site, key, b"one line\n").await?;
    }
    world.expect("keys", 5).await?;
    for key in keys {
        let query = json!({ "term": { "log.file.path": format!("s3://keys/{key}") } });
        ensure!(
            world.count(query).await? == 1,
            "`{key}` arrived as another key"
        );
    }
    let reports = world.load("keys").await?;
    ensure!(
        reports.len() == 5,
        "the listing gave {} objects",
        reports.len()
    );
    world.expect("keys", 5).await
}

async fn no_json_fails_alone(world: Arc<World>) -> Result<()> {
    let site = world.deploy("words").await?;
    world.aws.send(&site, "these are words").await?;
    world.aws.put(&site, FLOW_KEY, &flow_log(2)?).await?;
    world.expect("words", 2).await?;
    world.aws.drain(&site).await?;
    let dead = world.aws.dead_letters(&site).await?;
    ensure!(dead == ["these are words"], "dead-lettered: {dead:?}");
    Ok(())
}

async fn an_object_that_is_gone_is_dead_lettered(world: Arc<World>) -> Result<()> {
    let site = world.deploy("gone").await?;
    let gone = notification("gone", "no/such/object").to_string();
    world.aws.send(&site, &gone).await?;
    world.aws.drain(&site).await?;
    let dead = world.aws.dead_letters(&site).await?;
    ensure!(dead == [gone], "dead-lettered: {dead:?}");
    Ok(())
}

/// A notification that says no more than it must.
pub(crate) fn notification(bucket: &str, key: &str) -> Value {
    json!({ "Records": [{ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": { "bucket": { "name": bucket }, "object": { "key": key } } }] })
}
