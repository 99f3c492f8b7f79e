//! Takes settings, the ECS list and the sources' fields and gives index templates, roles and lifecycle policies; compares them with a cluster and applies them.
//!
//! [`Wanted::new`] says what an installation needs, [`plan`] compares it with a cluster by reading alone, [`carry_out`] puts what differs; both give a [`Report`].
//!
//! **Invariant:** what is put is a pure function of its input and carries its version and hash, so applying twice changes nothing; nothing that others own is changed; the wire format of the calls is `sekisho-bulk`'s.

mod apply;
mod attach;
mod core;
mod diff;
mod error;
mod families;
mod field_types;
mod fields;
mod findings;
mod ledger;
mod lifecycle;
mod mark;
mod pattern;
mod plan;
mod report;
mod roles;
mod security;
mod template;
mod template_settings;
mod wanted;

pub use apply::{Applied, TemplateState, apply, check_templates, require_templates};
pub use error::ClusterError;
pub use fields::IGNORE_ABOVE;
pub use lifecycle::Policy;
pub use plan::{Plan, carry_out, plan};
pub use report::{Change, Difference, Finding, FindingKind, Report, Thing, ThingKind};
pub use roles::Role;
pub use template::{TEMPLATE_VERSION, Template, TemplateKind, templates};
pub use template_settings::TemplateSettings;
pub use wanted::Wanted;
