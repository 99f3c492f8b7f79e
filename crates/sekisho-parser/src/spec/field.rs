//! What stands behind a field's name: a source path, a list of them, or a table with steps.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Entries;

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TextOrList(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for TextOrList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrListVisitor)
    }
}

struct TextOrListVisitor;

impl<'de> Visitor<'de> for TextOrListVisitor {
    type Value = TextOrList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a source path or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(TextOrList(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(TextOrList)
    }
}

/// Where a time comes from: alternatives, each one path or several whose texts a blank joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TimePaths(pub(crate) Vec<TextOrList>);

impl<'de> Deserialize<'de> for TimePaths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimePathsVisitor)
    }
}

struct TimePathsVisitor;

impl<'de> Visitor<'de> for TimePathsVisitor {
    type Value = TimePaths;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a source path or a list of paths and of lists of paths")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        TextOrListVisitor
            .visit_str(text)
            .map(|path| TimePaths(vec![path]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(TimePaths)
    }
}

/// A constant of any scalar type.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scalar {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
}

/// A constant, or several.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Constant {
    One(Scalar),
    Many(Vec<Scalar>),
}

/// How a field is filled: from paths (`[fields]`), from a constant (`set`), or from paths with steps (both).
#[derive(Debug)]
pub(crate) enum FieldSpec {
    Paths(TextOrList),
    Table(Box<FieldTable>),
}

/// The table form of a field.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FieldTable {
    pub(crate) from: Option<TextOrList>,
    pub(crate) all: Option<TextOrList>,
    #[serde(rename = "as")]
    pub(crate) kind: Option<String>,
    #[serde(rename = "else")]
    pub(crate) otherwise: Option<String>,
    pub(crate) lower: bool,
    pub(crate) upper: bool,
    pub(crate) strip_prefix: Option<String>,
    pub(crate) strip_suffix: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) after_last: Option<String>,
    pub(crate) multiply: Option<f64>,
    pub(crate) split: Option<String>,
    pub(crate) url_decode: bool,
    pub(crate) extract: Option<String>,
    pub(crate) map: Option<Entries<String>>,
    pub(crate) map_by: Option<[String; 2]>,
    pub(crate) domain: Option<String>,
    pub(crate) members: Option<Entries<String>>,
}

impl<'de> Deserialize<'de> for FieldSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = FieldSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a source path, a list of them, or a table with `from` or `all`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        TextOrListVisitor.visit_str(text).map(FieldSpec::Paths)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        TextOrListVisitor.visit_seq(seq).map(FieldSpec::Paths)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        FieldTable::deserialize(MapAccessDeserializer::new(map))
            .map(|table| FieldSpec::Table(Box::new(table)))
    }
}
