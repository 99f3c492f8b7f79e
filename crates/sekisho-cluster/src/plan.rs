//! [`Plan`]: what to put into a cluster, found by comparing; and [`carry_out`], which puts it.

use bytes::Bytes;
use sekisho_bulk::{ApiAnswer, ClusterApi, Method};
use serde_json::Value;

use crate::report::{Change, Finding, Report, Thing, ThingKind};
use crate::{ClusterError, Wanted, apply, findings, lifecycle, security};

/// What to do, in order. Reading alone makes it, so showing it is the dry run.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) findings: Vec<Finding>,
}

/// One thing, and the call that makes it so.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) thing: Thing,
    pub(crate) call: Option<Call>,
}

/// A call that changes the cluster.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
}

impl Plan {
    /// Says what carrying it out would do.
    pub fn report(&self) -> Report {
        Report {
            things: self.steps.iter().map(|step| step.thing.clone()).collect(),
            findings: self.findings.clone(),
        }
    }
}

impl Step {
    pub(crate) fn new(kind: ThingKind, name: &str, change: Change, call: Option<Call>) -> Self {
        let thing = Thing {
            kind,
            name: name.to_owned(),
            change,
            reason: None,
            differences: Vec::new(),
        };
        Self { thing, call }
    }

    pub(crate) fn skipped(kind: ThingKind, name: &str, reason: impl Into<String>) -> Self {
        Self::without(kind, name, Change::Skipped, reason)
    }

    pub(crate) fn failed(kind: ThingKind, name: &str, reason: impl Into<String>) -> Self {
        Self::without(kind, name, Change::Failed, reason)
    }

    fn without(kind: ThingKind, name: &str, change: Change, reason: impl Into<String>) -> Self {
        let mut step = Self::new(kind, name, change, None);
        step.thing.reason = Some(reason.into());
        step
    }
}

/// Compares a cluster with what an installation needs; changes nothing.
///
/// # Errors
/// When the cluster cannot be reached, or does not let its templates be read.
pub async fn plan(api: &dyn ClusterApi, wanted: &Wanted) -> Result<Plan, ClusterError> {
    let mut steps = apply::steps(api, &wanted.templates).await?;
    steps.extend(security::steps(api, wanted).await?);
    steps.extend(lifecycle::steps(api, wanted).await?);
    let findings = findings::find(api, wanted).await?;
    Ok(Plan { steps, findings })
}

/// Makes the cluster as planned; what it refuses is in the report, and the rest goes on.
///
/// # Errors
/// When the cluster cannot be reached; what was put before is in place, and a new plan goes on from there.
pub async fn carry_out(api: &dyn ClusterApi, plan: &Plan) -> Result<Report, ClusterError> {
    let mut things = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let mut thing = step.thing.clone();
        if let Some(call) = &step.call {
            let body = Bytes::from(call.body.to_string());
            let answer = api.call(call.method, &call.path, Some(body)).await?;
            if let Some(reason) = refusal(&answer) {
                thing.change = Change::Failed;
                thing.reason = Some(reason);
            }
        }
        things.push(thing);
    }
    Ok(Report {
        things,
        findings: plan.findings.clone(),
    })
}

/// ISM answers 200 also where it left out single indices; one that somebody else gave a policy in between is well.
fn refusal(answer: &ApiAnswer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let failed = body.get("failed_indices").and_then(Value::as_array);
    let is_other = |one: &Value| {
        let reason = one.get("reason").and_then(Value::as_str);
        !reason.is_some_and(|reason| reason.contains("already has a policy"))
    };
    let has_failures = failed.into_iter().flatten().any(is_other);
    match answer.status {
        200 | 201 if !has_failures => None,
        status => Some(format!("status {status}: {}", answer.excerpt())),
    }
}
