//! [`FakeOpenSearch`]: a cluster below the real `_bulk` client and the real ledger; it answers as was measured on real nodes.

mod api;
mod bulk;
mod rules;
mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use sekisho_bulk::{ApiAnswer, BulkAnswer, BulkError, ClusterApi, Method, Transport};
use serde_json::{Value, json};

use super::chaos::{Chaos, Failure, Gate, Place};
pub use rules::{Rule, Symptom};

/// A document as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its body.
    pub source: Value,
    /// What `if_seq_no` is compared with.
    pub seq_no: u64,
    /// How often it was written.
    pub version: u64,
}

/// What an index is open for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Condition {
    #[default]
    Open,
    /// `index.blocks.write`
    WriteBlock,
    Closed,
}

#[derive(Debug, Clone, Default)]
struct Index {
    documents: BTreeMap<String, Document>,
    /// What searches see: the documents of the last refresh.
    searchable: BTreeMap<String, Document>,
    next_seq_no: u64,
    condition: Condition,
    aliases: BTreeSet<String>,
}

/// A request and its answer, for traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The call.
    pub call: String,
    /// The status.
    pub status: u16,
    /// Statuses of its items with how many there were.
    pub items: BTreeMap<u16, usize>,
}

struct State {
    indices: BTreeMap<String, Index>,
    templates: BTreeMap<String, Value>,
    rules: Vec<Rule>,
    max_body_bytes: usize,
    /// No index that is not there is made any more.
    makes_indices: bool,
    /// Free storage of the one node, in percent.
    free_percent: u64,
    answered: Vec<Answered>,
}

/// A cluster in memory.
#[derive(Clone)]
pub struct FakeOpenSearch {
    state: Arc<Mutex<State>>,
    bulk: Gate,
    api: Gate,
}

impl FakeOpenSearch {
    /// Makes an empty cluster.
    pub fn new(chaos: Arc<dyn Chaos>) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                indices: BTreeMap::new(),
                templates: BTreeMap::new(),
                rules: Vec::new(),
                max_body_bytes: 100 << 20,
                makes_indices: true,
                free_percent: 80,
                answered: Vec::new(),
            })),
            bulk: Gate::new(Arc::clone(&chaos), Place::Bulk),
            api: Gate::new(chaos, Place::Api),
        }
    }

    /// Refuses documents by these rules, the first that fits: a mapping is a function of the document.
    pub fn set_rules(&self, rules: Vec<Rule>) {
        self.lock().rules = rules;
    }

    /// Answers 413 to larger bodies.
    pub fn set_max_body_bytes(&self, most: usize) {
        self.lock().max_body_bytes = most;
    }

    /// Lets the one node be this full.
    pub fn set_free_percent(&self, percent: u64) {
        self.lock().free_percent = percent;
    }

    /// Answers 404 where an index would have to be made.
    pub fn make_no_indices(&self) {
        self.lock().makes_indices = false;
    }

    /// Retires an index as the lifecycle does: marked, then closed or write-blocked; made first if it is not there.
    pub fn retire(&self, index: &str, closed: bool) {
        let mut state = self.lock();
        let index = state.indices.entry(index.to_owned()).or_default();
        index.aliases.insert("sekisho-retired".to_owned());
        index.condition = if closed {
            Condition::Closed
        } else {
            Condition::WriteBlock
        };
    }

    /// Takes the lifecycle's mark away again, as an operator may.
    pub fn unmark(&self, index: &str) {
        if let Some(index) = self.lock().indices.get_mut(index) {
            index.aliases.clear();
        }
    }

    /// Blocks or frees an index as an operator does: without a mark.
    pub fn block(&self, index: &str, blocked: bool) {
        let mut state = self.lock();
        let index = state.indices.entry(index.to_owned()).or_default();
        index.condition = if blocked {
            Condition::WriteBlock
        } else {
            Condition::Open
        };
    }

    /// Lists the indices.
    pub fn indices(&self) -> Vec<String> {
        self.lock().indices.keys().cloned().collect()
    }

    /// Gives every document of the indices whose names `chosen` takes, by index and id, refreshed or not.
    pub fn documents(&self, chosen: impl Fn(&str) -> bool) -> BTreeMap<(String, String), Document> {
        let state = self.lock();
        let indices = state.indices.iter().filter(|(name, _)| chosen(name));
        indices
            .flat_map(|(name, index)| {
                let documents = index.documents.iter();
                documents.map(|(id, document)| ((name.clone(), id.clone()), document.clone()))
            })
            .collect()
    }

    /// Shows searches what was written.
    pub fn refresh(&self) {
        for index in self.lock().indices.values_mut() {
            index.searchable = index.documents.clone();
        }
    }

    /// Takes the trace of what was answered since the last time.
    pub fn take_answered(&self) -> Vec<Answered> {
        std::mem::take(&mut self.lock().answered)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// An answer with its JSON body.
struct Answer {
    status: u16,
    body: Value,
    items: BTreeMap<u16, usize>,
}

impl Answer {
    fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body,
            items: BTreeMap::new(),
        }
    }

    fn error(status: u16, kind: &str, reason: impl Into<String>) -> Self {
        let error = json!({ "type": kind, "reason": reason.into() });
        Self::new(status, json!({ "error": error, "status": status }))
    }

    /// What stands before a cluster, or the cluster, says to a request as a whole.
    fn whole(status: u16) -> Self {
        match status {
            400 => Self::error(400, "illegal_argument_exception", "refused as a whole"),
            401 => Self::new(401, json!("Unauthorized")),
            403 => Self::error(
                403,
                "cluster_block_exception",
                "blocked by: [FORBIDDEN/6/cluster read-only (api)];",
            ),
            413 => Self::new(413, Value::Null),
            429 => Self::error(
                429,
                "rejected_execution_exception",
                "rejected execution of coordinating operation",
            ),
            status => Self::new(status, json!("upstream connect error")),
        }
    }

    fn bytes(&self) -> Bytes {
        match &self.body {
            Value::Null => Bytes::new(),
            Value::String(text) => Bytes::from(text.clone()),
            body => Bytes::from(body.to_string()),
        }
    }
}

