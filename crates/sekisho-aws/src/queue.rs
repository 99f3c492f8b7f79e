//! [`SqsQueue`]: a queue of SQS.

mod place;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, Message, MessageAttributeValue, MessageSystemAttributeName,
    SendMessageBatchRequestEntry,
};
use chrono::{DateTime, Utc};
use sekisho_delivery::{DeliveryError, Outgoing, Queue, Received};

use self::place::Place;

/// SQS throttles rarely; the SDK's jitter between five attempts is about ten seconds.
const MAX_ATTEMPTS: u32 = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Without a wait SQS asks only some of its servers and may say that a full queue is empty.
/// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>.
const WAIT_SECONDS: i32 = 1;
const BATCH: i32 = 10;
/// What SQS allows at most.
const LONGEST_HIDE: Duration = Duration::from_secs(12 * 60 * 60);
const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// A queue of SQS.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    /// The URL says where the queue is: its region, or for a stand-in its address.
    pub(crate) fn new(config: &SdkConfig, url: &str) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT);
        let mut sqs = aws_sdk_sqs::config::Builder::from(config)
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
            .timeout_config(timeouts.build());
        match Place::of(url) {
            Place::Region(region) => sqs = sqs.region(Region::new(region)),
            Place::Address(address) => sqs = sqs.endpoint_url(address),
            Place::Unknown => {}
        }
        Self {
            client: Client::from_conf(sqs.build()),
            url: url.to_owned(),
        }
    }

    fn failed<E>(&self, error: &SdkError<E, HttpResponse>, action: &'static str) -> DeliveryError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        if let SdkError::ServiceError(answer) = error {
            let status = answer.raw().status().as_u16();
            let meta = answer.err().meta();
            let code = meta
                .code()
                .map_or_else(|| format!("HTTP {status}"), str::to_owned);
            let message = meta.message().unwrap_or("no message");
            return from_answer(&self.url, status, &code, message, action);
        }
        DeliveryError::Unavailable {
            place: self.url.clone(),
            source: DisplayErrorContext(error).to_string().into(),
        }
    }

    /// One result for each of the messages, in their order: the ids of a batch are their places.
    fn results(
        &self,
        messages: usize,
        failed: &[BatchResultErrorEntry],
        action: &'static str,
    ) -> Vec<Result<(), DeliveryError>> {
        let result = |place: usize| {
            let id = place.to_string();
            match failed.iter().find(|entry| entry.id() == id) {
                None => Ok(()),
                Some(entry) => {
                    let status = if entry.sender_fault() { 400 } else { 500 };
                    let message = entry.message().unwrap_or("no message");
                    Err(from_answer(
                        &self.url,
                        status,
                        entry.code(),
                        message,
                        action,
                    ))
                }
            }
        };
        (0..messages).map(result).collect()
    }

    fn unbuilt(&self, error: BuildError) -> DeliveryError {
        DeliveryError::Refused {
            place: self.url.clone(),
            source: error.into(),
        }
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(
        &self,
        messages: &[Outgoing],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError> {
        const ACTION: &str = "sqs:SendMessage";
        let entries: Result<Vec<_>, _> = messages.iter().enumerate().map(outgoing).collect();
        let request = self.client.send_message_batch().queue_url(&self.url);
        let answer = request
            .set_entries(Some(entries.map_err(|error| self.unbuilt(error))?))
            .send()
            .await
            .map_err(|error| self.failed(&error, ACTION))?;
        Ok(self.results(messages.len(), answer.failed(), ACTION))
    }

    async fn receive(&self, hide: Duration) -> Result<Vec<Received>, DeliveryError> {
        let request = self.client.receive_message().queue_url(&self.url);
        let answer = request
            .max_number_of_messages(BATCH)
            .wait_time_seconds(WAIT_SECONDS)
            .visibility_timeout(seconds(hide, LONGEST_HIDE))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(|error| self.failed(&error, "sqs:ReceiveMessage"))?;
        let messages = answer.messages.unwrap_or_default();
        Ok(messages.into_iter().map(received).collect())
    }

    async fn delete(
        &self,
        handles: &[String],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError> {
        const ACTION: &str = "sqs:DeleteMessage";
        let entry = |(place, handle): (usize, &String)| {
            DeleteMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .receipt_handle(handle)
                .build()
        };
        let entries: Result<Vec<_>, _> = handles.iter().enumerate().map(entry).collect();
        let request = self.client.delete_message_batch().queue_url(&self.url);
        let answer = request
            .set_entries(Some(entries.map_err(|error| self.unbuilt(error))?))
            .send()
            .await
            .map_err(|error| self.failed(&error, ACTION))?;
        Ok(self.results(handles.len(), answer.failed(), ACTION))
    }

    async fn hide(
        &self,
        handles: &[(String, Duration)],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError> {
        const ACTION: &str = "sqs:ChangeMessageVisibility";
        let entry = |(place, (handle, hide)): (usize, &(String, Duration))| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(place.to_string())
                .receipt_handle(handle)
                .visibility_timeout(seconds(*hide, LONGEST_HIDE))
                .build()
        };
        let entries: Result<Vec<_>, _> = handles.iter().enumerate().map(entry).collect();
        let request = self.client.change_message_visibility_batch();
        let answer = request
            .queue_url(&self.url)
            .set_entries(Some(entries.map_err(|error| self.unbuilt(error))?))
            .send()
            .await
            .map_err(|error| self.failed(&error, ACTION))?;
        Ok(self.results(handles.len(), answer.failed(), ACTION))
    }
}

fn outgoing(
    (place, message): (usize, &Outgoing),
) -> Result<SendMessageBatchRequestEntry, BuildError> {
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(place.to_string())
        .message_body(&message.body)
        .delay_seconds(seconds(message.delay, LONGEST_DELAY));
    // SQS refuses a message with an attribute that is empty.
    let attributes = message
        .attributes
        .iter()
        .filter(|(_, text)| !text.is_empty());
    for (name, text) in attributes {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(text);
        entry = entry.message_attributes(name, value.build()?);
    }
    entry.build()
}

fn received(message: Message) -> Received {
    let queue = message.attributes.unwrap_or_default();
    let number = |name| queue.get(&name).and_then(|text| text.parse::<i64>().ok());
    let texts = message.message_attributes.unwrap_or_default();
    Received {
        id: message.message_id.unwrap_or_default(),
        handle: message.receipt_handle.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
        receive_count: number(MessageSystemAttributeName::ApproximateReceiveCount)
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or_default(),
        // A queue that does not say it is taken for one whose messages are about to expire: none is lost for that.
        sent: number(MessageSystemAttributeName::SentTimestamp)
            .and_then(DateTime::<Utc>::from_timestamp_millis)
            .unwrap_or_default(),
        attributes: texts
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.string_value?)))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// SQS counts in seconds; a part of one is a whole.
fn seconds(time: Duration, longest: Duration) -> i32 {
    let time = time.min(longest);
    let whole = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    i32::try_from(whole).unwrap_or(i32::MAX)
}

fn from_answer(url: &str, status: u16, code: &str, message: &str, action: &str) -> DeliveryError {
    let place = url.to_owned();
    let source = format!("{code}: {message}").into();
    // The codes are written with and without the name of the service and of their kind.
    let names = |words: &[&str]| words.iter().any(|word| code.contains(word));
    if names(&[
        "Throttl",
        "OverLimit",
        "ExpiredToken",
        "RequestExpired",
        "Timeout",
    ]) || matches!(status, 408 | 429 | 500..=599)
    {
        return DeliveryError::Unavailable { place, source };
    }
    if message.contains("kms:") || names(&["KmsAccessDenied", "KMS.AccessDenied"]) {
        let permission =
            "`kms:Decrypt` (for sending `kms:GenerateDataKey`) on the queue's key".to_owned();
        return DeliveryError::Denied {
            place,
            permission,
            source,
        };
    }
    if status == 403 || names(&["AccessDenied"]) {
        let permission = format!("`{action}` on it to this role");
        return DeliveryError::Denied {
            place,
            permission,
            source,
        };
    }
    DeliveryError::Refused { place, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, code: &str, message: &str, expected: &str) {
        let error = from_answer("https://q", status, code, message, "sqs:SendMessage");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_answer_says_whether_to_wait_to_grant_or_to_look() {
        check(
            400,
            "RequestThrottled",
            "x",
            "`https://q` could not be reached",
        );
        check(
            503,
            "ServiceUnavailable",
            "x",
            "`https://q` could not be reached",
        );
        check(
            403,
            "AccessDeniedException",
            "x",
            "no permission for `https://q`; grant `sqs:SendMessage` on it to this role",
        );
        check(
            400,
            "KMS.AccessDeniedException",
            "x",
            "no permission for `https://q`; grant `kms:Decrypt` (for sending `kms:GenerateDataKey`) on the queue's key",
        );
        check(
            400,
            "AWS.SimpleQueueService.NonExistentQueue",
            "x",
            "`https://q` refused",
        );
    }

    #[test]
    fn what_the_queue_says_of_a_message_is_read() {
        let value = MessageAttributeValue::builder()
            .data_type("Number")
            .string_value("2");
        let message = Message::builder()
            .message_id("1")
            .receipt_handle("h")
            .body("b")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "11")
            .attributes(MessageSystemAttributeName::SentTimestamp, "1780000000000")
            .message_attributes("sekisho.replays", value.build().unwrap());
        let received = received(message.build());
        assert_eq!(
            (received.receive_count, received.sent.timestamp()),
            (11, 1_780_000_000)
        );
        assert_eq!(received.attributes["sekisho.replays"], "2");
    }

    #[test]
    fn times_are_whole_seconds_within_what_sqs_takes() {
        assert_eq!(seconds(Duration::ZERO, LONGEST_HIDE), 0);
        assert_eq!(seconds(Duration::from_millis(1), LONGEST_HIDE), 1);
        assert_eq!(seconds(Duration::from_secs(999_999), LONGEST_HIDE), 43_200);
        assert_eq!(seconds(Duration::from_secs(3_600), LONGEST_DELAY), 900);
    }

    #[test]
    fn each_message_of_a_batch_gets_its_own_result() {
        let config = SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .build();
        let queue = SqsQueue::new(&config, "http://127.0.0.1:1/q");
        let failed = BatchResultErrorEntry::builder()
            .id("1")
            .code("InvalidMessageContents")
            .sender_fault(true)
            .build()
            .unwrap();
        let results = queue.results(3, &[failed], "sqs:SendMessage");
        let good: Vec<bool> = results.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, false, true]);
    }
}
