//! Checks one document against ECS and against what its parser declares.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::DateTime;
use sekisho_document::json::MAX_TERM_BYTES;
use sekisho_document::{FieldType, SourceMapping, ecs};

use super::json::Json;

/// Checks one document; gives what is wrong with it, and notes every field in `seen`.
pub(crate) fn check(
    document: &Json,
    mapping: &SourceMapping,
    seen: &mut std::collections::BTreeSet<String>,
) -> Vec<String> {
    let mut check = Check {
        declared: mapping
            .fields
            .iter()
            .map(|(name, kind)| (name.as_str(), *kind))
            .collect(),
        faults: Vec::new(),
        seen,
    };
    check.object("", document);
    check.faults.extend(event_types(document));
    check.faults
}

struct Check<'a> {
    declared: BTreeMap<&'a str, FieldType>,
    faults: Vec<String>,
    seen: &'a mut std::collections::BTreeSet<String>,
}

impl Check<'_> {
    fn object(&mut self, path: &str, value: &Json) {
        let Json::Object(members) = value else {
            let what = if path.is_empty() {
                "the document"
            } else {
                path
            };
            self.faults
                .push(format!("`{what}` is no object: {}", value.write()));
            return;
        };
        if members.is_empty() {
            self.faults.push(format!("`{path}` is an empty object"));
        }
        for (key, value) in members {
            let path = match path {
                "" => key.clone(),
                _ => format!("{path}.{key}"),
            };
            self.member(&path, value);
        }
    }

    fn member(&mut self, path: &str, value: &Json) {
        let ecs = ecs::field(path);
        let declared = self.declared.get(path).copied();
        let Some(kind) = ecs.map(|field| field.kind).or(declared) else {
            return self.undeclared(path, value);
        };
        if declared.is_none() {
            self.faults.push(format!(
                "`{path}` is written but the parser's mapping does not list it"
            ));
        }
        self.seen.insert(path.to_owned());
        if let Some(field) = ecs {
            self.array(field, value);
            self.allowed(field, value);
        }
        self.members(path, kind, value);
        for element in value.elements() {
            if let Some(fault) = wrong_type(kind, element) {
                self.faults
                    .push(format!("`{path}` ({kind}) {fault}: {}", element.write()));
            }
        }
    }

    /// In a list of objects each member is a field of its own.
    fn members(&mut self, path: &str, kind: FieldType, value: &Json) {
        let below = format!("{path}.");
        let listed = self.declared.keys().any(|name| name.starts_with(&below));
        if !listed || !matches!(kind, FieldType::FlatObject | FieldType::Nested) {
            return;
        }
        for element in value.elements() {
            self.object(path, element);
        }
    }

    /// A name that is neither ECS nor declared may only be an object on the way to names that are.
    fn undeclared(&mut self, path: &str, value: &Json) {
        let below = format!("{path}.");
        let leads = self.declared.keys().any(|name| name.starts_with(&below));
        if leads {
            return self.object(path, value);
        }
        self.faults.push(format!(
            "`{path}` is neither ECS {} nor declared by the parser",
            ecs::VERSION
        ));
    }

    fn array(&mut self, field: &ecs::EcsField, value: &Json) {
        let is_array = matches!(value, Json::List(_));
        if field.array && !is_array {
            self.faults
                .push(format!("`{}` has to be an array in ECS", field.name));
        }
        if !field.array && is_array && field.kind != FieldType::Nested {
            self.faults.push(format!(
                "`{}` holds one value in ECS, not an array",
                field.name
            ));
        }
        if *value == Json::List(Vec::new()) {
            self.faults
                .push(format!("`{}` is an empty array", field.name));
        }
    }

    fn allowed(&mut self, field: &ecs::EcsField, value: &Json) {
        if field.allowed.is_empty() {
            return;
        }
        for element in value.elements() {
            if !element
                .text()
                .is_some_and(|text| field.allowed.contains(&text))
            {
                self.faults.push(format!(
                    "`{}` is {}; ECS allows {}",
                    field.name,
                    element.write(),
                    field.allowed.join(", ")
                ));
            }
        }
    }
}

/// ECS says which `event.type` may stand beside which `event.category`.
fn event_types(document: &Json) -> Vec<String> {
    let texts = |path| {
        let elements = document.at(path).map(Json::elements).unwrap_or_default();
        elements.iter().filter_map(Json::text)
    };
    let categories: Vec<&str> = texts("event.category").collect();
    if categories.is_empty() {
        return Vec::new();
    }
    texts("event.type")
        .filter(|kind| {
            !categories
                .iter()
                .filter_map(|category| ecs::expected_types(category))
                .any(|types| types.is_empty() || types.contains(kind))
        })
        .map(|kind| {
            format!(
                "`event.type` {kind} is not expected beside `event.category` {}",
                categories.join(", ")
            )
        })
        .collect()
}

