//! `[[tokens]]`: how a record's text, or a field's, becomes named fields.

use serde::Deserialize;

use crate::tokens::Dissect;

/// One step.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokensSpec {
    pub(crate) from: Option<String>,
    pub(crate) when: Option<TokenWhenSpec>,
    pub(crate) require: Option<usize>,
    pub(crate) decode: Option<DecodeSpec>,
    pub(crate) separator: Option<String>,
    pub(crate) delimited: Option<Vec<String>>,
    pub(crate) quoted: Option<Vec<String>>,
    pub(crate) csv: Option<Vec<String>>,
    pub(crate) kv: Option<KvSpec>,
    pub(crate) dissect: Option<String>,
    pub(crate) cef: bool,
    pub(crate) regex: Option<String>,
}

/// `decode`: how the text of a field is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DecodeSpec {
    Base64,
}

/// `when`: what the text must look like before the step is tried; all of it must hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TokenWhenSpec {
    pub(crate) starts_with: Option<String>,
    pub(crate) ends_with: Option<String>,
    pub(crate) contains: Option<String>,
    pub(crate) matches: Option<String>,
}

/// `kv`: pairs of a free name and a value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct KvSpec {
    pub(crate) separator: String,
    pub(crate) assign: String,
    pub(crate) quote: String,
}

impl Default for KvSpec {
    fn default() -> Self {
        Self {
            separator: " ".to_owned(),
            assign: "=".to_owned(),
            quote: "\"".to_owned(),
        }
    }
}

impl TokensSpec {
    /// Gives the names that the step is sure to know, in order.
    pub(crate) fn names(&self) -> Box<dyn Iterator<Item = &str> + '_> {
        let lists = [&self.delimited, &self.quoted, &self.csv];
        let listed = lists.into_iter().flatten().flatten().map(String::as_str);
        let dissected = self.dissect.iter().flat_map(|text| Dissect::names(text));
        let grouped = self.regex.iter().flat_map(|text| groups(text));
        Box::new(listed.chain(dissected).chain(grouped))
    }

    /// Tells whether records bring names of their own.
    pub(crate) fn is_open(&self) -> bool {
        self.kv.is_some() || self.cef || self.asks_setting()
    }

    /// Tells whether an installation's `record.default_columns` names the columns: the list in the parser is empty.
    pub(crate) fn asks_setting(&self) -> bool {
        let mut lists = [&self.delimited, &self.quoted, &self.csv].into_iter();
        lists.any(|list| list.as_ref().is_some_and(Vec::is_empty))
    }
}

/// Gives the names of an expression's groups, as they are written.
fn groups(regex: &str) -> impl Iterator<Item = &str> {
    regex.split("(?").skip(1).filter_map(|part| {
        let name = part.strip_prefix("P<").or_else(|| part.strip_prefix('<'))?;
        let (name, _) = name.split_once('>')?;
        (!name.starts_with(['=', '!'])).then_some(name)
    })
}
