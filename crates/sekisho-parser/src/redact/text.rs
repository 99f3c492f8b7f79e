//! Secrets in text of any kind, by patterns: `name: value`, `name=value`, `"name":"value"` and the password of a URL.

use std::ops::Range;

use super::names::is_name_byte;
use super::{Edit, REDACTED, Rules};

/// How long user and password of a URL are at most.
const MAX_USER_INFO: usize = 4096;

/// A name that stands in a text.
struct Named {
    range: Range<usize>,
    /// Whether it hides what stands under it in any form, not only as `key=value`.
    field: bool,
    /// Whether its value may have blanks in it.
    wordy: bool,
    /// The quote before it, and how many backslashes stand before that.
    quote: Option<(u8, usize)>,
}

/// What separates a name from its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `name: value`, to the end of the line.
    Line,
    /// `name=value`
    Key,
    /// `"name": value`
    Json,
}

impl Rules {
    /// Tells whether any of the places that the search finds is more than a coincidence.
    pub(super) fn suspects(&self, bytes: &[u8]) -> bool {
        let is_place = |start| match bytes.get(start) {
            Some(b'\\') => escaped_name_byte(bytes, start),
            _ => self
                .name_at(bytes, start)
                .is_some_and(|name| names_something(bytes, &name)),
        };
        self.search.any(bytes, is_place) || passwords(bytes).next().is_some()
    }

    /// Finds the secrets of a text.
    pub(super) fn text_edits(&self, bytes: &[u8]) -> Vec<Edit> {
        let mut edits = Vec::new();
        self.search.any(bytes, |start| {
            let name = self.name_at(bytes, start);
            let value = name.and_then(|name| value_of(bytes, &name));
            edits.extend(value.map(Edit::hide));
            false
        });
        edits.extend(passwords(bytes).map(Edit::hide));
        edits
    }

    /// Reads the name around a place, if it is one.
    fn name_at(&self, bytes: &[u8], at: usize) -> Option<Named> {
        let before = bytes.get(..at)?;
        let start = at
            - before
                .iter()
                .rev()
                .take_while(|b| is_name_byte(**b))
                .count();
        let behind = bytes.get(at..)?;
        let end = at + behind.iter().take_while(|b| is_name_byte(**b)).count();
        // The letter of `\n` and the digits of `%3F` are none of the name's.
        let lead = start.checked_sub(1).and_then(|at| bytes.get(at));
        let skips: &[usize] = match lead {
            Some(b'\\') => &[0, 1, 5],
            Some(b'%') => &[0, 2],
            _ => &[0],
        };
        skips.iter().find_map(|skip| {
            let range = start + skip..end;
            let text = std::str::from_utf8(bytes.get(range.clone())?).ok()?;
            let field = self.names.hides_field(text);
            (field || self.names.hides_key(text)).then(|| Named {
                quote: quote_before(bytes, range.start),
                wordy: is_wordy(text),
                range,
                field,
            })
        })
    }
}

/// Tells whether values of a name have blanks in them: `Bearer …`, `a=b; c=d`.
fn is_wordy(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("cookie") || name.ends_with("authorization")
}

/// Tells whether a letter, digit, `-` or `_` is written as an escape: then only JSON's own reading tells the names.
fn escaped_name_byte(bytes: &[u8], at: usize) -> bool {
    let digits = bytes.get(at + 4..at + 6).unwrap_or_default();
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        .is_some_and(is_name_byte)
}

/// Tells whether something stands under a name here, and the name is not just a word of a text.
fn names_something(bytes: &[u8], name: &Named) -> bool {
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\' | b')');
    let is_blank = |byte: &u8| byte.is_ascii_whitespace();
    let rest = bytes.get(name.range.end..).unwrap_or_default();
    let n_quotes = rest.iter().take_while(|b| is_quote(b)).count();
    let mut behind = rest.iter().skip(n_quotes).skip_while(|b| is_blank(b));
    match behind.next() {
        Some(b'=' | b'%') => true,
        Some(b'u') => n_quotes > 0,
        Some(b':') => name.field,
        // The name of a pair is the value of `name`, or the first of an array.
        Some(b',' | b'}') if name.field => {
            let before = bytes.get(..name.range.start).unwrap_or_default();
            let mut before = before
                .iter()
                .rev()
                .skip_while(|b| is_quote(b) || is_blank(b));
            matches!(before.next(), Some(b':' | b'['))
        }
        _ => false,
    }
}

