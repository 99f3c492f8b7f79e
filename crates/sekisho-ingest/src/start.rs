//! Builds everything once, at cold start.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use sekisho_aws::{Session, connect_cluster};
use sekisho_bulk::{BulkDestination, ClusterApi, Destination};
use sekisho_bundles::Parsers;
use sekisho_config::Settings;
use sekisho_delivery::QueueContinuations;
use sekisho_event::IgnoredKeys;
use sekisho_lambda::Metrics;
use sekisho_ledger::{ClusterLedger, Ledger, NoLedger};
use sekisho_parser::{Catalog, UNKNOWN_DATASET};
use sekisho_pipeline::{
    Clock, Continuations, Pipeline, PipelineSettings, Stages, SystemClock, bulk_settings,
    object_limits, parser_settings,
};

use crate::brake::BrakeSettings;
use crate::gate::Gate;
use crate::ingest::{Ingest, IngestSettings, Parts};

/// Reads the settings and wires the pipeline; nothing is sent yet.
///
/// # Errors
/// When a setting is wrong, or a parser cannot be used.
pub async fn start() -> Result<Ingest> {
    let mut settings = Settings::read(None).context("cannot use the settings")?;
    // There are more parsers than sources with metrics of their own: what nobody claims must not vanish among the others.
    settings.metrics.sources.push(UNKNOWN_DATASET.to_owned());
    let session = Session::connect(&settings).await;
    let cluster = connect_cluster(&settings.opensearch).await?;
    let api: Arc<dyn ClusterApi> = Arc::new(cluster.clone());
    let catalog =
        Catalog::builtin(parser_settings(&settings)?).context("cannot use the built-in parsers")?;
    let catalog = Arc::new(catalog);
    let refresh = Duration::from_millis(settings.bundles.refresh_ms);
    let bundles = session.bundles(&settings.bundles);
    let parsers = bundles.map(|store| Parsers::new(Arc::clone(&catalog), store, refresh));
    let datasets = catalog.parsers().iter().map(|parser| parser.dataset());
    let metrics = Metrics::new(&settings, datasets);
    let destination: Arc<dyn Destination> = Arc::new(BulkDestination::new(
        cluster,
        bulk_settings(&settings),
        Arc::new(|| SystemClock.now()),
    ));
    let queue = session.queue(&settings.queue);
    let ledger: Arc<dyn Ledger> = if settings.ledger.enabled {
        Arc::new(ClusterLedger::new(Arc::clone(&api), &settings.index.prefix))
    } else {
        Arc::new(NoLedger)
    };
    let continuations = queue.clone().map(QueueContinuations::new);
    let pipeline = Pipeline::new(
        Stages {
            store: Arc::new(session.store()),
            catalog,
            destination: Arc::clone(&destination),
            quarantine: session.quarantine(&settings.quarantine),
            ledger,
            continuations: continuations.map(|queue| Arc::new(queue) as Arc<dyn Continuations>),
            clock: Arc::new(SystemClock),
        },
        object_limits(&settings),
        PipelineSettings::from(&settings),
    );
    let gate = if settings.opensearch.check_templates {
        Gate::checked(api, settings.index.prefix.clone())
    } else {
        Gate::open()
    };
    Ok(Ingest::new(Parts {
        pipeline,
        parsers,
        destination,
        gate,
        ignored_keys: IgnoredKeys::new(&settings.ignore.keys)?,
        queue,
        files: session.files(&settings.quarantine),
        clock: Arc::new(SystemClock),
        metrics,
        settings: ingest_settings(&settings),
        quarantine_bucket: settings.quarantine.bucket,
    }))
}

fn ingest_settings(settings: &Settings) -> IngestSettings {
    let delivery = &settings.delivery;
    IngestSettings {
        reserve: Duration::from_millis(delivery.reserve_ms),
        brake: BrakeSettings {
            first: Duration::from_millis(delivery.brake_ms),
            longest: Duration::from_millis(delivery.brake_longest_ms),
        },
    }
}
