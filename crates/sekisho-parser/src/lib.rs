//! Takes keys and records, gives plans and documents: the parser folders under `parsers/`, compiled.
//!
//! **Invariant:** no I/O beyond reading parser folders, no clock; a record ends in exactly one [`Outcome`] and bad data is never a panic.

mod addresses;
mod agents;
mod catalog;
mod columns;
mod compile;
mod condition;
mod convert;
mod domain;
mod draft;
mod emit;
#[cfg(test)]
mod engine_tests;
mod entry;
mod envelope;
mod error;
mod execute;
mod files;
mod finish;
mod mapping;
mod members;
mod nearest;
mod origin;
mod outcome;
mod overlay;
mod parser;
mod path;
mod pattern;
mod plan;
mod program;
mod redact;
mod related;
mod schema;
mod script;
mod settings;
mod sources;
mod spec;
mod time;
mod tokens;
mod unknown;
mod uses;
mod value;
mod walk;
mod web;

pub use catalog::{Catalog, Choice, Route};
pub use error::ParserError;
pub use files::ParserFiles;
pub use origin::{Decision, Origin};
pub use outcome::{ObjectContext, Outcome};
pub use overlay::{Claim, ENGINE, Held};
pub use parser::{FieldUse, Parser, Purpose};
pub use plan::ObjectPlan;
pub use redact::{REDACTED, Redactor};
pub use settings::{Cidr, KeepOriginal, ParserSettings};
/// What the records of an object count as that no parser claims.
pub use unknown::DATASET as UNKNOWN_DATASET;
