//! [`Redactor`]: takes secrets out of a record's text, by the names that they stand under, before anything is made of it.
//!
//! A quick search for pieces of the names tells whether there is anything to do; nearly every record ends there.

mod json;
mod names;
mod record;
mod search;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use names::Names;
pub(crate) use record::hide;
use search::Search;

use crate::ParserError;

/// What stands in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Takes secrets out of texts.
#[derive(Debug, Clone)]
pub struct Redactor(Option<Arc<Rules>>);

/// The names and the search for their pieces.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) names: Names,
    pub(crate) search: Search,
}

/// A part of a text and what replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) range: Range<usize>,
    pub(crate) by: Cow<'static, str>,
}

impl Edit {
    pub(crate) fn hide(range: Range<usize>) -> Self {
        Self {
            range,
            by: Cow::Borrowed(REDACTED),
        }
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::of(Names::default())
    }
}

impl Redactor {
    /// Takes the names of fields and headers and the query keys that an installation adds, and the names that it keeps readable.
    ///
    /// # Errors
    /// When a name holds something else than letters, digits, `-` and `_`, or a name to keep is none of those that are redacted.
    pub fn new(
        fields: &[String],
        query_keys: &[String],
        keep: &[String],
    ) -> Result<Self, ParserError> {
        Names::new(fields, query_keys, keep).map(Self::of)
    }

    /// Leaves every text as it is.
    pub fn none() -> Self {
        Self(None)
    }

    fn of(names: Names) -> Self {
        let search = Search::new(&names);
        Self(Some(Arc::new(Rules { names, search })))
    }

    /// Takes the secrets out of a text of any kind.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Only whole ASCII tokens are replaced, so what was UTF-8 is UTF-8 still.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Takes the secrets out of bytes of which nobody knows what they are.
    pub fn bytes<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        match self.rules_for(bytes) {
            Some(rules) => rules.redacted(bytes, 0),
            None => Cow::Borrowed(bytes),
        }
    }

    /// Tells whether what stands under this name, as a field, column or header, is a secret.
    pub(crate) fn hides(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_some_and(|rules| rules.names.hides_field(name))
    }

    fn rules_for(&self, bytes: &[u8]) -> Option<&Rules> {
        let rules = self.0.as_deref()?;
        rules.suspects(bytes).then_some(rules)
    }
}

impl Rules {
    /// Takes the secrets out of what is suspected to hold some: JSON by its structure, other text by patterns.
    ///
    /// `n_texts` is in how many texts of JSON this text stands.
    fn redacted<'b>(&self, bytes: &'b [u8], n_texts: usize) -> Cow<'b, [u8]> {
        let json = std::str::from_utf8(bytes)
            .ok()
            .filter(|text| text.trim_start().starts_with(['{', '[']))
            .and_then(|text| self.json_edits(text, n_texts).ok());
        apply(bytes, json.unwrap_or_else(|| self.text_edits(bytes)))
    }
}

/// Replaces parts of a text; where two overlap, the longer wins, and of two alike the later.
fn apply(bytes: &[u8], mut edits: Vec<Edit>) -> Cow<'_, [u8]> {
    if edits.is_empty() {
        return Cow::Borrowed(bytes);
    }
    edits.reverse();
    edits.sort_by_key(|edit| (edit.range.start, std::cmp::Reverse(edit.range.end)));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for Edit { range, by } in edits {
        if range.start < at {
            continue;
        }
        out.extend_from_slice(bytes.get(at..range.start).unwrap_or_default());
        out.extend_from_slice(by.as_bytes());
        at = range.end;
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    Cow::Owned(out)
}
