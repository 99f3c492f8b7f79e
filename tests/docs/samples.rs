//! Which declared paths the samples exercise.
//!
//! A path is exercised when some record of some case holds something there.
//! The records are framed as the pipeline frames them and looked into by plain JSON and columns, not by the engine, so that a mistake of the engine cannot hide a path.
//! That the value also matters to a document is the mutation check's business.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sekisho_cli::cases::Case;
use sekisho_object::{ObjectLimits, decompress};
use sekisho_parser::{Catalog, ObjectContext, Parser, ParserSettings};
use sekisho_record::{Frame, RecordReader};
use serde_json::Value;
use toml_edit::DocumentMut;

use crate::path;

/// Reads every record of a parser's cases.
pub(crate) fn records(catalog: &Catalog, dataset: &str, root: &Path) -> Result<Vec<Value>> {
    let mut records = Vec::new();
    for case in Case::find(&root.join("parsers"), &format!("{dataset}/"))? {
        read(catalog, &case, &mut records).with_context(|| format!("in case {}", case.name))?;
    }
    Ok(records)
}

fn read(catalog: &Catalog, case: &Case, records: &mut Vec<Value>) -> Result<()> {
    let file: DocumentMut = fs::read_to_string(case.folder.join("case.toml"))?.parse()?;
    let key = file.get("key").and_then(|key| key.as_str());
    let columns = file
        .get("settings")
        .and_then(|settings| settings.get("default_columns")?.as_array())
        .map(|columns| {
            columns
                .iter()
                .filter_map(|name| name.as_str())
                .collect::<Vec<_>>()
        });
    let context = ObjectContext {
        bucket: "example-logs".to_owned(),
        key: key.context("`case.toml` has no `key`")?.to_owned(),
        entry: None,
        etag: None,
        last_modified: chrono::DateTime::UNIX_EPOCH,
    };
    let mut plan = catalog.plan(context, &[])?;
    let mut framing = plan.framing().clone();
    if let (sekisho_record::Format::Delimited(delimited), Some(columns)) =
        (&mut framing.format, columns)
    {
        delimited.default_columns = columns.into_iter().map(str::to_owned).collect();
    }
    let sample = sample(&case.folder)?;
    let limits = ObjectLimits {
        max_compressed_bytes: 1 << 30,
        max_decompressed_bytes: 1 << 30,
        max_ratio: 500,
        max_entries: 1_000,
    };
    let mut reader = RecordReader::new(decompress(sample.as_slice(), &limits)?, framing);
    // A sample that breaks off is a case of its own; what came before counts.
    while let Ok(Some(frame)) = reader.next() {
        if let Frame::Record(record) = frame {
            records.extend(plan.sources(&record));
        }
    }
    Ok(())
}

fn sample(folder: &Path) -> Result<Vec<u8>> {
    for name in ["sample.log", "sample.log.gz"] {
        let path = folder.join(name);
        if path.is_file() {
            return Ok(fs::read(path)?);
        }
    }
    bail!("there is neither `sample.log` nor `sample.log.gz`")
}

/// Names the declared paths that no record holds.
pub(crate) fn unexercised(
    parser: &Parser,
    settings: &ParserSettings,
    records: &[Value],
) -> Result<Vec<String>> {
    let mut faults = BTreeSet::new();
    for used in parser.uses(settings)? {
        let Some(path) = path::Path::read(&used.path) else {
            continue;
        };
        if !records.iter().any(|record| path.is_in(record)) {
            faults.insert((
                used.line,
                format!(
                    "parsers/{}/parser.toml:{}: no case has `{}`",
                    parser.folder(),
                    used.line,
                    used.path
                ),
            ));
        }
    }
    Ok(faults.into_iter().map(|(_, fault)| fault).collect())
}
