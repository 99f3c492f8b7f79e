//! [`QueueContinuations`]: the rest of an object goes to the queue that feeds ingest.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use sekisho_event::ObjectSlice;
use sekisho_pipeline::Continuations;

use crate::{Outgoing, Queue};

/// Sends slices as messages of a queue.
#[derive(Clone)]
pub struct QueueContinuations(Arc<dyn Queue>);

impl QueueContinuations {
    /// Sends to this queue.
    pub fn new(queue: Arc<dyn Queue>) -> Self {
        Self(queue)
    }
}

#[async_trait]
impl Continuations for QueueContinuations {
    async fn send(&self, slices: &[ObjectSlice]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let messages: Vec<_> = slices
            .iter()
            .map(|slice| Outgoing {
                body: slice.to_message(),
                ..Outgoing::default()
            })
            .collect();
        for messages in messages.chunks(<dyn Queue>::BATCH) {
            let sent = self.0.send(messages).await?;
            sent.into_iter().collect::<Result<Vec<()>, _>>()?;
        }
        Ok(())
    }
}
