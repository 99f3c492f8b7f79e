//! Secrets in JSON: found by its structure, which stays as it is.

use std::borrow::Cow;
use std::ops::Range;

use sekisho_document::json::{JsonFault, Kind, Raw, Scanner, unescape, write_text};

use super::text::{is_name_key, is_secret, is_value_key};
use super::{Edit, REDACTED, Rules};

/// How deep JSON may nest; text that is deeper is read by patterns.
const MAX_DEPTH: usize = 256;

/// The same for JSON in a text of JSON, which takes the stack of what is around it too.
const MAX_INNER_DEPTH: usize = 32;

/// In how many texts JSON may stand.
const MAX_TEXTS: usize = 4;

impl Rules {
    /// Finds the secrets of a JSON text.
    pub(super) fn json_edits(&self, text: &str, n_texts: usize) -> Result<Vec<Edit>, JsonFault> {
        let max_depth = match n_texts {
            0 => MAX_DEPTH,
            1..=MAX_TEXTS => MAX_INNER_DEPTH,
            _ => 0,
        };
        let mut walk = Walk {
            rules: self,
            edits: Vec::new(),
            max_depth,
            n_texts,
        };
        let mut scanner = Scanner::new(text, max_depth);
        walk.value(&mut scanner, Kept::Readable, 0)?;
        scanner.end()?;
        Ok(walk.edits)
    }
}

/// Whether the name above a value hides it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Readable,
    Hidden,
}

impl Kept {
    fn unless(hidden: bool) -> Self {
        if hidden { Self::Hidden } else { Self::Readable }
    }
}

struct Walk<'r> {
    rules: &'r Rules,
    edits: Vec<Edit>,
    max_depth: usize,
    n_texts: usize,
}

impl Walk<'_> {
    fn value(
        &mut self,
        scanner: &mut Scanner<'_>,
        kept: Kept,
        depth: usize,
    ) -> Result<(), JsonFault> {
        match scanner.peek() {
            Some(b'{' | b'[') if depth >= self.max_depth => Err(fault(scanner)),
            Some(b'{') => self.object(scanner, kept, depth),
            Some(b'[') => self.array(scanner, kept, depth),
            _ => {
                let begins = scanner.at();
                let raw = scanner.value()?;
                self.scalar(raw, begins, kept);
                Ok(())
            }
        }
    }

    fn object(
        &mut self,
        scanner: &mut Scanner<'_>,
        kept: Kept,
        depth: usize,
    ) -> Result<(), JsonFault> {
        scanner.open_object()?;
        let (mut first, mut names_secret) = (true, false);
        let mut values = Vec::new();
        while let Some(key) = scanner.next_key(first)? {
            first = false;
            let key = unescape(key);
            scanner.peek();
            let begin = scanner.clone();
            let start = begin.at();
            let hidden = kept == Kept::Hidden || self.rules.names.hides_field(&key);
            self.value(scanner, Kept::unless(hidden), depth + 1)?;
            if is_value_key(&key) {
                values.push(start..scanner.at());
            } else if is_name_key(&key) {
                names_secret |= self.names_secret(begin);
            }
        }
        // Pairs of name and value, in any order.
        if names_secret {
            self.edits.extend(values.into_iter().map(whole));
        }
        Ok(())
    }

    fn array(
        &mut self,
        scanner: &mut Scanner<'_>,
        kept: Kept,
        depth: usize,
    ) -> Result<(), JsonFault> {
        scanner.open_array()?;
        let (mut first, mut kept) = (true, kept);
        while scanner.next_element(first)? {
            scanner.peek();
            let begin = scanner.clone();
            self.value(scanner, kept, depth + 1)?;
            // A pair may be an array of two.
            if first && self.names_secret(begin) {
                kept = Kept::Hidden;
            }
            first = false;
        }
        Ok(())
    }

    /// Tells whether a text begins here that is the name of a secret.
    fn names_secret(&self, mut begin: Scanner<'_>) -> bool {
        begin.peek() == Some(b'"')
            && begin
                .value()
                .is_ok_and(|raw| self.rules.names.hides_field(&unescape(raw.text)))
    }

    fn scalar(&mut self, raw: Raw<'_>, begins: usize, kept: Kept) {
        let inside = begins + 1..begins + 1 + raw.text.len();
        match (raw.kind, kept) {
            (Kind::String, Kept::Hidden) if is_secret(raw.text.as_bytes()) => {
                self.edits.push(Edit::hide(inside));
            }
            (Kind::Number, Kept::Hidden) => {
                self.edits.push(whole(begins..begins + raw.text.len()));
            }
            (Kind::String, Kept::Readable) => {
                if let Some(by) = self.text(raw.text) {
                    self.edits.push(Edit {
                        range: inside,
                        by: Cow::Owned(by),
                    });
                }
            }
            _ => {}
        }
    }

    /// Takes the secrets out of a string's text; it is read without its escapes, since they may hide a name or lie in the middle of a value.
    fn text(&self, escaped: &str) -> Option<String> {
        let plain = unescape(escaped);
        if !self.rules.suspects(plain.as_bytes()) {
            return None;
        }
        let Cow::Owned(changed) = self.rules.redacted(plain.as_bytes(), self.n_texts + 1) else {
            return None;
        };
        let mut written = Vec::with_capacity(changed.len() + 2);
        write_text(&mut written, &String::from_utf8_lossy(&changed));
        let written = String::from_utf8(written).ok()?;
        let inside = written.strip_prefix('"')?.strip_suffix('"')?;
        Some(inside.to_owned())
    }
}

/// Hides a whole value.
fn whole(range: Range<usize>) -> Edit {
    Edit {
        range,
        by: Cow::Owned(format!("\"{REDACTED}\"")),
    }
}

/// Refuses to follow a text further; it is read by patterns then.
fn fault(scanner: &Scanner<'_>) -> JsonFault {
    JsonFault {
        at: scanner.at(),
        what: "nested too deep",
    }
}
