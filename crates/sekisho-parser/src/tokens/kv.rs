//! [`Kv`]: pairs of a free name and a value.

use std::borrow::Cow;

use memchr::memmem;

use super::split::{Escapes, cut, ends_escaped, unescaped};
use super::{Misfit, Name, Pair};

/// How pairs are written.
#[derive(Debug)]
pub(crate) struct Kv {
    pub(crate) separator: String,
    pub(crate) assign: String,
    pub(crate) quote: String,
    /// At least so many pairs.
    pub(crate) require: usize,
}

impl Kv {
    /// Cuts a text into its pairs; a part without a name is kept as a column.
    pub(super) fn fit<'p, 'a>(
        &'p self,
        text: &'a str,
        pairs: &mut Vec<Pair<'p, 'a>>,
    ) -> Result<(), Misfit<'p>> {
        let (mut n_parts, mut n_pairs) = (0, 0);
        let mut rest = Some(text);
        // Once no quote closes any more, searching again for each value would cost its square.
        let mut no_quote = self.quote.is_empty();
        while let Some(text) = rest {
            let text = self.skip(text);
            if text.is_empty() {
                break;
            }
            n_parts += 1;
            let (part, _) = text.split_once(&self.separator).unwrap_or((text, ""));
            match part.split_once(&self.assign) {
                Some((name, _)) if !name.trim().is_empty() => {
                    let (value, behind) =
                        self.value(cut(text, name.len(), self.assign.len()).1, &mut no_quote);
                    pairs.push(Pair::free(name.trim(), value));
                    n_pairs += 1;
                    rest = behind;
                }
                _ => {
                    pairs.push(Pair::new(Name::Column(n_parts), Cow::Borrowed(part)));
                    rest = text.split_once(&self.separator).map(|(_, behind)| behind);
                }
            }
        }
        if n_pairs >= self.require {
            return Ok(());
        }
        Err(Misfit::Kv {
            assign: &self.assign,
            n_pairs,
            require: self.require,
        })
    }

    fn skip<'a>(&self, text: &'a str) -> &'a str {
        text.trim_start_matches(self.separator.as_str())
            .trim_start_matches(' ')
    }

    /// Takes a value: up to the quote that a separator or the end follows, or up to the next separator.
    fn value<'a>(&self, text: &'a str, no_quote: &mut bool) -> (Cow<'a, str>, Option<&'a str>) {
        let inside = text.strip_prefix(self.quote.as_str());
        if let Some(inside) = inside.filter(|_| !*no_quote) {
            for at in memmem::find_iter(inside.as_bytes(), &self.quote) {
                let (value, behind) = cut(inside, at, self.quote.len());
                if ends_escaped(value) {
                    continue;
                }
                let value = unescaped(value, Escapes::Backslash);
                if behind.is_empty() {
                    return (value, None);
                }
                if let Some(behind) = behind.strip_prefix(self.separator.as_str()) {
                    return (value, Some(behind));
                }
            }
            *no_quote = true;
        }
        match text.split_once(self.separator.as_str()) {
            Some((value, behind)) => (Cow::Borrowed(value), Some(behind)),
            None => (Cow::Borrowed(text), None),
        }
    }
}
