//! What can be wrong with an event, as a whole or in one message.

/// An event that cannot even be cut into messages; the whole invocation fails and SQS delivers it again.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The payload is not JSON.
    #[error("the event is no JSON")]
    NoJson(#[source] serde_json::Error),
    /// The payload has none of the known shapes.
    #[error(
        "the event is neither a batch of SQS messages nor an S3 notification; connect the function to the bucket's queue"
    )]
    UnknownShape,
    /// A message without an id cannot be reported as failed, and an empty id would fail or lose the batch.
    #[error("SQS message {position} of the batch has no `messageId`")]
    NoMessageId {
        /// Its place in the batch, from 0.
        position: usize,
    },
}

/// A message that cannot be understood; it alone fails.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The message has no body.
    #[error("the message has no body")]
    NoBody,
    /// The body is not JSON.
    #[error("the message's body is no JSON ({0}); only S3 notifications belong into this queue")]
    NoJson(String),
    /// The body is JSON of an unknown shape.
    #[error(
        "the message is no S3 notification ({0}); only S3 notifications belong into this queue"
    )]
    UnknownShape(String),
    /// The notification names no object.
    #[error("the notification lacks `{0}`")]
    Missing(&'static str),
    /// The key is not UTF-8 after decoding.
    #[error(
        "key `{key}` is not UTF-8 after URL-decoding; S3 has only UTF-8 keys, so the notification was altered on its way"
    )]
    KeyNotUtf8 {
        /// The key as notified.
        key: String,
    },
}
