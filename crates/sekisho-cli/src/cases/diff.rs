//! What differs between the expected and the actual lines of a case, field by field.

use std::collections::BTreeMap;

use super::json::Json;

/// Compares line by line; empty where nothing differs.
pub(crate) fn diff(file: &str, expected: &str, actual: &str) -> Vec<String> {
    let expected: Vec<&str> = expected.lines().collect();
    let actual: Vec<&str> = actual.lines().collect();
    let lines = expected.len().max(actual.len());
    (0..lines)
        .filter_map(|n| {
            let differences = match (expected.get(n), actual.get(n)) {
                (Some(expected), Some(actual)) => fields(expected, actual),
                (Some(line), None) => format!("    - {line}"),
                (None, Some(line)) => format!("    + {line}"),
                (None, None) => String::new(),
            };
            let line = n + 1;
            (!differences.is_empty()).then(|| format!("{file}:{line}\n{differences}"))
        })
        .collect()
}

fn fields(expected: &str, actual: &str) -> String {
    if expected == actual {
        return String::new();
    }
    let (Ok(was), Ok(is)) = (Json::read(expected), Json::read(actual)) else {
        return format!("    - {expected}\n    + {actual}");
    };
    if was == is {
        return "    only the order of keys or white space differs; rewrite with UPDATE_EXPECT=1"
            .to_owned();
    }
    let (was, is) = (leaves(&was), leaves(&is));
    let paths: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let mut lines = Vec::new();
    for path in paths {
        let (was, is) = (was.get(path), is.get(path));
        if was == is {
            continue;
        }
        lines.extend(was.map(|value| format!("    - {path}: {value}")));
        lines.extend(is.map(|value| format!("    + {path}: {value}")));
    }
    lines.join("\n")
}

fn leaves(value: &Json) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    collect("", value, &mut leaves);
    leaves
}

fn collect(path: &str, value: &Json, leaves: &mut BTreeMap<String, String>) {
    let Json::Object(members) = value else {
        leaves.insert(path.to_owned(), value.write());
        return;
    };
    for (key, value) in members {
        let path = match path {
            "" | "_source" => key.clone(),
            _ => format!("{path}.{key}"),
        };
        collect(&path, value, leaves);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_each_field_that_differs() {
        let was = r#"{"_id":"a","_source":{"source":{"ip":"192.0.2.1"}}}"#;
        let is = r#"{"_id":"a","_source":{"source":{"port":1}}}"#;
        assert_eq!(
            diff("expected.ndjson", was, is),
            [
                "expected.ndjson:1\n    - source.ip: \"192.0.2.1\"\n    + source.port: 1"
                    .to_owned()
            ]
        );
        assert!(diff("f", was, was).is_empty());
    }

    #[test]
    fn shows_lines_that_only_one_side_has() {
        assert_eq!(diff("f", "1\n2\n", "1\n"), ["f:2\n    - 2".to_owned()]);
    }
}
