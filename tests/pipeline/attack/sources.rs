//! The sources of an installation: their parsers, and what the cluster's own templates refuse.

use sekisho_parser::ParserFiles;
use sekisho_tests::fake::{Rule, Symptom};

use crate::case::Source;

impl Source {
    pub(crate) fn dataset(self) -> &'static str {
        match self {
            Self::App => "test.app",
            Self::Unique => "test.unique",
            Self::Envelope => "test.envelope",
            Self::Columns => "test.columns",
            Self::Unknown => "sekisho.unknown",
        }
    }

    pub(crate) fn index(self) -> &'static str {
        match self {
            Self::App => "log-test-app",
            Self::Unique => "log-test-unique",
            Self::Envelope => "log-test-envelope",
            Self::Columns => "log-test-columns",
            Self::Unknown => "log-unknown",
        }
    }

    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Unique => "unique",
            Self::Envelope => "envelope",
            Self::Columns => "columns",
            Self::Unknown => "elsewhere",
        }
    }

    /// Whether a record's content is its identity.
    pub(crate) fn by_content(self) -> bool {
        matches!(self, Self::Unique | Self::Envelope)
    }

    const PARSED: [Self; 4] = [Self::App, Self::Unique, Self::Envelope, Self::Columns];
}

/// The parsers of an installation.
pub(crate) fn parsers() -> Vec<ParserFiles> {
    Source::PARSED.into_iter().map(parser).collect()
}

fn parser(source: Source) -> ParserFiles {
    let (dataset, index, folder) = (source.dataset(), source.index(), source.folder());
    let record = match source {
        Source::App => "format = \"ndjson\"\nrequire = [\"n\"]",
        Source::Unique => "format = \"ndjson\"\nrequire = [\"n\"]\nunique_by = [\"id\"]",
        Source::Envelope => {
            "format = \"json\"\nrecords = \"Records\"\nrequire = [\"n\"]\nunique_by = [\"id\"]"
        }
        Source::Columns | Source::Unknown => {
            "format = \"delimited\"\nseparator = \" \"\ncolumns = [\"time\", \"n\", \"size\", \"odd\", \"strict\", \"note\", \"id\", \"text\"]\ndefault_columns = []\nrequire = [\"n\"]"
        }
    };
    let spec = format!(
        r#"
[source]
dataset = "{dataset}"
title = "A source of the attack"
reference = "https://www.example.com/"
index = "{index}"
[match]
keys = ["{folder}/**"]
[record]
{record}
[timestamp]
from = "time"
formats = ["rfc3339"]
[types]
"n" = "keyword"
"size" = "keyword"
"odd" = "keyword"
"strict" = "keyword"
[fields]
"event.id" = "id"
"event.action" = "note"
[constants]
"event.kind" = "event"
[[exclude]]
name = "health"
when = [{{ field = "note", equals = "health" }}]
reason = "health checks"
"#
    );
    ParserFiles {
        folder: folder.to_owned(),
        spec,
        ..ParserFiles::default()
    }
}

/// What the cluster's own templates refuse, stricter than ours.
pub(crate) fn rules() -> Vec<Rule> {
    let rule = |field: String, symptom, named| Rule {
        index: String::new(),
        field,
        symptom,
        named,
    };
    let mut rules = Vec::new();
    for source in Source::PARSED {
        let of = |name: &str| format!("{}.{name}", source.dataset());
        rules.push(rule(of("size"), Symptom::NoLong, true));
        rules.push(rule(of("odd"), Symptom::FieldLimit, false));
        rules.push(rule(of("strict"), Symptom::Unknown, true));
    }
    let holds = |text: &str| Symptom::Holds(text.to_owned());
    rules.push(rule("event.action".to_owned(), holds("badaction"), true));
    rules.push(rule("*".to_owned(), holds("HOPELESS"), false));
    rules
}
