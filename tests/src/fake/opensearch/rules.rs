//! [`Rule`]: what a mapping refuses, as a function of the document alone, so that a test can foresee it.

use std::net::IpAddr;

use serde_json::Value;

use super::bulk::Refusal;

/// What a mapping refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Only in indices whose names start so; empty for all.
    pub index: String,
    /// The dotted name of the field; `*` for a text anywhere in the document.
    pub field: String,
    /// What is refused.
    pub symptom: Symptom,
    /// Whether the answer names the field.
    pub named: bool,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Symptom {
    /// The field is a `long`.
    NoLong,
    /// The field is an `ip`.
    NoIp,
    /// The field is an object.
    NoObject,
    /// The template is `strict` and does not know the field.
    Unknown,
    /// One field more than the limit.
    FieldLimit,
    /// A term longer than Lucene takes, or any text that holds this.
    Immense(String),
    /// Any text that holds this cannot be parsed.
    Holds(String),
}

impl Rule {
    pub(super) fn refuses(&self, index: &str, id: &str, source: &Value) -> Option<Refusal> {
        if !index.starts_with(&self.index) {
            return None;
        }
        let mut values = Vec::new();
        if self.field == "*" {
            scalars(source, &mut values);
        } else {
            at(source, &self.field, &mut values);
        }
        let faulty = values.into_iter().find(|value| self.symptom.fits(value))?;
        Some(self.refusal(id, faulty))
    }

    fn refusal(&self, id: &str, value: &Value) -> Refusal {
        let field = &self.field;
        let cause = |kind: &'static str| Some((kind, format!("for input {value}")));
        let parsing = |kind: &str| {
            let reason = if self.named {
                format!(
                    "failed to parse field [{field}] of type [{kind}] in document with id '{id}'. Preview of field's value: '{value}'"
                )
            } else {
                "failed to parse".to_owned()
            };
            Refusal {
                cause: cause("illegal_argument_exception"),
                ..Refusal::new(400, "mapper_parsing_exception", reason)
            }
        };
        match &self.symptom {
            Symptom::NoLong => parsing("long"),
            Symptom::NoIp => parsing("ip"),
            Symptom::NoObject => {
                let last = field.rsplit('.').next().unwrap_or(field);
                let reason = format!(
                    "object mapping for [{field}] tried to parse field [{last}] as object, but found a concrete value"
                );
                Refusal::new(400, "mapper_parsing_exception", reason)
            }
            Symptom::Unknown => {
                let (parent, name) = field.rsplit_once('.').unwrap_or(("_doc", field));
                let reason = format!(
                    "mapping set to strict, dynamic introduction of [{name}] within [{parent}] is not allowed"
                );
                Refusal::new(400, "strict_dynamic_mapping_exception", reason)
            }
            Symptom::FieldLimit => {
                let reason = "Limit of total fields [1000] has been exceeded";
                Refusal::new(400, "illegal_argument_exception", reason)
            }
            Symptom::Immense(_) => {
                let reason = format!(
                    "Document contains at least one immense term in field=\"{field}\" (whose UTF8 encoding is longer than the max length 32766), all of which were skipped."
                );
                Refusal::new(400, "illegal_argument_exception", reason)
            }
            Symptom::Holds(_) => parsing("text"),
        }
    }
}

impl Symptom {
    fn fits(&self, value: &Value) -> bool {
        const LONGEST_TERM: usize = 32_766;
        match self {
            Self::NoLong => match value {
                Value::String(text) => text.parse::<f64>().is_err(),
                Value::Number(_) => false,
                _ => true,
            },
            Self::NoIp => value
                .as_str()
                .is_none_or(|text| text.parse::<IpAddr>().is_err()),
            Self::NoObject => !value.is_object(),
            Self::Unknown | Self::FieldLimit => true,
            Self::Immense(token) => value
                .as_str()
                .is_some_and(|text| text.len() > LONGEST_TERM || text.contains(token.as_str())),
            Self::Holds(token) => value
                .as_str()
                .is_some_and(|text| text.contains(token.as_str())),
        }
    }
}

/// Finds the values of a dotted name; arrays are their items, null is no value.
fn at<'v>(value: &'v Value, name: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| at(item, name, found)),
        Value::Object(members) => {
            for (key, member) in members {
                if key == name {
                    leaves(member, found);
                } else if let Some(rest) = name.strip_prefix(key.as_str())
                    && let Some(rest) = rest.strip_prefix('.')
                {
                    at(member, rest, found);
                }
            }
        }
        _ => {}
    }
}

fn leaves<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::Null => {}
        other => found.push(other),
    }
}

/// Finds every value that is neither object nor array.
pub(super) fn scalars<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| scalars(item, found)),
        Value::Object(members) => members.values().for_each(|member| scalars(member, found)),
        Value::Null => {}
        other => found.push(other),
    }
}

/// Finds the scalar values of a dotted name, as a query does.
pub(super) fn values<'v>(source: &'v Value, name: &str) -> Vec<&'v Value> {
    let mut found = Vec::new();
    at(source, name, &mut found);
    found
}
