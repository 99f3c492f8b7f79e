//! One installation behind proxies that write down what its functions ask for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use sekisho_tests::aws::{
    Answer, Bootstrap, Deployment, QueueOptions, function_binary, queue_event,
};
use sekisho_tests::proxy::Proxy;
use serde_json::{Value, json};

use crate::call::Call;
use crate::world::{EXTERNAL_ID, FOREIGN, ROLE, World};

/// How long a queue may take to become empty.
const LIMIT: Duration = Duration::from_secs(60);
/// An invocation that nothing presses.
pub(crate) const LONG: Duration = Duration::from_secs(900);
/// The bucket and the queue.
pub(crate) const LOGS: &str = "logs";
const QUARANTINE: &str = "quarantine";
const CONFIG: &str = "config";
const QUEUE: QueueOptions = QueueOptions {
    visibility: Duration::from_secs(30),
    max_receives: 3,
};

/// One installation.
pub(crate) struct Site {
    world: Arc<World>,
    pub(crate) to_aws: Proxy,
    pub(crate) to_cluster: Proxy,
    deployment: Deployment,
}

impl Site {
    pub(crate) async fn new(world: &Arc<World>) -> Result<Self> {
        let deployment = world.aws.deploy_queue(LOGS, QUEUE).await?;
        let quarantine = world.aws.s3().create_bucket().bucket(QUARANTINE);
        quarantine.send().await?;
        let config = world.aws.s3().create_bucket().bucket(CONFIG);
        config.send().await?;
        Ok(Self {
            to_aws: Proxy::start(world.aws.url())?,
            to_cluster: Proxy::start(world.node.url())?,
            world: Arc::clone(world),
            deployment,
        })
    }

    /// Starts one of the functions; what its start asks for is recorded too.
    pub(crate) fn start(&self, binary: &str) -> Result<Bootstrap> {
        let through = |url: &str| url.replace(self.world.aws.url(), &self.to_aws.url());
        let mut environment = self.world.aws.environment_at(&self.to_aws.url());
        environment.extend([
            ("AWS_ENDPOINT_URL_STS", self.to_aws.url()),
            ("SEKISHO_OPENSEARCH_URL", self.to_cluster.url()),
            ("SEKISHO_QUEUE_URL", through(&self.deployment.queue_url)),
            (
                "SEKISHO_QUEUE_DEAD_LETTER_URL",
                through(&self.deployment.dead_letter_url),
            ),
            ("SEKISHO_QUARANTINE_BUCKET", QUARANTINE.to_owned()),
            ("SEKISHO_BUNDLES_BUCKET", CONFIG.to_owned()),
            ("SEKISHO_BUNDLES_REFRESH_MS", "1".to_owned()),
            ("SEKISHO_S3_INPUT_BUCKETS", format!("{LOGS},{FOREIGN}")),
            (
                "SEKISHO_S3_ROLES",
                format!("{FOREIGN}={ROLE} {EXTERNAL_ID}"),
            ),
            ("SEKISHO_LIMITS_MAX_RECORD_BYTES", "2000".to_owned()),
            ("SEKISHO_LIMITS_BUFFERED_BYTES", "65536".to_owned()),
            ("SEKISHO_BULK_MAX_BULK_BYTES", "16384".to_owned()),
            ("SEKISHO_BULK_IN_FLIGHT", "1".to_owned()),
            ("SEKISHO_DELIVERY_RESERVE_MS", "2000".to_owned()),
            // However full the disk is that the test runs on.
            ("SEKISHO_REPLAY_FREE_STORAGE_PERCENT", "1".to_owned()),
            ("SEKISHO_DELIVERY_BRAKE_MS", "500".to_owned()),
            ("SEKISHO_DELIVERY_BRAKE_LONGEST_MS", "2000".to_owned()),
        ]);
        Bootstrap::start(&function_binary(binary)?, &environment)
    }

    /// Takes what was asked for since the last time, each once, in order.
    pub(crate) fn calls(&self) -> Result<Value> {
        let cluster = self.to_cluster.answered();
        let aws = self.to_aws.answered();
        let aws: Result<Vec<_>> = aws.iter().map(Call::of_aws).collect();
        let mut calls = aws?;
        calls.extend(cluster.iter().map(Call::of_cluster));
        calls.sort();
        calls.dedup();
        Ok(calls.iter().map(Call::to_json).collect())
    }

    /// From now on there is a pointer to published parsers.
    pub(crate) async fn publish(&self) -> Result<()> {
        let put = self.world.aws.s3().put_object().bucket(CONFIG);
        let pointer = r#"{"format":1,"current":0,"versions":[]}"#;
        let put = put.key("parsers/current.json");
        put.body(pointer.as_bytes().to_vec().into()).send().await?;
        Ok(())
    }

