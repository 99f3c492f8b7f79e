//! What else an operator should know before applying: foreign things that match the same names, and fields that existing indices type otherwise.

use sekisho_bulk::{ClusterApi, Method};
use serde_json::Value;

use crate::attach::policy_of;
use crate::lifecycle::Policy;
use crate::pattern::overlap;
use crate::report::{Finding, FindingKind};
use crate::security::{Found, found};
use crate::{ClusterError, Template, TemplateKind, Wanted, field_types, mark};

/// Gives every finding; a question that the cluster refuses is one.
pub(crate) async fn find(
    api: &dyn ClusterApi,
    wanted: &Wanted,
) -> Result<Vec<Finding>, ClusterError> {
    let mut findings = wanted.findings.clone();
    if let Some(body) = ask(api, "/_index_template", &mut findings).await? {
        findings.extend(of_templates(&body, &wanted.templates));
    }
    if let Some(body) = ask(api, "/_template", &mut findings).await? {
        findings.extend(of_legacy(&body, &wanted.templates));
    }
    if let Some(policies) = &wanted.policies {
        if let Some(body) = ask(api, "/_plugins/_ism/policies?size=1000", &mut findings).await? {
            findings.extend(of_policies(&body, policies));
        }
        for policy in policies {
            let path = format!("/_plugins/_ism/explain/{}?size=10000", policy.pattern);
            if let Some(body) = ask(api, &path, &mut findings).await? {
                findings.extend(managed_by_others(&body, policy, policies));
            }
        }
    }
    for template in &wanted.templates {
        let Some(path) = field_types::path(template, &wanted.templates) else {
            continue;
        };
        if let Some(body) = ask(api, &path, &mut findings).await? {
            findings.extend(field_types::compare(template, &wanted.templates, &body));
        }
    }
    Ok(findings)
}

async fn ask(
    api: &dyn ClusterApi,
    path: &str,
    findings: &mut Vec<Finding>,
) -> Result<Option<Value>, ClusterError> {
    let answer = api.call(Method::Get, path, None).await?;
    Ok(match found(&answer) {
        Found::Stored(body) => Some(body),
        Found::Nothing | Found::NotHere => None,
        Found::Refused(_) => {
            findings.push(Finding {
                kind: FindingKind::Unanswered,
                name: format!("GET {path}"),
                text: format!(
                    "was answered with {}: {}; nothing is known of what it would show",
                    answer.status,
                    answer.excerpt()
                ),
            });
            None
        }
    })
}

/// Gives the texts of a list.
fn texts<'a>(body: &'a Value, path: &str) -> Vec<&'a str> {
    let list = body.pointer(path).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// One of ours that some foreign pattern overlaps.
struct Ours<'a> {
    name: &'a str,
    pattern: &'a str,
    priority: u64,
}

fn ours(templates: &[Template]) -> impl Iterator<Item = Ours<'_>> {
    let indices = templates
        .iter()
        .filter(|template| template.kind == TemplateKind::Index);
    indices.filter_map(|template| {
        Some(Ours {
            name: &template.name,
            pattern: template.body.pointer("/index_patterns/0")?.as_str()?,
            priority: template.body.get("priority")?.as_u64()?,
        })
    })
}

fn of_templates(body: &Value, templates: &[Template]) -> Vec<Finding> {
    let list = body.get("index_templates").and_then(Value::as_array);
    let mut findings = Vec::new();
    for held in list.into_iter().flatten() {
        let name = held.get("name").and_then(Value::as_str).unwrap_or_default();
        if templates.iter().any(|template| template.name == name) {
            continue;
        }
        let Some(body) = held.get("index_template") else {
            continue;
        };
        let priority = body.get("priority").and_then(Value::as_u64).unwrap_or(0);
        let patterns = texts(body, "/index_patterns");
        let what = match body.pointer("/_meta/sekisho") {
            Some(_) => "another installation's or an older version's",
            None => "foreign",
        };
        let text = judge(&patterns, priority, ours(templates), "index template");
        findings.extend(text.map(|text| Finding {
            kind: FindingKind::ForeignTemplate,
            name: name.to_owned(),
            text: format!(
                "{what} index template for {} of priority {priority}: {text}",
                list_of(&patterns)
            ),
        }));
    }
    findings
}

