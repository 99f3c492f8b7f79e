//! [`Wanted`]: everything that an installation needs in its cluster, as data.

use sekisho_config::Settings;
use sekisho_document::SourceMapping;

use crate::lifecycle::{Policy, policies};
use crate::report::Finding;
use crate::roles::{Role, roles};
use crate::{ClusterError, Template, TemplateSettings, families, templates};

/// Everything that an installation needs in its cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    pub(crate) templates: Vec<Template>,
    /// `None` where the settings leave them out.
    pub(crate) roles: Option<Vec<Role>>,
    /// `None` where the settings leave them out.
    pub(crate) policies: Option<Vec<Policy>>,
    /// What the settings alone give cause for.
    pub(crate) findings: Vec<Finding>,
}

impl Wanted {
    /// Gives what these settings and sources need.
    ///
    /// # Errors
    /// When two sources of one index, or a source and ECS, type a field differently.
    pub fn new(settings: &Settings, sources: &[SourceMapping]) -> Result<Self, ClusterError> {
        let families = families::families(settings, sources);
        Ok(Self {
            templates: templates(&TemplateSettings::of(settings), sources)?,
            roles: (settings.access.enabled).then(|| roles(settings, sources)),
            policies: (settings.lifecycle.enabled).then(|| policies(settings, &families)),
            findings: families::unknown(settings, sources),
        })
    }
}

impl Wanted {
    /// Gives the roles; none where the settings leave them out.
    pub fn roles(&self) -> &[Role] {
        self.roles.as_deref().unwrap_or_default()
    }

    /// Gives the policies; none where the settings leave them out.
    pub fn policies(&self) -> &[Policy] {
        self.policies.as_deref().unwrap_or_default()
    }
}
