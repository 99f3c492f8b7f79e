//! [`Field`]: what the records of a sample hold at one path.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use sekisho_document::FieldType;

use crate::cases::Json;

use super::time::time_format;

/// How many different values of a field are kept.
const MAX_VALUES: usize = 100;
/// An object with more members than any record would name is a map.
const MAX_MEMBERS: usize = 40;
/// How deep single fields are named; what lies deeper is a subtree.
const MAX_DEPTH: usize = 4;
/// A text longer than this is searched by parts of it.
const LONG_TEXT: usize = 200;

/// What the records hold at one path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Field {
    /// The keys, outermost first.
    pub(crate) keys: Vec<String>,
    /// In how many records there is a value.
    pub(crate) seen: usize,
    /// Different values, up to a bound.
    pub(crate) values: BTreeSet<String>,
    kinds: BTreeSet<Kind>,
    /// Whether some record has several values.
    pub(crate) is_list: bool,
}

/// What kind a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Text,
    Integer,
    Float,
    Bool,
    Tree,
}

impl Field {
    /// The path as `parser.toml` writes it.
    pub(crate) fn path(&self) -> String {
        let keys = self.keys.iter().map(|key| {
            let is_plain = !key.is_empty() && !key.contains(['.', '[', ' ']);
            if is_plain && !key.starts_with('"') {
                key.clone()
            } else {
                format!("\"{key}\"")
            }
        });
        keys.collect::<Vec<_>>().join(".")
    }

    /// Whether a parser can name it.
    pub(crate) fn has_path(&self) -> bool {
        let is_usable = |key: &String| !key.is_empty() && !key.contains(['"', '\\', '\n']);
        let first = self.keys.first().map(String::as_str);
        let is_taken = first.is_some_and(|key| key.starts_with('@')) && first != Some("@record");
        self.keys.iter().all(is_usable) && !is_taken && first != Some("other")
    }

    /// The last key.
    pub(crate) fn name(&self) -> &str {
        self.keys.last().map(String::as_str).unwrap_or_default()
    }

    /// Whether every value passes.
    pub(crate) fn all(&self, passes: impl Fn(&str) -> bool) -> bool {
        !self.values.is_empty() && self.values.iter().all(|value| passes(value))
    }

    /// Whether every value is an IP address.
    pub(crate) fn is_ip(&self) -> bool {
        self.kinds == BTreeSet::from([Kind::Text])
            && self.all(|value| value.parse::<IpAddr>().is_ok())
    }

    /// Whether it is an object or holds some.
    pub(crate) fn is_tree(&self) -> bool {
        self.kinds.contains(&Kind::Tree)
    }

    /// Whether records disagree on what it is.
    pub(crate) fn is_mixed(&self) -> bool {
        let numbers = BTreeSet::from([Kind::Integer, Kind::Float]);
        self.kinds.len() > 1 && self.kinds != numbers
    }

    /// Whether every value is a whole number.
    pub(crate) fn is_integer(&self) -> bool {
        self.all(|value| value.parse::<i64>().is_ok())
    }

    /// The type for the source's own namespace; `is_text` says that all values come as text.
    pub(crate) fn kind(&self, is_text: bool) -> Option<FieldType> {
        if self.is_tree() {
            return (self.kinds.len() == 1).then_some(FieldType::FlatObject);
        }
        let only = |kinds: &[Kind]| self.kinds.iter().all(|kind| kinds.contains(kind));
        let numeric = only(&[Kind::Integer, Kind::Float]) || is_text;
        if only(&[Kind::Bool]) || (is_text && self.all(|v| matches!(v, "true" | "false"))) {
            return Some(FieldType::Boolean);
        }
        if numeric && self.all(is_long) {
            return Some(FieldType::Long);
        }
        if numeric && self.all(is_double) && !self.all(is_whole) {
            return Some(FieldType::Double);
        }
        if self.is_ip() {
            return Some(FieldType::Ip);
        }
        let values: Vec<&str> = self.values.iter().map(String::as_str).collect();
        let time = time_format(&values).filter(|format| format.name == "rfc3339");
        if only(&[Kind::Text]) && time.is_some_and(|format| format.has_zone) {
            return Some(FieldType::Date);
        }
        if self.values.iter().any(|value| value.len() > LONG_TEXT) {
            return Some(FieldType::Wildcard);
        }
        Some(FieldType::Keyword)
    }
}

/// A whole number that no leading zero tells to be a name.
fn is_long(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (digits == "0" || !digits.starts_with('0')) && text.parse::<i64>().is_ok()
}