/// Finds the password of each `scheme://user:password@host`.
fn passwords(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    memchr::memchr_iter(b'@', bytes).filter_map(|at| password(bytes, at))
}

/// Finds the password before an `@`; a password may have one in it, so the last of the authority counts.
fn password(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let ends = |b: &u8| b.is_ascii_whitespace() || b"/?#\"'<>\\".contains(b);
    let behind = bytes.get(at + 1..)?;
    let is_last = behind.iter().find(|b| ends(b) || **b == b'@') != Some(&b'@');
    let before = bytes.get(at.saturating_sub(MAX_USER_INFO)..at)?;
    let length = before.iter().rev().take_while(|b| !ends(b)).count();
    let start = at - length;
    let slashes = bytes.get(..start)?;
    let is_url = slashes.ends_with(b"://") || slashes.ends_with(b":\\/\\/");
    let user = bytes.get(start..at)?.iter().position(|b| *b == b':')?;
    let range = start + user + 1..at;
    (is_last && is_url && is_secret(bytes.get(range.clone())?)).then_some(range)
}

/// Finds the value that belongs to a name.
fn value_of(bytes: &[u8], name: &Named) -> Option<Range<usize>> {
    let mut at = name.range.end;
    let parenthesis = byte_before(bytes, name.range.start) == Some(b'(');
    if parenthesis && bytes.get(at) == Some(&b')') {
        at += 1;
    }
    let closed = name.quote.and_then(|(quote, _)| {
        let slashes = backslashes(bytes, at);
        (bytes.get(at + slashes) == Some(&quote)).then_some(at + slashes + 1)
    });
    at = blanks(bytes, closed.unwrap_or(at));
    let rest = bytes.get(at..)?;
    let form = |key| if closed.is_some() { Form::Json } else { key };
    let (form, begins) = match rest.first()? {
        b':' if name.field => {
            // `arn:aws:…:secret:…` is no header.
            if closed.is_none() && byte_before(bytes, name.range.start) == Some(b':') {
                return None;
            }
            (form(Form::Line), at + 1)
        }
        b'=' => {
            let signs = rest.iter().take_while(|b| matches!(b, b'=' | b'>')).count();
            (form(Form::Key), at + signs)
        }
        b'%' if rest.get(1..3)?.eq_ignore_ascii_case(b"3d") => (Form::Key, at + 3),
        b'\\' if rest.get(1..6)?.eq_ignore_ascii_case(b"u003d") => (Form::Key, at + 6),
        b',' if name.field && closed.is_some() => (Form::Json, partner(bytes, at + 1)?),
        _ => return None,
    };
    let range = extent(bytes, blanks(bytes, begins), form, name);
    is_secret(bytes.get(range.clone())?).then_some(range)
}

/// Reads `"value":` behind the comma of a pair such as `{"name":"Cookie","value":"…"}`.
fn partner(bytes: &[u8], at: usize) -> Option<usize> {
    let at = blanks(bytes, at);
    let at = at + backslashes(bytes, at);
    if !matches!(bytes.get(at)?, b'"' | b'\'') {
        return None;
    }
    let word = bytes.get(at + 1..)?;
    let length = word.iter().take_while(|b| is_name_byte(**b)).count();
    let key = std::str::from_utf8(word.get(..length)?).ok()?;
    let at = at + 1 + length;
    let at = blanks(bytes, at + backslashes(bytes, at) + 1);
    (is_value_key(key) && bytes.get(at) == Some(&b':')).then_some(at + 1)
}

/// Tells whether a key of a pair holds the name.
pub(super) fn is_name_key(key: &str) -> bool {
    const KEYS: [&str; 6] = [
        "name",
        "key",
        "header",
        "headername",
        "header_name",
        "field",
    ];
    KEYS.iter().any(|known| key.eq_ignore_ascii_case(known))
}

/// Tells whether a key of a pair holds the value.
pub(super) fn is_value_key(key: &str) -> bool {
    const KEYS: [&str; 5] = ["value", "values", "val", "headervalue", "header_value"];
    KEYS.iter().any(|known| key.eq_ignore_ascii_case(known))
}

