//! `sekisho load`: a file, a folder or an S3 prefix into OpenSearch or into a folder.

mod directory;
mod discard;
mod progress;
mod quarantine;
mod rate;
mod source;
mod table;
mod tally;
mod target;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use sekisho_config::Settings;
use sekisho_event::ObjectRef;
use sekisho_ledger::{Ledger, ListedObject};
use sekisho_object::ObjectStore;
use sekisho_parser::Catalog;
use sekisho_pipeline::{
    Clock as _, Pipeline, PipelineSettings, Stages, SystemClock, TimeLimit, Work, object_limits,
};

use crate::Finish;
use crate::args::LoadArgs;
use crate::select::Selection;
use crate::setup::{Setup, runtime};

use rate::Throttled;
use source::Source;
use target::Target;

pub(crate) use progress::Display;
pub use rate::Rate;
pub(crate) use source::refuse_quarantine;
pub(crate) use tally::{Tally, chain, reason_to_stop};
pub(crate) use target::cluster;

/// Loads, and prints the summary: to stderr for people, to stdout as JSON.
pub(crate) fn load(args: &LoadArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let settings = setup.settings()?;
    let catalog = Arc::new(setup.catalog(&settings)?);
    runtime()?.block_on(async {
        let place = args.to.parse()?;
        let source = Source::open(args, &settings).await?;
        let target = Target::open(place, args.replace, args.quarantine.clone(), &settings).await?;
        if args.resume && !target.has_ledger {
            bail!(
                "`--resume` asks the ledger what is done; load into a cluster with `ledger.enabled`"
            );
        }
        let pipeline = pipeline(args, &settings, &catalog, &source, &target);
        let display = Display::start(pipeline.progress(), source.n_objects(), setup.json);
        let tally = pages(args, &settings, &catalog, source, &target, &pipeline).await;
        display.end();
        let tally = tally?;
        let written = target.close()?;
        tally.print(setup.json, out)?;
        for line in written.iter().filter(|_| !setup.json) {
            writeln!(io::stderr(), "{line}")?;
        }
        Ok(Finish::clean_if(tally.clean()))
    })
}

fn pipeline(
    args: &LoadArgs,
    settings: &Settings,
    catalog: &Arc<Catalog>,
    source: &Source,
    target: &Target,
) -> Pipeline {
    let store = Arc::clone(&source.store);
    let store: Arc<dyn ObjectStore> = match args.rate {
        Some(rate) => Arc::new(Throttled::new(store, rate)),
        None => store,
    };
    Pipeline::new(
        Stages {
            store,
            catalog: Arc::clone(catalog),
            destination: Arc::clone(&target.destination),
            quarantine: Arc::clone(&target.quarantine),
            ledger: Arc::clone(&target.ledger),
            continuations: None,
            clock: Arc::new(SystemClock),
        },
        object_limits(settings),
        PipelineSettings::from(settings),
    )
}

/// Reads page after page, so that what is held does not grow with the bucket.
async fn pages(
    args: &LoadArgs,
    settings: &Settings,
    catalog: &Catalog,
    mut source: Source,
    target: &Target,
    pipeline: &Pipeline,
) -> Result<Tally> {
    let now = SystemClock.now();
    let since = args.since.map(|since| since.time(now));
    let until = args.until.map(|until| until.time(now));
    let mut selection = Selection::new(settings, since, until)?;
    let mut tally = Tally::new();
    while let Some(mut page) = source.next_page().await? {
        page.retain(|object| selection.takes(object, catalog));
        if args.resume {
            tally.n_done += leave_out_done(&mut page, &*target.ledger).await?;
        }
        let work = page.into_iter().map(Work::from).collect();
        let reports = pipeline.run(work, TimeLimit::default()).await;
        tally.stopped = reason_to_stop(&reports, target.destination.refuses_all());
        tally.add(reports);
        if let Some(reason) = &mut tally.stopped {
            if target.has_ledger {
                reason.push_str("; run it again with `--resume` when that is over");
            }
            break;
        }
    }
    tally.left_out = selection.left_out;
    Ok(tally)
}

/// Drops the objects whose slices are all done up to their end, and says how many those are.
async fn leave_out_done(page: &mut Vec<ObjectRef>, ledger: &dyn Ledger) -> Result<usize> {
    let listed: Vec<_> = page.iter().filter_map(ListedObject::of).collect();
    let finished = sekisho_ledger::finished(ledger, &listed)
        .await
        .context("cannot ask the ledger what is done")?;
    let n_listed = page.len();
    // An object without a time has no answer, and is read.
    page.retain(|object| ListedObject::of(object).is_none_or(|object| !finished.contains(&object)));
    Ok(n_listed - page.len())
}

/// Names a file before it is whole.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}