/// Digits only, as in a number that is a name for its leading zeros.
fn is_whole(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_double(text: &str) -> bool {
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    plain && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Lists the fields of some records, sorted by path.
pub(crate) fn fields(records: &[Json]) -> Vec<Field> {
    let maps = maps(records);
    let mut found = BTreeMap::new();
    for record in records {
        walk(record, &mut Vec::new(), &maps, &mut found);
    }
    found.into_values().collect()
}

/// The objects whose keys are data: more of them than a record would name, or hardly any that come twice.
fn maps(records: &[Json]) -> BTreeSet<Vec<String>> {
    let mut keys: BTreeMap<Vec<String>, (usize, BTreeSet<String>)> = BTreeMap::new();
    for record in records {
        count_keys(record, &mut Vec::new(), &mut keys);
    }
    let is_map = |(path, (seen, members)): (&Vec<String>, &(usize, BTreeSet<String>))| {
        let many = members.len() > MAX_MEMBERS;
        let ever_new = *seen >= 4 && members.len() > 2 * seen;
        let odd = members.iter().any(|key| key.contains(['"', '\\']));
        (!path.is_empty() && (many || ever_new || odd)).then(|| path.clone())
    };
    keys.iter().filter_map(is_map).collect()
}

fn count_keys(
    value: &Json,
    path: &mut Vec<String>,
    keys: &mut BTreeMap<Vec<String>, (usize, BTreeSet<String>)>,
) {
    let Json::Object(members) = value else {
        return;
    };
    let entry = keys.entry(path.clone()).or_default();
    entry.0 += 1;
    entry.1.extend(members.keys().cloned());
    for (key, value) in members {
        path.push(key.clone());
        count_keys(value, path, keys);
        path.pop();
    }
}

fn walk(
    value: &Json,
    path: &mut Vec<String>,
    maps: &BTreeSet<Vec<String>>,
    found: &mut BTreeMap<Vec<String>, Field>,
) {
    if let Json::Object(members) = value
        && path.len() < MAX_DEPTH
        && !maps.contains(path)
    {
        for (key, value) in members {
            path.push(key.clone());
            walk(value, path, maps, found);
            path.pop();
        }
        return;
    }
    let elements = match value {
        Json::List(elements) => elements.as_slice(),
        one => std::slice::from_ref(one),
    };
    let values: Vec<_> = elements.iter().filter_map(scalar).collect();
    if values.is_empty() {
        return;
    }
    let field = found.entry(path.clone()).or_insert_with(|| Field {
        keys: path.clone(),
        ..Field::default()
    });
    field.seen += 1;
    field.is_list |= matches!(value, Json::List(_));
    for (kind, text) in values {
        field.kinds.insert(kind);
        if field.values.len() < MAX_VALUES && kind != Kind::Tree {
            field.values.insert(text);
        }
    }
}

/// A value that says something: not null, not empty.
fn scalar(value: &Json) -> Option<(Kind, String)> {
    Some(match value {
        Json::Null => return None,
        Json::Text(text) if matches!(text.as_str(), "" | "-") => return None,
        Json::Text(text) => (Kind::Text, text.clone()),
        Json::Bool(is) => (Kind::Bool, is.to_string()),
        Json::Number(text) if text.contains(['.', 'e', 'E']) => (Kind::Float, text.clone()),
        Json::Number(text) => (Kind::Integer, text.clone()),
        Json::List(_) | Json::Object(_) => (Kind::Tree, String::new()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(records: &[&str], expected: &[(&str, &str)]) {
        let records: Vec<Json> = records
            .iter()
            .map(|text| Json::read(text).unwrap())
            .collect();
        let found = fields(&records);
        let found: Vec<(String, &str)> = found
            .iter()
            .map(|f| (f.path(), f.kind(false).map_or("none", FieldType::name)))
            .collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(p, k)| (p.as_str(), *k)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn types_by_value() {
        check(
            &[
                r#"{"a":1,"b":1.5,"c":true,"d":"192.0.2.1","e":"x","f":null,"g":"","h":[1,2],"i":{"x.y":"z"}}"#,
                r#"{"a":2,"b":2,"t":"2026-11-23T00:00:00Z","j":[{"k":1}],"n":"0012"}"#,
            ],
            &[
                ("a", "long"),
                ("b", "double"),
                ("c", "boolean"),
                ("d", "ip"),
                ("e", "keyword"),
                ("h", "long"),
                ("i.\"x.y\"", "keyword"),
                ("j", "flat_object"),
                ("n", "keyword"),
                ("t", "date"),
            ],
        );
        check(
            &[r#"{"a":{"b":1}}"#, r#"{"a":"x"}"#],
            &[("a", "keyword"), ("a.b", "long")],
        );
        check(&[r#"{"a":99999999999999999999}"#], &[("a", "keyword")]);
    }

    #[test]
    fn an_object_with_ever_new_keys_is_a_subtree() {
        let record = |n: usize| format!(r#"{{"m":{{"k{n}":1,"l{n}":2,"m{n}":3}}}}"#);
        let records: Vec<String> = (0..5).map(record).collect();
        let records: Vec<&str> = records.iter().map(String::as_str).collect();
        check(&records, &[("m", "flat_object")]);
    }

    #[test]
    fn text_columns_hold_numbers() {
        let field = |text: &str| {
            let record = Json::read(&format!(r#"{{"a":"{text}"}}"#)).unwrap();
            fields(&[record])[0].kind(true).unwrap().name()
        };
        assert_eq!(field("12"), "long");
        assert_eq!(field("1.5"), "double");
        assert_eq!(field("0012"), "keyword");
        assert_eq!(field("true"), "boolean");
        assert_eq!(field("nan"), "keyword");
    }
}
