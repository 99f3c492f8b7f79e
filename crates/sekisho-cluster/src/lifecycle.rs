//! The lifecycle policies (ISM): as data, compared with a cluster's, and what to put.

use sekisho_bulk::{ClusterApi, Method, retired_alias};
use sekisho_config::Settings;
use serde_json::{Value, json};

use crate::diff::differences;
use crate::families::Family;
use crate::plan::{Call, Step};
use crate::report::{Change, ThingKind};
use crate::security::{Found, found};
use crate::{ClusterError, Wanted, attach, mark};

const API: &str = "/_plugins/_ism";
const NOT_HERE: &str = "the cluster has no index state management (the plugin `opensearch-index-management`); nothing retires or deletes its indices";
const LEFT_OUT: &str = "`lifecycle.enabled` is false";
const LEDGER_PRIORITY: usize = 500;

/// One policy as it should be in the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Its id.
    pub name: String,
    /// The pattern of the indices that it manages.
    pub pattern: String,
    /// Decides between two policies whose patterns both match.
    pub priority: usize,
    /// What is inside `policy`.
    pub body: Value,
}

/// Gives one policy for each family that has any age, and the ledger's.
pub(crate) fn policies(settings: &Settings, families: &[Family]) -> Vec<Policy> {
    let prefix = &settings.index.prefix;
    let mut all: Vec<Policy> = families
        .iter()
        .map(|family| of_family(prefix, family))
        .collect();
    let ledger = Some(settings.lifecycle.ledger_delete_days).filter(|days| *days > 0);
    let mut states = vec![state("hot", json!([]))];
    then_delete(
        &mut states,
        ledger.map(|days| days + 2),
        json!({ "delete": {} }),
    );
    all.push(seal(prefix, "sekisho-ledger", LEDGER_PRIORITY, states));
    all
}

fn of_family(prefix: &str, family: &Family) -> Policy {
    let age = |days: Option<u16>| days.map(|days| days.saturating_add(family.span_days));
    let mut states = vec![state("hot", json!([]))];
    // The mark comes first: a write between the two finds the index either open or marked.
    let retire = json!([
        { "alias": { "actions": [{ "add": { "alias": retired_alias(prefix) } }] } },
        { "read_only": {} },
    ]);
    then(&mut states, "read_only", age(family.ages.read_only), retire);
    // What the managed service's documentation gives migrations; a full warm node frees space in a day.
    let warm =
        json!([{ "warm_migration": {}, "timeout": "24h", "retry": { "count": 5, "delay": "1h" } }]);
    then(&mut states, "warm", age(family.ages.warm), warm);
    let cold = json!([{ "cold_migration": { "start_time": null, "end_time": null, "timestamp_field": "@timestamp" } }]);
    then(&mut states, "cold", age(family.ages.cold), cold);
    let delete = match family.ages.cold {
        Some(_) => json!({ "cold_delete": {} }),
        None => json!({ "delete": {} }),
    };
    then_delete(&mut states, age(family.ages.delete), delete);
    let mut policy = seal(prefix, &family.index, family.priority, states);
    policy.name = format!("{prefix}sekisho-{}", family.index);
    policy
}

fn then_delete(states: &mut Vec<Value>, age: Option<u16>, action: Value) {
    then(states, "delete", age, json!([action]));
}

/// Adds a state, and the way to it from the last one.
fn then(states: &mut Vec<Value>, name: &str, age: Option<u16>, actions: Value) {
    let Some(days) = age else {
        return;
    };
    if let Some(Value::Object(last)) = states.last_mut() {
        let transition =
            json!([{ "state_name": name, "conditions": { "min_index_age": format!("{days}d") } }]);
        last.insert("transitions".to_owned(), transition);
    }
    states.push(state(name, actions));
}

fn state(name: &str, actions: Value) -> Value {
    json!({ "name": name, "actions": actions, "transitions": [] })
}

fn seal(prefix: &str, index: &str, priority: usize, states: Vec<Value>) -> Policy {
    let pattern = format!("{prefix}{index}-*");
    let body = json!({
        "default_state": "hot",
        "states": states,
        "ism_template": [{ "index_patterns": [&pattern], "priority": priority }],
    });
    Policy {
        name: format!("{prefix}{index}"),
        body: mark::describe(body, &format!("lifecycle of {pattern}")),
        pattern,
        priority,
    }
}

/// Gives the steps of every policy, and of the indices that have none yet or an older one.
pub(crate) async fn steps(
    api: &dyn ClusterApi,
    wanted: &Wanted,
) -> Result<Vec<Step>, ClusterError> {
    let Some(policies) = &wanted.policies else {
        return Ok(vec![Step::skipped(ThingKind::Policy, "all", LEFT_OUT)]);
    };
    let mut steps = Vec::new();
    let mut standing = Vec::new();
    for policy in policies {
        let (step, stored_as) = step(api, policy).await?;
        steps.push(step);
        standing.push(stored_as);
    }
    if steps
        .iter()
        .any(|step| step.thing.change != Change::Skipped)
    {
        steps.extend(attach::steps(api, policies, &standing).await?);
    }
    Ok(steps)
}

/// Gives the step of one policy, and the sequence number that stays current if nothing is put.
async fn step(api: &dyn ClusterApi, policy: &Policy) -> Result<(Step, Option<u64>), ClusterError> {
    let kind = ThingKind::Policy;
    let path = format!("{API}/policies/{}", policy.name);
    let answer = api.call(Method::Get, &path, None).await?;
    let put = |change, path: String| {
        let call = Call {
            method: Method::Put,
            path,
            body: json!({ "policy": policy.body }),
        };
        Step::new(kind, &policy.name, change, Some(call))
    };
    let answer = match found(&answer) {
        Found::Stored(answer) => answer,
        Found::Nothing => return Ok((put(Change::Created, path), None)),
        Found::NotHere => return Ok((Step::skipped(kind, &policy.name, NOT_HERE), None)),
        Found::Refused(reason) => return Ok((Step::failed(kind, &policy.name, reason), None)),
    };
    let number = |name: &str| answer.get(name).and_then(Value::as_u64);
    let (Some(stored), Some(seq_no), Some(term)) = (
        answer.get("policy"),
        number("_seq_no"),
        number("_primary_term"),
    ) else {
        let reason =
            format!("`GET {path}` was answered without policy, `_seq_no` or `_primary_term`");
        return Ok((Step::failed(kind, &policy.name, reason), None));
    };
    // The server adds defaults to the body, so the mark decides.
    if mark::same(stored, &policy.body) {
        let step = Step::new(kind, &policy.name, Change::Unchanged, None);
        return Ok((step, Some(seq_no)));
    }
    // Somebody else's change in between is refused instead of lost.
    let path = format!("{path}?if_seq_no={seq_no}&if_primary_term={term}");
    let mut step = put(Change::Updated, path);
    step.thing.differences = differences(stored, &policy.body);
    Ok((step, None))
}

#[cfg(test)]
mod tests;
