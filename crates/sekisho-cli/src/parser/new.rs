//! `sekisho parser new`: from a sample to a parser folder whose test passes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sekisho_parser::{Catalog, Choice, ParserFiles, ParserSettings, Route};
use serde_json::json;

use crate::Finish;
use crate::args::NewArgs;
use crate::cases::{Case, Json, Mode, Runner};
use crate::guess::{Doubt, Draft, Names, Sample, Shape, draft, names, shape};
use crate::setup::Setup;

/// What was made.
struct Made {
    folder: PathBuf,
    names: Names,
    draft: Draft,
    records: usize,
    /// The documents of the case, and how many of them are raw.
    documents: usize,
    raw: usize,
    failures: Vec<String>,
    doubts: Vec<Doubt>,
    /// What the sample is.
    what: String,
}

/// Guesses a parser, writes its folder, runs its test and says what it is not sure of.
pub(crate) fn new(args: &NewArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let root = args.to.as_deref().unwrap_or(setup.parsers_folder());
    let mut doubts = Vec::new();
    let sample =
        Sample::read(&args.from).with_context(|| format!("in `{}`", args.from.display()))?;
    let shape = shape(&sample, &mut doubts);
    let names = names(
        args.dataset.as_deref(),
        args.key.as_deref(),
        &sample.name,
        &mut doubts,
    );
    claimed(&names, &mut doubts)?;
    let draft = draft(&names, &shape, &mut doubts);
    compile(&names, &draft)?;
    if sample.is_cut {
        doubts.push(Doubt::new(
            "the types: from the first 8 MiB of the sample",
            "a value that comes later may have another shape; it then goes to `other`",
        ));
    }
    let folder = root.join(names.folder());
    if folder.exists() {
        bail!(
            "`{}` is there already and is not overwritten; give another `--dataset`, or move it away",
            folder.display()
        );
    }
    let mut made = Made {
        folder,
        records: shape.records.len(),
        names,
        draft,
        documents: 0,
        raw: 0,
        failures: Vec::new(),
        doubts,
        what: format!("{}, {}", shape.format.name(), sample.packing()),
    };
    if let Err(error) = made.write(root, &shape, &sample) {
        // The folder was made here, so nothing of the user's is in it.
        fs::remove_dir_all(&made.folder).ok();
        return Err(error);
    }
    made.show(setup.json, out)?;
    Ok(Finish::clean_if(made.failures.is_empty() && made.raw == 0))
}

/// A built-in parser that claims the key too would be a surprise.
fn claimed(names: &Names, doubts: &mut Vec<Doubt>) -> Result<()> {
    let catalog = Catalog::builtin(ParserSettings::default())?;
    if let Route::Parser(
        Choice {
            parser, pattern, ..
        },
        _,
    ) = catalog.route(&names.key)
    {
        doubts.push(Doubt::new(
            format!(
                "the key is one of the built-in `{}` (`{pattern}`)",
                parser.dataset()
            ),
            "use that parser, or make `[match] keys` more specific than its pattern",
        ));
    }
    Ok(())
}

fn compile(names: &Names, draft: &Draft) -> Result<()> {
    let files = ParserFiles {
        folder: names.folder(),
        spec: draft.toml.clone(),
        ..ParserFiles::default()
    };
    let catalog = Catalog::from_files(vec![files], ParserSettings::default())
        .context("cannot make a parser of the sample; is `--dataset` like `module.name`?")?;
    catalog.mappings()?;
    Ok(())
}

