//! `[fields]` and `[constants]`.

use std::borrow::Cow;

use regex::Regex;
use sekisho_document::{FieldType, ecs};

use super::Compiler;
use crate::ParserError;
use crate::convert::convert;
use crate::domain::DomainPart;
use crate::program::{Given, Mapping, Output, Source, Step};
use crate::spec::{Constant, FieldSpec, FieldTable, Scalar, TextOrList};
use crate::time::TimeFormats;
use crate::value::Value;

impl Compiler<'_> {
    /// Compiles `[constants]`.
    pub(super) fn constants(&mut self) -> Result<Vec<Given>, ParserError> {
        self.spec
            .constants
            .iter()
            .map(|entry| self.constant(&entry.key, &entry.value, entry.at))
            .collect()
    }

    /// Compiles `[fields]`.
    pub(super) fn mappings(&mut self) -> Result<Vec<Mapping>, ParserError> {
        let mut mappings = Vec::new();
        for entry in self.spec.fields.iter() {
            mappings.push(match &entry.value {
                FieldSpec::Paths(paths) => self.mapping(
                    &entry.key,
                    &FieldTable {
                        from: Some(paths.clone()),
                        ..FieldTable::default()
                    },
                    entry.at,
                )?,
                FieldSpec::Table(table) => self.mapping(&entry.key, table, entry.at)?,
            });
        }
        Ok(mappings)
    }

    /// Compiles a field that a constant fills.
    pub(super) fn constant(
        &mut self,
        name: &str,
        constant: &Constant,
        at: usize,
    ) -> Result<Given, ParserError> {
        let scalars = match constant {
            Constant::One(scalar) => std::slice::from_ref(scalar),
            Constant::Many(scalars) => scalars,
        };
        let kind = scalars
            .first()
            .filter(|_| ecs::field(name).is_none() && self.outputs.find(name).is_none())
            .map(own_type);
        let output = self
            .outputs
            .target(name, kind)
            .map_err(|message| self.file.error(at, message))?;
        self.allowed(name, scalars, at)?;
        let (kind, array) = self
            .outputs
            .list
            .get(output)
            .map(|output| (output.kind, output.array))
            .unwrap_or((FieldType::Keyword, false));
        let converted: Option<Vec<_>> = scalars
            .iter()
            .map(|scalar| convert(value(scalar), kind, &TimeFormats::default()))
            .collect();
        let mut values = converted.ok_or_else(|| {
            self.file
                .error(at, format!("`{name}` is a {kind}, which this value is not"))
        })?;
        let array = array || matches!(constant, Constant::Many(_));
        let value = if array {
            Some(Value::List(values))
        } else {
            values.pop()
        };
        let line = self.file.line(at);
        value
            .map(|value| Given {
                line,
                output,
                value,
            })
            .ok_or_else(|| self.file.error(at, format!("`{name}` gets an empty list")))
    }

    /// Checks constants against the values that ECS allows.
    fn allowed(&self, name: &str, scalars: &[Scalar], at: usize) -> Result<(), ParserError> {
        let allowed = ecs::field(name)
            .map(|field| field.allowed)
            .unwrap_or_default();
        let wrong = scalars
            .iter()
            .filter_map(|scalar| value(scalar).text())
            .find(|text| !allowed.is_empty() && !allowed.contains(&text.as_ref()));
        match wrong {
            Some(text) => Err(self.file.error(
                at,
                format!(
                    "ECS does not allow `{text}` in `{name}`; use one of {}",
                    allowed.join(", ")
                ),
            )),
            None => Ok(()),
        }
    }

    /// Compiles a field that paths fill.
    pub(super) fn mapping(
        &mut self,
        name: &str,
        table: &FieldTable,
        at: usize,
    ) -> Result<Mapping, ParserError> {
        let fail = |message: String| self.file.error(at, format!("`{name}`: {message}"));
        let (paths, collect) = match (&table.from, &table.all) {
            (Some(paths), None) => (paths, false),
            (None, Some(paths)) => (paths, true),
            _ => return Err(fail("give either `from` or `all`".to_owned())),
        };
        let kind: Option<FieldType> = table
            .kind
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|error: sekisho_document::DocumentError| fail(error.to_string()))?;
        // In ECS fields `as` only repeats the type, as in `as = "ip"`.
        let steps = steps(table).map_err(fail)?;
        if table.members.is_some() && !steps.is_empty() {
            return Err(fail(
                "`members` stands alone, without other steps".to_owned(),
            ));
        }
        let (target, members) = match &table.members {
            Some(members) => self.outputs.objects(name, members),
            None => self
                .outputs
                .target(name, kind)
                .map(|target| (target, Vec::new())),
        }
        .map_err(|message| self.file.error(at, message))?;
        let otherwise = table
            .otherwise
            .as_deref()
            .map(|name| {
                self.outputs
                    .target(name, None)
                    .map_err(|message| self.file.error(at, message))
            })
            .transpose()?;
        let sources = self.mapped_sources(paths, &steps, at)?;
        if matches!(steps.first(), Some(Step::MapBy(..)))
            && self.kind(target) != Some(FieldType::FlatObject)
        {
            return Err(self.file.error(
                at,
                format!("`{name}`: `map_by` makes an object; say `as = \"flat_object\"`"),
            ));
        }
        Ok(Mapping {
            line: self.file.line(at),
            target,
            sources,
            collect,
            steps,
            members,
            otherwise,
        })
    }

    fn mapped_sources(
        &mut self,
        paths: &TextOrList,
        steps: &[Step],
        at: usize,
    ) -> Result<Vec<Source>, ParserError> {
        let sources = self.sources(paths, at)?;
        if !steps.iter().any(Step::is_lossy) {
            sources.iter().for_each(|source| self.defer(source));
        }
        Ok(sources)
    }

    fn kind(&self, output: usize) -> Option<FieldType> {
        self.outputs
            .list
            .get(output)
            .map(|Output { kind, .. }| *kind)
    }
}