/// Decides where a value ends.
fn extent(bytes: &[u8], at: usize, form: Form, name: &Named) -> Range<usize> {
    let slashes = backslashes(bytes, at);
    if let Some(quote) = bytes
        .get(at + slashes)
        .filter(|b| matches!(b, b'"' | b'\''))
    {
        let start = at + slashes + 1;
        return start..quote_end(bytes, start, *quote, slashes);
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let length = match (form, rest.first()) {
        (Form::Json, Some(b'{' | b'[')) => bracket_length(rest),
        (Form::Json, _) => length_until(rest, |b| b.is_ascii_whitespace() || b",}]".contains(&b)),
        (Form::Line, _) if name.wordy => match name.quote {
            Some((quote, slashes)) => quote_end(bytes, at, quote, slashes) - at,
            None => line_length(rest),
        },
        (Form::Line | Form::Key, _) => word_length(rest, name.wordy),
    };
    at..at + length
}

/// Finds the quote that ends a text; where none does, the line does.
fn quote_end(bytes: &[u8], start: usize, quote: u8, slashes: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let mut run = 0;
    for (n, byte) in rest.iter().enumerate() {
        if *byte == quote && (run == slashes || (slashes == 0 && run % 2 == 0)) {
            return start + n - slashes;
        }
        run = if *byte == b'\\' { run + 1 } else { 0 };
    }
    start + line_length(rest)
}

/// Gives the length of a line; `\n` and `\r` written as escapes end it too.
fn line_length(rest: &[u8]) -> usize {
    let ends = rest.iter().enumerate().position(|(n, byte)| match byte {
        b'\n' | b'\r' => true,
        b'\\' => matches!(rest.get(n + 1), Some(b'n' | b'r')),
        _ => false,
    });
    ends.unwrap_or(rest.len())
}

/// Gives the length of a value without blanks; a wordy one goes on behind `;`, `,` and the name of an authentication scheme.
fn word_length(rest: &[u8], wordy: bool) -> usize {
    let mut n = 0;
    while let Some(byte) = rest.get(n) {
        let more = rest.get(n + 1..).unwrap_or_default();
        let ends = match byte {
            b'\n' | b'\r' | b'&' | b'"' | b'\'' => true,
            b';' => !wordy,
            b'%' => more.starts_with(b"26"),
            b'\\' => {
                more.first().is_some_and(|b| b"\"'nrt".contains(b)) || more.starts_with(b"u0026")
            }
            blank if blank.is_ascii_whitespace() => {
                let so_far = rest.get(..n).unwrap_or_default();
                !wordy || !(matches!(so_far.last(), Some(b';' | b',')) || is_scheme(so_far))
            }
            _ => false,
        };
        if ends {
            break;
        }
        n += 1;
    }
    n
}

/// Tells whether a text is the name of an authentication scheme, behind which its parameters follow.
fn is_scheme(text: &[u8]) -> bool {
    const SCHEMES: [&[u8]; 8] = [
        b"basic",
        b"bearer",
        b"digest",
        b"negotiate",
        b"ntlm",
        b"token",
        b"apikey",
        b"hoba",
    ];
    SCHEMES
        .iter()
        .any(|scheme| text.eq_ignore_ascii_case(scheme))
        || text.to_ascii_uppercase().starts_with(b"AWS4-")
}

/// Gives the length of a bracketed JSON value, strings in it read as such.
fn bracket_length(rest: &[u8]) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (n, byte) in rest.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => {
                depth -= 1;
                if depth == 0 {
                    return n + 1;
                }
            }
            _ => {}
        }
    }
    rest.len()
}

fn length_until(rest: &[u8], ends: impl Fn(u8) -> bool) -> usize {
    rest.iter().position(|b| ends(*b)).unwrap_or(rest.len())
}

/// Tells whether a value is worth hiding: there is one, and it is not hidden yet.
pub(super) fn is_secret(value: &[u8]) -> bool {
    let nothing: [&[u8]; 6] = [b"", b"-", b"null", b"true", b"false", REDACTED.as_bytes()];
    !nothing.contains(&value)
}

fn quote_before(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let quote = byte_before(bytes, at).filter(|b| matches!(b, b'"' | b'\''))?;
    let before = bytes.get(..at - 1)?;
    let slashes = before.iter().rev().take_while(|b| **b == b'\\').count();
    Some((quote, slashes))
}

fn byte_before(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at.checked_sub(1)?).copied()
}

fn backslashes(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().take_while(|b| **b == b'\\').count()
}

/// Gives the place behind blanks.
fn blanks(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .count()
}