/// Says who wins where; `None` where nothing overlaps.
fn judge<'a>(
    patterns: &[&str],
    priority: u64,
    ours: impl Iterator<Item = Ours<'a>>,
    what: &str,
) -> Option<String> {
    let (mut wins, mut loses, mut equal) = (Vec::new(), Vec::new(), Vec::new());
    for one in ours {
        if patterns.iter().any(|pattern| overlap(pattern, one.pattern)) {
            let told = format!("`{}` ({})", one.name, one.priority);
            match priority.cmp(&one.priority) {
                std::cmp::Ordering::Greater => wins.push(told),
                std::cmp::Ordering::Less => loses.push(told),
                std::cmp::Ordering::Equal => equal.push(told),
            }
        }
    }
    let mut parts = Vec::new();
    if !equal.is_empty() {
        parts.push(format!(
            "the same priority as ours, {}: OpenSearch refuses two; give it another priority or narrower patterns",
            equal.join(", ")
        ));
    }
    if !wins.is_empty() {
        parts.push(format!(
            "it wins over ours, {}, for every name that it matches: lower its priority or narrow its patterns, or set `index.prefix` to keep apart",
            wins.join(", ")
        ));
    }
    if !loses.is_empty() {
        let alone = if parts.is_empty() {
            "; nothing to do unless it was meant to add to them, since only one "
        } else {
            "; only one "
        };
        parts.push(format!(
            "ours wins over it, {}{alone}{what} applies",
            loses.join(", ")
        ));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn list_of(patterns: &[&str]) -> String {
    let all: Vec<String> = patterns
        .iter()
        .map(|pattern| format!("`{pattern}`"))
        .collect();
    all.join(", ")
}

/// A composable template always wins over one of the old kind.
fn of_legacy(body: &Value, templates: &[Template]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, held) in body.as_object().into_iter().flatten() {
        let patterns = texts(held, "/index_patterns");
        let beaten = ours(templates)
            .filter(|one| patterns.iter().any(|pattern| overlap(pattern, one.pattern)));
        let beaten: Vec<String> = beaten.map(|one| format!("`{}`", one.name)).collect();
        if !beaten.is_empty() {
            findings.push(Finding {
                kind: FindingKind::ForeignTemplate,
                name: name.clone(),
                text: format!(
                    "foreign template of the old kind (`_template`) for {}: ours wins over it, {}, so nothing of it reaches new indices of these names",
                    list_of(&patterns),
                    beaten.join(", ")
                ),
            });
        }
    }
    findings
}

fn of_policies(body: &Value, policies: &[Policy]) -> Vec<Finding> {
    let list = body.get("policies").and_then(Value::as_array);
    let mut findings = Vec::new();
    for held in list.into_iter().flatten() {
        let name = held.get("_id").and_then(Value::as_str).unwrap_or_default();
        if policies.iter().any(|policy| policy.name == name) {
            continue;
        }
        let Some(body) = held.get("policy") else {
            continue;
        };
        let what = match mark::is_ours(body) {
            true => "another installation's or an older version's",
            false => "foreign",
        };
        let templates = body.get("ism_template").and_then(Value::as_array);
        for template in templates.into_iter().flatten() {
            let priority = template
                .get("priority")
                .and_then(Value::as_u64)
                .unwrap_or(0);
            let patterns = texts(template, "/index_patterns");
            let ours = policies.iter().map(|policy| Ours {
                name: &policy.name,
                pattern: &policy.pattern,
                priority: u64::try_from(policy.priority).unwrap_or(u64::MAX),
            });
            let text = judge(&patterns, priority, ours, "policy");
            findings.extend(text.map(|text| Finding {
                kind: FindingKind::ForeignPolicy,
                name: name.to_owned(),
                text: format!(
                    "{what} policy for {} of priority {priority}: {text}",
                    list_of(&patterns)
                ),
            }));
        }
    }
    findings
}

/// How many indices one finding names.
const NAMED_INDICES: usize = 5;

fn managed_by_others(body: &Value, policy: &Policy, policies: &[Policy]) -> Option<Finding> {
    let mut others: Vec<String> = Vec::new();
    for (index, explained) in body.as_object().into_iter().flatten() {
        let is_ours = |id: &str| policies.iter().any(|policy| policy.name == id);
        let longer = policies
            .iter()
            .any(|other| other.priority > policy.priority && overlap(&other.pattern, index));
        if let Some(id) = policy_of(explained).filter(|id| !is_ours(id))
            && !longer
        {
            others.push(format!("`{index}` by `{id}`"));
        }
    }
    let n_more = others.len().saturating_sub(NAMED_INDICES);
    let more = if n_more > 0 {
        format!(" and {n_more} more")
    } else {
        String::new()
    };
    others.truncate(NAMED_INDICES);
    (!others.is_empty()).then(|| Finding {
        kind: FindingKind::ForeignPolicy,
        name: policy.name.clone(),
        text: format!(
            "other policies manage existing indices: {}{more}; they stay with them: `POST _plugins/_ism/remove/INDEX`, then apply again, to give them ours",
            others.join(", ")
        ),
    })
}
