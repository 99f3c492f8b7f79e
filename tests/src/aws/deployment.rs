//! What an operator deploys: a function, and a bucket whose notifications reach it through a queue with a dead-letter queue.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_s3::types::{Event, NotificationConfiguration, QueueConfiguration};
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use base64::Engine;
use serde_json::{Value, json};

use super::Aws;

/// How long a queue may take to drain.
const DRAIN_LIMIT: Duration = Duration::from_secs(60);
/// Any well-formed role will do for the stand-ins.
const ROLE: &str = "arn:aws:iam::000000000000:role/sekisho";

/// A deployed Lambda function.
#[derive(Debug, Clone)]
pub struct Function {
    name: String,
}

/// A bucket, its queue and its dead-letter queue, connected to a function.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The bucket's name.
    pub bucket: String,
    /// The queue that the bucket notifies.
    pub queue_url: String,
    /// Its ARN.
    pub queue_arn: String,
    /// Where messages go that failed for good.
    pub dead_letter_url: String,
}

/// How a queue delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueOptions {
    /// How long a received message is hidden.
    pub visibility: Duration,
    /// How often a message is tried before it is dead-lettered.
    pub max_receives: u32,
}

impl Default for QueueOptions {
    /// Short, so that a failed message comes back and is dead-lettered within the test.
    fn default() -> Self {
        Self {
            visibility: Duration::from_secs(2),
            max_receives: 3,
        }
    }
}

impl Aws {
    /// Deploys `binary` as a `provided.al2023` function.
    ///
    /// # Errors
    /// When the binary cannot be zipped or the stand-ins refuse it.
    pub async fn deploy_function(
        &self,
        name: &str,
        binary: &Path,
        environment: &[(&str, String)],
    ) -> Result<Function> {
        let zip = zip(binary, &self.process.folder)?;
        let variables: serde_json::Map<String, Value> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let function = json!({
            "FunctionName": name,
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Role": ROLE,
            "Architectures": ["x86_64"],
            "Timeout": 60,
            "MemorySize": 512,
            "Environment": { "Variables": variables },
            "Code": { "ZipFile": base64::engine::general_purpose::STANDARD.encode(zip) },
        });
        self.lambda("functions", &function).await?;
        Ok(Function {
            name: name.to_owned(),
        })
    }

    /// Makes a bucket whose new objects reach `function` through a queue.
    ///
    /// # Errors
    /// When the stand-ins refuse a part.
    pub async fn deploy(&self, name: &str, function: &Function) -> Result<Deployment> {
        let deployment = self.deploy_queue(name, QueueOptions::default()).await?;
        let mapping = json!({
            "EventSourceArn": deployment.queue_arn,
            "FunctionName": function.name,
            "BatchSize": 10,
            "MaximumBatchingWindowInSeconds": 0,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "Enabled": true,
        });
        self.lambda("event-source-mappings", &mapping).await?;
        Ok(deployment)
    }

    /// Makes a bucket whose new objects reach a queue, for a consumer of the test's own.
    ///
    /// # Errors
    /// When the stand-ins refuse a part.
    pub async fn deploy_queue(&self, name: &str, options: QueueOptions) -> Result<Deployment> {
        let (dead_letter_url, dead_letter_arn) = self.queue(&format!("{name}-dlq"), &[]).await?;
        let redrive = json!({ "deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": options.max_receives.to_string() });
        let attributes = [
            (
                QueueAttributeName::VisibilityTimeout,
                options.visibility.as_secs().to_string(),
            ),
            (QueueAttributeName::RedrivePolicy, redrive.to_string()),
        ];
        let (queue_url, queue_arn) = self.queue(name, &attributes).await?;
        self.s3().create_bucket().bucket(name).send().await?;
        let created = QueueConfiguration::builder()
            .queue_arn(&queue_arn)
            .events(Event::from("s3:ObjectCreated:*"))
            .build()?;
        self.s3()
            .put_bucket_notification_configuration()
            .bucket(name)
            .notification_configuration(
                NotificationConfiguration::builder()
                    .queue_configurations(created)
                    .build(),
            )
            .send()
            .await?;
        Ok(Deployment {
            bucket: name.to_owned(),
            queue_url,
            queue_arn,
            dead_letter_url,
        })
    }

