//! Replay over stand-ins for S3 and SQS: what only real requests show of attributes, batches, visibility, pins and pages.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use bytes::Bytes;
use sekisho_aws::Session;
use sekisho_config::{QuarantineSettings, S3Settings, Settings};
use sekisho_delivery::{CauseClass, FailureNote, Files, NoteKey, Outgoing, Queue, Received};
use sekisho_event::{Notifications, attribute};
use sekisho_pipeline::SystemClock;
use sekisho_replay::{
    Cause, End, Mode, ParkedMessage, Replay, ReplayOptions, ReplayParts, ReplaySettings,
};
use sekisho_tests::aws::Aws;
use sekisho_tests::fake::{Calm, FakeOpenSearch};
use serde_json::json;
use tokio::time::Instant;

const HIDE: Duration = Duration::from_secs(30);

struct Site {
    aws: Aws,
    session: Session,
    files: Arc<dyn Files>,
    queue: Arc<dyn Queue>,
    dead_letters: Arc<dyn Queue>,
}

impl Site {
    async fn start() -> Self {
        let aws = Aws::start().unwrap();
        let credentials = Credentials::new("test", "test", None, None, "stand-in");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let settings = S3Settings {
            endpoint_url: aws.url().to_owned(),
            force_path_style: true,
            ..S3Settings::default()
        };
        let session = Session::new(&config, &settings);
        for bucket in ["logs", "quarantine"] {
            let create = aws.s3().create_bucket().bucket(bucket);
            create.send().await.unwrap();
        }
        let mut urls = Vec::new();
        for name in ["replay", "replay-dlq"] {
            let create = aws.sqs().create_queue().queue_name(name);
            let url = create.send().await.unwrap().queue_url.unwrap();
            // The stand-in may name itself otherwise than it is reached.
            let path = url.splitn(4, '/').nth(3).unwrap().to_owned();
            urls.push(format!("{}/{path}", aws.url()));
        }
        let quarantine = QuarantineSettings {
            bucket: "quarantine".to_owned(),
            ..QuarantineSettings::default()
        };
        Self {
            files: session.files(&quarantine),
            queue: session.queue_at(&urls[0]),
            dead_letters: session.queue_at(&urls[1]),
            session,
            aws,
        }
    }

    fn replay(&self) -> Replay {
        Replay::new(ReplayParts {
            dead_letters: Arc::clone(&self.dead_letters),
            queue: Arc::clone(&self.queue),
            files: Arc::clone(&self.files),
            store: Arc::new(self.session.store()),
            cluster: Arc::new(FakeOpenSearch::new(Arc::new(Calm))),
            clock: Arc::new(SystemClock),
            settings: ReplaySettings::from(&Settings::default()),
        })
    }

    /// Puts an object and dead-letters its notification; `etag` in place of its own.
    async fn dead_letter(&self, key: &str, etag: Option<&str>, replays: u32) {
        let put = self.aws.s3().put_object().bucket("logs").key(key);
        let put = put.body(Bytes::from_static(b"x").into()).send().await;
        let own = put.unwrap().e_tag.unwrap();
        let etag = etag.unwrap_or(own.trim_matches('"'));
        let object =
            json!({ "key": key.replace('+', "%2B").replace(' ', "+"), "eTag": etag, "size": 1 });
        let s3 = json!({ "bucket": { "name": "logs" }, "object": object });
        let event = json!({ "Records": [{ "eventName": "ObjectCreated:Put", "s3": s3 }] });
        let mut message = Outgoing {
            body: event.to_string(),
            ..Outgoing::default()
        };
        if replays > 0 {
            let count = replays.to_string();
            message
                .attributes
                .insert(attribute::REPLAYS.to_owned(), count);
        }
        let sent = self.dead_letters.send(&[message]).await.unwrap();
        assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    }

    async fn note(&self, message: &Received, class: CauseClass) {
        let object = &Notifications::read(&message.body).unwrap().slices[0].object;
        let key = NoteKey::new(Some(object), &message.id);
        let note = FailureNote {
            class,
            error: format!("{class:?}"),
            message_id: message.id.clone(),
            object: Some(object.to_string()),
            receive_count: 10,
            first: message.sent,
            last: message.sent,
            braked_since: None,
        };
        self.files.put(key.as_str(), note.to_bytes()).await.unwrap();
    }
}