/// What the client says where no answer came.
fn no_answer() -> BulkError {
    // Nothing else makes an error of the client without a server.
    let source = match opensearch::http::transport::Transport::single_node("no address") {
        Ok(_) => unreachable!("`no address` is an address"),
        Err(source) => source,
    };
    BulkError::Connection {
        url: "http://fake".to_owned(),
        timeout: false,
        source,
    }
}

impl FakeOpenSearch {
    async fn answer(
        &self,
        gate: &Gate,
        call: &'static str,
        about: String,
        effect: impl FnOnce(&mut State, Option<&Failure>) -> Answer,
    ) -> Result<Answer, BulkError> {
        let passed = gate.before(call, about.clone()).await;
        let answer = match &passed.failure {
            Some(Failure::Connection) => return Err(no_answer()),
            Some(Failure::Status(status)) => Answer::whole(*status),
            failure => effect(&mut self.lock(), failure.as_ref()),
        };
        self.lock().answered.push(Answered {
            call: format!("{call} {about}"),
            status: answer.status,
            items: answer.items.clone(),
        });
        match passed.after().await {
            None => Ok(answer),
            // What stands before the cluster speaks where the answer is lost.
            Some(Failure::Status(status)) => Ok(Answer::whole(status)),
            Some(_) => Err(no_answer()),
        }
    }
}

#[async_trait]
impl Transport for FakeOpenSearch {
    async fn bulk(&self, body: Bytes) -> Result<BulkAnswer, BulkError> {
        let about = format!("{} bytes", body.len());
        let answer = self.answer(&self.bulk, "_bulk", about, |state, failure| {
            state.bulk(&body, failure)
        });
        let answer = answer.await?;
        Ok(BulkAnswer {
            status: answer.status,
            body: answer.bytes(),
            retry_after: (answer.status == 429).then_some(Duration::from_secs(1)),
        })
    }
}

#[async_trait]
impl ClusterApi for FakeOpenSearch {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<ApiAnswer, BulkError> {
        let about = format!("{method:?} {path}");
        let body = body.unwrap_or_default();
        let answer = self.answer(&self.api, "api", about, |state, failure| {
            state.api(method, path, &body, failure)
        });
        let answer = answer.await?;
        Ok(ApiAnswer {
            status: answer.status,
            body: answer.bytes(),
        })
    }
}