impl Made {
    fn write(&mut self, root: &Path, shape: &Shape, sample: &Sample) -> Result<()> {
        let case = self.folder.join("tests").join("first");
        fs::create_dir_all(&case).with_context(|| format!("cannot make `{}`", case.display()))?;
        let key = Json::Text(self.names.key.clone()).write();
        for (path, text) in [
            (self.folder.join("parser.toml"), &self.draft.toml),
            (self.folder.join("README.md"), &self.readme(sample)),
            (case.join("case.toml"), &format!("key = {key}\n")),
            (case.join("sample.log"), &shape.case),
        ] {
            fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        let runner = Runner::new(root)?;
        let found = Case::find(root, &format!("{}/first", self.names.dataset))?;
        let Some(case) = found.iter().find(|found| found.folder == case) else {
            bail!("`{}` is no case", case.display());
        };
        runner.run(case, Mode::Rewrite);
        self.failures = runner.run(case, Mode::Compare).failures;
        let expected = fs::read_to_string(case.folder.join("expected.ndjson")).unwrap_or_default();
        let raw = |line: &&str| line.ends_with(r#""outcome":"raw"}"#);
        self.documents = expected.lines().count();
        self.raw = expected.lines().filter(raw).count();
        Ok(())
    }

    fn readme(&self, sample: &Sample) -> String {
        let dataset = &self.names.dataset;
        let mut text = format!(
            "# {dataset}\n\nMade by `sekisho parser new` from `{}`; say here where the log comes from and who writes it.\n\n## Where it comes from\n- Keys: `{}`.\n\n## How it is mapped\n",
            sample.name, self.names.pattern,
        );
        for (field, source) in &self.draft.mapped {
            let source = source.trim_matches('"');
            text.push_str(&format!("- `{field}`: `{source}`\n"));
        }
        text.push_str("\n## Not sure of\n");
        for Doubt { decided, instead } in &self.doubts {
            text.push_str(&format!("- {decided} ({instead}).\n"));
        }
        text
    }

    fn show(&self, as_json: bool, out: &mut dyn Write) -> Result<()> {
        if as_json {
            return self.show_json(out);
        }
        let Names {
            dataset,
            key,
            pattern,
        } = &self.names;
        let fields: Vec<_> = self
            .draft
            .mapped
            .iter()
            .map(|(field, _)| field.as_str())
            .collect();
        let test = match (self.failures.is_empty(), self.raw) {
            (true, 0) => "passes".to_owned(),
            (true, raw) => format!("passes, but {raw} are raw: the parser does not read them"),
            (false, _) => "fails".to_owned(),
        };
        writeln!(out, "{}", self.folder.display())?;
        writeln!(
            out,
            "  format   {}\n  dataset  {dataset}\n  keys     {pattern}\n  records  {} looked at",
            self.what, self.records
        )?;
        writeln!(out, "  ECS      {}", fields.join(", "))?;
        writeln!(
            out,
            "  test     {dataset}/first: {} documents, {test}",
            self.documents
        )?;
        for failure in &self.failures {
            writeln!(out, "    {failure}")?;
        }
        if !self.doubts.is_empty() {
            writeln!(out, "\nNot sure of:")?;
        }
        for Doubt { decided, instead } in &self.doubts {
            writeln!(out, "  {decided}\n      {instead}")?;
        }
        let root = self
            .folder
            .ancestors()
            .nth(2)
            .unwrap_or(&self.folder)
            .display();
        let case = self.folder.join("tests/first");
        writeln!(
            out,
            "\n`{}` holds real records: replace addresses, names and accounts before you share it.\n\nNext:\n  sekisho --parsers {root} parse --key {key} --explain {} | jq\n  UPDATE_EXPECT=1 sekisho --parsers {root} parser test {dataset}",
            case.join("sample.log").display(),
            case.join("sample.log").display(),
        )?;
        Ok(())
    }

    fn show_json(&self, out: &mut dyn Write) -> Result<()> {
        let doubts = self.doubts.iter();
        let doubts: Vec<_> = doubts
            .map(|Doubt { decided, instead }| json!({"decided": decided, "instead": instead}))
            .collect();
        let line = json!({
            "folder": self.folder,
            "dataset": self.names.dataset,
            "key": self.names.key,
            "documents": self.documents,
            "raw": self.raw,
            "failures": self.failures,
            "doubts": doubts,
        });
        writeln!(out, "{line}")?;
        Ok(())
    }
}
