//! What can be wrong with a parser folder or a setting that concerns parsers.

use std::path::PathBuf;

use sekisho_document::DocumentError;

/// A parser folder or setting that cannot be used; always says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ParserError {
    /// `parser.toml` is no TOML, or holds a key or value that the schema does not know.
    #[error("{file}:{line}: {message}")]
    Spec {
        /// The file, relative to the parsers folder.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong, with the nearest valid word.
        message: String,
    },
    /// Two parsers claim the same keys with patterns of equal rank.
    #[error(
        "`{first}` ({first_parser}) and `{second}` ({second_parser}) match the same keys and are equally specific; make one of them more specific or add an `exclude`"
    )]
    Tie {
        /// One pattern.
        first: String,
        /// Its parser.
        first_parser: String,
        /// The other pattern.
        second: String,
        /// Its parser.
        second_parser: String,
    },
    /// Two folders name the same dataset.
    #[error("dataset `{dataset}` is defined twice; rename one of the two")]
    Twice {
        /// The dataset.
        dataset: String,
    },
    /// A file of the parser folder cannot be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// `transform.vrl` does not compile.
    #[error("{file}: {message}")]
    Script {
        /// The file, relative to the parsers folder.
        file: String,
        /// The compiler's own text.
        message: String,
    },
    /// A name to redact that cannot be one.
    #[error(
        "`{name}` in `{setting}` is no name; use letters, digits, `-` and `_`, at least three of them"
    )]
    Name {
        /// The setting.
        setting: &'static str,
        /// The text as written.
        name: String,
    },
    /// A name that would not be redacted anyway.
    #[error("`{name}` in `redact.keep` is no name that is redacted; did you mean `{nearest}`?")]
    Kept {
        /// The text as written.
        name: String,
        /// The nearest name that is redacted.
        nearest: String,
    },
    /// A CIDR range that is none.
    #[error("`{text}` is no network; write it as `192.0.2.0/24` or `2001:db8::/32`")]
    Cidr {
        /// The text as written.
        text: String,
    },
    /// Nobody claims the key, and the bytes are no text.
    #[error(
        "unknown_binary: no parser claims key `{key}`, and its bytes are no text; list the prefix in `ignore`, or add a parser"
    )]
    UnknownBinary {
        /// The object's key.
        key: String,
    },
    /// No parser of that name.
    #[error("no parser for dataset `{dataset}`; `sekisho parser list` names them all")]
    Unknown {
        /// The dataset as asked for.
        dataset: String,
    },
    /// The parser that claims the key is published, and cannot be used.
    #[error(
        "the published parser of `{dataset}`, which claims key `{key}`, cannot be used: {reason}"
    )]
    Held {
        /// The object's key.
        key: String,
        /// The dataset.
        dataset: String,
        /// Why, with the remedy.
        reason: String,
    },
    /// A name or type that no document can have.
    #[error(transparent)]
    Document(#[from] DocumentError),
}