    /// From now on the bucket keeps versions, and its news name them.
    pub(crate) async fn keep_versions(&self) -> Result<()> {
        let versioning = VersioningConfiguration::builder()
            .status(BucketVersioningStatus::Enabled)
            .build();
        let put = self.world.aws.s3().put_bucket_versioning().bucket(LOGS);
        put.versioning_configuration(versioning).send().await?;
        Ok(())
    }

    pub(crate) async fn put(&self, key: &str, text: String) -> Result<()> {
        let aws = &self.world.aws;
        aws.put(&self.deployment, key, text.as_bytes()).await
    }

    /// Sends a notification of an object.
    pub(crate) async fn tell(&self, bucket: &str, key: &str) -> Result<()> {
        let body = notification(bucket, key);
        self.world.aws.send(&self.deployment, &body).await
    }

    /// Dead-letters a notification of an object.
    pub(crate) async fn dead_letter(&self, body: &str) -> Result<()> {
        let send = self.world.aws.sqs().send_message();
        let send = send.queue_url(&self.deployment.dead_letter_url);
        send.message_body(body).send().await?;
        Ok(())
    }

    /// Receives as the event source mapping does, and shows the messages again after `hidden` seconds.
    pub(crate) async fn receive(&self, hidden: i32) -> Result<Vec<Message>> {
        let receive = self.world.aws.sqs().receive_message();
        let answer = receive
            .queue_url(&self.deployment.queue_url)
            .max_number_of_messages(10)
            .visibility_timeout(hidden)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await?;
        Ok(answer.messages.unwrap_or_default())
    }

    /// Hands messages over, deletes what is finished, and gives how many are not.
    pub(crate) async fn hand_over(
        &self,
        function: &Bootstrap,
        messages: &[Message],
        time: Duration,
    ) -> Result<usize> {
        let answer = respond(function, &queue_event(messages), time)?;
        let failed = answer.get("batchItemFailures").and_then(Value::as_array);
        let failed = failed.with_context(|| format!("an answer that is none: {answer}"))?;
        for message in messages {
            let has_failed = |one: &Value| one["itemIdentifier"] == json!(message.message_id());
            if !failed.iter().any(has_failed) {
                self.delete(message).await?;
            }
        }
        Ok(failed.len())
    }

    /// In a batch, for ingest may have deleted it before: the stand-in fails a single call then, as AWS does not.
    async fn delete(&self, message: &Message) -> Result<()> {
        let entry = DeleteMessageBatchRequestEntry::builder()
            .id("0")
            .receipt_handle(message.receipt_handle().unwrap_or_default());
        let delete = self.world.aws.sqs().delete_message_batch();
        let delete = delete.queue_url(&self.deployment.queue_url);
        delete.entries(entry.build()?).send().await?;
        Ok(())
    }

    /// Hands over what the queue has until it is empty; nothing may fail.
    pub(crate) async fn consume(&self, function: &Bootstrap) -> Result<()> {
        self.until_empty(async |messages| {
            let failed = self.hand_over(function, messages, LONG).await?;
            ensure!(failed == 0, "{failed} messages failed: {messages:?}");
            Ok(())
        })
        .await
    }

    /// Receives what the queue has until it is dead-lettered.
    pub(crate) async fn wear_out(&self) -> Result<()> {
        self.until_empty(async |_| Ok(())).await
    }

    async fn until_empty(&self, take: impl AsyncFn(&[Message]) -> Result<()>) -> Result<()> {
        let began = Instant::now();
        while self.world.aws.waiting(&self.deployment.queue_url).await? > 0 {
            ensure!(began.elapsed() < LIMIT, "the queue did not become empty");
            let messages = self.receive(1).await?;
            if messages.is_empty() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            } else {
                take(&messages).await?;
            }
        }
        Ok(())
    }

    /// How many messages are dead-lettered.
    pub(crate) async fn dead_letters(&self) -> Result<u64> {
        let queue = &self.deployment.dead_letter_url;
        self.world.aws.waiting(queue).await
    }
}

/// Invokes a function, which must not fail.
pub(crate) fn respond(function: &Bootstrap, event: &Value, time: Duration) -> Result<Value> {
    match function.invoke_within(event, time)? {
        Answer::Response(answer) => Ok(answer),
        other => bail!("the function answered {other:?}"),
    }
}

/// The notification of an object without version and ETag.
pub(crate) fn notification(bucket: &str, key: &str) -> String {
    let s3 = json!({ "bucket": { "name": bucket }, "object": { "key": key } });
    json!({ "Records": [{ "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3 }] })
        .to_string()
}
