//! [`Apply`]: what one invocation does.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use sekisho_aws::{Session, connect_cluster};
use sekisho_bulk::{OpenSearchTransport, check_version};
use sekisho_bundles::{BundleStore, History, Set};
use sekisho_cluster::{Report, Thing, Wanted, carry_out, plan};
use sekisho_config::Settings;
use sekisho_lambda::{Function, Metric, Metrics, Numbers};
use sekisho_parser::Catalog;
use sekisho_pipeline::{Clock as _, SystemClock, parser_settings};

use crate::log;

/// What the cluster should hold, and the way to it.
pub struct Apply {
    cluster: OpenSearchTransport,
    settings: Settings,
    builtin: Catalog,
    bundles: Option<Arc<dyn BundleStore>>,
    metrics: Metrics,
}

impl Apply {
    /// Reads the settings and makes what the cluster should hold; nothing is sent yet.
    ///
    /// # Errors
    /// When a setting is wrong, or a parser cannot be used.
    pub async fn start() -> Result<Self> {
        let settings = Settings::read(None).context("cannot use the settings")?;
        let cluster = connect_cluster(&settings.opensearch).await?;
        let builtin = Catalog::builtin(parser_settings(&settings)?)
            .context("cannot use the built-in parsers")?;
        let session = Session::connect(&settings).await;
        Ok(Self {
            cluster,
            bundles: session.bundles(&settings.bundles),
            metrics: Metrics::new(&settings, []),
            builtin,
            settings,
        })
    }

    /// Puts what the cluster does not hold as it should; the answer is the report.
    ///
    /// # Errors
    /// When something could not be applied: the function's errors are what raises its alarm, and Lambda invokes it again.
    pub async fn answer(&self) -> Result<Report> {
        let applied = self.apply().await;
        let report = applied.as_ref().ok();
        let failed = report.is_none_or(|report| report.failed().next().is_some());
        let mut numbers = Numbers::new(Function::Apply);
        numbers.add(Metric::ApplyFailed, u64::from(failed));
        let changed = report.map_or(0, |report| report.changed().count());
        numbers.add(Metric::ApplyChanged, changed as u64);
        self.metrics.write(&numbers, SystemClock.now());
        let report = applied?;
        log::report(&report);
        complete(report)
    }

    async fn apply(&self) -> Result<Report> {
        check_version(&self.cluster).await?;
        let wanted = self.wanted().await?;
        let cannot = || format!("cannot set up the cluster at `{}`", self.cluster.url());
        let plan = plan(&self.cluster, &wanted).await.with_context(cannot)?;
        carry_out(&self.cluster, &plan).await.with_context(cannot)
    }
}

impl Apply {
    /// What the cluster should hold for the built-in parsers and those published by now.
    async fn wanted(&self) -> Result<Wanted> {
        let Some(bundles) = &self.bundles else {
            return Ok(Wanted::new(&self.settings, &self.builtin.mappings()?)?);
        };
        let pointer = History::read(bundles.as_ref()).await?.pointer;
        let none = BTreeMap::new();
        let set = Set::read(bundles.as_ref(), &self.builtin, &pointer, &none).await;
        for refused in &set.refused {
            log::bundle_refused(refused);
        }
        Ok(Wanted::new(&self.settings, &set.catalog.mappings()?)?)
    }
}

/// Makes an error of a report that names what the cluster refused.
fn complete(report: Report) -> Result<Report> {
    let name = |thing: &Thing| format!("{} `{}`", thing.kind, thing.name);
    let failed: Vec<String> = report.failed().map(name).collect();
    if failed.is_empty() {
        return Ok(report);
    }
    bail!(
        "could not apply {}; the reasons are in the log, and another invocation goes on from here",
        failed.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use sekisho_cluster::{Change, ThingKind};

    use super::*;

    fn thing(name: &str, change: Change) -> Thing {
        Thing {
            kind: ThingKind::Role,
            name: name.to_owned(),
            change,
            reason: None,
            differences: Vec::new(),
        }
    }

    #[test]
    fn a_refusal_fails_the_invocation_and_is_named() {
        let changes = [Change::Created, Change::Unchanged, Change::Skipped];
        let things = changes.map(|change| thing("a", change)).to_vec();
        let mut report = Report {
            things,
            ..Report::default()
        };
        complete(report.clone()).unwrap();
        report.things.push(thing("b", Change::Failed));
        let error = complete(report).unwrap_err().to_string();
        assert!(error.starts_with("could not apply role `b`; "), "{error}");
    }
}
