//! `parser.toml` into a [`Program`]: names checked, types known, everything in its order of execution.

mod fields;
mod framing;
mod outputs;
mod rules;
mod sources;
mod tables;
mod tokens;
mod web;

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use sekisho_document::{FieldType, check_index_name};

use crate::emit::layout;
use crate::files::ParserFiles;
use crate::path::SourcePath;
use crate::program::{Addresses, Fixed, Program, Root, Source};
use crate::related::related_to;
use crate::schema::Schema;
use crate::spec::{ParserSpec, SpecFile, TokensSpec};
use crate::time::TimeFormats;
use crate::{ParserError, ParserSettings, script};

use framing::framing;
use outputs::Outputs;

/// Turns one parser folder's text into a program.
pub(crate) struct Compiler<'s> {
    file: &'s SpecFile,
    spec: &'s ParserSpec,
    groups: Vec<String>,
    schema: Schema,
    outputs: Outputs,
}

/// Compiles one parser.
pub(crate) fn compile(
    file: &SpecFile,
    spec: &ParserSpec,
    files: &ParserFiles,
    settings: &ParserSettings,
) -> Result<Program, ParserError> {
    let groups = capture(file, spec)?.map_or_else(Vec::new, |regex| {
        regex.capture_names().flatten().map(str::to_owned).collect()
    });
    let (module, _) = names(file, spec)?;
    let outputs = Outputs::new(&spec.source.dataset, module);
    let compiler = Compiler {
        file,
        spec,
        groups,
        schema: Schema::new(&spec.source.dataset),
        outputs,
    };
    compiler.run(files, settings)
}

/// Compiles the expression that reads facts out of the key.
pub(crate) fn capture(file: &SpecFile, spec: &ParserSpec) -> Result<Option<Regex>, ParserError> {
    let at = place(file, "capture");
    spec.matching
        .capture
        .as_deref()
        .map(|text| {
            Regex::new(text).map_err(|error| {
                file.error(
                    at,
                    format!("`capture` is no regular expression: {error}").replace('\n', " "),
                )
            })
        })
        .transpose()
}

/// Gives `event.module` and the dataset, which must be `<module>.<name>`.
pub(crate) fn names<'s>(
    file: &SpecFile,
    spec: &'s ParserSpec,
) -> Result<(&'s str, &'s str), ParserError> {
    let dataset = spec.source.dataset.as_str();
    let at = place(file, "dataset");
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    match dataset.split_once('.') {
        Some((module, name)) if is_name(module) && is_name(name) => Ok((module, dataset)),
        _ => Err(file.error(
            at,
            format!("`{dataset}` is no dataset; write it as `<module>.<name>` in lower case"),
        )),
    }
}

/// Finds the line of a key that stands once in the file, for messages.
fn place(file: &SpecFile, key: &str) -> usize {
    let at = |start: &str| file.text.find(start);
    at(&format!("\n{key}"))
        .map(|at| at + 1)
        .or_else(|| at(key))
        .unwrap_or_default()
}

