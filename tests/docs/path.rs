//! Source paths as `parser.toml` and the vendor's lists write them, compared and looked up in sample records.

use serde_json::Value;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    /// `[]`
    Each,
    /// `[name=host]`
    Select(String, String),
}

/// A path into the record, such as `a.b[].c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path(Vec<Step>);

/// How two paths lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Same,
    /// The other one leads into this one.
    Inside,
    /// The other one lies in this one.
    Around,
    None,
}

impl Path {
    /// Reads a path; `None` for those that lead elsewhere than into the record (`.x`, `@key.x`, `@record`).
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.starts_with(['.', '@']) {
            return None;
        }
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(quoted) = rest.strip_prefix('"') {
                let (key, behind) = quoted.split_once('"')?;
                steps.push(Step::Key(key.to_owned()));
                rest = behind;
            } else if let Some(bracket) = rest.strip_prefix('[') {
                let (inside, behind) = bracket.split_once(']')?;
                steps.push(match inside.split_once('=') {
                    Some((key, value)) => Step::Select(key.to_owned(), value.to_owned()),
                    None => Step::Each,
                });
                rest = behind;
            } else if let Some(behind) = rest.strip_prefix('.') {
                rest = behind;
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                steps.push(Step::Key(rest[..end].to_owned()));
                rest = &rest[end..];
            }
        }
        Some(Self(steps))
    }

    fn keys(&self) -> Vec<&str> {
        self.0
            .iter()
            .filter_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Each | Step::Select(..) => None,
            })
            .collect()
    }

    /// The keys by which this path selects elements, as paths of their own.
    pub(crate) fn selectors(&self) -> Vec<Self> {
        let at = |(n, step): (usize, &Step)| match step {
            Step::Select(key, _) => {
                let mut steps = self.0[..n].to_vec();
                steps.push(Step::Each);
                steps.push(Step::Key(key.clone()));
                Some(Self(steps))
            }
            Step::Key(_) | Step::Each => None,
        };
        self.0.iter().enumerate().filter_map(at).collect()
    }

    /// Says how `other` lies to this path; brackets do not count.
    pub(crate) fn relation(&self, other: &Self) -> Relation {
        let (own, other) = (self.keys(), other.keys());
        match (own.starts_with(&other), other.starts_with(&own)) {
            (true, true) => Relation::Same,
            (true, false) => Relation::Inside,
            (false, true) => Relation::Around,
            (false, false) => Relation::None,
        }
    }

    /// Tells whether a record has something there: `-`, empty and null mean absent.
    pub(crate) fn is_in(&self, record: &Value) -> bool {
        is_in(&self.0, record)
    }
}

fn is_in(steps: &[Step], value: &Value) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty() && text != "-",
            Value::Array(list) => !list.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        };
    };
    match step {
        Step::Key(key) => value.get(key).is_some_and(|value| is_in(rest, value)),
        Step::Each => value
            .as_array()
            .is_some_and(|list| list.iter().any(|value| is_in(rest, value))),
        Step::Select(key, wanted) => value.as_array().is_some_and(|list| {
            list.iter()
                .filter(|element| {
                    let found = element.get(key).and_then(Value::as_str);
                    found.is_some_and(|found| found.eq_ignore_ascii_case(wanted))
                })
                .any(|element| is_in(rest, element))
        }),
    }
}
