//! [`Grouping`]: many callers, few requests, and no task of its own.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Semaphore, oneshot};

/// Does the work of a group.
#[async_trait]
pub(crate) trait Work: Send + Sync + Sized {
    /// What callers hand in.
    type Job: Send;
    /// What they get.
    type Answer: Send;

    /// Answers every open job of the group.
    async fn work(&self, group: &mut Group<'_, Self>);
}

/// Collects the jobs of concurrent callers; one caller at a time does the work of a group for all of it.
///
/// Nothing outlives its callers: a caller either waits for its answer or does the work itself.
/// When the one that works is dropped in the middle, its unanswered jobs go back and the next caller takes over.
pub(crate) struct Grouping<W: Work> {
    worker: W,
    queue: Mutex<Queue<W>>,
    /// Whoever holds the permit works. One group at a time, so that two jobs for one slice meet in one group or in order.
    lead: Semaphore,
    /// How long the first of a group waits for others.
    linger: Duration,
    most: usize,
}

type Queue<W> = VecDeque<Waiting<<W as Work>::Job, <W as Work>::Answer>>;

/// A job and who waits for it.
#[derive(Debug)]
pub(crate) struct Waiting<J, A> {
    pub(crate) job: J,
    answer: Option<oneshot::Sender<A>>,
}

impl<J, A> Waiting<J, A> {
    /// Gives the answer; a caller that is gone does not hear it.
    pub(crate) fn answer(&mut self, answer: A) {
        if let Some(sender) = self.answer.take() {
            drop(sender.send(answer));
        }
    }

    fn is_open(&self) -> bool {
        self.answer
            .as_ref()
            .is_some_and(|sender| !sender.is_closed())
    }
}

/// The jobs that are worked on; those without an answer go back when it is dropped.
pub(crate) struct Group<'g, W: Work> {
    from: &'g Grouping<W>,
    jobs: Queue<W>,
}

impl<W: Work> Group<'_, W> {
    /// Gives the jobs that have no answer yet and somebody who waits for it, in the order in which they came.
    pub(crate) fn open(&mut self) -> &mut Queue<W> {
        self.jobs.retain(Waiting::is_open);
        &mut self.jobs
    }
}

impl<W: Work> Drop for Group<'_, W> {
    fn drop(&mut self) {
        let mut queue = self.from.lock();
        while let Some(waiting) = self.jobs.pop_back() {
            if waiting.is_open() {
                queue.push_front(waiting);
            }
        }
    }
}

impl<W: Work> Grouping<W> {
    pub(crate) fn new(worker: W, linger: Duration, most: usize) -> Self {
        Self {
            worker,
            queue: Mutex::default(),
            lead: Semaphore::new(1),
            linger,
            most,
        }
    }

    /// Hands a job in and gives its answer.
    pub(crate) async fn submit(&self, job: W::Job) -> W::Answer {
        let (sender, mut answer) = oneshot::channel();
        self.lock().push_back(Waiting {
            job,
            answer: Some(sender),
        });
        loop {
            tokio::select! {
                biased;
                Ok(answer) = &mut answer => return answer,
                // The semaphore is never closed.
                _permit = self.lead.acquire() => {
                    if self.lock().len() < self.most {
                        tokio::time::sleep(self.linger).await;
                    }
                    let mut group = self.take();
                    if !group.jobs.is_empty() {
                        self.worker.work(&mut group).await;
                    }
                }
            }
        }
    }

    fn take(&self) -> Group<'_, W> {
        let mut queue = self.lock();
        queue.retain(Waiting::is_open);
        let n_taken = queue.len().min(self.most);
        Group {
            from: self,
            jobs: queue.drain(..n_taken).collect(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue<W>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{sleep, timeout};

    use super::*;

    /// Answers each number with its double, a second later.
    #[derive(Default)]
    struct Doubler {
        groups: AtomicUsize,
    }

    #[async_trait]
    impl Work for Doubler {
        type Job = u64;
        type Answer = u64;

        async fn work(&self, group: &mut Group<'_, Self>) {
            self.groups.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_secs(1)).await;
            for waiting in group.open() {
                waiting.answer(waiting.job * 2);
            }
        }
    }

    fn doubler() -> Arc<Grouping<Doubler>> {
        let linger = Duration::from_millis(5);
        Arc::new(Grouping::new(Doubler::default(), linger, 400))
    }

    fn start(doubler: &Arc<Grouping<Doubler>>, number: u64) -> tokio::task::JoinHandle<u64> {
        let doubler = Arc::clone(doubler);
        tokio::spawn(async move { doubler.submit(number).await })
    }

    #[tokio::test(start_paused = true)]
    async fn many_callers_share_few_groups() {
        let doubler = doubler();
        let callers: Vec<_> = (0..1000).map(|number| start(&doubler, number)).collect();
        for (number, caller) in (0_u64..).zip(callers) {
            assert_eq!(caller.await.unwrap(), number * 2);
        }
        assert_eq!(doubler.worker.groups.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_worker_leaves_its_jobs_to_the_next() {
        let doubler = doubler();
        let first = start(&doubler, 1);
        let second = start(&doubler, 2);
        // The first works now; the third comes while it does.
        sleep(Duration::from_millis(500)).await;
        let third = start(&doubler, 3);
        sleep(Duration::from_millis(100)).await;
        first.abort();
        let answers = timeout(Duration::from_secs(5), async {
            (second.await.unwrap(), third.await.unwrap())
        });
        assert_eq!(answers.await.unwrap(), (4, 6));
        assert_eq!(doubler.worker.groups.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_is_gone_costs_nothing() {
        let doubler = doubler();
        let gone = start(&doubler, 1);
        tokio::task::yield_now().await;
        gone.abort();
        assert_eq!(doubler.submit(2).await, 4);
        assert!(doubler.lock().is_empty());
    }
}
