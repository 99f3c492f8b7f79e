//! [`FieldType`]: the type of a field in the document and in the index mapping.

use std::fmt;
use std::str::FromStr;

use crate::DocumentError;

/// The type of a field, named as OpenSearch names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldType {
    /// Exact text, aggregates.
    Keyword,
    /// Exact text that is searched by `*patterns*` (URLs, command lines).
    Wildcard,
    /// Words (`match_only_text`).
    Text,
    /// 64-bit integer.
    Long,
    /// Floating point number.
    Double,
    /// `true` or `false`.
    Boolean,
    /// IPv4 or IPv6 address.
    Ip,
    /// RFC 3339 time, UTC.
    Date,
    /// Latitude and longitude.
    GeoPoint,
    /// An open-ended subtree, searchable by path, not aggregatable (`flat_object`).
    FlatObject,
    /// An array of objects that are searched one by one.
    Nested,
}

impl FieldType {
    /// Gives the name that OpenSearch's mapping and `parser.toml` use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Wildcard => "wildcard",
            Self::Text => "match_only_text",
            Self::Long => "long",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Ip => "ip",
            Self::Date => "date",
            Self::GeoPoint => "geo_point",
            Self::FlatObject => "flat_object",
            Self::Nested => "nested",
        }
    }

    /// The names that a `parser.toml` may use for the source's own fields.
    pub const DECLARABLE: [Self; 8] = [
        Self::Keyword,
        Self::Wildcard,
        Self::Long,
        Self::Double,
        Self::Boolean,
        Self::Ip,
        Self::Date,
        Self::FlatObject,
    ];
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FieldType {
    type Err = DocumentError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::DECLARABLE
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| DocumentError::UnknownType {
                name: name.to_owned(),
            })
    }
}
