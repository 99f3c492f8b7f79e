//! [`TemplateSettings`]: what an installation chooses about its indices.

use std::collections::BTreeMap;

use sekisho_config::Settings;

/// What an installation may choose about its indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSettings {
    /// Put before every index and template name; empty for none.
    pub prefix: String,
    /// Primary shards of an index.
    pub shards: u16,
    /// Primary shards of single sources, by dataset.
    pub shards_of: BTreeMap<String, u16>,
    /// Copies of each shard: a number, or a range of which the cluster takes what its nodes can hold.
    pub replicas: String,
    /// Copies for single sources, by dataset.
    pub replicas_of: BTreeMap<String, String>,
    /// How long a new document may stay invisible, in OpenSearch's notation.
    pub refresh_interval: String,
}

impl Default for TemplateSettings {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            shards: 1,
            shards_of: BTreeMap::new(),
            // One copy where there is a second node to hold it.
            replicas: "0-1".to_owned(),
            replicas_of: BTreeMap::new(),
            refresh_interval: "30s".to_owned(),
        }
    }
}

impl TemplateSettings {
    /// Gives what the settings of an installation say.
    pub fn of(settings: &Settings) -> Self {
        let template = &settings.template;
        Self {
            prefix: settings.index.prefix.clone(),
            shards: template.shards,
            shards_of: template.shards_of.clone(),
            replicas: template.replicas.clone(),
            replicas_of: template.replicas_of.clone(),
            refresh_interval: template.refresh_interval.clone(),
        }
    }
}
