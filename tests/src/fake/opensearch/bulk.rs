//! `_bulk`: each item by itself, as measured.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Condition, Document, State};
use crate::fake::chaos::{Failure, ItemFault};

/// One action line.
struct Action {
    op: String,
    index: String,
    id: String,
    if_seq_no: Option<u64>,
    if_primary_term: Option<u64>,
}

/// Why an item is refused: status, type, reason, cause.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) reason: String,
    pub(super) cause: Option<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16, kind: &'static str, reason: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            reason: reason.into(),
            cause: None,
        }
    }
}

impl State {
    pub(super) fn bulk(&mut self, body: &[u8], failure: Option<&Failure>) -> Answer {
        if body.len() > self.max_body_bytes {
            return Answer::whole(413);
        }
        if body.last() != Some(&b'\n') {
            let reason = "The bulk request must be terminated by a newline [\\n]";
            return Answer::error(400, "illegal_argument_exception", reason);
        }
        let requests = match read(body) {
            Ok(requests) => requests,
            Err(refusal) => return Answer::error(refusal.status, refusal.kind, refusal.reason),
        };
        let mut items = Vec::new();
        let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
        for (place, (action, source)) in requests.into_iter().enumerate() {
            let fault = match failure {
                Some(Failure::Items(fault, bits)) if bits >> (place % 64) & 1 == 1 => Some(*fault),
                _ => None,
            };
            let (status, item) = self.item(&action, source, fault);
            *statuses.entry(status).or_default() += 1;
            items.push(json!({ action.op: item }));
        }
        let errors = statuses.keys().any(|status| *status >= 300);
        let mut answer = Answer::new(200, json!({ "errors": errors, "items": items }));
        answer.items = statuses;
        answer
    }

    fn item(
        &mut self,
        action: &Action,
        source: Option<Value>,
        fault: Option<ItemFault>,
    ) -> (u16, Value) {
        let Action { index, id, .. } = action;
        let done = match fault {
            Some(fault) => Err(injected(fault, index)),
            None => self.write(action, source),
        };
        match done {
            Ok((status, result, document)) => (
                status,
                json!({
                    "_index": index, "_id": id, "status": status, "result": result,
                    "_version": document.version, "_seq_no": document.seq_no, "_primary_term": 1,
                }),
            ),
            Err(refusal) => {
                let mut error = json!({ "type": refusal.kind, "reason": refusal.reason });
                if let Some((kind, reason)) = refusal.cause {
                    error["caused_by"] = json!({ "type": kind, "reason": reason });
                }
                let item = json!({
                    "_index": index, "_id": id, "status": refusal.status, "error": error,
                });
                (refusal.status, item)
            }
        }
    }

    fn write(
        &mut self,
        action: &Action,
        source: Option<Value>,
    ) -> Result<(u16, &'static str, Document), Refusal> {
        let Action {
            op,
            index: name,
            id,
            ..
        } = action;
        let is_there = self.indices.contains_key(name);
        if !is_there && (!self.makes_indices || op == "delete") {
            let reason = format!("no such index [{name}]");
            return Err(Refusal::new(404, "index_not_found_exception", reason));
        }
        let held = self.indices.get(name).cloned_state();
        match held {
            Condition::Open => {}
            Condition::Closed => {
                return Err(Refusal::new(400, "index_closed_exception", "closed"));
            }
            Condition::WriteBlock => {
                let reason = format!("index [{name}] blocked by: [FORBIDDEN/8/index write (api)];");
                return Err(Refusal::new(403, "cluster_block_exception", reason));
            }
        }
        // The ledger and others of ours are no documents of logs.
        if let (Some(source), false) = (&source, name.contains("sekisho-ledger")) {
            for rule in &self.rules {
                if let Some(refusal) = rule.refuses(name, id, source) {
                    return Err(refusal);
                }
            }
        }
        let index = self.indices.entry(name.clone()).or_default();
        let old = index.documents.get(id);
        check_version(action, old)?;
        let status = if old.is_some() { 200 } else { 201 };
        let document = Document {
            source: source.unwrap_or(Value::Null),
            seq_no: index.next_seq_no,
            version: old.map_or(1, |old| old.version + 1),
        };
        index.next_seq_no += 1;
        if op == "delete" {
            return Ok(match index.documents.remove(id) {
                Some(_) => (200, "deleted", document),
                None => (404, "not_found", document),
            });
        }
        index.documents.insert(id.clone(), document.clone());
        let result = if status == 201 { "created" } else { "updated" };
        Ok((status, result, document))
    }
}

