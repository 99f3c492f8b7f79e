//! `sekisho apply`: what documents need in the cluster, and who may do what there.

use std::io::Write;

use anyhow::{Context, Result};
use sekisho_aws::connect_cluster;
use sekisho_bulk::check_version;
use sekisho_cluster::{Change, Difference, Report, Thing, Wanted, carry_out, plan};

use crate::Finish;
use crate::args::ApplyArgs;
use crate::setup::{Setup, runtime};

/// How many differences of one thing are shown; `--json` has all.
const SHOWN_DIFFERENCES: usize = 20;

/// Applies what differs, or shows what would change.
pub(crate) fn apply(args: &ApplyArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let mut settings = setup.settings()?;
    if let Some(url) = &args.to {
        settings.opensearch.url.clone_from(url);
    }
    let sources = setup.catalog(&settings)?.mappings()?;
    let wanted = Wanted::new(&settings, &sources)?;
    let report = runtime()?.block_on(async {
        let cluster = connect_cluster(&settings.opensearch).await?;
        check_version(&cluster).await?;
        let refused = || format!("cannot apply to `{}`", cluster.url());
        let plan = plan(&cluster, &wanted).await.with_context(refused)?;
        if args.dry_run {
            return anyhow::Ok(plan.report());
        }
        carry_out(&cluster, &plan).await.with_context(refused)
    })?;
    if setup.json {
        serde_json::to_writer(&mut *out, &report)?;
        writeln!(out)?;
    } else {
        show(&report, args.dry_run, out)?;
    }
    Ok(Finish::clean_if(report.failed().next().is_none()))
}

fn show(report: &Report, dry_run: bool, out: &mut dyn Write) -> Result<()> {
    for thing in &report.things {
        let reason = match &thing.reason {
            Some(reason) => format!(": {reason}"),
            None => String::new(),
        };
        let word = word(thing, dry_run);
        writeln!(out, "{word:<12} {} {}{reason}", thing.kind, thing.name)?;
        for difference in thing.differences.iter().take(SHOWN_DIFFERENCES) {
            show_difference(difference, out)?;
        }
        let n_more = thing.differences.len().saturating_sub(SHOWN_DIFFERENCES);
        if n_more > 0 {
            writeln!(out, "      … and {n_more} more")?;
        }
    }
    if !report.findings.is_empty() {
        writeln!(out)?;
    }
    for finding in &report.findings {
        writeln!(out, "note: {}: {}", finding.name, finding.text)?;
    }
    Ok(())
}

fn show_difference(difference: &Difference, out: &mut dyn Write) -> Result<()> {
    let Difference { path, from, to } = difference;
    if let Some(from) = from {
        writeln!(out, "    - {path}: {from}")?;
    }
    if let Some(to) = to {
        writeln!(out, "    + {path}: {to}")?;
    }
    Ok(())
}

fn word(thing: &Thing, dry_run: bool) -> &'static str {
    match (thing.change, dry_run) {
        (Change::Created, false) => "created",
        (Change::Created, true) => "would create",
        (Change::Updated, false) => "updated",
        (Change::Updated, true) => "would update",
        (Change::Unchanged, _) => "unchanged",
        (Change::Skipped, _) => "skipped",
        (Change::Failed, _) => "failed",
    }
}
