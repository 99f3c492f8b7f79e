//! Builds everything once, at cold start.

use std::sync::Arc;

use anyhow::{Context, Result};
use sekisho_aws::{Session, connect_cluster};
use sekisho_bulk::BulkDestination;
use sekisho_config::Settings;
use sekisho_event::IgnoredKeys;
use sekisho_parser::Catalog;
use sekisho_pipeline::{
    Clock, Pipeline, PipelineSettings, SystemClock, bulk_settings, object_limits, parser_settings,
};

use crate::gate::Gate;
use crate::ingest::Ingest;

/// Reads the settings and wires the pipeline; nothing is sent yet.
pub(crate) async fn ingest() -> Result<Ingest> {
    let settings = Settings::read(None).context("cannot use the settings")?;
    let session = Session::connect(&settings).await;
    let cluster = connect_cluster(&settings.opensearch).await?;
    let catalog =
        Catalog::builtin(parser_settings(&settings)?).context("cannot use the built-in parsers")?;
    let destination = BulkDestination::new(
        cluster.clone(),
        bulk_settings(&settings),
        Arc::new(|| SystemClock.now()),
    );
    let pipeline = Pipeline::new(
        Arc::new(session.store()),
        Arc::new(catalog),
        Arc::new(destination),
        session.quarantine(&settings.quarantine),
        object_limits(&settings),
        PipelineSettings::from(&settings),
        Arc::new(SystemClock),
    );
    let gate = if settings.opensearch.check_templates {
        Gate::checked(Arc::new(cluster), settings.index.prefix)
    } else {
        Gate::open()
    };
    Ok(Ingest::new(
        pipeline,
        gate,
        IgnoredKeys::new(&settings.ignore.keys)?,
        settings.quarantine.bucket,
    ))
}
