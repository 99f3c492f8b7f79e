//! What the function answers, byte for byte, through a runtime API of our own.

use std::sync::Arc;

use anyhow::{Result, ensure};
use sekisho_cluster::TemplateSettings;
use sekisho_tests::aws::{Answer, Bootstrap};
use serde_json::{Value, json};

use crate::delivery::notification;
use crate::world::{FLOW_KEY, World, catalog, flow_log};

sekisho_tests::cases!(
    World;
    exact_message_ids_only,
    a_direct_event_succeeds_or_is_an_error,
    without_templates_every_object_fails_until_they_are_applied,
);

pub(crate) fn sqs(messages: &[(&str, String)]) -> Value {
    let record = |(id, body): &(&str, String)| {
        json!({ "messageId": id, "receiptHandle": "h", "body": body, "attributes": { "ApproximateReceiveCount": "1" },
            "messageAttributes": {}, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q" })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

pub(crate) fn failures(ids: &[&str]) -> Answer {
    let failure = |id: &&str| json!({ "itemIdentifier": id });
    Answer::Response(json!({ "batchItemFailures": ids.iter().map(failure).collect::<Vec<_>>() }))
}

async fn exact_message_ids_only(world: Arc<World>) -> Result<()> {
    world
        .aws
        .s3()
        .create_bucket()
        .bucket("answers")
        .send()
        .await?;
    put(&world, "answers").await?;
    let function = Bootstrap::start(&world.binary, &world.environment(&[]))?;
    let there = || notification("answers", FLOW_KEY).to_string();
    let gone = || notification("answers", "gone").to_string();
    let event = sqs(&[
        ("1-there", there()),
        ("2-gone", gone()),
        ("3-words", "words".to_owned()),
        ("4-test", json!({ "Event": "s3:TestEvent" }).to_string()),
        ("5-there", there()),
    ]);
    let answer = function.invoke(&event)?;
    ensure!(answer == failures(&["3-words", "2-gone"]), "{answer:?}");
    let answer = function.invoke(&sqs(&[("6-there", there())]))?;
    ensure!(answer == failures(&[]), "{answer:?}");
    let answer = function.invoke(&sqs(&[("", there())]))?;
    ensure!(
        matches!(answer, Answer::Error(_)),
        "an empty id was answered with {answer:?}"
    );
    world.expect("answers", 2).await
}

async fn a_direct_event_succeeds_or_is_an_error(world: Arc<World>) -> Result<()> {
    world
        .aws
        .s3()
        .create_bucket()
        .bucket("direct")
        .send()
        .await?;
    put(&world, "direct").await?;
    let function = Bootstrap::start(&world.binary, &world.environment(&[]))?;
    let answer = function.invoke(&notification("direct", FLOW_KEY))?;
    ensure!(answer == failures(&[]), "{answer:?}");
    let answer = function.invoke(&notification("direct", "gone"))?;
    ensure!(matches!(answer, Answer::Error(_)), "{answer:?}");
    world.expect("direct", 2).await
}

async fn without_templates_every_object_fails_until_they_are_applied(
    world: Arc<World>,
) -> Result<()> {
    world.aws.s3().create_bucket().bucket("bare").send().await?;
    put(&world, "bare").await?;
    let function = Bootstrap::start(
        &world.binary,
        &world.environment(&[("SEKISHO_INDEX_PREFIX", "other-")]),
    )?;
    let event = sqs(&[
        ("object", notification("bare", FLOW_KEY).to_string()),
        ("test", json!({ "Event": "s3:TestEvent" }).to_string()),
    ]);
    let answer = function.invoke(&event)?;
    ensure!(answer == failures(&["object"]), "{answer:?}");
    let settings = TemplateSettings {
        prefix: "other-".to_owned(),
        ..TemplateSettings::default()
    };
    let templates = sekisho_cluster::templates(&settings, &catalog()?.mappings()?)?;
    sekisho_cluster::apply(world.cluster.transport(), &templates).await?;
    // The same process: what it once found missing it asks for again.
    let answer = function.invoke(&event)?;
    ensure!(answer == failures(&[]), "{answer:?}");
    world.cluster.refresh().await?;
    let written = world
        .cluster
        .count("other-log-*", json!({ "match_all": {} }))
        .await?;
    ensure!(
        written == 2,
        "{written} documents, expected 2 and none from before the templates"
    );
    Ok(())
}

async fn put(world: &World, bucket: &str) -> Result<()> {
    let put = world.aws.s3().put_object().bucket(bucket).key(FLOW_KEY);
    put.body(flow_log(2)?.into()).send().await?;
    Ok(())
}
