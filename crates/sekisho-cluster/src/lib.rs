//! Takes the ECS list and the sources' fields and gives index templates; compares them with a cluster and applies them.
//!
//! **Invariant:** what a template holds is a pure function of its input, so applying it twice changes nothing; the wire format of the calls is `sekisho-bulk`'s.

mod apply;
mod core;
mod error;
mod fields;
mod ledger;
mod template;

pub use apply::{Applied, Change, TemplateState, apply, check_templates, require_templates};
pub use error::ClusterError;
pub use template::{TEMPLATE_VERSION, Template, TemplateKind, TemplateSettings, templates};
