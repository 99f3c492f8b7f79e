//! A stand-in for a node with ISM: keeps policies, and rewrites them as such a node was seen to do.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use sekisho_bulk::{ApiAnswer, BulkError, ClusterApi, Method};
use serde_json::{Value, json};

/// Keeps templates, policies and what manages each index.
#[derive(Default)]
pub(super) struct Fake(pub(super) Mutex<State>);

#[derive(Default)]
pub(super) struct State {
    things: BTreeMap<String, Value>,
    pub(super) policies: BTreeMap<String, (u64, Value)>,
    /// Policy and its sequence number when the index took it.
    pub(super) indices: BTreeMap<String, Option<(String, u64)>>,
    pub(super) calls: Vec<String>,
}

impl State {
    fn answer(&mut self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        if method != Method::Get {
            self.calls.push(format!("{method:?} {path}"));
        }
        let body = body.unwrap_or_default();
        let parts: Vec<_> = route.split('/').skip(1).collect();
        match (method, parts.as_slice()) {
            (Method::Put, ["_plugins", "_ism", "policies", id]) => self.put(id, query, &body),
            (Method::Get, ["_plugins", "_ism", "policies"]) => {
                let all = self.policies.iter();
                let all = all.map(|(id, (_, policy))| json!({ "_id": id, "policy": policy }));
                (200, json!({ "policies": all.collect::<Vec<_>>() }))
            }
            (Method::Get, ["_plugins", "_ism", "policies", id]) => match self.policies.get(*id) {
                Some((seq_no, policy)) => (
                    200,
                    json!({ "_id": id, "_seq_no": seq_no, "_primary_term": 1, "policy": policy }),
                ),
                None => (404, json!({ "error": "Policy not found" })),
            },
            (Method::Get, ["_plugins", "_ism", "explain", pattern]) => {
                let stem = pattern.trim_end_matches('*');
                let all = self
                    .indices
                    .iter()
                    .filter(|(name, _)| name.starts_with(stem));
                let mut explained: serde_json::Map<_, _> = all
                    .map(|(name, managed)| {
                        let (id, seq_no) = managed.clone().unzip();
                        (
                            name.clone(),
                            json!({ "policy_id": id, "policy_seq_no": seq_no }),
                        )
                    })
                    .collect();
                explained.insert("total_managed_indices".into(), json!(0));
                (200, Value::Object(explained))
            }
            (Method::Post, ["_plugins", "_ism", "add" | "change_policy", names]) => {
                let id = body["policy_id"].as_str().unwrap().to_owned();
                let seq_no = self.policies[&id].0;
                for name in names.split(',') {
                    self.indices.insert(name.into(), Some((id.clone(), seq_no)));
                }
                (200, json!({ "failures": false, "failed_indices": [] }))
            }
            (Method::Get, ["_plugins", ..]) => (
                400,
                json!({ "error": format!("no handler found for uri [{path}]") }),
            ),
            (Method::Get, ["_index_template"]) => (200, json!({ "index_templates": [] })),
            (Method::Put, _) => {
                self.things.insert(route.into(), body);
                (200, json!({ "acknowledged": true }))
            }
            (_, [kind @ ("_component_template" | "_index_template"), _]) => {
                let kind = kind.trim_start_matches('_');
                let held = self.things.get(route).cloned();
                held.map_or((404, json!({})), |held| {
                    (200, json!({ format!("{kind}s"): [{ kind: held }] }))
                })
            }
            _ => (200, json!({})),
        }
    }

    fn put(&mut self, id: &str, query: &str, body: &Value) -> (u16, Value) {
        let held = self.policies.get(id).map(|(seq_no, _)| *seq_no);
        let expected = held.map_or(String::new(), |n| {
            format!("if_seq_no={n}&if_primary_term=1")
        });
        if query != expected {
            return (409, json!({ "error": "version conflict" }));
        }
        let mut policy = body["policy"].clone();
        check_shape(&policy);
        // As the plugin does.
        policy["policy_id"] = json!(id);
        policy["schema_version"] = json!(21);
        for state in policy["states"].as_array_mut().unwrap() {
            for action in state["actions"].as_array_mut().unwrap() {
                if action.get("retry").is_none() {
                    action["retry"] =
                        json!({ "count": 3, "backoff": "exponential", "delay": "1m" });
                }
            }
        }
        let next = held.map_or(0, |seq_no| seq_no + 1);
        self.policies.insert(id.into(), (next, policy));
        (201, json!({ "_id": id }))
    }
}

/// What the documentation of ISM allows, as far as these policies go.
pub(super) fn check_shape(policy: &Value) {
    let only = |value: &Value, names: &[&str]| {
        for name in value.as_object().unwrap().keys() {
            assert!(names.contains(&name.as_str()), "`{name}` in {value}");
        }
    };
    only(
        policy,
        &["description", "default_state", "states", "ism_template"],
    );
    let states = policy["states"].as_array().unwrap();
    let names: Vec<_> = states
        .iter()
        .map(|state| state["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&policy["default_state"].as_str().unwrap()));
    for state in states {
        only(state, &["name", "actions", "transitions"]);
        for action in state["actions"].as_array().unwrap() {
            only(
                action,
                &[
                    "alias",
                    "read_only",
                    "warm_migration",
                    "cold_migration",
                    "cold_delete",
                    "delete",
                    "timeout",
                    "retry",
                ],
            );
            if let Some(alias) = action.get("alias") {
                only(alias, &["actions"]);
                // The index is the managed one: naming one is refused.
                only(&alias["actions"][0]["add"], &["alias"]);
            }
        }
        for transition in state["transitions"].as_array().unwrap() {
            only(transition, &["state_name", "conditions"]);
            assert!(names.contains(&transition["state_name"].as_str().unwrap()));
            only(&transition["conditions"], &["min_index_age"]);
        }
    }
    for template in policy["ism_template"].as_array().unwrap() {
        only(template, &["index_patterns", "priority"]);
    }
}

#[async_trait]
impl ClusterApi for Fake {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<ApiAnswer, BulkError> {
        let body = body.map(|body| serde_json::from_slice(&body).unwrap());
        let (status, body) = self.0.lock().unwrap().answer(method, path, body);
        Ok(ApiAnswer {
            status,
            body: Bytes::from(body.to_string()),
        })
    }
}
