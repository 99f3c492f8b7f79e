//! [`Cells`]: text into columns, with and without quotes.

use std::borrow::Cow;

use memchr::memchr_iter;

/// What quotes mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// Nothing.
    None,
    /// A column in `"…"` or `[…]`; `\"` does not close.
    Quotes,
    /// The same, and a backslash is a character like others.
    PlainQuotes,
    /// RFC 4180: a column in `"…"`, where `""` is one quote.
    Csv,
}

/// The columns of a text, one by one.
#[derive(Debug)]
pub(crate) struct Cells<'s, 'a> {
    rest: Option<&'a str>,
    separator: &'s str,
    quoting: Quoting,
    open: bool,
    /// Whether no bracket closes any more: then searching again for each column would cost its square.
    no_bracket: bool,
}

impl<'s, 'a> Cells<'s, 'a> {
    /// Begins at the start of a text.
    pub(crate) fn new(text: &'a str, separator: &'s str, quoting: Quoting) -> Self {
        // Spaces at the end separate nothing; of other separators each one makes a column.
        let text = match separator {
            " " => text.trim_end_matches(' '),
            _ => text,
        };
        Self {
            rest: Some(text),
            separator,
            quoting,
            open: false,
            no_bracket: false,
        }
    }

    /// Tells whether a quote was opened that nothing closes.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Takes what runs up to the next separator.
    fn bare(&self, text: &'a str) -> (Cow<'a, str>, Option<&'a str>) {
        match text.split_once(self.separator) {
            Some((cell, behind)) => (Cow::Borrowed(cell), Some(behind)),
            None => (Cow::Borrowed(text), None),
        }
    }

    /// Takes what runs up to a quote that a separator or the end follows.
    fn quoted(&mut self, inside: &'a str, escapes: Escapes) -> (Cow<'a, str>, Option<&'a str>) {
        for at in memchr_iter(b'"', inside.as_bytes()) {
            let (cell, behind) = cut(inside, at, 1);
            if escapes == Escapes::Backslash && ends_escaped(cell) {
                continue;
            }
            if behind.is_empty() {
                return (unescaped(cell, escapes), None);
            }
            if let Some(behind) = behind.strip_prefix(self.separator) {
                return (unescaped(cell, escapes), Some(behind));
            }
        }
        self.open = true;
        (unescaped(inside, escapes), None)
    }

    /// Takes what stands in brackets; `[2001:db8::1]:443` is no such column.
    fn bracketed(&mut self, text: &'a str) -> Option<(Cow<'a, str>, Option<&'a str>)> {
        let (head, behind) = match text.split_once(self.separator) {
            Some((head, behind)) => (head, Some(behind)),
            None => (text, None),
        };
        if head.contains(']') {
            let cell = head.strip_prefix('[')?.strip_suffix(']')?;
            return Some((Cow::Borrowed(cell), behind));
        }
        if self.no_bracket {
            return None;
        }
        let inside = text.strip_prefix('[')?;
        for at in memchr_iter(b']', inside.as_bytes()) {
            let (cell, behind) = cut(inside, at, 1);
            if behind.is_empty() {
                return Some((Cow::Borrowed(cell), None));
            }
            if let Some(behind) = behind.strip_prefix(self.separator) {
                return Some((Cow::Borrowed(cell), Some(behind)));
            }
        }
        self.no_bracket = true;
        None
    }

    /// Takes a column of RFC 4180; what stands between its quote and the separator is kept.
    fn csv(&mut self, inside: &'a str) -> (Cow<'a, str>, Option<&'a str>) {
        let mut quotes = memchr_iter(b'"', inside.as_bytes());
        let mut doubled = false;
        while let Some(at) = quotes.next() {
            let (cell, behind) = cut(inside, at, 1);
            if behind.starts_with('"') {
                quotes.next();
                doubled = true;
                continue;
            }
            let cell = match doubled {
                true => Cow::Owned(cell.replace("\"\"", "\"")),
                false => Cow::Borrowed(cell),
            };
            let (tail, behind) = self.bare(behind);
            let cell = match tail.is_empty() {
                true => cell,
                false => Cow::Owned(format!("{cell}{tail}")),
            };
            return (cell, behind);
        }
        self.open = true;
        (Cow::Borrowed(inside), None)
    }
}

impl<'a> Iterator for Cells<'_, 'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let text = self.rest?;
        let inside = text.strip_prefix('"');
        let (cell, behind) = match (self.quoting, inside) {
            (Quoting::Quotes, Some(inside)) => self.quoted(inside, Escapes::Backslash),
            (Quoting::PlainQuotes, Some(inside)) => self.quoted(inside, Escapes::None),
            (Quoting::Csv, Some(inside)) => self.csv(inside),
            (Quoting::Quotes | Quoting::PlainQuotes, None) if text.starts_with('[') => {
                self.bracketed(text).unwrap_or_else(|| self.bare(text))
            }
            _ => self.bare(text),
        };
        self.rest = behind;
        Some(cell)
    }
}

/// Whether a backslash before a quote keeps it from closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    None,
    Backslash,
}

/// Gives what stands before `at`, and behind the `n` bytes there.
pub(super) fn cut(text: &str, at: usize, n: usize) -> (&str, &str) {
    (
        text.get(..at).unwrap_or_default(),
        text.get(at + n..).unwrap_or_default(),
    )
}

/// Tells whether what follows a text is escaped by a backslash at its end.
pub(super) fn ends_escaped(text: &str) -> bool {
    let slashes = text.bytes().rev().take_while(|byte| *byte == b'\\');
    slashes.count() % 2 == 1
}

/// Takes the backslash away before quotes and backslashes.
pub(super) fn unescaped(cell: &str, escapes: Escapes) -> Cow<'_, str> {
    if escapes == Escapes::None || !cell.contains("\\\"") && !cell.contains("\\\\") {
        return Cow::Borrowed(cell);
    }
    let mut out = String::with_capacity(cell.len());
    let mut chars = cell.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(next @ ('"' | '\\'))) => {
                out.push(*next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}
