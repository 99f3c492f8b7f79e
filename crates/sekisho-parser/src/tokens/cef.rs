//! The Common Event Format, with or without a syslog header.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memchr_iter;

use super::split::{cut, ends_escaped};
use super::{Misfit, Name, Pair};

/// The fields of the header, in order.
pub(crate) const HEADER: [&str; 7] = [
    "cef.version",
    "cef.device_vendor",
    "cef.device_product",
    "cef.device_version",
    "cef.device_event_class_id",
    "cef.name",
    "cef.severity",
];

/// Where `cef.name` stands in the header: the last field with free text.
const NAME: usize = 5;

/// Cuts a record: the syslog header, the seven fields, the extension.
pub(super) fn fit<'p, 'a>(text: &'a str, pairs: &mut Vec<Pair<'p, 'a>>) -> Result<(), Misfit<'p>> {
    let (syslog, cef) = start(text).ok_or(Misfit::Cef {
        next: HEADER[0],
        n_fields: 0,
    })?;
    let syslog = syslog.trim();
    if !syslog.is_empty() {
        pairs.push(Pair::free("syslog", Cow::Borrowed(syslog)));
    }
    let extension = header(cef, pairs)?;
    let begin = pairs.len();
    self::extension(extension, pairs);
    labels(begin, pairs);
    Ok(())
}

/// Finds `CEF:` at the start or behind a syslog header.
fn start(text: &str) -> Option<(&str, &str)> {
    text.match_indices("CEF:").find_map(|(at, mark)| {
        let (before, behind) = cut(text, at, mark.len());
        let is_start = before
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric());
        let is_version = behind
            .trim_start()
            .starts_with(|c: char| c.is_ascii_digit());
        (is_start && is_version).then_some((before, behind))
    })
}

/// Takes the header's fields and gives what is behind them.
fn header<'p, 'a>(cef: &'a str, pairs: &mut Vec<Pair<'p, 'a>>) -> Result<&'a str, Misfit<'p>> {
    let mut rest = cef;
    for (n, name) in HEADER.iter().enumerate().take(NAME) {
        let (field, behind) = field(rest).ok_or(Misfit::Cef {
            next: HEADER.get(n + 1).copied().unwrap_or(name),
            n_fields: n + 1,
        })?;
        pairs.push(Pair::free(name, header_text(field)));
        rest = behind;
    }
    let (name, severity, behind) = name_and_severity(rest).ok_or(Misfit::Cef {
        next: "cef.severity",
        n_fields: NAME + 1,
    })?;
    pairs.push(Pair::free("cef.name", header_text(name)));
    pairs.push(Pair::free("cef.severity", header_text(severity)));
    Ok(behind)
}

/// Takes the last two fields; a `|` that the name should have escaped is told by what then stands in the severity's place.
fn name_and_severity(text: &str) -> Option<(&str, &str, &str)> {
    let (first_name, behind) = field(text)?;
    let (first_severity, first_behind) = field(behind).unwrap_or((behind, ""));
    let mut rest = behind;
    loop {
        let (severity, behind) = field(rest).unwrap_or((rest, ""));
        if is_severity(severity) {
            let name = text.get(..text.len() - rest.len() - 1).unwrap_or_default();
            return Some((name, severity, behind));
        }
        if behind.is_empty() {
            return Some((first_name, first_severity, first_behind));
        }
        rest = behind;
    }
}

fn is_severity(text: &str) -> bool {
    let text = text.trim();
    text.parse::<u8>().is_ok_and(|n| n <= 10)
        || ["unknown", "low", "medium", "high", "very-high"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
}

/// Takes what stands before the next `|` that is not escaped.
fn field(text: &str) -> Option<(&str, &str)> {
    memchr_iter(b'|', text.as_bytes())
        .map(|at| cut(text, at, 1))
        .find(|(field, _)| !ends_escaped(field))
}

fn header_text(text: &str) -> Cow<'_, str> {
    unescape(text.trim())
}

/// Takes `key=value`, where a value runs until the next ` key=`.
fn extension<'a>(text: &'a str, pairs: &mut Vec<Pair<'_, 'a>>) {
    let mut open: Option<(&'a str, usize)> = None;
    for at in memchr_iter(b'=', text.as_bytes()) {
        let key = key_before(cut(text, at, 1).0);
        let Some(key) = key else { continue };
        let begin = at - key.len();
        close(text, open.replace((key, at + 1)), begin, pairs);
    }
    close(text, open, text.len(), pairs);
}

/// Gives the key that ends a text, if a key does: a word at the start or behind a space.
fn key_before(text: &str) -> Option<&str> {
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let length = text.bytes().rev().take_while(|byte| is_key(byte)).count();
    let (before, key) = text.split_at_checked(text.len() - length)?;
    let is_first = before.is_empty() || before.ends_with(char::is_whitespace);
    (is_first && !key.is_empty()).then_some(key)
}

/// Keeps the value that ends here; what stands before the first key is kept as the column behind the header.
fn close<'a>(
    text: &'a str,
    open: Option<(&'a str, usize)>,
    end: usize,
    pairs: &mut Vec<Pair<'_, 'a>>,
) {
    let from = open.map_or(0, |(_, begin)| begin);
    let value = text.get(from..end).unwrap_or_default().trim();
    match open {
        Some((key, _)) => pairs.push(Pair::free(key, unescape(value))),
        None if value.is_empty() => {}
        None => pairs.push(Pair::new(
            Name::Column(HEADER.len() + 1),
            Cow::Borrowed(value),
        )),
    }
}

/// Gives what has a label a second time under the label: `cs1=x cs1Label=Host ID` as `Host ID`.
fn labels<'a>(begin: usize, pairs: &mut Vec<Pair<'_, 'a>>) {
    let own = pairs.get(begin..).unwrap_or_default();
    let label = |pair: &Pair<'_, 'a>| match &pair.name {
        Name::Free(Cow::Borrowed(name)) => name.strip_suffix("Label"),
        _ => None,
    };
    if !own.iter().any(|pair| label(pair).is_some()) {
        return;
    }
    let texts: HashMap<&str, &Cow<'a, str>> = own
        .iter()
        .filter_map(|pair| match &pair.name {
            Name::Free(Cow::Borrowed(name)) => Some((*name, &pair.text)),
            _ => None,
        })
        .collect();
    let labelled: Vec<_> = own
        .iter()
        .filter(|pair| !pair.text.is_empty())
        .filter_map(|pair| Some((pair.text.clone(), (*texts.get(label(pair)?)?).clone())))
        .collect();
    pairs.extend(
        labelled
            .into_iter()
            .map(|(label, text)| Pair::new(Name::Free(label), text)),
    );
}

/// Reads the escapes of the format: `\|`, `\=`, `\\`, `\n`, `\r`; other backslashes are characters like others.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = match (c, chars.peek()) {
            ('\\', Some(next @ ('|' | '=' | '\\'))) => Some(*next),
            ('\\', Some('n')) => Some('\n'),
            ('\\', Some('r')) => Some('\r'),
            _ => None,
        };
        if escaped.is_some() {
            chars.next();
        }
        out.push(escaped.unwrap_or(c));
    }
    Cow::Owned(out)
}
