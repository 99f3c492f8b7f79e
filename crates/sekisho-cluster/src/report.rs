//! [`Report`]: what `apply` found and did, for people and for machines.

use std::fmt;

use serde::Serialize;

/// What can be put into a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ThingKind {
    /// A part that index templates are composed of.
    ComponentTemplate,
    /// What a new index is made by.
    IndexTemplate,
    /// What its holder may do (fine-grained access control).
    Role,
    /// Who holds a role.
    RoleMapping,
    /// When an index goes from one state to the next (ISM).
    Policy,
    /// The policy of indices that exist already.
    PolicyAttachment,
}

impl fmt::Display for ThingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ComponentTemplate => "component template",
            Self::IndexTemplate => "index template",
            Self::Role => "role",
            Self::RoleMapping => "role mapping",
            Self::Policy => "policy",
            Self::PolicyAttachment => "policy of existing indices",
        })
    }
}

/// What became, or would become, of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was not there.
    Created,
    /// It was there with other content.
    Updated,
    /// It was there.
    Unchanged,
    /// The cluster or the settings leave it out; the reason says why.
    Skipped,
    /// The cluster refused it; the reason says why.
    Failed,
}

/// One value of a body that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The dotted path.
    pub path: String,
    /// What the cluster holds; `None` for nothing.
    pub from: Option<String>,
    /// What it should hold; `None` for nothing.
    pub to: Option<String>,
}

/// One thing that Sekisho owns, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Thing {
    /// Its kind.
    pub kind: ThingKind,
    /// Its name.
    pub name: String,
    /// What was, or would be, done.
    pub change: Change,
    /// Why it was skipped or failed, with the remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is updated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
}

/// Something that others own, or that exists already, and that stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// A foreign template of other priority that matches the same names.
    ForeignTemplate,
    /// A foreign policy that matches the same names or manages an index of ours.
    ForeignPolicy,
    /// A field that an existing index types otherwise than the template.
    FieldType,
    /// A name in the settings that no source has.
    UnknownSource,
    /// A question that the cluster did not answer.
    Unanswered,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was found.
    pub kind: FindingKind,
    /// The foreign thing, the field or the setting.
    pub name: String,
    /// What it means and what to do.
    pub text: String,
}

/// What one run found and did; of a plan: what it would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Everything that Sekisho owns, in the order in which it is put.
    pub things: Vec<Thing>,
    /// What else an operator should know.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Gives what was created or updated.
    pub fn changed(&self) -> impl Iterator<Item = &Thing> {
        let changed = |thing: &&Thing| matches!(thing.change, Change::Created | Change::Updated);
        self.things.iter().filter(changed)
    }

    /// Gives what the cluster refused.
    pub fn failed(&self) -> impl Iterator<Item = &Thing> {
        let failed = |thing: &&Thing| thing.change == Change::Failed;
        self.things.iter().filter(failed)
    }
}
