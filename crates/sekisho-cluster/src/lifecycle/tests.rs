//! The policies, and what becomes of them on a stand-in for a node with ISM.

mod fake;

use sekisho_config::Rotation;
use sekisho_document::SourceMapping;

use self::fake::{Fake, check_shape};
use super::*;
use crate::{FindingKind, Report, carry_out, plan};

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
