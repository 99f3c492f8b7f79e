//! [`Queue`]: an SQS queue, or what stands for one.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::DeliveryError;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outgoing {
    /// The body.
    pub body: String,
    /// Message attributes, see [`sekisho_event::attribute`]; every value is sent as a text.
    pub attributes: BTreeMap<String, String>,
    /// How long nobody sees it; at most 15 minutes.
    pub delay: Duration,
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its id; a message that is sent again gets another one.
    pub id: String,
    /// What deletes it or changes its visibility.
    pub handle: String,
    /// The body.
    pub body: String,
    /// How often it was received, this time included; a DLQ counts on.
    pub receive_count: u32,
    /// When it was sent to the queue that it was first in: from here its retention counts.
    pub sent: DateTime<Utc>,
    /// Its message attributes, as texts.
    pub attributes: BTreeMap<String, String>,
}

/// A queue. Each call is one request and takes at most `<dyn Queue>::BATCH` messages.
///
/// What is asked for several messages may fail for some of them: the answer holds one result each, in their order.
#[async_trait]
pub trait Queue: Send + Sync {
    /// Sends messages. When it answers, they are durable.
    ///
    /// # Errors
    /// When the request failed as a whole: any of them may have been sent.
    async fn send(
        &self,
        messages: &[Outgoing],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError>;

    /// Receives up to 10 messages and hides them for a while.
    ///
    /// # Errors
    /// When the request failed.
    async fn receive(&self, hide: Duration) -> Result<Vec<Received>, DeliveryError>;

    /// Deletes messages by their handles.
    ///
    /// # Errors
    /// When the request failed as a whole.
    async fn delete(
        &self,
        handles: &[String],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError>;

    /// Hides messages for another while from now; zero shows them at once, 12 hours are the most.
    ///
    /// # Errors
    /// When the request failed as a whole.
    async fn hide(
        &self,
        handles: &[(String, Duration)],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError>;
}

impl dyn Queue {
    /// How many messages one request takes, see <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html>.
    pub const BATCH: usize = 10;
    /// How many bytes the messages of one request may have together, attributes included, and so one message alone.
    /// See <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>.
    pub const MAX_BYTES: usize = 1024 * 1024;
}
