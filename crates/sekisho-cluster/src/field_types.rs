//! Fields that existing indices type otherwise than the template: searches over both then find only one half.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::report::{Finding, FindingKind};
use crate::{Template, TemplateKind};

/// How many fields one template's findings name.
const NAMED_FIELDS: usize = 20;

fn pattern(template: &Template) -> Option<&str> {
    if template.kind != TemplateKind::Index {
        return None;
    }
    template.body.pointer("/index_patterns/0")?.as_str()
}

/// Gives the question for the types of a template's existing indices; `None` for a part of templates.
pub(crate) fn path(template: &Template, all: &[Template]) -> Option<String> {
    let own = pattern(template)?;
    // Indices that a longer pattern matches belong to that.
    let stem = own.trim_end_matches('*');
    let longer = all.iter().filter_map(pattern);
    let longer = longer.filter(|other| *other != own && other.starts_with(stem));
    let longer: String = longer.map(|other| format!(",-{other}")).collect();
    Some(format!(
        "/{own}{longer}/_field_caps?fields=*&ignore_unavailable=true&allow_no_indices=true"
    ))
}

/// Compares what the cluster answered with the template and its parts.
pub(crate) fn compare(template: &Template, all: &[Template], answer: &Value) -> Vec<Finding> {
    let mut wanted = BTreeMap::new();
    let parts = template.body.get("composed_of").and_then(Value::as_array);
    let parts = parts.into_iter().flatten().filter_map(Value::as_str);
    let parts = parts.filter_map(|name| all.iter().find(|template| template.name == name));
    for part in parts.chain([template]) {
        if let Some(properties) = part.body.pointer("/template/mappings/properties") {
            add(&mut wanted, "", properties);
        }
    }
    let Some(fields) = answer.get("fields").and_then(Value::as_object) else {
        return Vec::new();
    };
    let mut findings: Vec<Finding> = wanted
        .iter()
        .filter_map(|(path, wanted)| Some((path, *wanted, fields.get(path)?.as_object()?)))
        .flat_map(|(path, wanted, types)| {
            let others = types.iter().filter(move |(name, _)| *name != wanted);
            others.map(move |(name, caps)| finding(template, path, wanted, name, caps))
        })
        .collect();
    let n_more = findings.len().saturating_sub(NAMED_FIELDS);
    if n_more > 0 {
        findings.truncate(NAMED_FIELDS);
        findings.push(Finding {
            kind: FindingKind::FieldType,
            name: template.name.clone(),
            text: format!("{n_more} more fields differ in the same way"),
        });
    }
    findings
}

fn finding(template: &Template, path: &str, wanted: &str, found: &str, caps: &Value) -> Finding {
    let indices = caps.get("indices").and_then(Value::as_array);
    let indices: Vec<&str> = indices
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let place = match indices.as_slice() {
        [] => "the existing indices".to_owned(),
        [one] => format!("`{one}`"),
        [first, .., last] => format!("{} indices from `{first}` to `{last}`", indices.len()),
    };
    let pattern = pattern(template).unwrap_or_default();
    Finding {
        kind: FindingKind::FieldType,
        name: path.to_owned(),
        text: format!(
            "is {found} in {place} and {wanted} in new ones of `{pattern}`: searches and aggregations over both find one half or fail; reindex the old ones, or let them expire"
        ),
    }
}

/// Adds the type of every field below, as `_field_caps` names it.
fn add<'a>(types: &mut BTreeMap<String, &'a str>, above: &str, properties: &'a Value) {
    for (name, field) in properties.as_object().into_iter().flatten() {
        let path = if above.is_empty() {
            name.clone()
        } else {
            format!("{above}.{name}")
        };
        if let Some(below) = field.get("fields") {
            add(types, &path, below);
        }
        match (
            field.get("type").and_then(Value::as_str),
            field.get("properties"),
        ) {
            (Some("alias"), _) => {}
            (kind, Some(below)) => {
                types.insert(path.clone(), kind.unwrap_or("object"));
                add(types, &path, below);
            }
            (Some(kind), None) => {
                types.insert(path, kind);
            }
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(name: &str, pattern: &str, properties: Value) -> Template {
        Template {
            kind: TemplateKind::Index,
            name: name.into(),
            body: json!({ "index_patterns": [pattern], "template": { "mappings": { "properties": properties } } }),
        }
    }

    #[test]
    fn each_template_asks_for_its_own_indices() {
        let all = [
            template("a", "log-*", json!({})),
            template("b", "log-aws-*", json!({})),
            template("c", "log-aws-waf-*", json!({})),
        ];
        let asked: Vec<_> = all.iter().filter_map(|one| path(one, &all)).collect();
        assert!(
            asked[0].starts_with("/log-*,-log-aws-*,-log-aws-waf-*/"),
            "{asked:?}"
        );
        assert!(
            asked[1].starts_with("/log-aws-*,-log-aws-waf-*/"),
            "{asked:?}"
        );
        assert!(asked[2].starts_with("/log-aws-waf-*/"), "{asked:?}");
    }

    #[test]
    fn a_field_of_another_type_is_named_with_its_indices() {
        let own = template(
            "a",
            "log-*",
            json!({
                "source": { "properties": { "ip": { "type": "ip" }, "port": { "type": "long" } } },
                "url": { "type": "keyword", "fields": { "text": { "type": "text" } } },
            }),
        );
        let answer = json!({ "fields": {
            "source": { "object": {} },
            "source.ip": { "ip": { "indices": ["log-2"] }, "keyword": { "indices": ["log-0", "log-1"] } },
            "source.port": { "long": {} },
            "url.text": { "match_only_text": {} },
            "undeclared": { "keyword": {} },
        } });
        let found = compare(&own, std::slice::from_ref(&own), &answer);
        let names: Vec<_> = found.iter().map(|finding| finding.name.as_str()).collect();
        assert_eq!(names, ["source.ip", "url.text"]);
        assert!(
            found[0]
                .text
                .contains("is keyword in 2 indices from `log-0` to `log-1` and ip"),
            "{}",
            found[0].text
        );
    }
}
