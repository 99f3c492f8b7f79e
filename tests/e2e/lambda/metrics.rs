//! What the binary writes to standard output: one line for each object, and a batch's numbers as CloudWatch reads them.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use sekisho_tests::aws::{Answer, Bootstrap};
use serde_json::{Value, json};

use crate::delivery::notification;
use crate::world::{FLOW_KEY, World, flow_log};

sekisho_tests::cases!(
    World;
    a_batch_reports_itself_and_no_line_holds_what_records_do,
);

/// What no line may hold.
const SECRET: &str = "hunter2";

async fn a_batch_reports_itself_and_no_line_holds_what_records_do(world: Arc<World>) -> Result<()> {
    let s3 = world.aws.s3();
    s3.create_bucket().bucket("reports").send().await?;
    let unclaimed = format!("password={SECRET}\n").into_bytes();
    for (key, bytes) in [(FLOW_KEY, flow_log(3)?), ("elsewhere.log", unclaimed)] {
        let put = s3.put_object().bucket("reports").key(key);
        put.body(bytes.into()).send().await?;
    }
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("log");
    let environment = world.environment(&[]);
    let function = Bootstrap::start_with_log(&world.binary, &environment, &log)?;
    let message = |id: &str, key: &str| {
        let mut body = notification("reports", key);
        body["Records"][0]["eventTime"] = json!("2026-11-23T00:00:00.000Z");
        json!({ "messageId": id, "receiptHandle": "h", "body": body.to_string(), "eventSource": "aws:sqs",
            "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": {} })
    };
    let messages = [
        message("1", FLOW_KEY),
        message("2", "elsewhere.log"),
        message("3", "gone"),
    ];
    let answer = function.invoke(&json!({ "Records": messages }))?;
    ensure!(matches!(answer, Answer::Response(_)), "{answer:?}");
    let text = std::fs::read_to_string(&log)?;
    ensure!(!text.contains(SECRET), "{text}");
    let lines = text.lines().map(serde_json::from_str);
    let lines = lines
        .collect::<Result<Vec<Value>, _>>()
        .with_context(|| text.clone())?;
    for (key, word) in [
        (FLOW_KEY, "object finished"),
        ("elsewhere.log", "object finished"),
        ("gone", "object failed"),
    ] {
        let of_key: Vec<_> = lines.iter().filter(|line| line["key"] == key).collect();
        ensure!(of_key.len() == 1, "`{key}` in {text}");
        ensure!(of_key.iter().all(|line| line["message"] == word), "{text}");
        let has_id = |line: &&Value| line["span"]["request_id"].is_string();
        ensure!(of_key.iter().all(has_id), "{text}");
    }
    check(&lines, &text)
}

/// Finds the numbers by what CloudWatch looks for.
fn check(lines: &[Value], text: &str) -> Result<()> {
    let numbers: Vec<_> = lines
        .iter()
        .filter(|line| line.get("_aws").is_some())
        .collect();
    ensure!(numbers.len() == 3, "{text}");
    for line in &numbers {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        ensure!(directive["Namespace"] == "Sekisho", "{line}");
        ensure!(line["Installation"] == "sekisho", "{line}");
        let metrics = directive["Metrics"].as_array().context("no metrics")?;
        for metric in metrics {
            let name = metric["Name"].as_str().context("no name")?;
            let value = &line[name];
            ensure!(value.is_number() || value.is_array(), "`{name}` of {line}");
        }
    }
    for (name, expected) in [
        ("Objects", 3),
        ("ObjectsFailed", 1),
        ("Records", 4),
        ("Indexed", 3),
        ("Raw", 1),
        ("Skipped", 1),
        ("MessagesFailed", 1),
        ("BulkRejected", 0),
        ("BrakedSeconds", 0),
        ("PermissionDenied", 0),
    ] {
        ensure!(numbers[0][name] == expected, "`{name}` of {}", numbers[0]);
    }
    let delays = numbers[0]["DeliveryDelay"].as_array().context("no delay")?;
    ensure!(delays.len() == 2, "{}", numbers[0]);
    let sources = numbers.iter().map(|line| line["Source"].as_str());
    let sources: Vec<_> = sources.flatten().collect();
    ensure!(sources == ["aws.vpcflow", "sekisho.unknown"], "{sources:?}");
    Ok(())
}