    /// Invokes a function and waits for its answer, which is an error where the function failed.
    ///
    /// # Errors
    /// When the stand-ins do not answer, or the function failed.
    pub async fn invoke(&self, function: &Function, payload: &Value) -> Result<Value> {
        let url = format!(
            "{}/2015-03-31/functions/{}/invocations",
            self.url, function.name
        );
        let answer = self.http.post(url).json(payload).send().await?;
        let failed = answer.headers().contains_key("x-amz-function-error");
        let body: Value = answer.json().await?;
        ensure!(!failed, "the function failed: {body}");
        Ok(body)
    }

    /// Puts an object.
    ///
    /// # Errors
    /// When the stand-ins refuse it.
    pub async fn put(&self, deployment: &Deployment, key: &str, bytes: &[u8]) -> Result<()> {
        let put = self.s3().put_object().bucket(&deployment.bucket).key(key);
        put.body(bytes.to_vec().into()).send().await?;
        Ok(())
    }

    /// Sends a message of any body to the deployment's queue.
    ///
    /// # Errors
    /// When the stand-ins refuse it.
    pub async fn send(&self, deployment: &Deployment, body: &str) -> Result<()> {
        self.sqs()
            .send_message()
            .queue_url(&deployment.queue_url)
            .message_body(body)
            .send()
            .await?;
        Ok(())
    }

    /// Waits until every message of the queue is deleted or dead-lettered.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn drain(&self, deployment: &Deployment) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < DRAIN_LIMIT {
            if self.waiting(&deployment.queue_url).await? == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!(
            "queue `{}` did not drain within {} s",
            deployment.queue_url,
            DRAIN_LIMIT.as_secs()
        )
    }

    /// The bodies of the dead-lettered messages; they are taken out.
    ///
    /// # Errors
    /// When the stand-ins do not answer.
    pub async fn dead_letters(&self, deployment: &Deployment) -> Result<Vec<String>> {
        let mut bodies = Vec::new();
        loop {
            let receive = self
                .sqs()
                .receive_message()
                .queue_url(&deployment.dead_letter_url)
                .max_number_of_messages(10);
            let messages = receive
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .send()
                .await?
                .messages
                .unwrap_or_default();
            if messages.is_empty() {
                return Ok(bodies);
            }
            bodies.extend(messages.into_iter().filter_map(|message| message.body));
        }
    }

    /// How many messages a queue has, whether anyone sees them or not.
    ///
    /// # Errors
    /// When the stand-ins do not answer.
    pub async fn waiting(&self, queue_url: &str) -> Result<u64> {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let attributes = self
            .sqs()
            .get_queue_attributes()
            .queue_url(queue_url)
            .set_attribute_names(Some(counts.to_vec()))
            .send()
            .await?
            .attributes
            .unwrap_or_default();
        Ok(attributes
            .values()
            .filter_map(|count| count.parse::<u64>().ok())
            .sum())
    }

    /// Creates a queue and gives its URL and ARN.
    async fn queue(
        &self,
        name: &str,
        attributes: &[(QueueAttributeName, String)],
    ) -> Result<(String, String)> {
        let create = self.sqs().create_queue().queue_name(name);
        let url = create
            .set_attributes(Some(attributes.iter().cloned().collect()))
            .send()
            .await?
            .queue_url
            .context("a queue without URL")?;
        let answer = self
            .sqs()
            .get_queue_attributes()
            .queue_url(&url)
            .attribute_names(QueueAttributeName::QueueArn);
        let attributes = answer.send().await?.attributes.unwrap_or_default();
        let arn = attributes
            .get(&QueueAttributeName::QueueArn)
            .context("a queue without ARN")?;
        Ok((url, arn.clone()))
    }

    /// Calls the Lambda API, whose client crate is large and would serve two requests.
    async fn lambda(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}/2015-03-31/{path}", self.url);
        let answer = self.http.post(url).json(body).send().await?;
        let status = answer.status();
        let answer: Value = answer.json().await?;
        ensure!(
            status.is_success(),
            "the Lambda API answered {status} to `{path}`: {answer}"
        );
        Ok(answer)
    }
}

/// Zips the binary under the name that the runtime starts.
fn zip(binary: &Path, folder: &Path) -> Result<Vec<u8>> {
    let code = folder.join("code");
    fs::create_dir_all(&code)?;
    let bootstrap = code.join("bootstrap");
    fs::copy(binary, &bootstrap).with_context(|| format!("cannot copy `{}`", binary.display()))?;
    let archive = code.join("code.zip");
    let answer = Command::new("python3")
        .args(["-m", "zipfile", "-c"])
        .args([&archive, &bootstrap])
        .output()?;
    ensure!(
        answer.status.success(),
        "cannot zip: {}",
        String::from_utf8_lossy(&answer.stderr)
    );
    Ok(fs::read(archive)?)
}
