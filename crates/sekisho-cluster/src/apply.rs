//! Compares the templates with a cluster's and puts those that differ.

use bytes::Bytes;
use sekisho_bulk::{ClusterApi, Method};
use serde::Deserialize;
use serde_json::Value;

use crate::diff::differences;
use crate::ledger::ledger_name;
use crate::plan::{Call, Step};
use crate::report::{Change, ThingKind};
use crate::template::{core_name, overlay_name};
use crate::{ClusterError, TEMPLATE_VERSION, Template, TemplateKind};

/// One template and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The template's kind.
    pub kind: TemplateKind,
    /// The template's name.
    pub name: String,
    /// What was done.
    pub change: Change,
}

/// What a cluster holds, compared with what this version needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateState {
    /// This major version, or a newer one.
    Current,
    /// None, or some that others made.
    Missing,
    /// An older major version.
    Older {
        /// Major and minor.
        found: (u32, u32),
    },
}

/// Puts every template that the cluster does not hold as it should be.
///
/// # Errors
/// When the cluster cannot be reached or refuses one; those before it are in place, and a second call goes on.
pub async fn apply(
    api: &dyn ClusterApi,
    templates: &[Template],
) -> Result<Vec<Applied>, ClusterError> {
    let mut report = Vec::with_capacity(templates.len());
    for (template, step) in templates.iter().zip(steps(api, templates).await?) {
        if step.call.is_some() {
            put(api, template).await?;
        }
        report.push(Applied {
            kind: template.kind,
            name: template.name.clone(),
            change: step.thing.change,
        });
    }
    Ok(report)
}

/// Gives the steps of every template.
pub(crate) async fn steps(
    api: &dyn ClusterApi,
    templates: &[Template],
) -> Result<Vec<Step>, ClusterError> {
    let mut steps = Vec::with_capacity(templates.len());
    for template in templates {
        steps.push(step(api, template).await?);
    }
    Ok(steps)
}

async fn step(api: &dyn ClusterApi, template: &Template) -> Result<Step, ClusterError> {
    let own: Option<Meta> = template.body.pointer("/_meta/sekisho").and_then(read_meta);
    let kind = match template.kind {
        TemplateKind::Component => ThingKind::ComponentTemplate,
        TemplateKind::Index => ThingKind::IndexTemplate,
    };
    let step = |change| {
        let call = Call {
            method: Method::Put,
            path: path(template.kind, &template.name),
            body: template.body.clone(),
        };
        Step::new(kind, &template.name, change, Some(call))
    };
    Ok(match find(api, template.kind, &template.name).await? {
        Found::Nothing => step(Change::Created),
        Found::Ours(meta, _) if Some(&meta) == own.as_ref() => {
            Step::new(kind, &template.name, Change::Unchanged, None)
        }
        Found::Ours(_, body) | Found::Foreign(body) => {
            let mut step = step(Change::Updated);
            step.thing.differences = differences(&body, &template.body);
            step
        }
    })
}

/// Asks whether the cluster holds the templates that this version writes for.
///
/// # Errors
/// When the cluster cannot be reached or does not let itself be asked.
pub async fn check_templates(
    api: &dyn ClusterApi,
    prefix: &str,
) -> Result<TemplateState, ClusterError> {
    let mut oldest = TEMPLATE_VERSION;
    for (kind, name) in [
        (TemplateKind::Component, core_name(prefix)),
        (TemplateKind::Index, overlay_name(prefix)),
        (TemplateKind::Index, ledger_name(prefix)),
    ] {
        match find(api, kind, &name).await? {
            Found::Nothing | Found::Foreign(_) => return Ok(TemplateState::Missing),
            Found::Ours(meta, _) => match meta.version() {
                Some(version) => oldest = oldest.min(version),
                None => return Ok(TemplateState::Missing),
            },
        }
    }
    if oldest.0 < TEMPLATE_VERSION.0 {
        return Ok(TemplateState::Older { found: oldest });
    }
    Ok(TemplateState::Current)
}