/// Says what is wrong with a value for its type.
fn wrong_type(kind: FieldType, value: &Json) -> Option<&'static str> {
    let wrong = |fits: bool, fault| (!fits).then_some(fault);
    match (kind, value) {
        (FieldType::FlatObject, Json::Object(_)) => flat_fault(value),
        (FieldType::FlatObject, _) => Some("is no object"),
        (FieldType::Keyword | FieldType::Wildcard | FieldType::Text, Json::Text(_)) => None,
        (FieldType::Keyword | FieldType::Wildcard | FieldType::Text, _) => Some("is no text"),
        (FieldType::Long, Json::Number(number)) => {
            wrong(number.parse::<i64>().is_ok(), "is no 64-bit integer")
        }
        (FieldType::Double, Json::Number(number)) => wrong(
            number.parse::<f64>().is_ok_and(f64::is_finite),
            "is no finite number",
        ),
        (FieldType::Boolean, Json::Bool(_)) => None,
        (FieldType::Boolean, _) => Some("is neither true nor false"),
        (FieldType::Ip, Json::Text(text)) => wrong(text.parse::<IpAddr>().is_ok(), "is no address"),
        (FieldType::Date, Json::Text(text)) => wrong(
            DateTime::parse_from_rfc3339(text).is_ok(),
            "is no RFC 3339 time",
        ),
        (FieldType::GeoPoint, Json::Object(point)) => wrong(
            point.len() == 2 && point.contains_key("lat") && point.contains_key("lon"),
            "is no point",
        ),
        (FieldType::Nested, Json::Object(_)) => None,
        (
            FieldType::Long
            | FieldType::Double
            | FieldType::Ip
            | FieldType::Date
            | FieldType::GeoPoint
            | FieldType::Nested,
            _,
        ) => Some("has another JSON type"),
    }
}

/// Finds what a `flat_object` refuses: empty keys, nulls in arrays, terms over Lucene's limit.
fn flat_fault(value: &Json) -> Option<&'static str> {
    match value {
        Json::Object(members) => members.iter().find_map(|(key, value)| {
            if key.trim().is_empty() {
                return Some("has an empty key");
            }
            flat_fault(value)
        }),
        Json::List(list) if list.contains(&Json::Null) => Some("has a null in an array"),
        Json::List(list) => list.iter().find_map(flat_fault),
        Json::Text(text) if text.len() > MAX_TERM_BYTES => Some("has a term over 32,766 bytes"),
        Json::Text(_) | Json::Number(_) | Json::Bool(_) | Json::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(document: &str) -> Vec<String> {
        let fields = [
            ("event.category", FieldType::Keyword),
            ("event.type", FieldType::Keyword),
            ("source.ip", FieldType::Ip),
            ("aws.waf.action", FieldType::Keyword),
            ("aws.waf.other", FieldType::FlatObject),
        ];
        let mapping = SourceMapping {
            dataset: "aws.waf".to_owned(),
            index: "log-aws-waf".to_owned(),
            fields: fields
                .into_iter()
                .map(|(name, kind)| (name.to_owned(), kind))
                .collect(),
        };
        let mut seen = std::collections::BTreeSet::new();
        check(&Json::read(document).unwrap(), &mapping, &mut seen)
    }

    #[test]
    fn accepts_what_ecs_and_the_parser_name() {
        let document = r#"{"event":{"category":["web"],"type":["access"]},"source":{"ip":"2001:db8::1"},"aws":{"waf":{"action":"ALLOW","other":{"a":{"b":[1]}}}}}"#;
        assert_eq!(faults(document), Vec::<String>::new());
    }

    #[test]
    fn refuses_what_they_do_not() {
        for (document, fault) in [
            (r#"{"source":{"ipp":"192.0.2.1"}}"#, "neither ECS"),
            (r#"{"source":{"ip":"web-1"}}"#, "is no address"),
            (r#"{"source":{"ip":["192.0.2.1"]}}"#, "not an array"),
            (r#"{"source":{"port":1}}"#, "does not list it"),
            (r#"{"event":{"category":"web"}}"#, "has to be an array"),
            (r#"{"event":{"category":["webb"]}}"#, "ECS allows"),
            (
                r#"{"event":{"category":["web"],"type":["deletion"]}}"#,
                "is not expected beside",
            ),
            (r#"{"aws":{"waf":{"typo":1}}}"#, "neither ECS"),
            (r#"{"aws":{"waf":{"other":{"":1}}}}"#, "empty key"),
            (
                r#"{"aws":{"waf":{"other":{"a":[null]}}}}"#,
                "null in an array",
            ),
            (r#"{"aws":{}}"#, "empty object"),
        ] {
            let faults = faults(document);
            assert!(
                faults.iter().any(|text| text.contains(fault)),
                "{document}: {faults:?}"
            );
        }
    }
}
