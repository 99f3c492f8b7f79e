//! Lines of columns: a header's names are tied to the schema once, a line is then split and each cell goes to its place.

use std::sync::Arc;

use sekisho_record::{Columns, Quotes};

use crate::Redactor;
use crate::schema::Schema;
use crate::tokens::{Pair, Place, Quoting, Split, Tokens};
use crate::walk::{Walked, Walker};

/// Where the columns of one header go.
#[derive(Debug)]
pub(crate) struct ColumnPlan {
    columns: Arc<Columns>,
    split: Split,
    /// Whether a column is that of a secret.
    pub(crate) hides: bool,
}

impl ColumnPlan {
    /// Gives the plan of a header, made anew only where the header has changed.
    pub(crate) fn of<'k>(
        kept: &'k mut Option<Self>,
        columns: &Arc<Columns>,
        schema: &Schema,
        redactor: &Redactor,
    ) -> &'k Self {
        let same = kept
            .take()
            .filter(|plan| Arc::ptr_eq(&plan.columns, columns));
        kept.insert(same.unwrap_or_else(|| Self::new(columns, schema, redactor)))
    }

    fn new(columns: &Arc<Columns>, schema: &Schema, redactor: &Redactor) -> Self {
        let places = columns.names.iter().map(|name| Place::new(name, schema));
        let split = Split {
            places: places.collect(),
            separator: char::from(columns.separator).to_string(),
            quoting: match columns.quotes {
                Quotes::None => Quoting::None,
                Quotes::Csv => Quoting::Csv,
            },
            require: columns.names.len(),
            trims: false,
        };
        Self {
            split,
            hides: columns.names.iter().any(|name| redactor.hides(name)),
            columns: Arc::clone(columns),
        }
    }

    /// Splits a line into its columns; more of them than the header names are kept, fewer are an error.
    pub(crate) fn pairs<'p, 'a>(&'p self, text: &'a str) -> Result<Vec<Pair<'p, 'a>>, String> {
        let split = &self.split;
        let mut pairs = Vec::with_capacity(split.places.len());
        let (n_columns, is_open) = split.cut(text, split.quoting, &mut pairs);
        if is_open {
            return Err(format!("nothing closes the quote of column {n_columns}"));
        }
        match split.places.get(n_columns) {
            None => Ok(pairs),
            Some(missing) => Err(format!(
                "the line has {n_columns} columns where the header names {}; `{}` is missing",
                split.places.len(),
                missing.name
            )),
        }
    }
}

impl Walker<'_> {
    /// Takes a line's columns, and what `[[tokens]]` makes of them, to their places.
    pub(crate) fn columns<'a>(
        &self,
        text: &'a str,
        plan: &ColumnPlan,
        tokens: &Tokens,
    ) -> Result<Walked<'a>, String> {
        let mut pairs = plan.pairs(text)?;
        tokens.fields(&mut pairs);
        Ok(self.place_hiding(pairs, plan.hides || tokens.hides))
    }

    /// Takes what `[[tokens]]` makes of a text to its places.
    pub(crate) fn tokens<'a>(&self, text: &'a str, tokens: &Tokens) -> Result<Walked<'a>, String> {
        if !tokens.reads_record() {
            return Ok(self.start());
        }
        Ok(self.place_hiding(tokens.record(text)?, tokens.hides))
    }
}