/// Refuses to go on without the templates that this version writes for.
///
/// # Errors
/// When they are missing or of an older major version, with the remedy.
pub async fn require_templates(api: &dyn ClusterApi, prefix: &str) -> Result<(), ClusterError> {
    let found = match check_templates(api, prefix).await? {
        TemplateState::Current => return Ok(()),
        TemplateState::Missing => "missing".to_owned(),
        TemplateState::Older { found } => format!("of version {}.{}", found.0, found.1),
    };
    Err(ClusterError::Templates {
        found,
        needed: format!("{}.{}", TEMPLATE_VERSION.0, TEMPLATE_VERSION.1),
    })
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Meta {
    version: String,
    hash: String,
}

impl Meta {
    fn version(&self) -> Option<(u32, u32)> {
        let (major, minor) = self.version.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    }
}

fn read_meta(value: &Value) -> Option<Meta> {
    Meta::deserialize(value).ok()
}

enum Found {
    Nothing,
    Foreign(Value),
    Ours(Meta, Value),
}

async fn find(api: &dyn ClusterApi, kind: TemplateKind, name: &str) -> Result<Found, ClusterError> {
    let answer = api.call(Method::Get, &path(kind, name), None).await?;
    if answer.status == 404 {
        return Ok(Found::Nothing);
    }
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let (200, Some(body)) = (answer.status, body) else {
        return Err(ClusterError::Refused {
            action: "read",
            name: name.to_owned(),
            status: answer.status,
            reason: answer.excerpt(),
        });
    };
    let held = body.pointer(match kind {
        TemplateKind::Component => "/component_templates/0/component_template",
        TemplateKind::Index => "/index_templates/0/index_template",
    });
    let held = held.cloned().unwrap_or_default();
    Ok(match held.pointer("/_meta/sekisho").and_then(read_meta) {
        Some(meta) => Found::Ours(meta, held),
        None => Found::Foreign(held),
    })
}

async fn put(api: &dyn ClusterApi, template: &Template) -> Result<(), ClusterError> {
    let body = Bytes::from(template.body.to_string());
    let path = path(template.kind, &template.name);
    let answer = api.call(Method::Put, &path, Some(body)).await?;
    if answer.status == 200 {
        return Ok(());
    }
    Err(ClusterError::Refused {
        action: "put",
        name: template.name.clone(),
        status: answer.status,
        reason: answer.excerpt(),
    })
}

fn path(kind: TemplateKind, name: &str) -> String {
    format!("/{}/{name}", kind.api())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use async_trait::async_trait;
    use sekisho_bulk::{ApiAnswer, BulkError};
    use serde_json::json;

    use super::*;
    use crate::{TemplateSettings, templates};

    /// Keeps templates as a cluster does.
    #[derive(Default)]
    struct Fake(Mutex<BTreeMap<String, Value>>);

    #[async_trait]
    impl ClusterApi for Fake {
        async fn call(
            &self,
            method: Method,
            path: &str,
            body: Option<Bytes>,
        ) -> Result<ApiAnswer, BulkError> {
            let mut held = self.0.lock().unwrap();
            let (status, body) = match (method, body) {
                (Method::Put, Some(body)) => {
                    held.insert(path.into(), serde_json::from_slice(&body).unwrap());
                    (200, json!({ "acknowledged": true }))
                }
                _ => match held.get(path) {
                    Some(held) if path.starts_with("/_index_template/") => (
                        200,
                        json!({ "index_templates": [{ "index_template": held }] }),
                    ),
                    Some(held) => (
                        200,
                        json!({ "component_templates": [{ "component_template": held }] }),
                    ),
                    None => (404, json!({})),
                },
            };
            Ok(ApiAnswer {
                status,
                body: Bytes::from(body.to_string()),
            })
        }
    }

    fn wanted() -> Vec<Template> {
        templates(&TemplateSettings::default(), &[]).unwrap()
    }

    fn changes(report: &[Applied]) -> Vec<Change> {
        report.iter().map(|applied| applied.change).collect()
    }

    #[tokio::test]
    async fn creates_then_leaves_alone_then_updates() {
        let api = Fake::default();
        let first = apply(&api, &wanted()).await.unwrap();
        assert_eq!(changes(&first), [Change::Created; 4]);
        let second = apply(&api, &wanted()).await.unwrap();
        assert_eq!(changes(&second), [Change::Unchanged; 4]);
        let other = TemplateSettings {
            shards: 3,
            ..TemplateSettings::default()
        };
        let third = apply(&api, &templates(&other, &[]).unwrap()).await.unwrap();
        assert_eq!(
            changes(&third),
            [
                Change::Updated,
                Change::Unchanged,
                Change::Unchanged,
                Change::Unchanged
            ]
        );
    }

    #[tokio::test]
    async fn says_missing_older_and_current() {
        let api = Fake::default();
        assert_eq!(
            check_templates(&api, "").await.unwrap(),
            TemplateState::Missing
        );
        let error = require_templates(&api, "").await.unwrap_err().to_string();
        assert!(error.contains("run `sekisho apply`"), "{error}");
        apply(&api, &wanted()).await.unwrap();
        assert_eq!(
            check_templates(&api, "").await.unwrap(),
            TemplateState::Current
        );
        assert_eq!(
            check_templates(&api, "team-").await.unwrap(),
            TemplateState::Missing
        );
        for body in api.0.lock().unwrap().values_mut() {
            body["_meta"]["sekisho"]["version"] = json!("0.9");
        }
        assert_eq!(
            check_templates(&api, "").await.unwrap(),
            TemplateState::Older { found: (0, 9) }
        );
    }

    #[tokio::test]
    async fn a_template_of_others_is_replaced() {
        let api = Fake::default();
        let name = "/_component_template/sekisho-core".to_owned();
        api.0
            .lock()
            .unwrap()
            .insert(name, json!({ "template": {} }));
        assert_eq!(
            check_templates(&api, "").await.unwrap(),
            TemplateState::Missing
        );
        let report = apply(&api, &wanted()).await.unwrap();
        assert_eq!(
            changes(&report),
            [
                Change::Created,
                Change::Updated,
                Change::Created,
                Change::Created
            ]
        );
    }
}
