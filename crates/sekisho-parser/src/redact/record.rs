//! Secrets of a record on its way through a plan: cells by the names of their columns, and what people may see of its text.

use std::borrow::Cow;

use sekisho_record::Encoding;

use super::REDACTED;
use crate::plan::ObjectPlan;
use crate::tokens::Pair;
use crate::walk::{Walked, Walker};

/// Shorter texts are words like others: replaced everywhere they would leave nothing readable.
const MIN_HIDDEN_BYTES: usize = 4;

impl ObjectPlan {
    /// Takes the secrets out of a record's bytes, for people.
    pub fn redacted<'b>(&self, record: &'b [u8]) -> Cow<'b, [u8]> {
        if self.framing().encoding != Encoding::Utf8 {
            let text = self.framing().encoding.decode(record);
            return match self.shown(&text) {
                Cow::Owned(shown) if shown != text => Cow::Owned(shown.into_bytes()),
                _ => Cow::Borrowed(record),
            };
        }
        match std::str::from_utf8(record) {
            Ok(text) => match self.shown(text) {
                Cow::Borrowed(_) => Cow::Borrowed(record),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
            Err(_) => self.settings.redactor.bytes(record),
        }
    }

    /// Takes the secrets out of a record's text, also those of columns where it has some.
    pub(crate) fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let redactor = &self.settings.redactor;
        let tokens = &self.program.tokens;
        let columns = self.columns.as_ref().filter(|columns| columns.hides);
        let pairs = match columns {
            Some(columns) => columns.pairs(text).unwrap_or_default(),
            None if tokens.hides => tokens.record(text).unwrap_or_default(),
            None => Vec::new(),
        };
        let hidden: Vec<String> = pairs
            .into_iter()
            .filter(|pair| redactor.hides(&pair.name.text()) && is_hidden(&pair.text))
            .map(|pair| pair.text.into_owned())
            .collect();
        hide(redactor.text(text), &hidden)
    }
}

impl Walker<'_> {
    /// Takes columns to their places without the secrets in them.
    pub(crate) fn place_hiding<'a>(&self, mut pairs: Vec<Pair<'_, 'a>>, hides: bool) -> Walked<'a> {
        if !self.suspicious && !hides {
            return self.place(&pairs);
        }
        let mut hidden = Vec::new();
        for pair in &mut pairs {
            if !is_hidden(&pair.text) {
                continue;
            }
            if self.redactor.hides(&pair.name.text()) {
                let secret = std::mem::replace(&mut pair.text, Cow::Borrowed(REDACTED));
                hidden.push(secret.into_owned());
            } else if let Cow::Owned(safe) = self.redactor.text(&pair.text) {
                pair.text = Cow::Owned(safe);
            }
        }
        Walked {
            hidden,
            ..self.place(&pairs)
        }
    }

    /// Gives what of a text, other than its columns, may be seen.
    pub(crate) fn shown<'t>(&self, text: &'t str, hidden: &[String]) -> Cow<'t, str> {
        if !self.suspicious {
            return hide(Cow::Borrowed(text), hidden);
        }
        hide(self.redactor.text(text), hidden)
    }
}

/// Takes texts out of another.
pub(crate) fn hide<'t>(text: Cow<'t, str>, hidden: &[String]) -> Cow<'t, str> {
    hidden
        .iter()
        .filter(|secret| secret.len() >= MIN_HIDDEN_BYTES && secret.as_str() != REDACTED)
        .fold(text, |text, secret| {
            if text.contains(secret.as_str()) {
                Cow::Owned(text.replace(secret.as_str(), REDACTED))
            } else {
                text
            }
        })
}

/// Tells whether a cell holds something.
fn is_hidden(text: &str) -> bool {
    !text.is_empty() && text != "-"
}
