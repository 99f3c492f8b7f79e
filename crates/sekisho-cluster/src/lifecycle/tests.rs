//! The policies against a stand-in that keeps and rewrites them as a node with the plugin was seen to do.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use sekisho_bulk::{ApiAnswer, BulkError};
use sekisho_config::Rotation;
use sekisho_document::SourceMapping;

use super::*;
use crate::{FindingKind, Report, carry_out, plan};

/// Keeps templates, policies and what manages each index.
#[derive(Default)]
struct Fake(Mutex<State>);

#[derive(Default)]
struct State {
    things: BTreeMap<String, Value>,
    policies: BTreeMap<String, (u64, Value)>,
    /// Policy and its sequence number when the index took it.
    indices: BTreeMap<String, Option<(String, u64)>>,
    calls: Vec<String>,
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
fn check_shape(policy: &Value) {
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

fn sources() -> Vec<SourceMapping> {
    let source = |dataset: &str, index: &str| SourceMapping {
        dataset: dataset.into(),
        index: index.into(),
        fields: Vec::new(),
    };
    vec![
        source("aws.cloudtrail", "log-aws-cloudtrail"),
        source("aws.waf", "log-aws-waf"),
    ]
}

fn wanted(settings: &Settings) -> Wanted {
    Wanted::new(settings, &sources()).unwrap()
}

async fn apply(api: &Fake, settings: &Settings) -> Report {
    let plan = plan(api, &wanted(settings)).await.unwrap();
    carry_out(api, &plan).await.unwrap()
}

fn policies_of(report: &Report) -> Vec<(String, Change)> {
    let kinds = [ThingKind::Policy, ThingKind::PolicyAttachment];
    let things = report
        .things
        .iter()
        .filter(|thing| kinds.contains(&thing.kind));
    let all = things.filter(|thing| thing.change != Change::Unchanged);
    all.map(|thing| (thing.name.clone(), thing.change))
        .collect()
}

/// Gives the states of a policy with the age at which each starts.
fn ages(wanted: &Wanted, name: &str) -> Vec<String> {
    let policy = wanted
        .policies()
        .iter()
        .find(|policy| policy.name == name)
        .unwrap();
    check_shape(&policy.body);
    let states = policy.body["states"].as_array().unwrap().iter();
    let transitions = states.filter_map(|state| state["transitions"].get(0));
    transitions
        .map(|to| {
            let (state, age) = (&to["state_name"], &to["conditions"]["min_index_age"]);
            format!("{} {}", state.as_str().unwrap(), age.as_str().unwrap())
        })
        .collect()
}

#[test]
fn ages_count_from_the_last_day_that_an_index_covers() {
    let mut settings = Settings::default();
    settings.lifecycle.read_only_days = 21;
    settings.index.rotation = [("aws.waf".into(), Rotation::Monthly)].into();
    let all = wanted(&settings);
    let names: Vec<_> = all
        .policies()
        .iter()
        .map(|policy| policy.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "sekisho-log",
            "sekisho-log-aws-cloudtrail",
            "sekisho-log-aws-waf",
            "sekisho-ledger"
        ]
    );
    // What the design asks for: 23 days, or 53.
    assert_eq!(
        ages(&all, "sekisho-log-aws-cloudtrail"),
        ["read_only 23d", "delete 367d"]
    );
    assert_eq!(
        ages(&all, "sekisho-log-aws-waf"),
        ["read_only 53d", "delete 397d"]
    );
    assert_eq!(ages(&all, "sekisho-ledger"), ["delete 367d"]);
}

#[test]
fn every_state_is_optional() {
    let mut settings = Settings::default();
    settings.index.prefix = "team-".into();
    settings.lifecycle.warm_days = 90;
    settings.lifecycle.cold_days = 180;
    settings.lifecycle.delete_days_of = [("aws.waf".into(), 0)].into();
    let all = wanted(&settings);
    assert_eq!(
        ages(&all, "team-sekisho-log-aws-cloudtrail"),
        ["read_only 32d", "warm 92d", "cold 182d", "delete 367d"]
    );
    assert_eq!(
        ages(&all, "team-sekisho-log-aws-waf"),
        ["read_only 32d", "warm 92d", "cold 182d"]
    );
    let text = all.policies()[1].body.to_string();
    for word in [
        "team-sekisho-retired",
        "cold_delete",
        "team-log-aws-cloudtrail-*",
    ] {
        assert!(text.contains(word), "{text}");
    }
    settings.lifecycle.read_only_days = 0;
    settings.lifecycle.warm_days = 0;
    settings.lifecycle.cold_days = 0;
    settings.lifecycle.delete_days = 0;
    assert!(ages(&wanted(&settings), "team-sekisho-log").is_empty());
}

#[test]
fn the_mark_is_set_before_the_block() {
    let all = wanted(&Settings::default());
    let actions = &all.policies()[0].body["states"][1]["actions"];
    assert_eq!(
        actions[0]["alias"]["actions"][0]["add"]["alias"],
        "sekisho-retired"
    );
    assert_eq!(actions[1], json!({ "read_only": {} }));
}

#[tokio::test]
async fn puts_once_then_leaves_alone_then_updates_by_sequence_number() {
    let api = Fake::default();
    let mut settings = Settings::default();
    let first = apply(&api, &settings).await;
    assert_eq!(first.failed().count(), 0, "{first:#?}");
    assert_eq!(policies_of(&first).len(), 4);
    let second = apply(&api, &settings).await;
    assert_eq!(second.changed().count(), 0, "{second:#?}");
    settings.lifecycle.delete_days_of = [("aws.waf".into(), 400)].into();
    let third = apply(&api, &settings).await;
    assert_eq!(
        policies_of(&third),
        [("sekisho-log-aws-waf".into(), Change::Updated)]
    );
    let thing = third.changed().next().unwrap();
    let paths: Vec<_> = thing
        .differences
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "description",
            "states.1.transitions.0.conditions.min_index_age"
        ]
    );
    assert_eq!(apply(&api, &settings).await.changed().count(), 0);
}