impl Compiler<'_> {
    fn run(
        mut self,
        files: &ParserFiles,
        settings: &ParserSettings,
    ) -> Result<Program, ParserError> {
        self.index()?;
        let times = self.times()?;
        let fixed = self.fixed()?;
        self.types()?;
        let timestamp = self.timestamp()?;
        let require = self.require()?;
        let unique_by = self.unique_by()?;
        let named_by = self.named_by();
        let constants = self.constants()?;
        let addresses = self.addresses()?;
        let web = self.web()?;
        let mappings = self.mappings()?;
        let lookups = self.lookups(&files.tables)?;
        let rules = self.rules()?;
        let excludes = self.excludes()?;
        let script = self.script(files, rules.iter().any(|rule| rule.transform))?;
        let related = self.related()?;
        self.outputs.check(self.file)?;
        self.schema.finish();
        let mut tokens = self.tokens(settings)?;
        let mut names = self.spec.tokens.iter().flat_map(TokensSpec::names);
        // Nobody can see beforehand whether what is packed holds secrets.
        tokens.hides = tokens.fields.iter().any(|steps| steps.decodes)
            || names.any(|name| settings.redactor.hides(name));
        let outputs = self.outputs.list;
        let emit = layout(&outputs, &self.spec.source.dataset);
        let framing = framing(self.file, self.spec, settings)?;
        let dataset = Arc::from(self.spec.source.dataset.as_str());
        Ok(Program {
            dataset,
            framing,
            unwrap: self.spec.record.unwrap.clone(),
            or_json: self.spec.record.or_json,
            tokens,
            schema: self.schema,
            outputs,
            fixed,
            times,
            timestamp,
            timestamp_line: self.file.line(place(self.file, "[timestamp]")),
            require,
            named_by,
            unique_by,
            excludes,
            constants,
            addresses,
            web,
            mappings,
            lookups,
            rules,
            script,
            related,
            emit,
        })
    }

    fn index(&self) -> Result<(), ParserError> {
        let at = place(self.file, "index");
        check_index_name(&self.spec.source.index)
            .map_err(|error| self.file.error(at, error.to_string()))
    }

    fn timestamp(&mut self) -> Result<Vec<Vec<Source>>, ParserError> {
        let alternatives = self.spec.timestamp.iter().flat_map(|spec| &spec.from.0);
        alternatives
            .map(|paths| self.consumed(paths, "from"))
            .collect()
    }

    fn require(&mut self) -> Result<Vec<(String, Source)>, ParserError> {
        let at = place(self.file, "require");
        let paths = self.spec.record.require.iter();
        paths
            .map(|path| Ok((path.clone(), self.source(path, at)?)))
            .collect()
    }

    fn unique_by(&mut self) -> Result<Vec<Source>, ParserError> {
        let at = place(self.file, "unique_by");
        let paths = self.spec.record.unique_by.iter();
        paths.map(|path| self.source(path, at)).collect()
    }

    fn named_by(&self) -> String {
        let time = self.spec.timestamp.as_ref().map(|spec| &spec.from);
        format!("{:?}", (&self.spec.record.unique_by, time))
    }

    fn times(&self) -> Result<TimeFormats, ParserError> {
        let Some(spec) = &self.spec.timestamp else {
            return Ok(TimeFormats::default());
        };
        TimeFormats::new(&spec.formats, spec.timezone.as_deref())
            .map_err(|message| self.file.error(place(self.file, "[timestamp]"), message))
    }

    /// Registers what the engine itself writes.
    fn fixed(&mut self) -> Result<Fixed, ParserError> {
        let mut ecs = |name: &str| {
            self.outputs
                .ecs(name)
                .map_err(|message| self.file.error(0, message))
        };
        Ok(Fixed {
            ecs_version: ecs("ecs.version")?,
            module: ecs("event.module")?,
            dataset: ecs("event.dataset")?,
            timestamp: ecs("@timestamp")?,
            kind: ecs("event.kind")?,
            created: ecs("event.created")?,
            original: ecs("event.original")?,
            message: ecs("message")?,
            error_message: ecs("error.message")?,
            path: ecs("log.file.path")?,
            related_ip: ecs("related.ip")?,
            offset: self.outputs.own("sekisho.offset", FieldType::Long),
            etag: self.outputs.own("sekisho.etag", FieldType::Keyword),
            parser: self.outputs.own("sekisho.parser", FieldType::Keyword),
            day: self.outputs.own("sekisho.day", FieldType::Keyword),
            time: self.outputs.own("sekisho.timestamp", FieldType::Keyword),
            cut: self.outputs.own("sekisho.truncated", FieldType::Boolean),
        })
    }

    fn types(&mut self) -> Result<(), ParserError> {
        for entry in self.spec.types.iter() {
            let fail = |message: String| {
                self.file
                    .error(entry.at, format!("`{}`: {message}", entry.key))
            };
            let kind: FieldType = entry
                .value
                .parse()
                .map_err(|error: sekisho_document::DocumentError| fail(error.to_string()))?;
            let path = SourcePath::parse(&entry.key).map_err(fail)?;
            let SourcePath::Record(segments) = path else {
                return Err(fail("only fields of the record can be typed".to_owned()));
            };
            let (keys, rest) = SourcePath::split(&segments);
            if !rest.is_empty() {
                return Err(fail("elements of an array cannot be typed; pick them in `[fields]` with `all` and `as`".to_owned()));
            }
            if keys.first() == Some(&"other") {
                return Err(fail(
                    "`other` is where undeclared fields go; a source's own `other` goes there too"
                        .to_owned(),
                ));
            }
            self.schema.declare(&keys, kind).map_err(fail)?;
            self.outputs.note_typed(
                format!("{}.{}", self.spec.source.dataset, keys.join(".")),
                kind,
            );
        }
        Ok(())
    }

    fn addresses(&mut self) -> Result<Option<Addresses>, ParserError> {
        let Some(spec) = &self.spec.addresses else {
            return Ok(None);
        };
        let mut ecs = |name: &str| {
            self.outputs
                .ecs(name)
                .map_err(|message| self.file.error(0, message))
        };
        let (source_address, source_ip) = (ecs("source.address")?, ecs("source.ip")?);
        let (client_ip, forwarded_ip) = (ecs("client.ip")?, ecs("network.forwarded_ip")?);
        let peer = self.consumed(&spec.peer, "peer")?;
        let forwarded = match &spec.forwarded {
            Some(paths) => self.sources(paths, place(self.file, "forwarded"))?,
            None => Vec::new(),
        };
        Ok(Some(Addresses {
            line: self.file.line(place(self.file, "[addresses]")),
            peer,
            forwarded,
            source_address,
            source_ip,
            client_ip,
            forwarded_ip,
        }))
    }

    fn script(
        &mut self,
        files: &ParserFiles,
        gated: bool,
    ) -> Result<Option<script::Script>, ParserError> {
        let Some(source) = &files.script else {
            if gated {
                return Err(self.file.error(
                    place(self.file, "transform"),
                    "a rule asks for `transform.vrl`, which the folder does not have",
                ));
            }
            return Ok(None);
        };
        let fail = |message: String| ParserError::Script {
            file: format!("{}/transform.vrl", files.folder),
            message,
        };
        let (compiled, paths) = script::compile(source).map_err(fail)?;
        let outputs = paths
            .fields
            .iter()
            .map(|name| self.outputs.assigned(name).map_err(fail))
            .collect::<Result<_, _>>()?;
        let mut sources = Vec::new();
        for path in &paths.reads {
            let keys: Vec<_> = path.iter().map(String::as_str).collect();
            sources.push(Source {
                root: Root::Slot(self.schema.slot(&keys)),
                tail: Vec::new(),
            });
        }
        Ok(Some(compiled.bind(outputs, sources, !gated)))
    }

    fn related(&mut self) -> Result<Vec<(usize, usize)>, ParserError> {
        let mut pairs = Vec::new();
        for at in 0..self.outputs.list.len() {
            let name = self
                .outputs
                .list
                .get(at)
                .map(|output| output.name.clone())
                .unwrap_or_default();
            if let Some(related) = related_to(&name) {
                pairs.push((
                    at,
                    self.outputs
                        .ecs(related)
                        .map_err(|message| self.file.error(0, message))?,
                ));
            }
        }
        Ok(pairs)
    }
}

/// The tables of a parser folder by file name.
type Tables = BTreeMap<String, String>;
