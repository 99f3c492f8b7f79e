//! Rules for parser folders, and that each crate has its line.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::File;
use crate::sample;

/// The tables of a `parser.toml`, in the order in which every file has them.
const TABLES: [&str; 16] = [
    "source",
    "match",
    "record",
    "tokens",
    "timestamp",
    "addresses",
    "request",
    "url",
    "user_agent",
    "outcome",
    "types",
    "fields",
    "constants",
    "when",
    "lookup",
    "exclude",
];

/// Checks the order of tables in a `parser.toml`.
pub(crate) fn table_order(file: &File) -> Vec<String> {
    let mut last = 0;
    let mut faults = Vec::new();
    for (number, line) in file.lines().filter(|(_, line)| line.starts_with('[')) {
        let name = line.trim_start_matches('[');
        let name = name.split(['.', ']']).next().unwrap_or_default();
        let Some(place) = TABLES.iter().position(|table| *table == name) else {
            faults.push(file.fault(number, format!("`{name}` is no table of a parser")));
            continue;
        };
        if place < last {
            faults.push(file.fault(
                number,
                format!(
                    "`{name}` stands too late; the order is {}",
                    TABLES.join(", ")
                ),
            ));
            break;
        }
        last = place;
    }
    faults
}

/// Checks that every parser folder and case is complete.
pub(crate) fn folders(parsers: &Path) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for module in sample::folders(parsers)? {
        for folder in sample::folders(&module)? {
            for name in ["parser.toml", "README.md", "vendor-fields.csv", "FIELDS.md"] {
                faults.extend(missing(&folder, name));
            }
            let cases = sample::folders(&folder.join("tests"))?;
            if cases.is_empty() {
                faults.push(format!("{}: has no case below `tests/`", folder.display()));
            }
            for case in cases {
                faults.extend(missing(&case, "case.toml"));
                faults.extend(missing(&case, "expected.ndjson"));
                if missing(&case, "sample.log").is_some() {
                    faults.extend(missing(&case, "sample.log.gz"));
                }
            }
        }
    }
    Ok(faults)
}

fn missing(folder: &Path, name: &str) -> Option<String> {
    (!folder.join(name).is_file()).then(|| format!("{}: lacks `{name}`", folder.display()))
}

/// Checks that `crates/README.md` gives each crate a line.
pub(crate) fn crates(root: &Path) -> Result<Vec<String>> {
    let page = fs::read_to_string(root.join("crates/README.md")).unwrap_or_default();
    let mut faults = Vec::new();
    for folder in sample::folders(&root.join("crates"))? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if !page.contains(&format!("| `{name}` |")) {
            faults.push(format!("crates/README.md: has no line for `{name}`"));
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: usize) {
        let file = File {
            path: "parsers/aws/x/parser.toml".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(table_order(&file).len(), expected, "{text}");
    }

    #[test]
    fn wants_tables_in_order() {
        check(
            "[source]\n[match]\n[[when]]\n[when.set]\n[[when]]\n[lookup.a]\n",
            0,
        );
        check("[source]\n[record]\n[match]\n", 1);
        check("[source]\n[mach]\n", 1);
    }
}
