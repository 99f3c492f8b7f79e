//! What framing takes ([`Framing`]) and gives ([`Frame`]).

use std::sync::Arc;

use regex::bytes::Regex;

use crate::encoding::Encoding;

/// How the bytes of an object become records; decided by the key before a byte is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing {
    /// The shape of the bytes.
    pub format: Format,
    /// How the bytes of lines are text; [`Encoding::Utf16Le`] only for [`Format::Lines`] and [`Format::Delimited`] without quotes.
    pub encoding: Encoding,
    /// The longest record in bytes; a longer one is skipped in constant memory and reported as [`FaultReason::TooLong`].
    pub max_record_bytes: usize,
    /// The deepest nesting of one JSON record; a deeper one is reported as [`FaultReason::TooDeep`].
    pub max_depth: usize,
}

/// The shape of an object's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// JSON values: one or many, with newlines, white space, commas or nothing between them, pretty-printed or not.
    ///
    /// Where a top-level object holds an array under one of `records` (each a key path, outermost first), the array's elements are the records and the rest of that object is envelope.
    /// A top-level object without it is itself one record, and so is an element of a top-level array.
    ///
    /// A broken record ends where its brackets close, at the seam to the next one (`},{`), or before the next line that can begin one; text that is no JSON is a fault of its own.
    /// An array of records that the object's end leaves open gives one empty [`FaultReason::Truncated`].
    Json {
        /// The paths of keys to arrays of records, empty for none.
        records: Vec<Vec<String>>,
    },
    /// CloudWatch Logs subscription objects, one or many with anything or nothing between them: [`Format::Json`] whose records are the elements of `logEvents`.
    ///
    /// Control messages, by which CloudWatch Logs only tests its destination, are [`Skip::Control`].
    CloudwatchLogs,
    /// One JSON value a line; a broken line costs only itself.
    Ndjson,
    /// One record a line (LF or CRLF; the last newline may be missing).
    Lines,
    /// One record from each line that begins one to the next such line.
    ///
    /// Lines before the first of them are one record.
    /// A record that would outgrow the limit is cut before the line with which it would.
    Multiline(FirstLine),
    /// One record a line, but for line feeds in the quotes of RFC 4180; an unclosed quote ends at its first line feed.
    Csv {
        /// The byte between columns.
        separator: u8,
    },
    /// Lines of columns; a header line is one wherever it stands, so that concatenated files work.
    Delimited(Delimited),
}

/// How a line begins with which a record begins; only its first 1,024 bytes are looked at.
#[derive(Debug, Clone)]
pub struct FirstLine(pub(crate) Regex);

impl FirstLine {
    /// Reads the regular expression.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the expression.
    pub fn new(pattern: &str) -> Result<Self, String> {
        match Regex::new(pattern) {
            Ok(regex) => Ok(Self(regex)),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl PartialEq for FirstLine {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for FirstLine {}

/// Delimited text whose header line names the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimited {
    /// The byte between columns.
    pub separator: u8,
    /// What quotes mean.
    pub quotes: Quotes,
    /// The column names that the parser knows; a line is a header when at least half of its columns are among them (after the first line, when also one of its first three columns is).
    pub known: Vec<String>,
    /// The columns of an object without a header line, empty where a header is required.
    pub default_columns: Vec<String>,
    /// How the line begins that names the columns behind it, at blanks (`#Fields:` of the W3C Extended Log File Format); then no other line is a header.
    pub fields_line: Option<String>,
    /// How a comment begins.
    pub comment: Option<String>,
    /// Whether a line that begins with `{` is a record of its own shape, without columns.
    pub or_json: bool,
}

/// What quotes around a column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quotes {
    /// Nothing.
    None,
    /// As in RFC 4180: separators, line feeds and doubled quotes inside are text.
    Csv,
}

/// The column names in force for a record, from a header line or the parser's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The byte between columns.
    pub separator: u8,
    /// What quotes mean.
    pub quotes: Quotes,
    /// Names by position.
    pub names: Vec<String>,
}

/// What framing gives, in the order of the bytes.
#[derive(Debug, Clone)]
pub enum Frame<'a> {
    /// One log entry.
    Record(Record<'a>),
    /// Bytes that should be a record and cannot be framed as one; counts as one record.
    Fault(Fault<'a>),
    /// Bytes that are no record (header, blank line, comment); counted outside the sum.
    Skipped(Skip),
}

/// One log entry: its bytes and where they stand.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// Offset of the first byte in the decompressed stream.
    pub offset: u64,
    /// The record's own bytes, without line end or separators.
    pub bytes: &'a [u8],
    /// The columns in force, for delimited text only; the same `Arc` as long as the header stays the same.
    pub columns: Option<Arc<Columns>>,
    /// What stands before the array of records in the object around it, as a JSON object of its own; the same `Arc` for all elements.
    ///
    /// Members behind the array are not known yet, and one of more than 16 KiB is not kept.
    pub envelope: Option<Arc<[u8]>>,
}

/// Bytes that are no well-formed record.
#[derive(Debug, Clone)]
pub struct Fault<'a> {
    /// Offset of the first byte in the decompressed stream.
    pub offset: u64,
    /// The bytes, whole, or for an over-long record the first 64 KiB of them.
    pub bytes: &'a [u8],
    /// Length in bytes of the whole.
    pub length: u64,
    /// SHA-256 of the whole.
    pub digest: [u8; 32],
    /// Why.
    pub reason: FaultReason,
}

/// Why bytes could not be framed as a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultReason {
    /// The object ends inside the record: its tail is missing.
    #[error("the object ends inside this record (truncated upload or download?)")]
    Truncated,
    /// The record is longer than the limit; its boundary was found.
    #[error("the record is longer than {limit} bytes; raise `limits.max_record_bytes`")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The record is longer than the limit and no boundary follows.
    #[error(
        "unterminated: no record boundary within {limit} bytes nor before the end of the object"
    )]
    Unterminated {
        /// The limit in bytes.
        limit: usize,
    },
    /// The record nests deeper than the limit.
    #[error("the record nests deeper than {limit} levels; raise `limits.max_depth`")]
    TooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// The bytes are no JSON value.
    #[error("not JSON: {0}")]
    NotJson(&'static str),
    /// Delimited text without a header line where the parser has no default columns.
    #[error(
        "the columns are unknown: the object has no header line; name them in the setting `record.default_columns`"
    )]
    NoHeader,
}

/// What was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// A header line that names the columns.
    Header,
    /// A blank line.
    Blank,
    /// A comment line.
    Comment,
    /// A message by which a service only tests its destination.
    Control,
}
