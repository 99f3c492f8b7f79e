//! [`Outbox`]: sends messages at a rate, in batches that SQS takes.

use std::num::NonZeroU32;
use std::time::Duration;

use sekisho_delivery::{DeliveryError, Outgoing, Queue};
use sekisho_event::Notifications;
use tokio::time::{Instant, sleep_until};

/// A queue that was created before SQS raised its limit to 1 MiB refuses more than this; see [`is_large`].
const FORMER_MAX_BYTES: usize = 256 * 1024;

/// Sends to one queue.
pub(crate) struct Outbox<'a> {
    queue: &'a dyn Queue,
    per_message: Duration,
    free: Instant,
}

/// What became of one message.
#[derive(Debug)]
pub(crate) enum Sent {
    /// It is durable in the queue.
    Done,
    /// The queue cannot take it now; it is not sent, or it is sent and nobody said so.
    Later,
    /// The queue will never take it, and says why.
    Never(String),
}

impl<'a> Outbox<'a> {
    pub(crate) fn new(queue: &'a dyn Queue, rate: NonZeroU32) -> Self {
        Self {
            queue,
            per_message: Duration::from_secs(1) / rate.get(),
            free: Instant::now(),
        }
    }

    /// When the next message may be sent.
    pub(crate) fn free(&self) -> Instant {
        self.free
    }

    /// Sends messages and says of each what became of it, in their order.
    ///
    /// # Errors
    /// When the queue itself is the fault: nothing more can be sent.
    pub(crate) async fn send(
        &mut self,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Sent>, DeliveryError> {
        let mut sent = Vec::with_capacity(messages.len());
        for batch in batches(messages) {
            sent.extend(self.send_batch(batch).await?);
        }
        Ok(sent)
    }

    async fn send_batch(&mut self, batch: Vec<Outgoing>) -> Result<Vec<Sent>, DeliveryError> {
        let alone = batch.len() == 1;
        self.wait(batch.len()).await;
        let results = match self.queue.send(&batch).await {
            Ok(results) => results,
            // One message that the queue does not take can fail the whole request.
            Err(DeliveryError::Refused { .. }) if !alone => {
                let mut sent = Vec::with_capacity(batch.len());
                for message in batch {
                    sent.push(self.send_alone(message).await?);
                }
                return Ok(sent);
            }
            Err(DeliveryError::Refused { source, .. }) if batch.iter().any(is_large) => {
                let message = batch.into_iter().next().unwrap_or_default();
                return Ok(vec![self.send_parts(&message, source.to_string()).await?]);
            }
            Err(error) => return Err(error),
        };
        let mut sent = Vec::with_capacity(batch.len());
        for (message, result) in batch.iter().zip(results) {
            sent.push(match result {
                Ok(()) => Sent::Done,
                Err(DeliveryError::Refused { source, .. }) => {
                    self.send_parts(message, source.to_string()).await?
                }
                Err(_) => Sent::Later,
            });
        }
        Ok(sent)
    }

    async fn send_alone(&mut self, message: Outgoing) -> Result<Sent, DeliveryError> {
        let sent = Box::pin(self.send_batch(vec![message])).await?;
        Ok(sent.into_iter().next().unwrap_or(Sent::Later))
    }

    /// A message that is too long with what is written on it goes as one short message for each of its objects.
    async fn send_parts(
        &mut self,
        message: &Outgoing,
        refusal: String,
    ) -> Result<Sent, DeliveryError> {
        let parts = parts(message);
        if parts.is_empty() || !is_large(message) {
            return Ok(Sent::Never(refusal));
        }
        for batch in batches(parts) {
            self.wait(batch.len()).await;
            for result in self.queue.send(&batch).await? {
                match result {
                    Ok(()) => {}
                    Err(DeliveryError::Refused { source, .. }) => {
                        return Ok(Sent::Never(source.to_string()));
                    }
                    Err(_) => return Ok(Sent::Later),
                }
            }
        }
        Ok(Sent::Done)
    }

    async fn wait(&mut self, messages: usize) {
        sleep_until(self.free).await;
        let messages = u32::try_from(messages).unwrap_or(u32::MAX);
        self.free = Instant::now() + self.per_message.saturating_mul(messages);
    }
}

/// Cuts messages into requests, by number and by bytes: SQS counts all bodies of a request together.
fn batches(messages: Vec<Outgoing>) -> Vec<Vec<Outgoing>> {
    let mut batches: Vec<Vec<Outgoing>> = Vec::new();
    let mut held = 0;
    for message in messages {
        let bytes = bytes(&message);
        match batches.last_mut() {
            Some(batch)
                if batch.len() < <dyn Queue>::BATCH && held + bytes <= <dyn Queue>::MAX_BYTES =>
            {
                held += bytes;
                batch.push(message);
            }
            _ => {
                held = bytes;
                batches.push(vec![message]);
            }
        }
    }
    batches
}

/// What SQS counts: the body and, for each attribute, its name, type and value.
fn bytes(message: &Outgoing) -> usize {
    let attributes = message.attributes.iter();
    let attributes = attributes.map(|(name, text)| name.len() + "String".len() + text.len());
    message.body.len() + attributes.sum::<usize>()
}

/// Whether a refusal may be for the length.
fn is_large(message: &Outgoing) -> bool {
    bytes(message) > FORMER_MAX_BYTES
}

fn parts(message: &Outgoing) -> Vec<Outgoing> {
    let slices = Notifications::read(&message.body)
        .map(|read| read.slices)
        .unwrap_or_default();
    slices
        .iter()
        .map(|slice| Outgoing {
            body: slice.to_message(),
            ..message.clone()
        })
        .collect()
}

#[cfg(test)]
mod tests;
