//! Parked messages on their way back to the queue.

use futures_util::future::join_all;
use sekisho_delivery::{Outgoing, Queue};
use sekisho_event::Notifications;

use crate::cause::Cause;
use crate::error::ReplayError;
use crate::outbox::Sent;
use crate::parked::{ParkedMessage, Shelf};
use crate::replay::round::{file, queue};
use crate::replay::{Mode, Run};
use crate::report::End;

impl Run<'_> {
    /// Sends back what is parked on a shelf, all or of some causes, and then deletes the files.
    pub(crate) async fn give_back(&mut self, shelf: Shelf, causes: &[Cause]) -> End {
        match self.pages(shelf, causes).await {
            Ok(end) => end,
            Err(error) => End::Failed(error),
        }
    }

    async fn pages(&mut self, shelf: Shelf, causes: &[Cause]) -> Result<End, ReplayError> {
        let prefix = shelf.prefix();
        let mut next: Option<String> = None;
        loop {
            let page = self.parts.files.list(prefix, next.as_deref()).await;
            let page = page.map_err(file("list", prefix.to_owned()))?;
            for keys in page.keys.chunks(<dyn Queue>::BATCH) {
                if let Some(end) = self.ends() {
                    return Ok(end);
                }
                let acts = self.options.mode == Mode::Act;
                if acts && !self.is_ready().await {
                    return Ok(End::Empty);
                }
                let most = usize::try_from(self.left_to_see()).unwrap_or(usize::MAX);
                let keys = keys.iter().take(most).cloned();
                self.some(keys.collect(), causes).await?;
            }
            next = page.next;
            if next.is_none() {
                return Ok(End::Empty);
            }
        }
    }

    async fn some(&mut self, keys: Vec<String>, causes: &[Cause]) -> Result<(), ReplayError> {
        let reads = join_all(keys.iter().map(|key| self.parts.files.get(key))).await;
        let mut chosen: Vec<(String, Cause, Outgoing)> = Vec::with_capacity(keys.len());
        for (key, bytes) in keys.into_iter().zip(reads) {
            let bytes = match bytes {
                Ok(Some(bytes)) => bytes,
                // Another run sent it back.
                Ok(None) => continue,
                Err(error) => return Err(file("read", key)(error)),
            };
            let Some(parked) = ParkedMessage::read(&bytes) else {
                self.report.left += 1;
                continue;
            };
            if !causes.is_empty() && !causes.contains(&parked.cause) {
                continue;
            }
            self.saw(1);
            // Ingest would only fail it again; a newer version may understand it.
            if Notifications::read(&parked.body).is_err() {
                self.report.row(parked.cause).left += 1;
                continue;
            }
            chosen.push((key, parked.cause, parked.outgoing()));
        }
        match self.options.mode {
            Mode::Look => {
                for (_, cause, _) in chosen {
                    self.report.row(cause).sent_back += 1;
                }
                Ok(())
            }
            Mode::Act => self.send_parked(chosen).await,
        }
    }

    async fn send_parked(
        &mut self,
        chosen: Vec<(String, Cause, Outgoing)>,
    ) -> Result<(), ReplayError> {
        let messages = chosen.iter().map(|(_, _, message)| message.clone());
        let sent = self.outbox.send(messages.collect()).await;
        let sent = sent.map_err(queue("send parked messages back"))?;
        for ((key, cause, _), sent) in chosen.into_iter().zip(sent) {
            if !matches!(sent, Sent::Done) {
                self.report.row(cause).left += 1;
                continue;
            }
            self.report.returned += 1;
            let deleted = self.parts.files.delete(&key).await;
            deleted.map_err(file("delete", key))?;
        }
        Ok(())
    }
}
