//! A consumer that treats messages as Lambda's event source mapping does, and whose process can be killed at any moment.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageSystemAttributeName,
};
use sekisho_tests::aws::{Answer, Bootstrap, queue_event};
use serde_json::Value;
use tokio::runtime::Handle;

/// How long an empty queue is left alone.
const IDLE: Duration = Duration::from_millis(50);
/// SQS gives at most this many messages at once.
const AT_ONCE: usize = 10;

/// How a consumer runs.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) binary: PathBuf,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) queue_url: String,
    /// How many messages an invocation gets at most.
    pub(crate) batch: usize,
    /// How long an invocation may take.
    pub(crate) time: Duration,
    pub(crate) log: PathBuf,
}

/// The process that works now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Victim(Arc<Mutex<Option<Arc<Bootstrap>>>>);

impl Victim {
    /// Kills the process, if there is one.
    pub(crate) fn kill(&self) -> bool {
        let process = self.slot().take();
        process.is_some_and(|process| process.kill().is_ok())
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<Bootstrap>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a consumer has seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) invocations: AtomicU64,
    /// Invocations whose process ended before it answered.
    pub(crate) ended: AtomicU64,
    /// Messages that the function gave back.
    pub(crate) failed: AtomicU64,
    /// The most that a message was received.
    pub(crate) receives: AtomicU64,
}

impl Tally {
    pub(crate) fn line(&self) -> String {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        format!(
            "{} invocations, {} ended by a kill, {} messages given back, at most {} receives",
            get(&self.invocations),
            get(&self.ended),
            get(&self.failed),
            get(&self.receives)
        )
    }

    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

/// A running consumer.
pub(crate) struct Consumer {
    pub(crate) victim: Victim,
    pub(crate) tally: Arc<Tally>,
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl Consumer {
    pub(crate) fn start(plan: Plan, sqs: aws_sdk_sqs::Client) -> Self {
        let (victim, tally) = (Victim::default(), Arc::<Tally>::default());
        let is_over = Arc::<AtomicBool>::default();
        let worker = Worker {
            plan,
            sqs,
            handle: Handle::current(),
            victim: victim.clone(),
            tally: Arc::clone(&tally),
            is_over: Arc::clone(&is_over),
        };
        Self {
            victim,
            tally,
            is_over,
            thread: thread::spawn(move || worker.run()),
        }
    }

    /// Ends it after the invocation under way.
    pub(crate) fn stop(self) -> Result<Arc<Tally>> {
        self.is_over.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(ended) => ended.map(|()| self.tally),
            Err(_) => Err(anyhow!("the consumer panicked")),
        }
    }

    /// Fails when it has stopped by itself.
    pub(crate) fn check(&self) -> Result<()> {
        if self.thread.is_finished() {
            bail!("the consumer has stopped");
        }
        Ok(())
    }
}

struct Worker {
    plan: Plan,
    sqs: aws_sdk_sqs::Client,
    handle: Handle,
    victim: Victim,
    tally: Arc<Tally>,
    is_over: Arc<AtomicBool>,
}

impl Worker {
    fn run(&self) -> Result<()> {
        while !self.is_over.load(Ordering::Relaxed) {
            let messages = self.handle.block_on(self.receive())?;
            if messages.is_empty() {
                sleep(IDLE);
                continue;
            }
            self.tally.invocations.fetch_add(1, Ordering::Relaxed);
            let event = queue_event(&messages);
            let answer = self.process()?.invoke_within(&event, self.plan.time)?;
            match answer {
                Answer::Response(answer) => {
                    let failed = failures(&answer)?;
                    let count = failed.len() as u64;
                    self.tally.failed.fetch_add(count, Ordering::Relaxed);
                    self.handle.block_on(self.delete(&messages, &failed))?;
                }
                Answer::Ended => {
                    self.tally.ended.fetch_add(1, Ordering::Relaxed);
                    drop(self.victim.slot().take());
                    // As if the visibility timeout had passed.
                    self.handle.block_on(self.show(&messages))?;
                }
                Answer::Error(error) => bail!("the function failed: {error}"),
            }
        }
        Ok(())
    }

    fn process(&self) -> Result<Arc<Bootstrap>> {
        let mut slot = self.victim.slot();
        if let Some(process) = slot.as_ref() {
            return Ok(Arc::clone(process));
        }
        let plan = &self.plan;
        let process = Bootstrap::start_with_log(&plan.binary, &plan.environment, &plan.log)?;
        Ok(Arc::clone(slot.insert(Arc::new(process))))
    }

    async fn receive(&self) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        while messages.len() < self.plan.batch {
            let most = AT_ONCE.min(self.plan.batch - messages.len());
            let receive = self.sqs.receive_message().queue_url(&self.plan.queue_url);
            let answer = receive
                .max_number_of_messages(i32::try_from(most)?)
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .message_attribute_names("All")
                .send()
                .await?;
            let got = answer.messages.unwrap_or_default();
            if got.is_empty() {
                break;
            }
            messages.extend(got);
        }
        let most = messages.iter().map(receives).max().unwrap_or_default();
        self.tally.receives.fetch_max(most, Ordering::Relaxed);
        Ok(messages)
    }

    async fn show(&self, messages: &[Message]) -> Result<()> {
        for messages in messages.chunks(AT_ONCE) {
            let mut entries = Vec::new();
            for (place, message) in messages.iter().enumerate() {
                entries.push(
                    ChangeMessageVisibilityBatchRequestEntry::builder()
                        .id(place.to_string())
                        .receipt_handle(message.receipt_handle().unwrap_or_default())
                        .visibility_timeout(0)
                        .build()?,
                );
            }
            let show = self.sqs.change_message_visibility_batch();
            show.queue_url(&self.plan.queue_url)
                .set_entries(Some(entries))
                .send()
                .await?;
        }
        Ok(())
    }

    async fn delete(&self, messages: &[Message], failed: &[String]) -> Result<()> {
        let is_done = |message: &&Message| {
            let id = message.message_id().unwrap_or_default();
            !failed.iter().any(|failed| failed == id)
        };
        let done: Vec<_> = messages.iter().filter(is_done).collect();
        for done in done.chunks(AT_ONCE) {
            let mut entries = Vec::new();
            for (place, message) in done.iter().enumerate() {
                entries.push(
                    DeleteMessageBatchRequestEntry::builder()
                        .id(place.to_string())
                        .receipt_handle(message.receipt_handle().unwrap_or_default())
                        .build()?,
                );
            }
            let delete = self.sqs.delete_message_batch();
            delete
                .queue_url(&self.plan.queue_url)
                .set_entries(Some(entries))
                .send()
                .await?;
        }
        Ok(())
    }
}

fn failures(answer: &Value) -> Result<Vec<String>> {
    let failures = answer.get("batchItemFailures").and_then(Value::as_array);
    let failures = failures.with_context(|| format!("an answer that is none: {answer}"))?;
    let id = |failure: &Value| Some(failure.get("itemIdentifier")?.as_str()?.to_owned());
    Ok(failures.iter().filter_map(id).collect())
}

fn receives(message: &Message) -> u64 {
    let name = MessageSystemAttributeName::ApproximateReceiveCount;
    let count = message.attributes().and_then(|all| all.get(&name));
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}
