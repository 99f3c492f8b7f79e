//! `sekisho replay --quarantine`: quarantined records, read again from their objects.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sekisho_aws::{Session, connect_cluster};
use sekisho_bulk::{BulkDestination, check_version};
use sekisho_cluster::require_templates;
use sekisho_ledger::NoLedger;
use sekisho_pipeline::{
    Clock as _, PipelineSettings, Stages, SystemClock, bulk_settings, object_limits,
};
use sekisho_replay::{End, QuarantineReplay, QuarantineReport};
use tokio::time::Instant;

use super::{LONGEST, ReplayArgs, options};
use crate::Finish;
use crate::setup::{Setup, runtime};

/// Reads quarantined records again and removes the entries of those that succeed.
pub(super) fn replay(args: &ReplayArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let report = runtime()?.block_on(run(args, setup))?;
    if setup.json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        write!(out, "{report}")?;
    }
    match report.end {
        End::Failed(error) => Err(error).context("the replay ended early"),
        End::TimeUp => Ok(Finish::Left),
        _ => Ok(Finish::clean_if(report.done == report.entries)),
    }
}

async fn run(args: &ReplayArgs, setup: &Setup) -> Result<QuarantineReport> {
    let settings = setup.settings()?;
    if settings.quarantine.bucket.is_empty() {
        bail!("there is no quarantine; set `quarantine.bucket`");
    }
    let catalog = setup.catalog(&settings)?;
    let session = Session::connect(&settings).await;
    let cluster = connect_cluster(&settings.opensearch).await?;
    if !args.dry_run {
        check_version(&cluster).await?;
        if settings.opensearch.check_templates {
            require_templates(&cluster, &settings.index.prefix).await?;
        }
    }
    let destination = BulkDestination::new(
        cluster,
        bulk_settings(&settings),
        Arc::new(|| SystemClock.now()),
    );
    let stages = Stages {
        store: Arc::new(session.store()),
        catalog: Arc::new(catalog),
        destination: Arc::new(destination),
        quarantine: session.quarantine(&settings.quarantine),
        ledger: Arc::new(NoLedger),
        continuations: None,
        clock: Arc::new(SystemClock),
    };
    let replay = QuarantineReplay::new(
        session.files(&settings.quarantine),
        settings.quarantine.prefix.clone(),
        stages,
        object_limits(&settings),
        PipelineSettings::from(&settings),
    );
    Ok(replay.run(Instant::now() + LONGEST, &options(args)).await)
}
