//! `[lookup.<name>]` and its CSV.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{Compiler, Tables};
use crate::ParserError;
use crate::condition::joined;
use crate::program::{Given, Lookup, Pattern, Row};
use crate::spec::{Constant, LookupSpec, Scalar};

impl Compiler<'_> {
    /// Compiles every lookup in file order.
    pub(super) fn lookups(&mut self, tables: &Tables) -> Result<Vec<Lookup>, ParserError> {
        let mut lookups = Vec::new();
        for entry in self.spec.lookup.iter() {
            let text = tables.get(&entry.value.table).ok_or_else(|| {
                self.file.error(
                    entry.at,
                    format!("the folder has no table `{}`", entry.value.table),
                )
            })?;
            lookups.push(self.lookup(&entry.value, text, entry.at)?);
        }
        Ok(lookups)
    }

    fn lookup(&mut self, spec: &LookupSpec, text: &str, at: usize) -> Result<Lookup, ParserError> {
        let sources = self.sources(&spec.from, at)?;
        let mut lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let header: Vec<_> = lines
            .next()
            .map(|(_, line)| cells(line))
            .unwrap_or_default();
        let targets = header.get(sources.len()..).unwrap_or_default();
        if targets.is_empty() {
            return Err(self.file.error(
                at,
                format!(
                    "`{}` needs {} key columns and at least one field",
                    spec.table,
                    sources.len()
                ),
            ));
        }
        let mut lookup = Lookup {
            line: self.file.line(at),
            sources,
            exact: HashMap::new(),
            patterns: Vec::new(),
            rows: Vec::new(),
        };
        for (number, line) in lines {
            let row = cells(line);
            let fail = |message: String| {
                self.file.error(
                    at,
                    format!("`{}` line {}: {message}", spec.table, number + 1),
                )
            };
            if row.len() != header.len() || line.contains('"') {
                return Err(fail(format!(
                    "it has {} cells where the header has {}; cells can hold neither commas nor quotes",
                    row.len(),
                    header.len()
                )));
            }
            let (keys, values) = row.split_at(lookup.sources.len());
            lookup.add_keys(keys);
            let mut set = Vec::new();
            for (name, cell) in targets
                .iter()
                .zip(values)
                .filter(|(_, cell)| !cell.is_empty())
            {
                set.push(self.cell(name, cell, at)?);
            }
            lookup.rows.push(Row {
                line: number + 1,
                set,
            });
        }
        Ok(lookup)
    }

    fn cell(&mut self, name: &str, cell: &str, at: usize) -> Result<Given, ParserError> {
        let scalars: Vec<_> = cell
            .split('|')
            .map(|part| Scalar::Text(part.to_owned()))
            .collect();
        let constant = match <[Scalar; 1]>::try_from(scalars) {
            Ok([one]) => Constant::One(one),
            Err(several) => Constant::Many(several),
        };
        self.constant(name, &constant, at)
    }
}

impl Lookup {
    /// Files a row under its key cells: exact ones by hash, others in order.
    fn add_keys(&mut self, keys: &[&str]) {
        let row = self.rows.len();
        let patterns: Vec<_> = keys.iter().map(|cell| Pattern::parse(cell)).collect();
        let is_exact = patterns
            .iter()
            .all(|pattern| matches!(pattern, Pattern::Exact(_)));
        let joined = joined(
            &keys
                .iter()
                .map(|cell| Some(Cow::Borrowed(*cell)))
                .collect::<Vec<_>>(),
        );
        match joined.filter(|_| is_exact) {
            // The first of two equal rows wins, as with patterns.
            Some(key) => {
                self.exact.entry(key).or_insert(row);
            }
            None => self.patterns.push((patterns, row)),
        }
    }
}

fn cells(line: &str) -> Vec<&str> {
    line.split(',').map(str::trim).collect()
}
