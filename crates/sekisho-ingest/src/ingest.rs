//! [`Ingest`]: one invocation.

use anyhow::{Result, bail};
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse};
use sekisho_event::{Delivery, Event, IgnoredKeys};
use sekisho_pipeline::Pipeline;

use crate::batch::Batch;
use crate::gate::Gate;
use crate::log;

/// What every invocation uses.
pub(crate) struct Ingest {
    pipeline: Pipeline,
    gate: Gate,
    ignored_keys: IgnoredKeys,
    quarantine_bucket: String,
}

impl Ingest {
    pub(crate) fn new(
        pipeline: Pipeline,
        gate: Gate,
        ignored_keys: IgnoredKeys,
        quarantine_bucket: String,
    ) -> Self {
        Self {
            pipeline,
            gate,
            ignored_keys,
            quarantine_bucket,
        }
    }

    /// Reads the objects of an event and answers which messages are to be delivered again.
    ///
    /// # Errors
    /// When the event cannot be cut into messages, or a direct invocation failed: then the service behind it repeats the whole.
    pub(crate) async fn answer(&self, payload: &str) -> Result<SqsBatchResponse> {
        let event = Event::read(payload)?;
        let delivery = event.delivery;
        let batch = Batch::new(event, &self.ignored_keys, &self.quarantine_bucket);
        batch.ignored.iter().for_each(log::ignored);
        batch
            .unreadable
            .iter()
            .for_each(|(id, error)| log::unreadable(id, error));
        let done = self.read(&batch).await;
        let failed = batch.failed(&done);
        match delivery {
            Delivery::Queue => Ok(response(failed)),
            Delivery::Direct if failed.is_empty() => Ok(SqsBatchResponse::default()),
            Delivery::Direct => {
                bail!("an object of this notification is not finished; its log line says why")
            }
        }
    }

    /// Tells for each object of the batch whether it is finished.
    async fn read(&self, batch: &Batch) -> Vec<bool> {
        if batch.objects.is_empty() {
            return Vec::new();
        }
        if let Err(error) = self.gate.pass().await {
            log::not_ready(&error);
            return Vec::new();
        }
        let reports = self.pipeline.run(batch.objects.clone()).await;
        reports.iter().for_each(log::object);
        reports
            .iter()
            .map(|report| report.error.is_none())
            .collect()
    }
}

/// SQS reads an empty list as full success, and an empty or unknown id as full failure: only ids of this event go in.
fn response(failed: Vec<String>) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for id in failed {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        response.batch_item_failures.push(failure);
    }
    response
}

#[cfg(test)]
mod tests;
