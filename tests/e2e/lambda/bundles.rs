//! Published parsers in the function: taken up by a running process, held where they cannot be used, taken back.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::DateTime;
use sekisho_bundles::{BundleStore, Draft};
use sekisho_config::BundleSettings;
use sekisho_parser::ParserFiles;
use sekisho_tests::aws::{Answer, Bootstrap};
use serde_json::json;

use crate::answers::{failures, sqs};
use crate::delivery::notification;
use crate::world::{FLOW_KEY, World, catalog, flow_log};

sekisho_tests::cases!(World; a_running_process_follows_what_is_published);

const LOGS: &str = "bundled";
const CONFIG: &str = "bundled-config";

fn files(action: &str) -> ParserFiles {
    let spec = format!(
        "[source]\ndataset = \"acme.door\"\ntitle = \"Doors\"\nreference = \"https://example.com\"\nindex = \"log-acme-door\"\n[match]\nkeys = [\"doors/**\"]\n[record]\nformat = \"ndjson\"\n[timestamp]\nfrom = \"time\"\n[constants]\n\"event.action\" = \"{action}\"\n"
    );
    ParserFiles {
        folder: "acme/door".to_owned(),
        spec,
        ..ParserFiles::default()
    }
}

/// Publishes, and gives the key of the bundle.
async fn publish(store: &dyn BundleStore, action: &str) -> Result<String> {
    let now = DateTime::UNIX_EPOCH;
    let draft = Draft::publish(store, &catalog()?, files(action), now).await?;
    draft.commit(store).await?;
    let published = draft.pointer.parsers().first().context("nothing")?;
    Ok(published.bundle())
}

async fn a_running_process_follows_what_is_published(world: Arc<World>) -> Result<()> {
    let s3 = world.aws.s3();
    for bucket in [LOGS, CONFIG] {
        s3.create_bucket().bucket(bucket).send().await?;
    }
    let put = async |bucket: &str, key: &str, bytes: Vec<u8>| {
        let put = s3.put_object().bucket(bucket).key(key);
        put.body(bytes.into()).send().await
    };
    put(LOGS, FLOW_KEY, flow_log(1)?).await?;
    let settings = BundleSettings {
        bucket: CONFIG.to_owned(),
        ..BundleSettings::default()
    };
    let store = world.session().bundles(&settings).context("no store")?;
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("log");
    let environment = world.environment(&[
        ("SEKISHO_BUNDLES_BUCKET", CONFIG),
        ("SEKISHO_BUNDLES_REFRESH_MS", "1"),
    ]);
    let function = Bootstrap::start_with_log(&world.binary, &environment, &log)?;
    // A day's object, read by what is published at that moment.
    let answer = async |day: &str| -> Result<Answer> {
        let key = format!("doors/2026/11/{day}/a.log");
        let record = format!("{{\"time\":\"2026-11-{day}T01:02:03Z\"}}\n");
        put(LOGS, &key, record.into()).await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let door = notification(LOGS, &key).to_string();
        let flow = notification(LOGS, FLOW_KEY).to_string();
        function.invoke(&sqs(&[("door", door), ("flow", flow)]))
    };
    let found = async |day: &str, field: &str, value: &str| {
        let path = format!("s3://{LOGS}/doors/2026/11/{day}/a.log");
        let query = json!({ "bool": { "filter": [
            { "term": { "log.file.path": path } },
            { "prefix": { field: value } },
        ] } });
        world.count(query).await
    };

    ensure!(answer("20").await? == failures(&[]));
    ensure!(found("20", "event.dataset", "sekisho.unknown").await? == 1);

    publish(&*store, "first").await?;
    ensure!(answer("21").await? == failures(&[]));
    ensure!(found("21", "event.action", "first").await? == 1);

    let bundle = publish(&*store, "second").await?;
    put(CONFIG, &bundle, b"{}".to_vec()).await?;
    ensure!(answer("22").await? == failures(&["door"]), "it is not held");
    ensure!(
        found("22", "event.dataset", "").await? == 0,
        "somebody read it"
    );
    let lines = fs::read_to_string(&log)?;
    ensure!(lines.contains("bundle refused"), "{lines}");
    ensure!(lines.contains(&bundle) && lines.contains("sekisho parser rollback"));
    ensure!(lines.contains("\"BundlesRefused\":1"), "{lines}");

    let back = Draft::roll_back(&*store, &catalog()?, None).await?;
    back.commit(&*store).await?;
    ensure!(answer("22").await? == failures(&[]));
    ensure!(found("22", "event.action", "first").await? == 1);
    let label = format!("acme.door@{}+", env!("CARGO_PKG_VERSION"));
    ensure!(found("22", "sekisho.parser", &label).await? == 1);
    Ok(())
}
