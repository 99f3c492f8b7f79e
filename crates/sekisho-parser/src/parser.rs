//! [`Parser`]: one source, read from its folder and compiled when a key first needs it.

use std::sync::{Arc, OnceLock};

use regex::Regex;
use sekisho_document::{Rotation, SourceMapping};

use crate::compile::{capture, compile, names};
use crate::files::ParserFiles;
use crate::origin::Origin;
use crate::pattern::Pattern;
use crate::program::Program;
use crate::spec::{ParserSpec, SpecFile, read_spec};
use crate::{ParserError, ParserSettings};

/// One source: its patterns at once, its program on first use.
#[derive(Debug)]
pub struct Parser {
    pub(crate) files: ParserFiles,
    /// What tells a published parser from the built-in one of its dataset.
    pub(crate) revision: Option<String>,
    file: SpecFile,
    spec: ParserSpec,
    pub(crate) patterns: Vec<(Pattern, usize)>,
    pub(crate) excludes: Vec<Pattern>,
    pub(crate) capture: Option<Regex>,
    program: OnceLock<Arc<Program>>,
}

impl Parser {
    /// Reads a parser folder's text.
    ///
    /// # Errors
    /// When `parser.toml` does not follow the schema; the error names file and line.
    pub fn read(files: ParserFiles) -> Result<Self, ParserError> {
        let file = SpecFile {
            name: format!("{}/parser.toml", files.folder),
            text: files.spec.clone(),
        };
        let spec = read_spec(&file)?;
        names(&file, &spec)?;
        let capture = capture(&file, &spec)?;
        let at = |text: &str| file.text.find(text).unwrap_or_default();
        let pattern =
            |text: &String| Pattern::parse(text).map_err(|message| file.error(at(text), message));
        let patterns = spec
            .matching
            .keys
            .iter()
            .map(|text| Ok((pattern(text)?, file.line(at(text)))))
            .collect::<Result<_, ParserError>>()?;
        let excludes = spec
            .matching
            .exclude
            .iter()
            .map(pattern)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            files,
            revision: None,
            file,
            spec,
            patterns,
            excludes,
            capture,
            program: OnceLock::new(),
        })
    }

    /// Names the revision, which stands behind the version in `sekisho.parser`.
    #[must_use]
    pub fn with_revision(mut self, revision: String) -> Self {
        self.revision = Some(revision);
        self
    }

    /// Gives the revision of a published parser.
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// Gives the text that the parser was read from.
    pub fn files(&self) -> &ParserFiles {
        &self.files
    }

    /// Gives the patterns of keys that the parser leaves alone.
    pub fn excludes(&self) -> impl Iterator<Item = &str> {
        self.excludes.iter().map(|pattern| pattern.text.as_str())
    }

    /// Gives `event.dataset`.
    pub fn dataset(&self) -> &str {
        &self.spec.source.dataset
    }

    /// Gives the title for people.
    pub fn title(&self) -> &str {
        &self.spec.source.title
    }

    /// Gives the vendor's page.
    pub fn reference(&self) -> &str {
        &self.spec.source.reference
    }

    /// Gives the index name without prefix and day.
    pub fn index(&self) -> &str {
        &self.spec.source.index
    }

    /// Gives the key patterns as written.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.patterns
            .iter()
            .map(|(pattern, _)| pattern.text.as_str())
    }

    /// Gives the folder, relative to the parsers folder.
    pub fn folder(&self) -> &str {
        &self.files.folder
    }

    /// Lists the fields that documents of this source may have, with their types.
    ///
    /// # Errors
    /// When the parser does not compile.
    pub fn mapping(&self, settings: &ParserSettings) -> Result<SourceMapping, ParserError> {
        let program = self.program(settings)?;
        let mut fields: Vec<_> = program
            .outputs
            .iter()
            .map(|output| (output.name.clone(), output.kind))
            .collect();
        let members = program.outputs.iter().flat_map(|output| &output.members);
        fields.extend(members.cloned());
        fields.extend(program.typed(self.dataset()));
        fields.push((
            format!("{}.other", self.dataset()),
            sekisho_document::FieldType::FlatObject,
        ));
        fields.sort();
        Ok(SourceMapping {
            dataset: self.dataset().to_owned(),
            index: self.index().to_owned(),
            fields,
        })
    }

    /// Says which lines of `parser.toml` decide about a record path or field, for `--explain` and `FIELDS.md`.
    ///
    /// # Errors
    /// When the parser does not compile.
    pub fn uses(&self, settings: &ParserSettings) -> Result<Vec<FieldUse>, ParserError> {
        self.program(settings)?;
        Ok(uses(&self.spec, &self.file))
    }

    /// Says for people where a decision stands: file, line and what the line says.
    pub fn describe(&self, origin: Origin) -> String {
        let folder = &self.files.folder;
        match origin {
            Origin::Engine => "the engine".to_owned(),
            Origin::Line(line) => format!("{}:{line} {}", self.file.name, self.file.text_of(line)),
            Origin::Row { lookup, row } => {
                let mut lookups = self.spec.lookup.iter();
                let entry = lookups.find(|entry| self.file.line(entry.at) == lookup);
                let table = entry
                    .map(|entry| entry.value.table.as_str())
                    .unwrap_or_default();
                let text = self
                    .files
                    .tables
                    .get(table)
                    .and_then(|text| text.lines().nth(row - 1));
                format!("{folder}/{table}:{row} {}", text.unwrap_or_default())
            }
            Origin::Script => format!("{folder}/transform.vrl"),
        }
    }

    /// Names what decides where records begin, what they are named and where they go, each with what `parser.toml` says.
    pub fn identity(&self) -> Vec<(&'static str, String)> {
        let ParserSpec { source, record, .. } = &self.spec;
        let framing = (
            (record.format, &record.records, &record.unwrap),
            (&record.separator, &record.columns, &record.default_columns),
            (&record.first_line, &record.fields_line, &record.comment),
            (record.or_json, record.encoding),
        );
        vec![
            ("framing", format!("{framing:?}")),
            ("unique_by", format!("{:?}", record.unique_by)),
            ("timestamp", format!("{:?}", self.spec.timestamp)),
            ("index", source.index.clone()),
        ]
    }

    /// Compiles the parser, once.
    pub(crate) fn program(&self, settings: &ParserSettings) -> Result<Arc<Program>, ParserError> {
        if let Some(program) = self.program.get() {
            return Ok(Arc::clone(program));
        }
        let program = Arc::new(compile(&self.file, &self.spec, &self.files, settings)?);
        Ok(Arc::clone(self.program.get_or_init(|| program)))
    }

    /// Gives the rotation that the installation chose.
    pub(crate) fn rotation(&self, settings: &ParserSettings) -> Rotation {
        settings
            .rotation
            .get(self.dataset())
            .copied()
            .unwrap_or_default()
    }
}

/// One line of `parser.toml` that reads a path of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldUse {
    /// The path as written.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// What it fills: a field, or a declared type.
    pub purpose: Purpose,
}

/// What a line of `parser.toml` does with a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Fills a field of the document.
    Field(String),
    /// Declares a type under the source's namespace.
    Type(String),
    /// Gives `@timestamp`.
    Timestamp,
    /// Gives addresses by the shared contract.
    Addresses,
    /// Decides a lookup.
    Lookup(String),
    /// Decides a condition.
    Condition,
    /// Is cut further by `[[tokens]]`, into these names; none for free ones.
    Tokens(Vec<String>),
}

fn uses(spec: &ParserSpec, file: &SpecFile) -> Vec<FieldUse> {
    crate::uses::list(spec, file)
}
