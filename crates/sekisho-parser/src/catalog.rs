//! [`Catalog`]: every parser of an installation, and which of them a key selects.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use sekisho_document::SourceMapping;

use crate::files::ParserFiles;
use crate::overlay::Held;
use crate::parser::Parser;
use crate::plan::ObjectPlan;
use crate::program::Program;
use crate::unknown;
use crate::{ObjectContext, ParserError, ParserSettings};

/// Folder, then file names with their texts.
type Embedded = (&'static str, &'static [(&'static str, &'static str)]);

/// The parser folders that the binary was built with.
const BUILTIN: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// Every parser of an installation.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub(crate) parsers: Vec<Arc<Parser>>,
    pub(crate) held: Vec<Arc<Held>>,
    /// Indices of parsers that others have replaced.
    pub(crate) former_indices: Vec<String>,
    pub(crate) settings: Arc<ParserSettings>,
    unclaimed: OnceLock<Arc<Program>>,
}

/// Which parser a key selects, and why.
#[derive(Debug, Clone)]
pub enum Route<'c> {
    /// The most specific pattern that matches.
    Parser(Choice<'c>, Option<Choice<'c>>),
    /// No parser claims the key, and an `exclude` says that such objects are no logs.
    Excluded {
        /// The parser.
        parser: &'c Parser,
        /// The `exclude` pattern.
        pattern: &'c str,
    },
    /// The parser that claims the key cannot be used, and no other may read such objects meanwhile.
    Held(&'c Held),
    /// No parser claims the key.
    Unclaimed,
}

/// A pattern that matches a key.
#[derive(Debug, Clone, Copy)]
pub struct Choice<'c> {
    /// Its parser.
    pub parser: &'c Arc<Parser>,
    /// The pattern.
    pub pattern: &'c str,
    /// Its line in `parser.toml`.
    pub line: usize,
}

impl Catalog {
    /// Takes the parsers that the binary was built with.
    ///
    /// # Errors
    /// When one of them breaks the schema or two claim the same keys.
    pub fn builtin(settings: ParserSettings) -> Result<Self, ParserError> {
        let files = BUILTIN
            .iter()
            .map(|(folder, texts)| embedded(folder, texts))
            .collect();
        Self::from_files(files, settings)
    }

    /// Takes the parsers of a folder `<module>/<dataset>/`.
    ///
    /// # Errors
    /// When a file cannot be read, one of them breaks the schema or two claim the same keys.
    pub fn from_dir(root: &Path, settings: ParserSettings) -> Result<Self, ParserError> {
        Self::from_files(ParserFiles::read_all(root)?, settings)
    }

    /// Takes parsers by their texts.
    ///
    /// # Errors
    /// When one of them breaks the schema or two claim the same keys.
    pub fn from_files(
        files: Vec<ParserFiles>,
        settings: ParserSettings,
    ) -> Result<Self, ParserError> {
        let parsers: Vec<_> = files
            .into_iter()
            .map(|files| Parser::read(files).map(Arc::new))
            .collect::<Result<_, _>>()?;
        check_ties(&parsers)?;
        Ok(Self {
            parsers,
            held: Vec::new(),
            former_indices: Vec::new(),
            settings: Arc::new(settings),
            unclaimed: OnceLock::new(),
        })
    }

    /// Compiles the fallback, once: a bucket may hold many objects that nobody claims.
    fn unclaimed(&self) -> Result<Arc<Program>, ParserError> {
        if let Some(program) = self.unclaimed.get() {
            return Ok(Arc::clone(program));
        }
        let program = unknown::program(&self.settings)?;
        Ok(Arc::clone(self.unclaimed.get_or_init(|| program)))
    }

    /// Gives every parser.
    pub fn parsers(&self) -> &[Arc<Parser>] {
        &self.parsers
    }

    /// Finds a parser by its dataset.
    ///
    /// # Errors
    /// When there is none.
    pub fn parser(&self, dataset: &str) -> Result<&Arc<Parser>, ParserError> {
        self.parsers
            .iter()
            .find(|parser| parser.dataset() == dataset)
            .ok_or_else(|| ParserError::Unknown {
                dataset: dataset.to_owned(),
            })
    }

    /// Gives the settings that the parsers compile with.
    pub fn settings(&self) -> &ParserSettings {
        &self.settings
    }

    /// Lists the fields of every source, the fallback's included.
    ///
    /// # Errors
    /// When a parser does not compile.
    pub fn mappings(&self) -> Result<Vec<SourceMapping>, ParserError> {
        let mut mappings = self
            .parsers
            .iter()
            .map(|parser| parser.mapping(&self.settings))
            .collect::<Result<Vec<_>, _>>()?;
        mappings.push(unknown::mapping(&*self.unclaimed()?));
        Ok(mappings)
    }