#[tokio::test]
async fn existing_indices_get_the_policy_of_their_family() {
    let api = Fake::default();
    {
        let mut state = api.0.lock().unwrap();
        for index in [
            "log-aws-waf-2026.11.01",
            "log-aws-waf-2026.11.01-late",
            "log-x-2026.11.01",
        ] {
            state.indices.insert(index.into(), None);
        }
        let foreign = Some(("operators".to_owned(), 0));
        state
            .indices
            .insert("log-aws-cloudtrail-2026.11.01".into(), foreign);
    }
    let mut settings = Settings::default();
    let first = apply(&api, &settings).await;
    assert_eq!(first.failed().count(), 0, "{first:#?}");
    let attached = first
        .things
        .iter()
        .filter(|thing| thing.kind == ThingKind::PolicyAttachment);
    let attached: Vec<_> = attached.map(|thing| thing.name.as_str()).collect();
    assert_eq!(
        attached,
        [
            "sekisho-log-aws-waf: log-aws-waf-2026.11.01, log-aws-waf-2026.11.01-late",
            "sekisho-log: log-x-2026.11.01",
        ]
    );
    let of_others: Vec<_> = first
        .findings
        .iter()
        .filter(|one| one.kind == FindingKind::ForeignPolicy)
        .collect();
    assert_eq!(of_others.len(), 1, "{of_others:#?}");
    assert!(
        of_others[0]
            .text
            .contains("`log-aws-cloudtrail-2026.11.01` by `operators`")
    );
    assert_eq!(apply(&api, &settings).await.changed().count(), 0);
    // A new version takes its indices along.
    settings.lifecycle.delete_days = 400;
    let third = policies_of(&apply(&api, &settings).await);
    let changed = ("sekisho-log: log-x-2026.11.01".to_owned(), Change::Updated);
    assert!(third.contains(&changed), "{third:?}");
    let calls = api.0.lock().unwrap().calls.join("\n");
    assert!(
        calls.contains("Post /_plugins/_ism/change_policy/log-x-2026.11.01"),
        "{calls}"
    );
    assert!(!calls.contains("cloudtrail-2026"), "{calls}");
    assert_eq!(apply(&api, &settings).await.changed().count(), 0);
}

#[tokio::test]
async fn a_foreign_policy_that_overlaps_is_named_and_stays() {
    let api = Fake::default();
    let foreign = |priority: u64| json!({ "ism_template": [{ "index_patterns": ["log-*"], "priority": priority }] });
    for (id, priority) in [("wins", 10_000), ("equal", 50), ("loses", 1)] {
        let policy = (7, foreign(priority));
        api.0.lock().unwrap().policies.insert(id.into(), policy);
    }
    let report = apply(&api, &Settings::default()).await;
    let text = |name: &str| {
        let mut all = report.findings.iter();
        all.find(|one| one.name == name).unwrap().text.clone()
    };
    assert!(
        text("wins").contains("it wins over ours, `sekisho-log` (50), "),
        "{}",
        text("wins")
    );
    assert!(
        text("equal").contains("same priority as ours, `sekisho-log` (50): OpenSearch refuses two")
    );
    assert!(text("loses").contains("ours wins over it"));
    assert_eq!(api.0.lock().unwrap().policies["wins"].0, 7);
}