/// Takes everything that a queue gives out.
async fn take_all(queue: &dyn Queue) -> Vec<Received> {
    let mut all = Vec::new();
    loop {
        let some = queue.receive(HIDE).await.unwrap();
        if some.is_empty() {
            return all;
        }
        all.extend(some);
    }
}

/// Shows all of them again.
async fn show(queue: &dyn Queue, messages: &[Received]) {
    for some in messages.chunks(10) {
        let handles: Vec<_> = some
            .iter()
            .map(|message| (message.handle.clone(), Duration::ZERO))
            .collect();
        let shown = queue.hide(&handles).await.unwrap();
        assert!(shown.iter().all(Result::is_ok), "{shown:?}");
    }
}

#[tokio::test]
async fn each_cause_has_its_way_through_real_requests() {
    let site = Site::start().await;
    for number in 0..12 {
        site.dead_letter(&format!("state {number} 日+本"), None, 0)
            .await;
    }
    site.dead_letter("object", None, 1).await;
    site.dead_letter("worn", None, 3).await;
    site.dead_letter("older", Some("00000000000000000000000000000000"), 0)
        .await;
    site.dead_letter("gone", None, 0).await;
    site.dead_letter("crashed", None, 0).await;
    let gone = site.aws.s3().delete_object().bucket("logs").key("gone");
    gone.send().await.unwrap();
    let messages = take_all(site.dead_letters.as_ref()).await;
    assert_eq!(messages.len(), 17);
    for message in &messages {
        let key = &Notifications::read(&message.body).unwrap().slices[0]
            .object
            .key;
        match key.as_str() {
            "object" | "worn" => site.note(message, CauseClass::Object).await,
            "crashed" => {}
            _ => site.note(message, CauseClass::State).await,
        }
    }
    show(site.dead_letters.as_ref(), &messages).await;

    let until = || Instant::now() + Duration::from_secs(60);
    let look = ReplayOptions {
        mode: Mode::Look,
        ..ReplayOptions::default()
    };
    let replay = site.replay();
    let told = replay.run(until(), &look, &|_| {}).await;
    let done = replay
        .run(until(), &ReplayOptions::default(), &|_| {})
        .await;
    for report in [&told, &done] {
        assert!(matches!(report.end, End::Empty), "{report:?}");
        assert_eq!(report.causes[&Cause::State].sent_back, 12);
        assert_eq!(report.causes[&Cause::Object].sent_back, 1);
        assert_eq!(report.causes[&Cause::Object].parked, 1);
        assert_eq!(report.causes[&Cause::Missing].parked, 1);
        assert_eq!(report.causes[&Cause::Superseded].deleted, 1);
        assert_eq!(report.causes[&Cause::Crashed].sent_back, 1);
    }
    let sent = take_all(site.queue.as_ref()).await;
    assert_eq!(sent.len(), 14);
    for message in &sent {
        let key = &Notifications::read(&message.body).unwrap().slices[0]
            .object
            .key;
        let attribute = |name: &str| message.attributes.get(name).map(String::as_str);
        let expected = match key.as_str() {
            "object" => (Some("2"), None),
            "crashed" => (Some("1"), Some("1")),
            _ => (Some("0"), None),
        };
        let found = (attribute(attribute::REPLAYS), attribute(attribute::ALONE));
        assert_eq!(found, expected, "{key}");
        assert_eq!(message.receive_count, 1);
    }
    assert!(take_all(site.dead_letters.as_ref()).await.is_empty());
    let notes = site.files.list("failures/", None).await.unwrap();
    assert!(notes.keys.is_empty(), "{notes:?}");
    let parked = site.files.list("parked/kept/", None).await.unwrap();
    assert_eq!(parked.keys.len(), 2);
    for key in &parked.keys {
        let bytes = site.files.get(key).await.unwrap().unwrap();
        let parked = ParkedMessage::read(&bytes).unwrap();
        assert_eq!(parked.key(), *key);
    }
    let missing = site.files.get("failures/nothing.json").await.unwrap();
    assert!(missing.is_none());
}
