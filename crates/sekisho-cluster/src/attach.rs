//! Policies of indices that exist already: a policy's template only reaches new ones.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_bulk::{ClusterApi, Method};
use serde_json::{Value, json};

use crate::ClusterError;
use crate::lifecycle::Policy;
use crate::plan::{Call, Step};
use crate::report::{Change, ThingKind};
use crate::security::{Found, found};

const API: &str = "/_plugins/_ism";

/// Nodes take a first line of 4,096 bytes.
const LONGEST_PATH: usize = 3_000;

/// An index and what manages it.
struct Managed {
    index: String,
    policy: Option<String>,
    seq_no: Option<u64>,
}

/// Gives the steps that attach policies, and that take indices on from an older version of theirs.
pub(crate) async fn steps(
    api: &dyn ClusterApi,
    policies: &[Policy],
    standing: &[Option<u64>],
) -> Result<Vec<Step>, ClusterError> {
    let mut steps = Vec::new();
    let mut taken = BTreeSet::new();
    let mut by_priority: Vec<_> = policies.iter().zip(standing).collect();
    by_priority.sort_by_key(|(policy, _)| std::cmp::Reverse(policy.priority));
    for (policy, standing) in by_priority {
        let path = format!("{API}/explain/{}?size=10000", policy.pattern);
        let answer = api.call(Method::Get, &path, None).await?;
        let managed = match found(&answer) {
            Found::Stored(body) => managed(&body),
            Found::Nothing | Found::NotHere => continue,
            Found::Refused(reason) => {
                steps.push(Step::failed(
                    ThingKind::PolicyAttachment,
                    &policy.name,
                    reason,
                ));
                continue;
            }
        };
        // An index that a longer pattern matches belongs to that.
        let mut managed = managed;
        managed.retain(|managed| taken.insert(managed.index.clone()));
        let (mut new, mut older) = (Vec::new(), Vec::new());
        for managed in managed {
            match managed.policy {
                None => new.push(managed.index),
                Some(id) if id == policy.name => {
                    let is_older = match (managed.seq_no, standing) {
                        // Not started yet: it will start with the policy as it then is.
                        (None, _) => false,
                        (Some(of_index), Some(current)) => of_index != *current,
                        // The policy is about to be put.
                        (Some(_), None) => true,
                    };
                    if is_older {
                        older.push(managed.index);
                    }
                }
                // Others manage it; the findings say so.
                Some(_) => {}
            }
        }
        steps.extend(calls(policy, "add", Change::Created, &new));
        steps.extend(calls(policy, "change_policy", Change::Updated, &older));
    }
    Ok(steps)
}

fn calls(policy: &Policy, action: &str, change: Change, indices: &[String]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = indices;
    while !rest.is_empty() {
        let mut length = 0;
        let fits = |index: &&String| {
            length += index.len() + 1;
            length <= LONGEST_PATH
        };
        let n_fit = rest.iter().take_while(fits).count().max(1);
        let (now, later) = rest.split_at(n_fit.min(rest.len()));
        rest = later;
        let call = Call {
            method: Method::Post,
            path: format!("{API}/{action}/{}", now.join(",")),
            body: json!({ "policy_id": policy.name }),
        };
        let name = format!("{}: {}", policy.name, now.join(", "));
        steps.push(Step::new(
            ThingKind::PolicyAttachment,
            &name,
            change,
            Some(call),
        ));
    }
    steps
}

/// Reads an explanation: one member an index, beside a total.
fn managed(body: &Value) -> Vec<Managed> {
    let indices: BTreeMap<_, _> = body.as_object().into_iter().flatten().collect();
    let indices = indices.into_iter().filter(|(_, value)| value.is_object());
    indices
        .map(|(index, value)| Managed {
            index: index.clone(),
            policy: policy_of(value).map(str::to_owned),
            seq_no: value.get("policy_seq_no").and_then(Value::as_u64),
        })
        .collect()
}

/// Gives the policy that manages an index of an explanation.
pub(crate) fn policy_of(explained: &Value) -> Option<&str> {
    let names = [
        "policy_id",
        "index.plugins.index_state_management.policy_id",
    ];
    let mut ids = names
        .iter()
        .filter_map(|name| explained.get(name)?.as_str());
    ids.find(|id| !id.is_empty())
}
