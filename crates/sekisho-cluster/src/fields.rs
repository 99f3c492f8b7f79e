//! Turns a flat list of typed fields into the `properties` of a mapping.

use std::collections::BTreeMap;

use sekisho_document::FieldType;
use serde_json::{Map, Value, json};

use crate::ClusterError;

/// Longer values stay in the document and are not searchable by term.
///
/// Lucene refuses terms over 32,766 bytes, and 8,191 UTF-16 units are never more than that in UTF-8.
pub const IGNORE_ABOVE: u32 = 8191;

/// A field, and what lies below it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tree {
    kind: Option<FieldType>,
    children: BTreeMap<String, Tree>,
}

impl Tree {
    /// Adds a dotted field.
    pub(crate) fn add(
        &mut self,
        index: &str,
        name: &str,
        kind: FieldType,
    ) -> Result<(), ClusterError> {
        let node = name.split('.').fold(self, |node, part| {
            node.children.entry(part.to_owned()).or_default()
        });
        match node.kind {
            Some(first) if first != kind => Err(ClusterError::Conflict {
                index: index.to_owned(),
                field: name.to_owned(),
                first: first.name(),
                second: kind.name(),
            }),
            _ => {
                node.kind = Some(kind);
                Ok(())
            }
        }
    }

    /// Gives the `properties` below this node.
    pub(crate) fn properties(&self, index: &str) -> Result<Value, ClusterError> {
        let mut properties = Map::new();
        for (part, child) in &self.children {
            properties.insert(part.clone(), child.mapping(index, part)?);
        }
        Ok(Value::Object(properties))
    }

    /// Counts fields and objects, as the field limit of an index does.
    pub(crate) fn count(&self) -> usize {
        let with_subfield = |child: &Self| usize::from(child.kind == Some(FieldType::Wildcard));
        let each = |child: &Self| 1 + with_subfield(child) + child.count();
        self.children.values().map(each).sum()
    }

    fn mapping(&self, index: &str, path: &str) -> Result<Value, ClusterError> {
        let mut children = Map::new();
        for (part, child) in &self.children {
            children.insert(
                part.clone(),
                child.mapping(index, &format!("{path}.{part}"))?,
            );
        }
        match self.kind {
            None => Ok(json!({ "dynamic": false, "properties": children })),
            Some(kind) if children.is_empty() => Ok(leaf(path, kind)),
            Some(FieldType::Nested) => {
                Ok(json!({ "type": "nested", "dynamic": false, "properties": children }))
            }
            // ECS calls `log.syslog` an object and lists what is in it: the list is the better type.
            Some(FieldType::FlatObject) if sekisho_document::ecs::field(path).is_some() => {
                Ok(json!({ "dynamic": false, "properties": children }))
            }
            Some(kind) => Err(ClusterError::Conflict {
                index: index.to_owned(),
                field: path.to_owned(),
                first: kind.name(),
                second: "an object of other fields",
            }),
        }
    }
}

fn leaf(path: &str, kind: FieldType) -> Value {
    // Kept as it came, never searched: the same text is in `message` where somebody must find it.
    if path == "event.original" {
        return json!({ "type": "keyword", "index": false, "doc_values": false });
    }
    let name = kind.name();
    match kind {
        FieldType::Keyword => json!({ "type": name, "ignore_above": IGNORE_ABOVE }),
        // Measured: a terms aggregation over a `wildcard` field gives no bucket on 3.4.0 and an error on 2.19.4, and users do ask for the top URLs.
        // So the field itself is a keyword, and `.wildcard` below it finds parts of long values quickly.
        FieldType::Wildcard => json!({
            "type": FieldType::Keyword.name(),
            "ignore_above": IGNORE_ABOVE,
            "fields": { "wildcard": { "type": name, "ignore_above": IGNORE_ABOVE } },
        }),
        FieldType::Date => {
            json!({ "type": name, "format": "strict_date_optional_time||epoch_millis" })
        }
        FieldType::Nested => json!({ "type": name, "dynamic": false }),
        FieldType::Text
        | FieldType::Long
        | FieldType::Double
        | FieldType::Boolean
        | FieldType::Ip
        | FieldType::GeoPoint
        | FieldType::FlatObject => json!({ "type": name }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(fields: &[(&str, FieldType)]) -> Result<Value, ClusterError> {
        let mut tree = Tree::default();
        for (name, kind) in fields {
            tree.add("log-x", name, *kind)?;
        }
        tree.properties("log-x")
    }

    #[test]
    fn nests_by_dots_and_types_each_leaf() {
        let properties = tree(&[
            ("source.ip", FieldType::Ip),
            ("url.original", FieldType::Wildcard),
            ("aws.x.other", FieldType::FlatObject),
            ("event.original", FieldType::Keyword),
        ])
        .unwrap();
        assert_eq!(
            properties,
            json!({
                "aws": { "dynamic": false, "properties": {
                    "x": { "dynamic": false, "properties": { "other": { "type": "flat_object" } } } } },
                "event": { "dynamic": false, "properties": {
                    "original": { "type": "keyword", "index": false, "doc_values": false } } },
                "source": { "dynamic": false, "properties": { "ip": { "type": "ip" } } },
                "url": { "dynamic": false, "properties": {
                    "original": { "type": "keyword", "ignore_above": 8191, "fields": {
                        "wildcard": { "type": "wildcard", "ignore_above": 8191 } } } } },
            })
        );
    }

    #[test]
    fn an_ecs_object_with_listed_fields_is_an_object() {
        let properties = tree(&[
            ("log.syslog", FieldType::FlatObject),
            ("log.syslog.priority", FieldType::Long),
        ])
        .unwrap();
        assert_eq!(
            properties["log"]["properties"]["syslog"]["properties"]["priority"]["type"],
            "long"
        );
    }

    #[test]
    fn a_field_cannot_have_two_shapes() {
        let two_types = tree(&[
            ("aws.x.a", FieldType::Long),
            ("aws.x.a", FieldType::Keyword),
        ]);
        assert!(
            two_types
                .unwrap_err()
                .to_string()
                .contains("both long and keyword")
        );
        let inside = tree(&[
            ("aws.x.a", FieldType::FlatObject),
            ("aws.x.a.b", FieldType::Keyword),
        ]);
        let text = inside.unwrap_err().to_string();
        assert!(
            text.contains("`aws.x.a`") && text.contains("flat_object"),
            "{text}"
        );
    }
}
