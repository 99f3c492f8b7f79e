//! The roles in a cluster with fine-grained access control: compared, and what to put.

use sekisho_bulk::{ApiAnswer, ClusterApi, Method};
use serde_json::Value;

use crate::diff::differences;
use crate::plan::{Call, Step};
use crate::report::{Change, ThingKind};
use crate::roles::Role;
use crate::{ClusterError, Wanted, mark};

const API: &str = "/_plugins/_security/api";
const NOT_HERE: &str = "the cluster has no fine-grained access control (the security plugin)";
const LEFT_OUT: &str = "`access.enabled` is false";
const MASTER: &str = "; roles can only be put by the domain's master user, or by a user of `plugins.security.restapi.roles_enabled`: run `sekisho apply` as that, or set `access.enabled = false`";

/// Gives the steps of every role and its mapping.
pub(crate) async fn steps(
    api: &dyn ClusterApi,
    wanted: &Wanted,
) -> Result<Vec<Step>, ClusterError> {
    let Some(roles) = &wanted.roles else {
        return Ok(vec![Step::skipped(ThingKind::Role, "all", LEFT_OUT)]);
    };
    let mut steps = Vec::new();
    for role in roles {
        steps.push(step(api, ThingKind::Role, role, &role.body).await?);
    }
    for role in roles {
        steps.push(match &role.mapping {
            Some(mapping) => step(api, ThingKind::RoleMapping, role, mapping).await?,
            None => {
                let reason = format!("`{}` is empty: who holds it stays as it is", role.setting);
                Step::skipped(ThingKind::RoleMapping, &role.name, reason)
            }
        });
    }
    Ok(steps)
}

async fn step(
    api: &dyn ClusterApi,
    kind: ThingKind,
    role: &Role,
    body: &Value,
) -> Result<Step, ClusterError> {
    let path = path(kind, &role.name);
    let answer = api.call(Method::Get, &path, None).await?;
    let step = |change| {
        let call = Call {
            method: Method::Put,
            path: path.clone(),
            body: body.clone(),
        };
        Step::new(kind, &role.name, change, Some(call))
    };
    let stored = match found(&answer) {
        Found::Stored(all) => all.get(&role.name).cloned(),
        Found::Nothing => None,
        Found::NotHere => return Ok(Step::skipped(kind, &role.name, NOT_HERE)),
        Found::Refused(reason) => return Ok(Step::failed(kind, &role.name, reason)),
    };
    let Some(stored) = stored else {
        return Ok(step(Change::Created));
    };
    let differences = differences(&stored, body);
    if mark::same(&stored, body) && differences.is_empty() {
        return Ok(Step::new(kind, &role.name, Change::Unchanged, None));
    }
    let mut step = step(Change::Updated);
    step.thing.differences = differences;
    Ok(step)
}

fn path(kind: ThingKind, name: &str) -> String {
    match kind {
        ThingKind::RoleMapping => format!("{API}/rolesmapping/{name}"),
        _ => format!("{API}/roles/{name}"),
    }
}

/// What a plugin's address answered.
pub(crate) enum Found {
    /// The body.
    Stored(Value),
    /// The plugin is there, the thing is not.
    Nothing,
    /// The plugin is not there, or the managed service does not offer it.
    NotHere,
    /// Anything else, in words.
    Refused(String),
}

/// Reads the answer of a plugin's address.
pub(crate) fn found(answer: &ApiAnswer) -> Found {
    let text = answer.excerpt();
    let is_absent = text.contains("no handler found for uri")
        // The managed service on an address that the domain does not offer.
        || (text.contains("Your request: ") && text.contains("is not allowed"));
    match (answer.status, serde_json::from_slice(&answer.body)) {
        (200, Ok(body)) => Found::Stored(body),
        (400 | 401 | 403, _) if is_absent => Found::NotHere,
        (404, _) => Found::Nothing,
        (status @ (401 | 403), _) => Found::Refused(format!("status {status}: {text}{MASTER}")),
        (status, _) => Found::Refused(format!("status {status}: {text}")),
    }
}
