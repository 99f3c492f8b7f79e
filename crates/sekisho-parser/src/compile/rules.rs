//! `[[when]]` and `[[exclude]]`.

use std::sync::Arc;

use regex::Regex;

use super::fields::text;
use super::{Compiler, place};
use crate::ParserError;
use crate::program::{Check, Condition, Exclude, Rule, Setting};
use crate::spec::{ConditionSpec, Entries, SetSpec, Test};

impl Compiler<'_> {
    /// Compiles every `[[when]]` in file order.
    pub(super) fn rules(&mut self) -> Result<Vec<Rule>, ParserError> {
        let mut rules = Vec::new();
        for spec in &self.spec.when {
            let nothing = spec.set.0.is_empty()
                && spec.otherwise.0.is_empty()
                && spec.append.0.is_empty()
                && !spec.transform;
            if nothing {
                return Err(self.file.error(spec.at, "this `[[when]]` does nothing; give it `set`, `otherwise`, `append` or `transform`"));
            }
            let (set, otherwise, append) = (
                self.settings(&spec.set)?,
                self.settings(&spec.otherwise)?,
                self.settings(&spec.append)?,
            );
            let condition = self.condition(&spec.condition, spec.at)?;
            rules.push(Rule {
                condition,
                set,
                otherwise,
                append,
                transform: spec.transform,
            });
        }
        Ok(rules)
    }

    /// Compiles every `[[exclude]]`.
    pub(super) fn excludes(&mut self) -> Result<Vec<Exclude>, ParserError> {
        let at = place(self.file, "[[exclude]]");
        let mut excludes = Vec::new();
        for spec in &self.spec.exclude {
            if spec.reason.trim().is_empty() || spec.name.trim().is_empty() || spec.when.is_empty()
            {
                return Err(self.file.error(
                    at,
                    "an `[[exclude]]` needs a `name`, a `reason` and at least one condition",
                ));
            }
            let conditions = spec
                .when
                .iter()
                .map(|condition| self.condition(condition, at))
                .collect::<Result<_, _>>()?;
            excludes.push(Exclude {
                line: self.file.line(at),
                name: Arc::from(spec.name.as_str()),
                condition: Condition::All(conditions),
            });
        }
        Ok(excludes)
    }

    fn settings(&mut self, entries: &Entries<SetSpec>) -> Result<Vec<Setting>, ParserError> {
        entries
            .iter()
            .map(|entry| match &entry.value {
                SetSpec::Constant(constant) => self
                    .constant(&entry.key, constant, entry.at)
                    .map(Setting::Constant),
                SetSpec::Table(table) => self
                    .mapping(&entry.key, table, entry.at)
                    .map(Setting::Mapping),
            })
            .collect()
    }

    fn condition(&mut self, spec: &ConditionSpec, at: usize) -> Result<Condition, ParserError> {
        let n_forms = usize::from(spec.field.is_some())
            + usize::from(!spec.all.is_empty())
            + usize::from(!spec.any.is_empty())
            + usize::from(!spec.none.is_empty());
        if n_forms != 1 {
            return Err(self.file.error(
                at,
                "a condition is either a `field` with a test, or one of `all`, `any`, `none`",
            ));
        }
        let Some(field) = &spec.field else {
            let mut list = |specs: &[ConditionSpec]| {
                specs
                    .iter()
                    .map(|spec| self.condition(spec, at))
                    .collect::<Result<Vec<_>, _>>()
            };
            return Ok(if !spec.all.is_empty() {
                Condition::All(list(&spec.all)?)
            } else if !spec.any.is_empty() {
                Condition::Any(list(&spec.any)?)
            } else {
                Condition::None(list(&spec.none)?)
            });
        };
        if spec.tests.is_empty() {
            return Err(self.file.error(
                at,
                format!(
                    "the condition on `{field}` tests nothing; add `exists`, `equals`, `in`, …"
                ),
            ));
        }
        let source = self.source(field, at)?;
        let checks = spec
            .tests
            .iter()
            .map(|test| {
                check(test, spec.ignore_case).map_err(|message| self.file.error(at, message))
            })
            .collect::<Result<_, _>>()?;
        Ok(Condition::Test {
            source,
            checks,
            ignore_case: spec.ignore_case,
        })
    }
}

fn check(test: &Test, ignore_case: bool) -> Result<Check, String> {
    let fold = |text: String| {
        if ignore_case {
            text.to_lowercase()
        } else {
            text
        }
    };
    let list = |scalars: &[crate::spec::Scalar]| scalars.iter().map(text).map(fold).collect();
    Ok(match test {
        Test::Exists(want) => Check::Exists(*want),
        Test::Equals(scalar) => Check::In(vec![fold(text(scalar))]),
        Test::NotEquals(scalar) => Check::NotIn(vec![fold(text(scalar))]),
        Test::In(scalars) => Check::In(list(scalars)),
        Test::NotIn(scalars) => Check::NotIn(list(scalars)),
        Test::StartsWith(start) => Check::StartsWith(fold(start.clone())),
        Test::EndsWith(end) => Check::EndsWith(fold(end.clone())),
        Test::Contains(part) => Check::Contains(fold(part.clone())),
        Test::Matches(regex) => Check::Matches(Regex::new(regex).map_err(|error| {
            format!("`matches` is no regular expression: {error}").replace('\n', " ")
        })?),
        Test::GreaterThan(limit) => Check::GreaterThan(*limit),
    })
}
