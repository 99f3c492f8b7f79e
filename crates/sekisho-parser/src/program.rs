//! [`Program`]: what a `parser.toml` compiles to, a flat plan executed over borrowed bytes.

use std::collections::HashMap;
use std::sync::Arc;

use regex::Regex;
use sekisho_document::FieldType;
use sekisho_record::{Format, Framing};

use crate::domain::DomainPart;
use crate::emit::Emit;
use crate::envelope::{Envelope, Opened};
use crate::members::Member;
use crate::path::Segment;
use crate::schema::Schema;
use crate::script::Script;
use crate::time::TimeFormats;
use crate::tokens::Tokens;
use crate::value::Value;
use crate::web::Web;

/// A compiled parser.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) dataset: Arc<str>,
    pub(crate) framing: Framing,
    /// The envelopes that a record may stand in.
    pub(crate) unwrap: Vec<Envelope>,
    /// Whether a text that begins with `{` is read as JSON where the records are lines.
    pub(crate) or_json: bool,
    pub(crate) tokens: Tokens,
    pub(crate) schema: Schema,
    pub(crate) outputs: Vec<Output>,
    pub(crate) fixed: Fixed,
    pub(crate) times: TimeFormats,
    /// Alternatives, each the paths whose texts make one time.
    pub(crate) timestamp: Vec<Vec<Source>>,
    pub(crate) timestamp_line: usize,
    pub(crate) require: Vec<(String, Source)>,
    pub(crate) unique_by: Vec<Source>,
    /// The paths of id and time as written: places in the record move with every other line.
    pub(crate) named_by: String,
    pub(crate) excludes: Vec<Exclude>,
    pub(crate) constants: Vec<Given>,
    pub(crate) addresses: Option<Addresses>,
    pub(crate) web: Web,
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) script: Option<Script>,
    pub(crate) related: Vec<(usize, usize)>,
    pub(crate) emit: Vec<Emit>,
}

impl Program {
    /// Tells whether a record is a JSON value.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.framing.format, Format::Json { .. } | Format::Ndjson)
    }

    /// Tells whether a record's own text is read as JSON.
    pub(crate) fn reads_json(&self, text: &str) -> bool {
        self.is_json() || (self.or_json && text.trim_start().starts_with('{'))
    }

    /// Gives the text of the record itself, without the envelopes around it.
    pub(crate) fn text_of<'t>(&self, opened: &'t Opened, whole: &'t str) -> &'t str {
        match opened.text() {
            Some(inside) if self.is_json() => inside,
            Some(inside) => inside.trim_end_matches(['\r', '\n']),
            None => whole,
        }
    }

    /// Lists the declared fields of the source's namespace.
    pub(crate) fn typed(&self, namespace: &str) -> Vec<(String, FieldType)> {
        let mut fields = Vec::new();
        self.schema.root.typed(namespace, &mut fields);
        fields
    }
}

/// A field that a document of this source may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// The dotted name.
    pub(crate) name: String,
    /// Its type.
    pub(crate) kind: FieldType,
    /// Whether it always holds an array.
    pub(crate) array: bool,
    /// What each object of a list holds: dotted names and types.
    pub(crate) members: Vec<(String, FieldType)>,
}

/// The outputs that the engine itself fills.
#[derive(Debug, Clone)]
pub(crate) struct Fixed {
    pub(crate) ecs_version: usize,
    pub(crate) module: usize,
    pub(crate) dataset: usize,
    pub(crate) timestamp: usize,
    pub(crate) kind: usize,
    pub(crate) created: usize,
    pub(crate) original: usize,
    pub(crate) message: usize,
    pub(crate) error_message: usize,
    pub(crate) path: usize,
    pub(crate) offset: usize,
    pub(crate) etag: usize,
    pub(crate) parser: usize,
    pub(crate) day: usize,
    pub(crate) time: usize,
    pub(crate) cut: usize,
    pub(crate) related_ip: usize,
}

/// Where a value is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) root: Root,
    /// What leads on below it, through arrays.
    pub(crate) tail: Vec<Segment>,
}

/// Where reading starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Root {
    /// A slot of the record.
    Slot(usize),
    /// A field of the document under construction.
    Output(usize),
    /// A group captured from the key.
    Capture(String),
    /// The record's text.
    Record,
}