    /// Decides which parser a decoded key selects: the most specific pattern that matches, and of two alike the one whose dataset comes first.
    pub fn route(&self, key: &str) -> Route<'_> {
        let mut excluded = None;
        let mut choices = Vec::new();
        for parser in &self.parsers {
            if let Some(exclude) = parser.excludes.iter().find(|exclude| exclude.matches(key)) {
                excluded = excluded.or(Some(Route::Excluded {
                    parser,
                    pattern: &exclude.text,
                }));
                continue;
            }
            let Some((pattern, line)) = parser
                .patterns
                .iter()
                .filter(|(pattern, _)| pattern.matches(key))
                .max_by_key(|(pattern, _)| pattern.rank)
            else {
                continue;
            };
            choices.push((
                pattern.rank,
                Choice {
                    parser,
                    pattern: &pattern.text,
                    line: *line,
                },
            ));
        }
        choices.sort_by(|(a, first), (b, second)| {
            b.cmp(a)
                .then_with(|| first.parser.dataset().cmp(second.parser.dataset()))
        });
        let best = choices.first().map(|(rank, _)| *rank);
        if let Some(held) = self.held(key, best) {
            return Route::Held(held);
        }
        let mut choices = choices.into_iter().map(|(_, choice)| choice);
        match choices.next() {
            Some(first) => Route::Parser(first, choices.next()),
            None => excluded.unwrap_or(Route::Unclaimed),
        }
    }

    /// Decides everything about an object before its first record: parser, framing, index.
    ///
    /// `head` holds the first bytes of the decompressed object (up to 4 KiB), which tell binary from text where no parser claims the key, and an envelope around its records where the parser of the key opens some.
    ///
    /// # Errors
    /// When the parser does not compile, or nobody claims the key and the bytes are binary.
    pub fn plan(&self, object: ObjectContext, head: &[u8]) -> Result<ObjectPlan, ParserError> {
        match self.route(&object.key) {
            Route::Parser(choice, _) => {
                let program = choice.parser.program(&self.settings)?;
                Ok(ObjectPlan::parser(
                    choice.parser,
                    program,
                    object,
                    Arc::clone(&self.settings),
                    head,
                ))
            }
            Route::Held(held) => Err(held.error(&object.key)),
            Route::Excluded { .. } | Route::Unclaimed => {
                unknown::plan(self.unclaimed()?, object, head, Arc::clone(&self.settings))
            }
        }
    }
}

fn embedded(folder: &str, texts: &[(&str, &str)]) -> ParserFiles {
    let mut files = ParserFiles {
        folder: folder.to_owned(),
        ..ParserFiles::default()
    };
    for (name, text) in texts {
        match *name {
            "parser.toml" => files.spec = (*text).to_owned(),
            "transform.vrl" => files.script = Some((*text).to_owned()),
            table => {
                files.tables.insert(table.to_owned(), (*text).to_owned());
            }
        }
    }
    files
}

pub(crate) fn check_ties(parsers: &[Arc<Parser>]) -> Result<(), ParserError> {
    for (n, parser) in parsers.iter().enumerate() {
        for other in parsers.iter().skip(n + 1) {
            if parser.dataset() == other.dataset() {
                return Err(ParserError::Twice {
                    dataset: parser.dataset().to_owned(),
                });
            }
            let pairs = parser
                .patterns
                .iter()
                .flat_map(|(a, _)| other.patterns.iter().map(move |(b, _)| (a, b)));
            for (a, b) in pairs {
                if a.ties(b) {
                    return Err(ParserError::Tie {
                        first: a.text.clone(),
                        first_parser: parser.dataset().to_owned(),
                        second: b.text.clone(),
                        second_parser: other.dataset().to_owned(),
                    });
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_parsers_compile_and_do_not_tie() {
        let catalog =
            Catalog::builtin(ParserSettings::default()).unwrap_or_else(|error| panic!("{error}"));
        let mappings = catalog.mappings().unwrap_or_else(|error| panic!("{error}"));
        assert!(
            mappings
                .iter()
                .any(|mapping| mapping.dataset == "aws.cloudtrail")
        );
        let digest = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/11/23/x.json.gz";
        let Route::Excluded { pattern, .. } = catalog.route(digest) else {
            panic!("a digest is no log");
        };
        assert_eq!(pattern, "**/CloudTrail-Digest/**");
    }
}
