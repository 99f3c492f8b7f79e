//! [`Subject`]: a parser with its cases, to be asked whether they notice a mutant.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sekisho_cli::cases::{Case, Mode, Runner};
use tempfile::TempDir;

use crate::mutants::Mutant;

/// A parser with its cases.
pub(crate) struct Subject {
    dataset: String,
    folder: PathBuf,
    /// The folder relative to the parsers folder.
    name: String,
    spec: String,
    cases: Vec<(Case, BTreeSet<String>)>,
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
        let (_folder, runner) = subject.runner(&subject.spec)?;
        for case in Case::find(parsers, &format!("{dataset}/"))? {
            let report = runner.run(&case, Mode::Compare);
            ensure!(
                report.failures.is_empty(),
                "case {} is red before anything was left out; see the golden tests",
                case.name
            );
            subject.cases.push((case, report.fields));
        }
        Ok(subject)
    }

    pub(crate) fn dataset(&self) -> &str {
        &self.dataset
    }

    pub(crate) fn spec(&self) -> &str {
        &self.spec
    }

    /// Names `parser.toml` for a message.
    pub(crate) fn file(&self) -> String {
        format!("parsers/{}/parser.toml", self.name)
    }

    /// Tells whether a case turns red, or the mutant does not even compile.
    pub(crate) fn notices(&self, mutant: &Mutant) -> Result<bool> {
        let Ok((_folder, runner)) = self.runner(&mutant.text) else {
            return Ok(true);
        };
        // Cases whose documents hold what the line names are the likeliest to notice.
        let mut cases: Vec<_> = self.cases.iter().collect();
        cases.sort_by_key(|(_, fields)| {
            Reverse(
                fields.iter().any(|field| {
                    field == &mutant.key || field.ends_with(&format!(".{}", mutant.key))
                }),
            )
        });
        Ok(cases
            .iter()
            .any(|(case, _)| !runner.run(case, Mode::Compare).failures.is_empty()))
    }

    /// Makes a runner for this parser alone, with another `parser.toml`.
    fn runner(&self, spec: &str) -> Result<(TempDir, Runner)> {
        let parsers = tempfile::tempdir()?;
        let folder = parsers.path().join(&self.name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("parser.toml"), spec)?;
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if path.is_file() && name != "parser.toml" {
                fs::copy(&path, folder.join(name))
                    .with_context(|| format!("cannot copy `{}`", path.display()))?;
            }
        }
        let runner = Runner::new(parsers.path())?;
        Ok((parsers, runner))
    }
}