/// One line of `[fields]`, or of a `set`.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) line: usize,
    pub(crate) target: usize,
    pub(crate) sources: Vec<Source>,
    /// Whether every value is collected, not only the first usable one.
    pub(crate) collect: bool,
    pub(crate) steps: Vec<Step>,
    /// What becomes of an object's members, for a field that holds a list of objects.
    pub(crate) members: Vec<Member>,
    /// The output that gets the text of what is not valid for the target's type.
    pub(crate) otherwise: Option<usize>,
}

/// One step from a source's text to a field's.
#[derive(Debug)]
pub(crate) enum Step {
    Lower,
    Upper,
    StripPrefix(String),
    StripSuffix(String),
    Before(String),
    After(String),
    AfterLast(String),
    Multiply(f64),
    Split(String),
    UrlDecode,
    Extract(Regex),
    Map(HashMap<String, String>),
    /// An array of pairs becomes an object with lower-case names: the key of the name, the key of the value.
    MapBy(String, String),
    /// A part of a domain name.
    Domain(DomainPart),
}

impl Step {
    /// Tells whether the source's value cannot be told from the result.
    pub(crate) fn is_lossy(&self) -> bool {
        match self {
            // Whether an array was all pairs is seen record by record.
            Self::MapBy(..)
            | Self::StripPrefix(_)
            | Self::StripSuffix(_)
            | Self::Multiply(_)
            | Self::Split(_)
            | Self::UrlDecode => false,
            Self::Lower
            | Self::Upper
            | Self::Before(_)
            | Self::After(_)
            | Self::AfterLast(_)
            | Self::Domain(_)
            | Self::Extract(_)
            | Self::Map(_) => true,
        }
    }
}

/// `[addresses]`: the contract that holds for every source.
#[derive(Debug)]
pub(crate) struct Addresses {
    pub(crate) line: usize,
    pub(crate) peer: Vec<Source>,
    pub(crate) forwarded: Vec<Source>,
    pub(crate) source_address: usize,
    pub(crate) source_ip: usize,
    pub(crate) client_ip: usize,
    pub(crate) forwarded_ip: usize,
}

/// `[lookup.<name>]`
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) line: usize,
    pub(crate) sources: Vec<Source>,
    pub(crate) exact: HashMap<String, usize>,
    /// Rows with wildcards, in file order.
    pub(crate) patterns: Vec<(Vec<Pattern>, usize)>,
    /// What each row sets.
    pub(crate) rows: Vec<Row>,
}

/// A row of a lookup's table.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its line in the table.
    pub(crate) line: usize,
    pub(crate) set: Vec<Given>,
}

/// A field and the constant that it gets.
#[derive(Debug)]
pub(crate) struct Given {
    /// The line in `parser.toml`.
    pub(crate) line: usize,
    pub(crate) output: usize,
    pub(crate) value: Value<'static>,
}

/// One cell of a lookup's key columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// `*`, also for an absent value.
    Any,
    /// Without wildcards.
    Exact(String),
    /// The literals between wildcards.
    Wild(Vec<String>),
}

/// `[[when]]`
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) condition: Condition,
    pub(crate) set: Vec<Setting>,
    pub(crate) otherwise: Vec<Setting>,
    pub(crate) append: Vec<Setting>,
    pub(crate) transform: bool,
}

/// What a rule gives a field.
#[derive(Debug)]
pub(crate) enum Setting {
    Constant(Given),
    Mapping(Mapping),
}

/// `[[exclude]]`
#[derive(Debug)]
pub(crate) struct Exclude {
    pub(crate) line: usize,
    pub(crate) name: Arc<str>,
    pub(crate) condition: Condition,
}

/// A compiled condition.
#[derive(Debug)]
pub(crate) enum Condition {
    Test {
        source: Source,
        checks: Vec<Check>,
        ignore_case: bool,
    },
    All(Vec<Condition>),
    Any(Vec<Condition>),
    None(Vec<Condition>),
}

/// What a field's values are compared with.
#[derive(Debug)]
pub(crate) enum Check {
    Exists(bool),
    In(Vec<String>),
    NotIn(Vec<String>),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Matches(Regex),
    GreaterThan(f64),
}
