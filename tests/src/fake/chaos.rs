//! [`Chaos`]: who decides what goes wrong, asked before and after the effect of every call.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

/// What a call goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// The bucket with the logs.
    Store,
    /// A queue.
    Queue,
    /// The quarantine bucket.
    Files,
    /// `_bulk` of the cluster.
    Bulk,
    /// The other APIs of the cluster.
    Api,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What it goes to.
    pub place: Place,
    /// Its name, such as `open` or `send`.
    pub name: &'static str,
    /// What it is about, for people.
    pub about: String,
}

/// When a call asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Nothing has been done.
    Before,
    /// Everything is done, and the answer is on its way.
    After,
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It takes longer.
    Delay(Duration),
    /// It fails: before its effect instead of it, behind it only the answer is lost.
    Fail(Failure),
    /// The process dies here: the call never returns.
    Crash,
}

/// How a call fails; what suits the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No answer comes.
    Connection,
    /// The whole call is refused with an HTTP status.
    Status(u16),
    /// The body breaks behind so many bytes; for [`Place::Store`] alone, before the effect.
    Break(usize),
    /// As [`Failure::Break`], and the process dies with it.
    BreakAndCrash(usize),
    /// Items of a `_bulk` are refused, or messages of a batch: those whose bit is set, cyclically.
    Items(ItemFault, u64),
}

/// Why an item of a `_bulk` is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemFault {
    /// 429: the write queue is full.
    Rejected,
    /// 503: no primary is there.
    Unavailable,
    /// 403: the role may not write.
    Security,
    /// 403: a write block that nobody marked.
    WriteBlock,
    /// 429: the disk is too full.
    Watermark,
    /// 400: no more shards may be made.
    ShardLimit,
    /// 404: the index may not be made.
    NotFound,
    /// 500: something that nobody knows.
    Unknown,
}

/// Decides.
pub trait Chaos: Send + Sync {
    /// Says what happens to a call at a moment.
    fn decide(&self, call: &Call, moment: Moment) -> Fault;

    /// Is told that the process dies; the call that told it never returns.
    fn crashed(&self, _: &Call) {}

    /// Whether the process is dead: then no call of it has an effect any more.
    fn is_dead(&self) -> bool {
        false
    }

    /// Chooses one of `n` things; the first where nothing is left to chance.
    fn pick(&self, _: usize) -> usize {
        0
    }

    /// Whether a message is delivered without being hidden, so that it comes again at once.
    fn delivers_twice(&self) -> bool {
        false
    }
}

/// Nothing goes wrong.
#[derive(Debug, Clone, Copy, Default)]
pub struct Calm;

impl Chaos for Calm {
    fn decide(&self, _: &Call, _: Moment) -> Fault {
        Fault::None
    }
}

/// Asks a [`Chaos`] and does what can be done for every place alike: waiting and dying.
#[derive(Clone)]
pub struct Gate {
    chaos: Arc<dyn Chaos>,
    place: Place,
}

impl Gate {
    /// Stands before a place.
    pub fn new(chaos: Arc<dyn Chaos>, place: Place) -> Self {
        Self { chaos, place }
    }

    /// Who decides.
    pub fn chaos(&self) -> &Arc<dyn Chaos> {
        &self.chaos
    }

    /// Asks before the effect: `Some` is the failure that the call has to show.
    pub async fn before(&self, name: &'static str, about: impl Into<String>) -> Passed {
        let call = Call {
            place: self.place,
            name,
            about: about.into(),
        };
        let failure = self.at(&call, Moment::Before).await;
        Passed {
            gate: self.clone(),
            call,
            failure,
        }
    }

    async fn at(&self, call: &Call, moment: Moment) -> Option<Failure> {
        if self.chaos.is_dead() {
            return pending().await;
        }
        let failure = match self.chaos.decide(call, moment) {
            Fault::None => None,
            Fault::Delay(delay) => {
                tokio::time::sleep(delay).await;
                None
            }
            Fault::Fail(failure) => Some(failure),
            Fault::Crash => {
                self.chaos.crashed(call);
                return pending().await;
            }
        };
        // Another call of this process may have killed it meanwhile.
        if self.chaos.is_dead() {
            return pending().await;
        }
        failure
    }
}

/// A call that was let through, or not.
pub struct Passed {
    gate: Gate,
    /// The call.
    pub call: Call,
    /// What it has to show instead of its effect.
    pub failure: Option<Failure>,
}

impl Passed {
    /// Asks behind the effect: `Some` is the failure that the answer is lost to.
    pub async fn after(self) -> Option<Failure> {
        self.gate.at(&self.call, Moment::After).await
    }
}
