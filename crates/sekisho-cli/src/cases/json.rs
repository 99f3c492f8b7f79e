//! [`Json`]: a JSON value that keeps what a test must see, the exact text of numbers and keys that come twice.

use std::collections::BTreeMap;

use sekisho_document::json::{JsonFault, Kind, Scanner, unescape, write_text};

/// Deeper than any document may nest.
const MAX_DEPTH: usize = 500;

/// A JSON value with sorted keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it was written.
    Number(String),
    /// A string, unescaped.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(BTreeMap<String, Json>),
}

/// Why a text cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is no JSON.
    #[error(transparent)]
    Fault(#[from] JsonFault),
    /// OpenSearch refuses a document with a key that comes twice.
    #[error("the key `{0}` comes twice in one object")]
    Twice(String),
}

impl Json {
    /// Reads one value.
    ///
    /// # Errors
    /// When the text is no JSON, or an object has a key twice.
    pub fn read(text: &str) -> Result<Self, JsonError> {
        let mut scanner = Scanner::new(text, MAX_DEPTH);
        let value = read(&mut scanner)?;
        scanner.end()?;
        Ok(value)
    }

    /// Writes it with sorted keys and without white space.
    pub fn write(&self) -> String {
        let mut out = Vec::new();
        write(self, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Gives a member of an object.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(key),
            _ => None,
        }
    }

    /// Gives what stands at a dotted path.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |value, key| value.get(key))
    }

    /// Gives the text of a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Gives the elements of an array, or the value itself as the only one.
    pub fn elements(&self) -> &[Self] {
        match self {
            Self::List(list) => list,
            other => std::slice::from_ref(other),
        }
    }
}

fn read(scanner: &mut Scanner<'_>) -> Result<Json, JsonError> {
    match scanner.peek() {
        Some(b'{') => read_object(scanner),
        Some(b'[') => read_list(scanner),
        _ => {
            let raw = scanner.value()?;
            Ok(match raw.kind {
                Kind::String => Json::Text(unescape(raw.text).into_owned()),
                Kind::Bool => Json::Bool(raw.text == "true"),
                Kind::Number => Json::Number(raw.text.to_owned()),
                Kind::Null | Kind::Object | Kind::Array => Json::Null,
            })
        }
    }
}

fn read_object(scanner: &mut Scanner<'_>) -> Result<Json, JsonError> {
    let mut members = BTreeMap::new();
    scanner.open_object()?;
    while let Some(key) = scanner.next_key(members.is_empty())? {
        let key = unescape(key).into_owned();
        let value = read(scanner)?;
        if members.insert(key.clone(), value).is_some() {
            return Err(JsonError::Twice(key));
        }
    }
    Ok(Json::Object(members))
}

fn read_list(scanner: &mut Scanner<'_>) -> Result<Json, JsonError> {
    let mut list = Vec::new();
    scanner.open_array()?;
    while scanner.next_element(list.is_empty())? {
        list.push(read(scanner)?);
    }
    Ok(Json::List(list))
}

fn write(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::Null => out.extend_from_slice(b"null"),
        Json::Bool(true) => out.extend_from_slice(b"true"),
        Json::Bool(false) => out.extend_from_slice(b"false"),
        Json::Number(text) => out.extend_from_slice(text.as_bytes()),
        Json::Text(text) => write_text(out, text),
        Json::List(list) => write_all(b"[", list.iter().map(|value| (None, value)), b"]", out),
        Json::Object(members) => {
            let members = members.iter().map(|(key, value)| (Some(key), value));
            write_all(b"{", members, b"}", out);
        }
    }
}

fn write_all<'a>(
    open: &[u8],
    values: impl Iterator<Item = (Option<&'a String>, &'a Json)>,
    close: &[u8],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(open);
    for (n, (key, value)) in values.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        if let Some(key) = key {
            write_text(out, key);
            out.push(b':');
        }
        write(value, out);
    }
    out.extend_from_slice(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_keys_and_keeps_numbers_as_written() {
        let text = r#"{"b":[1e400,18446744073709551616,"日本\n"],"a":{"y":null,"x":true}}"#;
        let sorted = r#"{"a":{"x":true,"y":null},"b":[1e400,18446744073709551616,"日本\n"]}"#;
        assert_eq!(Json::read(text).unwrap().write(), sorted);
    }

    #[test]
    fn refuses_a_key_that_comes_twice() {
        assert!(matches!(
            Json::read(r#"{"a":{"b":1,"b":2}}"#),
            Err(JsonError::Twice(key)) if key == "b"
        ));
    }
}
