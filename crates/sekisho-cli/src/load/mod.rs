//! `sekisho load`: a file, a folder or an S3 prefix into OpenSearch or into a folder.

mod directory;
mod discard;
mod progress;
mod quarantine;
mod table;
mod target;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sekisho_aws::Session;
use sekisho_config::Settings;
use sekisho_event::{IgnoredKeys, ObjectRef, S3Location};
use sekisho_ledger::NoLedger;
use sekisho_object::{LocalFiles, ObjectStore};
use sekisho_pipeline::{
    ObjectReport, Pipeline, PipelineSettings, Stages, Summary, SystemClock, TimeLimit, Work,
    object_limits,
};
use serde_json::json;

use crate::Finish;
use crate::args::LoadArgs;
use crate::setup::{Setup, runtime};

use progress::Display;
use target::Target;

/// How many objects with a fault are told one by one.
const TOLD_OBJECTS: usize = 20;

/// Loads, and prints the summary: to stderr for people, to stdout as JSON.
pub(crate) fn load(args: &LoadArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let settings = setup.settings()?;
    let catalog = Arc::new(setup.catalog(&settings)?);
    runtime()?.block_on(async {
        let place = args.to.parse()?;
        let target = Target::open(place, args.replace, args.quarantine.clone(), &settings).await?;
        let (store, objects) = source(args, &settings).await?;
        let (objects, n_ignored) = without_ignored(objects, &settings)?;
        let n_objects = objects.len();
        let pipeline = Pipeline::new(
            Stages {
                store,
                catalog,
                destination: Arc::clone(&target.destination),
                quarantine: Arc::clone(&target.quarantine),
                ledger: Arc::new(NoLedger),
                continuations: None,
                clock: Arc::new(SystemClock),
            },
            object_limits(&settings),
            PipelineSettings::from(&settings),
        );
        let display = Display::start(pipeline.progress(), n_objects, setup.json);
        let work = objects.into_iter().map(Work::from).collect();
        let reports = pipeline.run(work, TimeLimit::default()).await;
        display.end();
        let written = target.close()?;
        report(&reports, n_ignored, setup.json, out)?;
        for line in written.iter().filter(|_| !setup.json) {
            writeln!(io::stderr(), "{line}")?;
        }
        Ok(Finish::clean_if(Summary::of(&reports).clean()))
    })
}

/// Lists what to load.
async fn source(
    args: &LoadArgs,
    settings: &Settings,
) -> Result<(Arc<dyn ObjectStore>, Vec<ObjectRef>)> {
    if args.from.starts_with("s3://") {
        if args.stands_for.is_some() {
            bail!("`--as` names the place that local files stand for; leave it out for `s3://…`");
        }
        let session = Session::connect(settings).await;
        let mut pages = session.list(args.from.parse()?);
        let mut objects = Vec::new();
        while let Some(page) = pages.next_page().await? {
            objects.extend(page);
        }
        return Ok((Arc::new(session.store()), objects));
    }
    let root = PathBuf::from(&args.from);
    if !root.exists() {
        bail!("there is no file or folder `{}`", root.display());
    }
    let place = args.stands_for.clone().unwrap_or(S3Location {
        bucket: "local".to_owned(),
        prefix: String::new(),
    });
    let files = LocalFiles::new(root, place.bucket, place.prefix);
    let objects = files.list().context("cannot list the files")?;
    Ok((Arc::new(files), objects))
}

fn without_ignored(
    mut objects: Vec<ObjectRef>,
    settings: &Settings,
) -> Result<(Vec<ObjectRef>, usize)> {
    let ignored = IgnoredKeys::new(&settings.ignore.keys)?;
    let n_listed = objects.len();
    objects.retain(|object| ignored.matching(&object.key).is_none());
    let n_ignored = n_listed - objects.len();
    Ok((objects, n_ignored))
}

fn report(
    reports: &[ObjectReport],
    n_ignored: usize,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let summary = Summary::of(reports);
    let faulty: Vec<_> = reports.iter().filter(|report| !report.clean()).collect();
    if as_json {
        let objects: Vec<_> = faulty.iter().map(|report| object_json(report)).collect();
        let all = json!({ "summary": summary, "ignored": n_ignored, "objects": objects });
        writeln!(out, "{all}")?;
        return Ok(());
    }
    let mut err = io::stderr();
    for report in faulty.iter().take(TOLD_OBJECTS) {
        tell(report, &mut err)?;
    }
    if faulty.len() > TOLD_OBJECTS {
        let more = faulty.len() - TOLD_OBJECTS;
        writeln!(err, "… and {more} more objects; `--json` lists them all")?;
    }
    if n_ignored > 0 {
        writeln!(
            err,
            "{n_ignored} objects match `ignore.keys` and were not read"
        )?;
    }
    table::write(&summary, &mut err)?;
    Ok(())
}

fn tell(report: &ObjectReport, err: &mut dyn Write) -> io::Result<()> {
    writeln!(err, "{}: {}", report.object, report.books)?;
    if let Some(error) = chain(report) {
        writeln!(err, "  failed: {error}")?;
    }
    if let Some(cut) = &report.cut {
        writeln!(err, "  the rest behind byte {}: {}", cut.offset, cut.reason)?;
    }
    for reason in &report.reasons {
        writeln!(err, "  byte {}: {}", reason.offset, reason.reason)?;
    }
    Ok(())
}

fn object_json(report: &ObjectReport) -> serde_json::Value {
    json!({
        "object": report.object.to_string(),
        "dataset": report.dataset,
        "books": report.books,
        "bytes": report.bytes,
        "reasons": report.reasons,
        "cut": report.cut,
        "error": chain(report),
    })
}

fn chain(report: &ObjectReport) -> Option<String> {
    let mut error: &dyn std::error::Error = report.error.as_ref()?;
    let mut text = error.to_string();
    while let Some(source) = error.source() {
        text.push_str(&format!(": {source}"));
        error = source;
    }
    Some(text)
}

/// Names a file before it is whole.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}
