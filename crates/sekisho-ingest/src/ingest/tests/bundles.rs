//! Published parsers in work: what is held goes back, and the rest is read.

use std::sync::Mutex;

use sekisho_bundles::{BundleStore, Draft, Found, OnlyIf, Put, StoreError};
use sekisho_config::Settings;
use sekisho_lambda::LineSink;
use sekisho_parser::ParserFiles;

use super::*;

const PARSER: &str = r#"
[source]
dataset = "acme.door"
title = "Doors"
reference = "https://example.com"
index = "log-acme-door"
[match]
keys = ["door/**"]
[record]
format = "lines"
"#;

/// A config bucket; without its contents nothing can be read.
#[derive(Default)]
struct Bucket {
    objects: Mutex<Option<Vec<(String, bytes::Bytes)>>>,
}

#[async_trait]
impl BundleStore for Bucket {
    async fn get(&self, key: &str, _: Option<&str>) -> Result<Found, StoreError> {
        let objects = self.objects.lock().unwrap();
        let Some(objects) = &*objects else {
            return Err("access denied".into());
        };
        let found = objects.iter().rev().find(|(name, _)| name == key);
        Ok(found.map_or(Found::Nothing, |(_, bytes)| Found::Object {
            bytes: bytes.clone(),
            etag: "e".to_owned(),
        }))
    }

    async fn put(&self, key: &str, bytes: bytes::Bytes, _: OnlyIf) -> Result<Put, StoreError> {
        let mut objects = self.objects.lock().unwrap();
        let objects = objects.get_or_insert_default();
        objects.push((key.to_owned(), bytes));
        Ok(Put::Done)
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<Value>>);

impl LineSink for Lines {
    fn line(&self, line: &str) {
        let line = serde_json::from_str(line).unwrap();
        self.0.lock().unwrap().push(line);
    }
}

struct Installation {
    ingest: Ingest,
    bucket: Arc<Bucket>,
    lines: Arc<Lines>,
}

impl Installation {
    fn new() -> Self {
        let bucket = Arc::new(Bucket::default());
        let lines = Arc::new(Lines::default());
        let builtin = Arc::new(Catalog::builtin(ParserSettings::default()).unwrap());
        let store = Arc::clone(&bucket) as Arc<dyn BundleStore>;
        let mut ingest = ingest(Gate::open());
        ingest.parsers = Some(Parsers::new(builtin, store, Duration::from_secs(60)));
        let sink = Arc::clone(&lines) as Arc<dyn LineSink>;
        ingest.metrics = Metrics::to(sink, &Settings::default(), ["acme.door"]);
        Self {
            ingest,
            bucket,
            lines,
        }
    }

    async fn publish(&self) {
        let files = ParserFiles {
            folder: "acme/door".to_owned(),
            spec: PARSER.to_owned(),
            ..ParserFiles::default()
        };
        let builtin = Catalog::builtin(ParserSettings::default()).unwrap();
        *self.bucket.objects.lock().unwrap() = Some(Vec::new());
        let now = DateTime::UNIX_EPOCH;
        let draft = Draft::publish(&*self.bucket, &builtin, files, now).await;
        draft.unwrap().commit(&*self.bucket).await.unwrap();
    }

    /// Gives which messages go back, how many bundles are refused, and the sources of what was read.
    async fn answer(&self) -> (Vec<String>, u64, Vec<String>) {
        let one = |key: &str| notification(&[key]).to_string();
        let payload = batch(&[("door", one("door/a.log")), ("other", one("a.log"))]);
        let deadline = Instant::now() + Duration::from_secs(300);
        let answer = self.ingest.answer(&payload, deadline).await.unwrap();
        let failed = answer.batch_item_failures;
        let lines = std::mem::take(&mut *self.lines.0.lock().unwrap());
        let sources = lines.iter().filter_map(|line| line["Source"].as_str());
        (
            failed.into_iter().map(|one| one.item_identifier).collect(),
            lines[0]["BundlesRefused"].as_u64().unwrap(),
            sources.map(str::to_owned).collect(),
        )
    }
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_a_bad_bundle_claims_goes_back_and_the_rest_is_read() {
    let installation = Installation::new();
    // Nothing is read before it is known what is published.
    let blind = (texts(&["door", "other"]), 1, Vec::new());
    assert_eq!(installation.answer().await, blind);
    installation.publish().await;
    let bundle = {
        let mut objects = installation.bucket.objects.lock().unwrap();
        objects.as_mut().unwrap().remove(0)
    };
    let held = (texts(&["door"]), 1, texts(&["other"]));
    assert_eq!(installation.answer().await, held);
    installation
        .bucket
        .objects
        .lock()
        .unwrap()
        .as_mut()
        .unwrap()
        .push(bundle);
    // Not asked for again before the minute is over.
    assert_eq!(installation.answer().await, held);
    tokio::time::advance(Duration::from_secs(60)).await;
    let healed = (Vec::new(), 0, texts(&["acme.door", "other"]));
    assert_eq!(installation.answer().await, healed);
    *installation.bucket.objects.lock().unwrap() = None;
    tokio::time::advance(Duration::from_secs(60)).await;
    let stale = (Vec::new(), 1, texts(&["acme.door", "other"]));
    assert_eq!(installation.answer().await, stale);
}
