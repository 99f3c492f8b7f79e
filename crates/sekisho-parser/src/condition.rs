//! Conditions and lookups at run time.

use std::borrow::Cow;

use crate::draft::Draft;
use crate::origin::Origin;
use crate::program::{Check, Condition, Lookup, Pattern, Row};

impl Condition {
    /// Tells whether the record fulfils the condition.
    pub(crate) fn holds(&self, draft: &Draft<'_, '_>) -> bool {
        match self {
            Self::Test {
                source,
                checks,
                ignore_case,
            } => {
                let mut texts = Vec::new();
                let mut exists = false;
                draft.each(source, &mut |value| {
                    exists = true;
                    texts.extend(value.text().map(|text| {
                        if *ignore_case {
                            Cow::Owned(text.to_lowercase())
                        } else {
                            text
                        }
                    }));
                });
                checks.iter().all(|check| check.passes(exists, &texts))
            }
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(draft)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(draft)),
            Self::None(conditions) => !conditions.iter().any(|condition| condition.holds(draft)),
        }
    }
}

impl Check {
    /// Tells whether a text passes.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.passes(true, &[Cow::Borrowed(text)])
    }

    /// Tells whether any of a field's values passes; the negative checks pass for an absent field.
    fn passes(&self, exists: bool, texts: &[Cow<'_, str>]) -> bool {
        let any = |test: &dyn Fn(&str) -> bool| texts.iter().any(|text| test(text));
        match self {
            Self::Exists(want) => exists == *want,
            Self::In(list) => any(&|text| list.iter().any(|item| item == text)),
            Self::NotIn(list) => !any(&|text| list.iter().any(|item| item == text)),
            Self::StartsWith(start) => any(&|text| text.starts_with(start)),
            Self::EndsWith(end) => any(&|text| text.ends_with(end)),
            Self::Contains(part) => any(&|text| text.contains(part)),
            Self::Matches(regex) => any(&|text| regex.is_match(text)),
            Self::GreaterThan(limit) => any(&|text| text.parse::<f64>().is_ok_and(|n| n > *limit)),
        }
    }
}

impl Lookup {
    /// Sets what the record's row says.
    pub(crate) fn apply(&self, draft: &mut Draft<'_, '_>) {
        let Some(row) = self.row(draft) else { return };
        draft.origin = Origin::Row {
            lookup: self.line,
            row: row.line,
        };
        for given in &row.set {
            draft.set(given.output, given.value.clone());
        }
    }

    fn row(&self, draft: &Draft<'_, '_>) -> Option<&Row> {
        let keys: Vec<_> = self
            .sources
            .iter()
            .map(|source| draft.first(source).and_then(|value| value.text()))
            .collect();
        let exact = joined(&keys).and_then(|key| self.exact.get(&key));
        let row = exact.or_else(|| {
            self.patterns
                .iter()
                .find(|(patterns, _)| all_match(patterns, &keys))
                .map(|(_, row)| row)
        })?;
        self.rows.get(*row)
    }
}

/// Joins key cells by a byte that no cell holds.
pub(crate) fn joined(keys: &[Option<Cow<'_, str>>]) -> Option<String> {
    let keys: Vec<&str> = keys.iter().map(Option::as_deref).collect::<Option<_>>()?;
    Some(keys.join("\u{1f}"))
}

fn all_match(patterns: &[Pattern], keys: &[Option<Cow<'_, str>>]) -> bool {
    patterns
        .iter()
        .zip(keys)
        .all(|(pattern, key)| pattern.matches(key.as_deref()))
}

impl Pattern {
    /// Reads a cell: `*` anywhere stands for any text.
    pub(crate) fn parse(cell: &str) -> Self {
        match cell {
            "*" => Self::Any,
            cell if cell.contains('*') => Self::Wild(cell.split('*').map(str::to_owned).collect()),
            cell => Self::Exact(cell.to_owned()),
        }
    }

    fn matches(&self, text: Option<&str>) -> bool {
        match (self, text) {
            (Self::Any, _) => true,
            (_, None) => false,
            (Self::Exact(want), Some(text)) => want == text,
            (Self::Wild(parts), Some(text)) => wild(parts, text),
        }
    }
}

/// Matches literals with any text between them.
fn wild(parts: &[String], text: &str) -> bool {
    let Some(((first, last), middle)) = parts.split_first().and_then(|(first, rest)| {
        rest.split_last()
            .map(|(last, middle)| ((first, last), middle))
    }) else {
        return false;
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    for part in middle {
        let Some((_, behind)) = rest.split_once(part.as_str()) else {
            return false;
        };
        rest = behind;
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_wildcards() {
        let check = |cell: &str, text: Option<&str>, expected: bool| {
            assert_eq!(
                Pattern::parse(cell).matches(text),
                expected,
                "{cell} {text:?}"
            )
        };
        check("*", None, true);
        check("Create*", Some("CreateUser"), true);
        check("Create*", Some("DeleteUser"), false);
        check("*Login", Some("ConsoleLogin"), true);
        check("A*B*C", Some("AxxByyC"), true);
        check("A*B*C", Some("AxxC"), false);
        check("ab*ba", Some("aba"), false);
        check("x", None, false);
    }
}
