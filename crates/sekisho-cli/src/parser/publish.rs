//! `sekisho parser publish`: a checked and tested parser folder, put into work in the Lambdas.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use sekisho_bundles::{BundleError, BundleStore, Draft, Set};
use sekisho_cluster::Wanted;
use sekisho_parser::{Catalog, Parser, ParserFiles, Route};
use sekisho_pipeline::{Clock as _, SystemClock, parser_settings};
use serde_json::json;

use crate::Finish;
use crate::args::PublishArgs;
use crate::cases::{Case, Mode, Runner};
use crate::setup::{Setup, builtin, bundles, runtime};

use super::{faults_of, show as show_case};

/// Checks, tests, says what changes, and publishes.
pub(crate) fn publish(args: &PublishArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let settings = setup.settings()?;
    let root = setup.parsers_folder();
    let (module, name) = args.dataset.split_once('.').with_context(|| {
        format!(
            "`{}` is no dataset; write it like `acme.door`",
            args.dataset
        )
    })?;
    let folder = root.join(module).join(name);
    if !folder.join("parser.toml").is_file() {
        bail!(
            "`{}` holds no `parser.toml`; `--parsers` names another folder of parsers",
            folder.display()
        );
    }
    let files = ParserFiles::read(root, &folder)?;
    let mut cases = Case::find(root, &args.dataset)?;
    cases.retain(|case| case.dataset == args.dataset);
    if let Some(cause) = unfit(root, &args.dataset, &cases, setup.json, out)? {
        return refuse(&args.dataset, &cause, setup.json, out);
    }
    let base = builtin(parser_settings(&settings)?)?;
    runtime()?.block_on(async {
        let store = bundles(&settings).await?;
        let now = SystemClock.now();
        let draft = match Draft::publish(&*store, &base, files, now).await {
            Ok(draft) => draft,
            Err(error @ (BundleError::Unfit(_) | BundleError::Parser { .. })) => {
                return refuse(&args.dataset, &error.chain(), setup.json, out);
            }
            Err(error) => return Err(error.into()),
        };
        // Two sources of one index that type a field otherwise have no template.
        let mappings = draft.after.catalog.mappings()?;
        if let Err(error) = Wanted::new(&settings, &mappings) {
            let cause = format!("{:#}", anyhow::Error::from(error));
            return refuse(&args.dataset, &cause, setup.json, out);
        }
        finish(
            &draft,
            &*store,
            &keys(&cases),
            &args.into(),
            setup.json,
            out,
        )
        .await
    })
}

/// What the person asked for.
pub(super) struct Wish {
    pub(super) dry_run: bool,
}

impl From<&PublishArgs> for Wish {
    fn from(args: &PublishArgs) -> Self {
        Self {
            dry_run: args.dry_run,
        }
    }
}