fn own_type(scalar: &Scalar) -> FieldType {
    match scalar {
        Scalar::Bool(_) => FieldType::Boolean,
        Scalar::Integer(_) => FieldType::Long,
        Scalar::Float(_) => FieldType::Double,
        Scalar::Text(_) => FieldType::Keyword,
    }
}

fn value(scalar: &Scalar) -> Value<'static> {
    match scalar {
        Scalar::Bool(value) => Value::Bool(*value),
        Scalar::Integer(n) => Value::Number(Cow::Owned(n.to_string())),
        Scalar::Float(n) => Value::Number(Cow::Owned(n.to_string())),
        Scalar::Text(text) => Value::owned(text.as_str()),
    }
}

/// Gives a scalar of a condition as text, since conditions compare texts.
pub(super) fn text(scalar: &Scalar) -> String {
    value(scalar).text().unwrap_or_default().into_owned()
}

/// Gives a table's steps in the order in which they apply.
fn steps(table: &FieldTable) -> Result<Vec<Step>, String> {
    let extract = table
        .extract
        .as_deref()
        .map(Regex::new)
        .transpose()
        .map_err(|error| {
            format!("`extract` is no regular expression: {error}").replace('\n', " ")
        })?;
    let domain = match table.domain.as_deref() {
        Some(word) => Some(
            DomainPart::parse(word).ok_or_else(|| format!("`domain` is {}", DomainPart::WORDS))?,
        ),
        None => None,
    };
    let map = table.map.as_ref().map(|entries| {
        entries
            .iter()
            .map(|entry| (entry.key.clone(), entry.value.clone()))
            .collect()
    });
    let all = [
        table
            .map_by
            .clone()
            .map(|[name, value]| Step::MapBy(name, value)),
        table.lower.then_some(Step::Lower),
        table.upper.then_some(Step::Upper),
        table.strip_prefix.clone().map(Step::StripPrefix),
        table.strip_suffix.clone().map(Step::StripSuffix),
        table.before.clone().map(Step::Before),
        table.after.clone().map(Step::After),
        table.after_last.clone().map(Step::AfterLast),
        table.multiply.map(Step::Multiply),
        table.split.clone().map(Step::Split),
        table.url_decode.then_some(Step::UrlDecode),
        extract.map(Step::Extract),
        domain.map(Step::Domain),
        map.map(Step::Map),
    ];
    Ok(all.into_iter().flatten().collect())
}
