//! [`differences`]: what differs between a body as the server keeps it and as it should be.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::report::Difference;

/// What a server adds to the bodies that it keeps.
const ADDED: [&str; 14] = [
    "reserved",
    "hidden",
    "static",
    "user",
    "policy_id",
    "last_updated_time",
    "schema_version",
    "error_notification",
    "count",
    "backoff",
    "delay",
    "copy_alias",
    "hash",
    "is_hidden",
];

/// Compares value by value; numbers equal their text, nested names equal dotted ones, and what is empty equals what is not there.
pub(crate) fn differences(stored: &Value, wanted: &Value) -> Vec<Difference> {
    let (mut stored, wanted) = (flat(stored), flat(wanted));
    let mut all = Vec::new();
    for (path, to) in wanted {
        let from = stored.remove(&path);
        if from.as_ref() != Some(&to) && !path.ends_with("_meta.sekisho.hash") {
            all.push(Difference {
                path,
                from,
                to: Some(to),
            });
        }
    }
    let is_added = |path: &str| {
        path.rsplit('.')
            .next()
            .is_some_and(|last| ADDED.contains(&last))
    };
    for (path, from) in stored {
        if !is_added(&path) {
            all.push(Difference {
                path,
                from: Some(from),
                to: None,
            });
        }
    }
    all.sort_by(|one, other| one.path.cmp(&other.path));
    all
}

fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    add(&mut leaves, String::new(), value);
    leaves
}

fn add(leaves: &mut BTreeMap<String, String>, path: String, value: &Value) {
    let below = |name: &str| match path.as_str() {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            for (name, field) in fields {
                add(leaves, below(name), field);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (position, item) in items.iter().enumerate() {
                add(leaves, below(&position.to_string()), item);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().map(text).collect();
            leaves.insert(path, texts.join(", "));
        }
        scalar => {
            leaves.insert(path, text(scalar));
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_server_rewrites_is_no_difference() {
        let stored = json!({
            "reserved": false, "fls": [], "dls": null,
            "settings": { "index": { "number_of_shards": "1", "mapping": { "total_fields": { "limit": "1000" } } } },
        });
        let wanted = json!({ "settings": { "index": { "number_of_shards": 1, "mapping.total_fields.limit": 1000 } } });
        assert_eq!(differences(&stored, &wanted), []);
    }

    #[test]
    fn what_differs_is_named_with_both_values() {
        let stored = json!({ "actions": ["a", "b"], "extra": 1, "list": [{ "x": 1 }] });
        let wanted = json!({ "actions": ["a"], "list": [{ "x": 2 }], "new": true });
        let found = differences(&stored, &wanted);
        let lines: Vec<_> = found
            .iter()
            .map(|d| format!("{} {:?} {:?}", d.path, d.from.as_deref(), d.to.as_deref()))
            .collect();
        assert_eq!(
            lines,
            [
                r#"actions Some("a, b") Some("a")"#,
                r#"extra Some("1") None"#,
                r#"list.0.x Some("1") Some("2")"#,
                r#"new None Some("true")"#,
            ]
        );
    }
}