/// Says what a change does, and makes it unless only that was asked for.
pub(super) async fn finish(
    draft: &Draft,
    store: &dyn BundleStore,
    keys: &BTreeSet<String>,
    wish: &Wish,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<Finish> {
    let changes = changes(&draft.before.catalog, &draft.after.catalog, keys);
    let done = draft.changes && !wish.dry_run;
    if !as_json {
        for line in &changes {
            writeln!(out, "{line}")?;
        }
        tell_refused(&draft.after, out)?;
    }
    let before = &draft.before.refused;
    if let Some(refused) = draft.after.refused.iter().find(|one| !before.contains(one)) {
        bail!(
            "nothing was changed, since this version cannot be used: {}",
            refused.reason
        );
    }
    if !wish.dry_run {
        draft.commit(store).await?;
    }
    let version = draft.pointer.current;
    if as_json {
        let line = json!({
            "version": version,
            "changed": done,
            "changes": changes,
            "refused": draft.after.refused.iter().map(|refused| &refused.reason).collect::<Vec<_>>(),
            "parsers": draft.pointer.parsers(),
        });
        writeln!(out, "{line}")?;
    } else {
        let end = match (draft.changes, wish.dry_run) {
            (false, _) => format!("version {version} is in work already; nothing was changed"),
            (true, true) => format!("this would be version {version}; nothing was changed"),
            (true, false) => format!(
                "version {version} is in work; the functions take it up within a minute (`bundles.refresh_ms`)"
            ),
        };
        writeln!(out, "{end}")?;
    }
    Ok(Finish::clean_if(draft.after.refused.is_empty()))
}

fn tell_refused(set: &Set, out: &mut dyn Write) -> Result<()> {
    for refused in &set.refused {
        writeln!(out, "not in work: `{}`: {}", refused.object, refused.reason)?;
    }
    Ok(())
}

/// Runs the checks and cases of one parser; gives why it is not fit.
fn unfit(
    root: &Path,
    dataset: &str,
    cases: &[Case],
    as_json: bool,
    out: &mut dyn Write,
) -> Result<Option<String>> {
    let runner = Runner::new(root)?;
    let parser = runner.catalog().parser(dataset)?;
    let faults = faults_of(runner.catalog(), parser);
    let mut failed = 0_usize;
    for case in cases {
        let report = runner.run(case, Mode::Compare);
        if !report.failures.is_empty() {
            failed += 1;
            show_case(case, &report, as_json, out)?;
        }
    }
    Ok(match (faults.is_empty(), failed, cases.is_empty()) {
        (_, _, true) => {
            Some("it has no case; add one that shows what it makes of a record".to_owned())
        }
        (false, ..) => Some(faults.join("; ")),
        (true, 1.., _) => Some(format!("{failed} of {} cases failed", cases.len())),
        (true, 0, false) => None,
    })
}

fn refuse(dataset: &str, cause: &str, as_json: bool, out: &mut dyn Write) -> Result<Finish> {
    match as_json {
        true => writeln!(out, "{}", json!({ "dataset": dataset, "refused": cause }))?,
        false => writeln!(out, "`{dataset}` is not published: {cause}")?,
    }
    Ok(Finish::Left)
}

fn keys(cases: &[Case]) -> BTreeSet<String> {
    let files = cases.iter().filter_map(|case| case.file().ok());
    files.map(|file| file.key).collect()
}

/// Says what another set of parsers changes: who reads which keys, and whose documents get other names.
fn changes(before: &Catalog, after: &Catalog, keys: &BTreeSet<String>) -> Vec<String> {
    let find = |catalog: &Catalog, dataset: &str| catalog.parser(dataset).ok().map(Arc::clone);
    let all = before.parsers().iter().chain(after.parsers());
    let datasets: BTreeSet<&str> = all.map(|parser| parser.dataset()).collect();
    let mut lines = Vec::new();
    for dataset in datasets {
        match (find(before, dataset), find(after, dataset)) {
            (None, Some(new)) => {
                lines.push(format!("new       {dataset} ({})", revision(&new)));
                lines.extend(new.keys().map(|key| format!("  + key   {key}")));
            }
            (Some(old), None) => {
                lines.push(format!("gone      {dataset} ({})", revision(&old)));
                lines.extend(old.keys().map(|key| format!("  - key   {key}")));
            }
            (Some(old), Some(new)) if old.revision() != new.revision() => {
                let (was, is) = (revision(&old), revision(&new));
                lines.push(format!("changed   {dataset} ({was} → {is})"));
                lines.extend(difference(&old, &new));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    for key in keys {
        let (was, is) = (reader(before, key), reader(after, key));
        if was != is {
            lines.push(format!("route     {key}\n  {was} → {is}"));
        }
    }
    lines
}

fn difference(old: &Parser, new: &Parser) -> Vec<String> {
    let mut lines = Vec::new();
    let lists: [(&str, Vec<&str>, Vec<&str>); 2] = [
        ("key  ", old.keys().collect(), new.keys().collect()),
        (
            "exclude",
            old.excludes().collect(),
            new.excludes().collect(),
        ),
    ];
    for (what, was, is) in lists {
        let gone = was.iter().filter(|key| !is.contains(key));
        lines.extend(gone.map(|key| format!("  - {what} {key}")));
        let added = is.iter().filter(|key| !was.contains(key));
        lines.extend(added.map(|key| format!("  + {what} {key}")));
    }
    let mut moved = Vec::new();
    for ((name, was), (_, is)) in old.identity().into_iter().zip(new.identity()) {
        if was != is {
            moved.push(name);
        }
    }
    if !moved.is_empty() {
        lines.push(format!(
            "  identity changes with {}: what is indexed keeps its old names, and a second delivery would double it; run `sekisho reload` over the objects once the functions have the new parser",
            moved.join(", ")
        ));
    }
    lines
}

fn revision(parser: &Parser) -> &str {
    parser.revision().unwrap_or("built in")
}

fn reader(catalog: &Catalog, key: &str) -> String {
    match catalog.route(key) {
        Route::Parser(choice, _) => choice.parser.dataset().to_owned(),
        Route::Excluded { .. } => "not read".to_owned(),
        Route::Held(held) => format!("held for {}", held.dataset()),
        Route::Unclaimed => "unclaimed".to_owned(),
    }
}
