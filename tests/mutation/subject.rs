//! [`Subject`]: a parser with its cases, to be asked whether they notice a mutant.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sekisho_cli::cases::{Case, Mode, Runner};
use tempfile::TempDir;

use crate::mutants::{self, Mutant};

/// A parser with its cases.
pub(crate) struct Subject {
    dataset: String,
    folder: PathBuf,
    /// The folder relative to the parsers folder.
    name: String,
    spec: String,
    cases: Vec<Known>,
}

/// A case, the fields of its documents and what it expects.
struct Known {
    case: Case,
    fields: BTreeSet<String>,
    expected: String,
}

impl Known {
    /// Tells whether the case is likely to notice what a mutant lacks.
    fn names(&self, mutant: &Mutant) -> bool {
        if mutant.table == "rows" {
            return self.expected.contains(&mutant.key);
        }
        let ending = format!(".{}", mutant.key);
        self.fields
            .iter()
            .any(|field| field == &mutant.key || field.ends_with(&ending))
    }
}

impl Subject {
    /// Reads a parser folder and runs its cases once, which have to pass.
    pub(crate) fn read(parsers: &Path, name: &str, dataset: &str) -> Result<Self> {
        let folder = parsers.join(name);
        let spec = fs::read_to_string(folder.join("parser.toml"))?;
        let mut subject = Self {
            dataset: dataset.to_owned(),
            folder,
            name: name.to_owned(),
            spec,
            cases: Vec::new(),
        };
        let (_folder, runner) = subject.runner("parser.toml", &subject.spec)?;
        for case in Case::find(parsers, &format!("{dataset}/"))? {
            let report = runner.run(&case, Mode::Compare);
            ensure!(
                report.failures.is_empty(),
                "case {} is red before anything was left out; see the golden tests",
                case.name
            );
            let expected = fs::read_to_string(case.folder.join("expected.ndjson"))?;
            subject.cases.push(Known {
                case,
                fields: report.fields,
                expected,
            });
        }
        Ok(subject)
    }

    pub(crate) fn dataset(&self) -> &str {
        &self.dataset
    }

    /// Lists every way to leave a line out.
    pub(crate) fn mutants(&self) -> Result<Vec<Mutant>> {
        let mut all = mutants::of(&self.spec)?;
        for path in self.files()? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".csv") && name != "vendor-fields.csv" {
                all.extend(mutants::of_table(&name, &fs::read_to_string(&path)?));
            }
        }
        Ok(all)
    }

    /// Names a file of the folder for a message.
    pub(crate) fn path(&self, file: &str) -> String {
        format!("parsers/{}/{file}", self.name)
    }

    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            files.extend(Some(entry?.path()).filter(|path| path.is_file()));
        }
        files.sort();
        Ok(files)
    }

    /// Tells whether a case turns red, or the mutant does not even compile.
    pub(crate) fn notices(&self, mutant: &Mutant) -> Result<bool> {
        let Ok((_folder, runner)) = self.runner(&mutant.file, &mutant.text) else {
            return Ok(true);
        };
        // Cases whose documents hold what the line names are the likeliest to notice.
        let mut cases: Vec<_> = self.cases.iter().collect();
        cases.sort_by_key(|known| Reverse(known.names(mutant)));
        Ok(cases
            .iter()
            .any(|known| !runner.run(&known.case, Mode::Compare).failures.is_empty()))
    }

    /// Makes a runner for this parser alone, with another text in one of its files.
    fn runner(&self, file: &str, text: &str) -> Result<(TempDir, Runner)> {
        let parsers = tempfile::tempdir()?;
        let folder = parsers.path().join(&self.name);
        fs::create_dir_all(&folder)?;
        for path in self.files()? {
            let name = path.file_name().unwrap_or_default();
            fs::copy(&path, folder.join(name))
                .with_context(|| format!("cannot copy `{}`", path.display()))?;
        }
        fs::write(folder.join(file), text)?;
        let runner = Runner::new(parsers.path())?;
        Ok((parsers, runner))
    }
}
