//! `sekisho parser`: list, check, test, new, publish, rollback, withdraw, versions.

mod new;
mod publish;
mod versions;

use std::io::Write;

use anyhow::Result;
use sekisho_document::{FieldType, SourceMapping, ecs};
use sekisho_parser::{Catalog, Parser};
use serde_json::json;

use crate::Finish;
use crate::args::TestArgs;
use crate::cases::{Case, CaseReport, Mode, Runner};
use crate::setup::Setup;

pub(crate) use new::new;
pub(crate) use publish::publish;
pub(crate) use versions::{rollback, versions, withdraw};

/// Lists dataset, title, index and keys.
pub(crate) fn list(setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let catalog = setup.catalog(&setup.settings()?)?;
    for parser in catalog.parsers() {
        let keys: Vec<&str> = parser.keys().collect();
        if setup.json {
            let line = json!({
                "dataset": parser.dataset(),
                "title": parser.title(),
                "index": parser.index(),
                "keys": keys,
                "reference": parser.reference(),
            });
            writeln!(out, "{line}")?;
        } else {
            let (dataset, title, index) = (parser.dataset(), parser.title(), parser.index());
            writeln!(out, "{dataset:<18} {title}\n    index {index}")?;
            for key in keys {
                writeln!(out, "    key   {key}")?;
            }
        }
    }
    Ok(Finish::Clean)
}

/// Compiles every parser and checks what it can write.
pub(crate) fn check(setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let settings = setup.settings()?;
    let catalog = match setup.catalog(&settings) {
        Ok(catalog) => catalog,
        Err(error) => {
            writeln!(out, "{error:#}")?;
            return Ok(Finish::Left);
        }
    };
    let faults = faults(&catalog);
    for fault in &faults {
        writeln!(out, "{fault}")?;
    }
    writeln!(
        out,
        "{} parsers, {} faults",
        catalog.parsers().len(),
        faults.len()
    )?;
    Ok(Finish::clean_if(faults.is_empty()))
}

fn faults(catalog: &Catalog) -> Vec<String> {
    let mut faults = Vec::new();
    for parser in catalog.parsers() {
        faults.extend(faults_of(catalog, parser));
    }
    faults
}

/// Names what is wrong with one parser.
fn faults_of(catalog: &Catalog, parser: &Parser) -> Vec<String> {
    match parser.mapping(catalog.settings()) {
        Ok(mapping) => undeclared(&mapping),
        Err(error) => vec![error.to_string()],
    }
}

/// Names what a parser writes that is neither ECS, in its ECS type, nor its own.
fn undeclared(mapping: &SourceMapping) -> Vec<String> {
    let dataset = &mapping.dataset;
    let module = dataset.split('.').next().unwrap_or_default();
    let own = [format!("{module}."), "sekisho.".to_owned()];
    let fault = |(name, kind): &(String, FieldType)| match ecs::field(name) {
        Some(field) if field.kind == *kind => None,
        Some(field) => Some(format!(
            "`{dataset}` writes `{name}` as {kind}; ECS {} says {}",
            ecs::VERSION,
            field.kind
        )),
        None if own.iter().any(|prefix| name.starts_with(prefix)) => None,
        None => Some(format!(
            "`{dataset}` writes `{name}`, which is neither ECS {} nor below `{module}.`",
            ecs::VERSION
        )),
    };
    mapping.fields.iter().filter_map(fault).collect()
}

/// Runs cases and shows what differs.
pub(crate) fn test(args: &TestArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let folder = setup.parsers_folder();
    let runner = Runner::new(folder)?;
    let mode = if args.update {
        Mode::Rewrite
    } else {
        Mode::Compare
    };
    let cases = Case::find(folder, &args.name)?;
    if cases.is_empty() {
        anyhow::bail!(
            "no case below `{}` has `{}` in its name",
            folder.display(),
            args.name
        );
    }
    let mut failed = 0;
    for case in &cases {
        let report = runner.run(case, mode);
        failed += usize::from(!report.failures.is_empty());
        show(case, &report, setup.json, out)?;
    }
    if !setup.json {
        writeln!(out, "{} cases, {failed} failed", cases.len())?;
    }
    Ok(Finish::clean_if(failed == 0))
}

fn show(case: &Case, report: &CaseReport, as_json: bool, out: &mut dyn Write) -> Result<()> {
    let name = &case.name;
    if as_json {
        let line = json!({
            "case": name,
            "records": report.records,
            "rewritten": report.rewritten,
            "failures": report.failures,
        });
        writeln!(out, "{line}")?;
        return Ok(());
    }
    let word = match (report.failures.is_empty(), report.rewritten) {
        (false, _) => "FAILED",
        (true, true) => "rewritten",
        (true, false) => "ok",
    };
    writeln!(out, "{word:<9} {name} ({} records)", report.records)?;
    for failure in &report.failures {
        writeln!(out, "  {}", failure.replace('\n', "\n  "))?;
    }
    Ok(())
}
