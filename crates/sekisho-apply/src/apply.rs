//! [`Apply`]: what one invocation does.

use anyhow::{Context as _, Result};
use sekisho_aws::connect_cluster;
use sekisho_bulk::{OpenSearchTransport, check_version};
use sekisho_cluster::{Applied, Change, Template, TemplateSettings, templates};
use sekisho_config::Settings;
use sekisho_parser::Catalog;
use sekisho_pipeline::parser_settings;
use serde_json::{Value, json};

/// What the cluster should hold, and the way to it.
#[derive(Debug)]
pub struct Apply {
    cluster: OpenSearchTransport,
    templates: Vec<Template>,
}

impl Apply {
    /// Reads the settings and makes what the cluster should hold; nothing is sent yet.
    ///
    /// # Errors
    /// When a setting is wrong, or a parser cannot be used.
    pub async fn start() -> Result<Self> {
        let settings = Settings::read(None).context("cannot use the settings")?;
        let cluster = connect_cluster(&settings.opensearch).await?;
        let catalog = Catalog::builtin(parser_settings(&settings)?)
            .context("cannot use the built-in parsers")?;
        let templates = templates(
            &TemplateSettings {
                prefix: settings.index.prefix,
                ..TemplateSettings::default()
            },
            &catalog.mappings()?,
        )?;
        Ok(Self { cluster, templates })
    }

    /// Puts what the cluster does not hold as it should; the answer is the report.
    ///
    /// # Errors
    /// When something could not be applied: the function's errors are what raises its alarm, and Lambda invokes it again.
    pub async fn answer(&self) -> Result<Value> {
        check_version(&self.cluster).await?;
        let applied = sekisho_cluster::apply(&self.cluster, &self.templates)
            .await
            .with_context(|| format!("cannot apply the templates to `{}`", self.cluster.url()))?;
        let outcome = Outcome { applied };
        crate::log::outcome(&outcome);
        Ok(outcome.to_json())
    }
}

/// What one invocation did.
pub(crate) struct Outcome {
    pub(crate) applied: Vec<Applied>,
}

impl Outcome {
    pub(crate) fn changed(&self) -> usize {
        let all = self.applied.iter();
        all.filter(|one| one.change != Change::Unchanged).count()
    }

    pub(crate) fn kind(&self, one: &Applied) -> String {
        format!("{:?} template", one.kind).to_lowercase()
    }

    fn to_json(&self) -> Value {
        let all = self.applied.iter();
        let applied: Vec<Value> = all
            .map(|one| json!({ "kind": self.kind(one), "name": one.name, "change": word(one.change) }))
            .collect();
        json!({ "changed": self.changed(), "applied": applied })
    }
}

pub(crate) fn word(change: Change) -> &'static str {
    match change {
        Change::Created => "created",
        Change::Updated => "updated",
        Change::Unchanged => "unchanged",
        Change::Skipped => "skipped",
        Change::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use sekisho_cluster::TemplateKind;

    use super::*;

    #[test]
    fn the_report_says_what_was_changed() {
        let one = |name: &str, change| Applied {
            kind: TemplateKind::Component,
            name: name.to_owned(),
            change,
        };
        let applied = vec![one("a", Change::Created), one("b", Change::Unchanged)];
        assert_eq!(
            Outcome { applied }.to_json(),
            json!({
                "changed": 1,
                "applied": [
                    { "kind": "component template", "name": "a", "change": "created" },
                    { "kind": "component template", "name": "b", "change": "unchanged" },
                ]
            })
        );
    }
}