/// What an index that may not be there is open for.
trait ClonedState {
    fn cloned_state(self) -> Condition;
}

impl ClonedState for Option<&super::Index> {
    fn cloned_state(self) -> Condition {
        self.map_or(Condition::Open, |index| index.condition)
    }
}

fn check_version(action: &Action, old: Option<&Document>) -> Result<(), Refusal> {
    let id = &action.id;
    let conflict = |reason: String| {
        Err(Refusal::new(
            409,
            "version_conflict_engine_exception",
            format!("[{id}]: version conflict, {reason}"),
        ))
    };
    if let (Some(wanted), term) = (action.if_seq_no, action.if_primary_term) {
        let found = old.map(|document| document.seq_no);
        if found != Some(wanted) || term != Some(1) {
            return conflict(format!("required seqNo [{wanted}], current {found:?}"));
        }
    }
    match (action.op.as_str(), old) {
        ("create", Some(old)) => conflict(format!(
            "document already exists (current version [{}])",
            old.version
        )),
        _ => Ok(()),
    }
}

fn injected(fault: ItemFault, index: &str) -> Refusal {
    let (status, kind, reason) = match fault {
        ItemFault::Rejected => (
            429,
            "rejected_execution_exception",
            "rejected execution of primary operation".to_owned(),
        ),
        ItemFault::Unavailable => (
            503,
            "unavailable_shards_exception",
            format!("[{index}][0] primary shard is not active"),
        ),
        ItemFault::Security => (
            403,
            "security_exception",
            "no permissions for [indices:data/write/bulk[s]] and User [name=a]".to_owned(),
        ),
        ItemFault::WriteBlock => (
            403,
            "cluster_block_exception",
            format!("index [{index}] blocked by: [FORBIDDEN/8/index write (api)];"),
        ),
        ItemFault::Watermark => (
            429,
            "cluster_block_exception",
            format!(
                "index [{index}] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];"
            ),
        ),
        ItemFault::ShardLimit => (
            400,
            "validation_exception",
            "Validation Failed: 1: this action would add [2] total shards, but this cluster currently has [1000]/[1000] maximum shards open;".to_owned(),
        ),
        ItemFault::NotFound => (
            404,
            "index_not_found_exception",
            format!("no such index [{index}] and [action.auto_create_index] doesn't match"),
        ),
        ItemFault::Unknown => (500, "something_else_exception", "who knows".to_owned()),
    };
    Refusal::new(status, kind, reason)
}

/// Reads the lines of a body; one that cannot be read refuses all.
fn read(body: &[u8]) -> Result<Vec<(Action, Option<Value>)>, Refusal> {
    let mut lines = body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let mut requests = Vec::new();
    let malformed = |at: usize| {
        let reason = format!("Malformed action/metadata line [{at}]");
        Refusal::new(400, "illegal_argument_exception", reason)
    };
    while let Some(line) = lines.next() {
        let at = requests.len() * 2 + 1;
        let action = action(line).ok_or_else(|| malformed(at))?;
        let source = if action.op == "delete" {
            None
        } else {
            let line = lines.next().ok_or_else(|| malformed(at + 1))?;
            let unreadable = |error: serde_json::Error| {
                Refusal::new(400, "json_parse_exception", error.to_string())
            };
            Some(serde_json::from_slice(line).map_err(unreadable)?)
        };
        requests.push((action, source));
    }
    Ok(requests)
}

fn action(line: &[u8]) -> Option<Action> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let (op, meta) = line.as_object()?.iter().next()?;
    if !["create", "index", "delete"].contains(&op.as_str()) {
        return None;
    }
    let text = |name: &str| meta.get(name)?.as_str().map(str::to_owned);
    let number = |name: &str| meta.get(name)?.as_u64();
    Some(Action {
        op: op.clone(),
        index: text("_index")?,
        id: text("_id")?,
        if_seq_no: number("if_seq_no"),
        if_primary_term: number("if_primary_term"),
    })
}
