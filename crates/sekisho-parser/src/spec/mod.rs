//! `parser.toml` as written: one struct per table, every unknown key an error.

mod condition;
mod entries;
mod field;
mod read;
mod tokens;
mod web;

use serde::Deserialize;

use crate::envelope::Envelope;

pub(crate) use condition::{ConditionSpec, SetSpec, Test, WhenSpec};
pub(crate) use entries::Entries;
pub(crate) use field::{Constant, FieldSpec, FieldTable, Scalar, TextOrList, TimePaths};
pub(crate) use read::{SpecFile, read_spec};
pub(crate) use tokens::{TokenWhenSpec, TokensSpec};
pub(crate) use web::{OutcomeSpec, RequestSpec, UrlSpec, UserAgentSpec};

/// A whole `parser.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParserSpec {
    pub(crate) source: SourceSpec,
    #[serde(default, rename = "match")]
    pub(crate) matching: MatchSpec,
    pub(crate) record: RecordSpec,
    #[serde(default)]
    pub(crate) tokens: Vec<TokensSpec>,
    #[serde(default)]
    pub(crate) timestamp: Option<TimestampSpec>,
    #[serde(default)]
    pub(crate) addresses: Option<AddressesSpec>,
    #[serde(default)]
    pub(crate) request: Option<RequestSpec>,
    #[serde(default)]
    pub(crate) url: Option<UrlSpec>,
    #[serde(default)]
    pub(crate) user_agent: Option<UserAgentSpec>,
    #[serde(default)]
    pub(crate) outcome: Option<OutcomeSpec>,
    #[serde(default)]
    pub(crate) types: Entries<String>,
    #[serde(default)]
    pub(crate) fields: Entries<FieldSpec>,
    #[serde(default)]
    pub(crate) constants: Entries<Constant>,
    #[serde(default)]
    pub(crate) when: Vec<WhenSpec>,
    #[serde(default)]
    pub(crate) lookup: Entries<LookupSpec>,
    #[serde(default)]
    pub(crate) exclude: Vec<ExcludeSpec>,
}

/// `[source]`: what the log is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceSpec {
    pub(crate) dataset: String,
    pub(crate) title: String,
    pub(crate) reference: String,
    pub(crate) index: String,
}

/// `[match]`: which keys the parser claims.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatchSpec {
    #[serde(default)]
    pub(crate) keys: Vec<String>,
    #[serde(default)]
    pub(crate) exclude: Vec<String>,
    #[serde(default)]
    pub(crate) capture: Option<String>,
}

/// `[record]`: how the bytes become records, and what makes one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordSpec {
    pub(crate) format: FormatSpec,
    #[serde(default)]
    pub(crate) records: Option<TextOrList>,
    #[serde(default)]
    pub(crate) unwrap: Vec<Envelope>,
    #[serde(default)]
    pub(crate) unique_by: Vec<String>,
    #[serde(default)]
    pub(crate) require: Vec<String>,
    #[serde(default)]
    pub(crate) separator: Option<String>,
    #[serde(default)]
    pub(crate) columns: Vec<String>,
    #[serde(default)]
    pub(crate) default_columns: Vec<String>,
    #[serde(default)]
    pub(crate) first_line: Option<String>,
    #[serde(default)]
    pub(crate) fields_line: Option<String>,
    #[serde(default)]
    pub(crate) comment: Option<String>,
    #[serde(default)]
    pub(crate) or_json: bool,
    #[serde(default)]
    pub(crate) encoding: EncodingSpec,
}

impl RecordSpec {
    /// Tells whether framing knows the columns of a record.
    pub(crate) fn has_columns(&self) -> bool {
        match self.format {
            FormatSpec::Delimited => true,
            FormatSpec::Csv => !self.columns.is_empty() || !self.default_columns.is_empty(),
            FormatSpec::Json | FormatSpec::Ndjson | FormatSpec::Lines | FormatSpec::Multiline => {
                false
            }
        }
    }
}

/// `[record] encoding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub(crate) enum EncodingSpec {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "shift_jis", alias = "cp932")]
    ShiftJis,
    #[serde(rename = "euc-jp")]
    EucJp,
    #[serde(rename = "utf-16le")]
    Utf16Le,
}

/// `[record] format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FormatSpec {
    Json,
    Ndjson,
    Lines,
    Multiline,
    Delimited,
    Csv,
}

/// `[timestamp]`: where `@timestamp` comes from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimestampSpec {
    pub(crate) from: TimePaths,
    #[serde(default = "rfc3339_only")]
    pub(crate) formats: Vec<String>,
    #[serde(default)]
    pub(crate) timezone: Option<String>,
}

fn rfc3339_only() -> Vec<String> {
    vec!["rfc3339".to_owned()]
}

/// `[addresses]`: the peer that the logging device saw and the header that names who stands behind it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressesSpec {
    pub(crate) peer: TextOrList,
    #[serde(default)]
    pub(crate) forwarded: Option<TextOrList>,
}

/// `[lookup.<name>]`: a table instead of a chain of conditions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupSpec {
    pub(crate) from: TextOrList,
    pub(crate) table: String,
}

/// `[[exclude]]`: what nobody needs to see, by name and with a reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExcludeSpec {
    pub(crate) name: String,
    pub(crate) when: Vec<ConditionSpec>,
    pub(crate) reason: String,
}
