//! [`Value`]: one value on its way from the record to the document, borrowed as long as it can be.

use std::borrow::Cow;

use sekisho_document::json::{FlatWriter, Kind, Raw, Scanner, unescape, write_escaped, write_text};

use crate::path::Segment;

/// One value on its way from the record to the document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    /// Plain text.
    Text(Cow<'a, str>),
    /// Text as it stands between the quotes of a JSON string, with escapes in it.
    Escaped(&'a str),
    /// A number as JSON writes it.
    Number(Cow<'a, str>),
    /// `true` or `false`.
    Bool(bool),
    /// An object, as JSON text.
    Object(Cow<'a, str>),
    /// An array, as JSON text.
    Array(&'a str),
    /// Several values, for a field that holds an array.
    List(Vec<Value<'a>>),
}

/// Texts that mean "absent" in every source.
fn is_absent(text: &str) -> bool {
    text.is_empty() || text == "-"
}

impl<'a> Value<'a> {
    /// Takes a JSON value; `null`, empty text and `-` are absent.
    pub(crate) fn from_json(raw: Raw<'a>) -> Option<Self> {
        match raw.kind {
            Kind::String if is_absent(raw.text) => None,
            Kind::String if raw.text.contains('\\') => Some(Self::Escaped(raw.text)),
            Kind::String => Some(Self::Text(Cow::Borrowed(raw.text))),
            Kind::Number => Some(Self::Number(Cow::Borrowed(raw.text))),
            Kind::Bool => Some(Self::Bool(raw.text == "true")),
            Kind::Null => None,
            Kind::Object => Some(Self::Object(Cow::Borrowed(raw.text))),
            Kind::Array => Some(Self::Array(raw.text)),
        }
    }

    /// Takes plain text; empty text and `-` are absent.
    pub(crate) fn from_text(text: &'a str) -> Option<Self> {
        (!is_absent(text)).then_some(Self::Text(Cow::Borrowed(text)))
    }

    /// Takes plain text that may be ours; empty text and `-` are absent.
    pub(crate) fn from_cow(text: Cow<'a, str>) -> Option<Self> {
        (!is_absent(&text)).then_some(Self::Text(text))
    }

    /// Takes text of our own.
    pub(crate) fn owned(text: impl Into<String>) -> Self {
        Self::Text(Cow::Owned(text.into()))
    }

    /// Gives a scalar as text; objects, arrays and lists have none.
    pub(crate) fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text.clone()),
            Self::Escaped(escaped) => Some(unescape(escaped)),
            Self::Bool(value) => Some(Cow::Borrowed(if *value { "true" } else { "false" })),
            Self::Object(_) | Self::Array(_) | Self::List(_) => None,
        }
    }

    /// Gives each scalar: itself, or those of an array or list.
    pub(crate) fn each(self, sink: &mut dyn FnMut(Value<'a>)) {
        match self {
            Self::Array(text) => for_elements(text, &mut |raw| {
                if let Some(value) = Value::from_json(raw)
                    && !matches!(value, Self::Array(_))
                {
                    sink(value);
                }
            }),
            Self::List(values) => values.into_iter().for_each(sink),
            scalar => sink(scalar),
        }
    }

    /// Follows the rest of a path below this value and gives everything that it reaches.
    pub(crate) fn below(self, path: &[Segment], sink: &mut dyn FnMut(Value<'a>)) {
        let Some((segment, rest)) = path.split_first() else {
            return self.each(sink);
        };
        match (segment, self) {
            (Segment::Key(key), Self::Object(Cow::Borrowed(text))) => {
                if let Some(value) = member(text, key).and_then(Value::from_json) {
                    value.below(rest, sink);
                }
            }
            (Segment::Each, Self::Array(text)) => for_elements(text, &mut |raw| {
                if let Some(value) = Value::from_json(raw) {
                    value.below(rest, sink);
                }
            }),
            (Segment::Select { key, value }, Self::Array(text)) => for_elements(text, &mut |raw| {
                let selected = raw.kind == Kind::Object
                    && member(raw.text, key).is_some_and(|found| {
                        found.kind == Kind::String
                            && unescape(found.text).eq_ignore_ascii_case(value)
                    });
                if let (true, Some(element)) = (selected, Value::from_json(raw)) {
                    element.below(rest, sink);
                }
            }),
            // A path that expects another shape reaches nothing; the value itself stays in the namespace.
            _ => {}
        }
    }

    /// Writes the value as JSON; an object is made acceptable for a `flat_object` at a path of `path_bytes` bytes. Tells whether something was cut.
    pub(crate) fn write(&self, out: &mut Vec<u8>, path_bytes: usize) -> bool {
        match self {
            Self::Text(text) => write_text(out, text),
            Self::Escaped(escaped) => write_escaped(out, escaped),
            Self::Number(text) => out.extend_from_slice(text.as_bytes()),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Object(text) => {
                return write_flat(
                    out,
                    Raw {
                        kind: Kind::Object,
                        text,
                    },
                    path_bytes,
                );
            }
            Self::Array(text) => {
                return write_flat(
                    out,
                    Raw {
                        kind: Kind::Array,
                        text,
                    },
                    path_bytes,
                );
            }
            Self::List(values) => return write_list(out, values, path_bytes),
        }
        false
    }
}

fn write_flat(out: &mut Vec<u8>, raw: Raw<'_>, path_bytes: usize) -> bool {
    let start = out.len();
    let mut writer = FlatWriter::new(out);
    if writer.value(raw, path_bytes, 0).is_ok() {
        return writer.cut();
    }
    // Only text that a scanner has passed gets here; were it otherwise, the text itself is still the truth.
    out.truncate(start);
    let mut writer = FlatWriter::new(out);
    writer.text(raw.text, path_bytes);
    writer.cut()
}

fn write_list(out: &mut Vec<u8>, values: &[Value<'_>], path_bytes: usize) -> bool {
    let mut cut = false;
    out.push(b'[');
    for (n, value) in values.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        cut |= value.write(out, path_bytes);
    }
    out.push(b']');
    cut
}

/// Finds a member of an object's text by its plain key.
fn member<'a>(text: &'a str, key: &str) -> Option<Raw<'a>> {
    let mut scanner = Scanner::new(text, usize::MAX);
    scanner.open_object().ok()?;
    let mut first = true;
    while let Some(found) = scanner.next_key(first).ok()? {
        let value = scanner.value().ok()?;
        if found == key || (found.contains('\\') && unescape(found) == key) {
            return Some(value);
        }
        first = false;
    }
    None
}

/// Gives each element of an array's text.
pub(crate) fn for_elements<'a>(text: &'a str, sink: &mut dyn FnMut(Raw<'a>)) {
    let mut scanner = Scanner::new(text, usize::MAX);
    let mut first = true;
    if scanner.open_array().is_err() {
        return;
    }
    while let Ok(true) = scanner.next_element(first) {
        let Ok(value) = scanner.value() else { return };
        sink(value);
        first = false;
    }
}

/// Gives each member of an object's text.
pub(crate) fn for_members<'a>(text: &'a str, sink: &mut dyn FnMut(&'a str, Raw<'a>)) {
    let mut scanner = Scanner::new(text, usize::MAX);
    let mut first = true;
    if scanner.open_object().is_err() {
        return;
    }
    while let Ok(Some(key)) = scanner.next_key(first) {
        let Ok(value) = scanner.value() else { return };
        sink(key, value);
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::SourcePath;

    fn reached(json: &str, path: &str) -> Vec<String> {
        let SourcePath::Record(segments) = SourcePath::parse(path).unwrap() else {
            panic!("{path}")
        };
        let mut found = Vec::new();
        let value = Value::from_json(Scanner::new(json, 100).value().unwrap()).unwrap();
        value.below(&segments, &mut |value| {
            found.push(value.text().unwrap().into_owned())
        });
        found
    }

    #[test]
    fn follows_paths_through_arrays() {
        let headers = r#"{"h":[{"name":"Host","value":"a.example.com"},{"name":"x","value":"y"},{"name":"HOST","value":"b"}]}"#;
        assert_eq!(
            reached(headers, "h[name=host].value"),
            ["a.example.com", "b"]
        );
        assert_eq!(reached(headers, "h[].value"), ["a.example.com", "y", "b"]);
        assert_eq!(reached(headers, "h[].nothing"), [""; 0]);
        assert_eq!(
            reached(r#"{"a":["x",null,"-",1,true]}"#, "a"),
            ["x", "1", "true"]
        );
        assert_eq!(reached(r#"{"\u0061":"x\ny"}"#, "a"), ["x\ny"]);
    }
}
