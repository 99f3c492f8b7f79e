//! [`Dissect`]: fields between fixed texts.

use super::{Misfit, Pair, Place};
use crate::schema::Schema;

/// A pattern such as `%{a} [%{b}] %{c}`.
#[derive(Debug)]
pub(crate) struct Dissect {
    /// What the text begins with.
    head: String,
    fields: Vec<Field>,
}

/// One field and the text behind it.
#[derive(Debug)]
struct Field {
    /// Without one the text is skipped.
    place: Option<Place>,
    /// Whether the text behind it may come several times.
    padded: bool,
    /// Empty only for the last field.
    literal: String,
}

impl Dissect {
    /// Reads a pattern; the error says what is wrong with it.
    pub(crate) fn parse(pattern: &str, schema: &Schema) -> Result<Self, String> {
        let mut parts = pattern.split("%{");
        let head = parts.next().unwrap_or_default().to_owned();
        let mut fields: Vec<Field> = Vec::new();
        for part in parts {
            let (name, literal) = part
                .split_once('}')
                .ok_or_else(|| format!("`%{{{part}` has no `}}`"))?;
            if fields.last().is_some_and(|field| field.literal.is_empty()) {
                return Err(format!(
                    "nothing stands between `%{{{name}}}` and the field before it"
                ));
            }
            let padded = name.ends_with("->");
            let name = name.strip_suffix("->").unwrap_or(name);
            if name.starts_with(['+', '?', '&', '*']) {
                return Err(format!("`%{{{name}}}`: a name cannot begin so"));
            }
            fields.push(Field {
                place: (!name.is_empty()).then(|| Place::new(name, schema)),
                padded,
                literal: literal.to_owned(),
            });
        }
        if fields.is_empty() {
            return Err("the pattern names no field; write it as `%{a} %{b}`".to_owned());
        }
        Ok(Self { head, fields })
    }

    /// Gives the names in order.
    pub(crate) fn names(pattern: &str) -> impl Iterator<Item = &str> {
        pattern.split("%{").skip(1).filter_map(|part| {
            let (name, _) = part.split_once('}')?;
            let name = name.strip_suffix("->").unwrap_or(name);
            (!name.is_empty()).then_some(name)
        })
    }

    /// Cuts a text at the pattern's own texts; the last of them must end it.
    pub(super) fn fit<'p, 'a>(
        &'p self,
        text: &'a str,
        pairs: &mut Vec<Pair<'p, 'a>>,
    ) -> Result<(), Misfit<'p>> {
        let mut rest = text.strip_prefix(&self.head).ok_or(Misfit::Dissect {
            literal: &self.head,
            before: None,
            n_fields: 0,
        })?;
        let last = self.fields.len().saturating_sub(1);
        for (n, field) in self.fields.iter().enumerate() {
            let found = match n == last {
                true => rest
                    .strip_suffix(field.literal.as_str())
                    .map(|value| (value, "")),
                false => rest.split_once(field.literal.as_str()),
            };
            let (value, behind) = found.ok_or(Misfit::Dissect {
                literal: &field.literal,
                before: Some(field.name()),
                n_fields: n + 1,
            })?;
            rest = match field.padded {
                true => behind.trim_start_matches(field.literal.as_str()),
                false => behind,
            };
            if let Some(place) = &field.place {
                pairs.push(Pair::at(place, value));
            }
        }
        Ok(())
    }
}

impl Field {
    fn name(&self) -> &str {
        self.place.as_ref().map_or("%{}", |place| &place.name)
    }
}
