//! Runs the cases of a parser folder: a sample in, expected documents out, offline.
//!
//! `sekisho parser test` and the repository's own golden tests call this one place.
//! Beside the comparison every case is checked for what must hold for each document: ECS names, types, arrays and allowed values, no field that the parser does not declare, no key that comes twice, a place for `event.ingested`, and books that balance.

mod conformance;
mod diff;
mod folder;
mod json;
mod outcome;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sekisho_document::SourceMapping;
use sekisho_parser::Catalog;

pub use folder::Case;
pub use json::{Json, JsonError};

use folder::CaseSettings;
use outcome::Actual;

/// What to do with expectations that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Report them.
    Compare,
    /// Write what was found as expected.
    Rewrite,
}

/// How a case ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseReport {
    /// What is wrong, empty where nothing is.
    pub failures: Vec<String>,
    /// Whether expectations were rewritten.
    pub rewritten: bool,
    /// How many records the sample holds.
    pub records: u64,
    /// Every field that a document of the case holds, dotted.
    pub fields: BTreeSet<String>,
}

/// Runs cases against a folder of parsers.
pub struct Runner {
    parsers: PathBuf,
    catalog: Catalog,
}

/// Runs the case in a folder `parsers/<module>/<dataset>/tests/<case>` against the parsers around it.
///
/// # Errors
/// When the folder is no case, or the parsers cannot be read.
pub fn run(folder: &Path, mode: Mode) -> Result<CaseReport> {
    let case = Case::new(folder)?;
    let Some(parsers) = folder.ancestors().nth(4) else {
        bail!("`{}` lies in no folder of parsers", folder.display());
    };
    Ok(Runner::new(parsers)?.run(&case, mode))
}

impl Runner {
    /// Reads a folder of parsers.
    ///
    /// # Errors
    /// When a parser in it cannot be used.
    pub fn new(parsers: &Path) -> Result<Self> {
        Ok(Self {
            parsers: parsers.to_owned(),
            catalog: catalog(parsers, &CaseSettings::default(), "")?,
        })
    }

    /// Gives the catalog of those parsers, with default settings.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Runs one case.
    pub fn run(&self, case: &Case, mode: Mode) -> CaseReport {
        let mut report = CaseReport::default();
        if let Err(error) = self.try_run(case, mode, &mut report) {
            report.failures.push(format!("{error:#}"));
        }
        report
    }

    fn try_run(&self, case: &Case, mode: Mode, report: &mut CaseReport) -> Result<()> {
        let file = case.file()?;
        let own;
        let catalog = if file.settings == CaseSettings::default() {
            &self.catalog
        } else {
            own = catalog(&self.parsers, &file.settings, &case.dataset)?;
            &own
        };
        let actual = Actual::read(catalog, case, &file)?;
        report.records = actual.records;
        report.failures.extend(actual.faults.iter().cloned());
        conform(&actual, &mappings(catalog)?, report);
        for (name, lines) in [
            ("expected.ndjson", &actual.lines),
            ("quarantine.ndjson", &actual.quarantine),
        ] {
            settle(&case.folder.join(name), name, lines, mode, report)?;
        }
        Ok(())
    }
}

fn catalog(parsers: &Path, settings: &CaseSettings, dataset: &str) -> Result<Catalog> {
    let settings = settings.parser_settings(dataset)?;
    Catalog::from_dir(parsers, settings)
        .with_context(|| format!("cannot use the parsers in `{}`", parsers.display()))
}

fn mappings(catalog: &Catalog) -> Result<BTreeMap<String, SourceMapping>> {
    let mut mappings = BTreeMap::new();
    for mapping in catalog.mappings()? {
        mappings.insert(mapping.dataset.clone(), mapping);
    }
    Ok(mappings)
}

fn conform(actual: &Actual, mappings: &BTreeMap<String, SourceMapping>, report: &mut CaseReport) {
    for (line, document) in &actual.documents {
        let dataset = document.at("event.dataset").and_then(Json::text);
        let Some(mapping) = dataset.and_then(|dataset| mappings.get(dataset)) else {
            report.failures.push(format!(
                "document {line}: no parser has its `event.dataset`"
            ));
            continue;
        };
        let faults = conformance::check(document, mapping, &mut report.fields);
        let named = faults
            .into_iter()
            .map(|fault| format!("document {line}: {fault}"));
        report.failures.extend(named);
    }
}

/// Compares the lines with a file, or writes them to it; a file without lines does not exist.
fn settle(
    path: &Path,
    name: &str,
    lines: &[String],
    mode: Mode,
    report: &mut CaseReport,
) -> Result<()> {
    let actual: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let expected = match path.is_file() {
        true => Some(
            std::fs::read_to_string(path)
                .with_context(|| format!("cannot read `{}`", path.display()))?,
        ),
        false => None,
    };
    // A case without documents keeps its empty file: a missing expectation is never a passing one.
    let needed = !actual.is_empty() || name == "expected.ndjson";
    if expected.as_deref() == Some(actual.as_str()) || (expected.is_none() && !needed) {
        return Ok(());
    }
    if mode == Mode::Rewrite {
        report.rewritten = true;
        return if needed {
            std::fs::write(path, actual)
        } else {
            std::fs::remove_file(path)
        }
        .with_context(|| format!("cannot write `{}`", path.display()));
    }
    match expected {
        Some(expected) => report.failures.extend(diff::diff(name, &expected, &actual)),
        None => report.failures.push(format!(
            "`{name}` is missing; look at what comes out and write it with UPDATE_EXPECT=1"
        )),
    }
    Ok(())
}
