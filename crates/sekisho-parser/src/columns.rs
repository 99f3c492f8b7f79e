//! Lines of columns: a header's names are tied to the schema once, a line is then split and each cell goes to its place.

use std::collections::HashSet;
use std::sync::Arc;

use sekisho_record::Columns;

use crate::schema::{Node, Schema};
use crate::value::Value;
use crate::walk::{Walked, Walker, write_member};

/// Where the columns of one header go.
#[derive(Debug)]
pub(crate) struct ColumnPlan {
    columns: Arc<Columns>,
    places: Vec<Place>,
}

/// Where one column goes.
#[derive(Debug)]
struct Place {
    /// The schema's node, for a column that the parser knows.
    node: Option<usize>,
    /// The name below `other`.
    name: String,
}

impl ColumnPlan {
    /// Gives the plan of a header, made anew only where the header has changed.
    pub(crate) fn of<'k>(
        kept: &'k mut Option<Self>,
        columns: &Arc<Columns>,
        schema: &Schema,
    ) -> &'k Self {
        let same = kept
            .take()
            .filter(|plan| Arc::ptr_eq(&plan.columns, columns));
        kept.insert(same.unwrap_or_else(|| Self::new(columns, schema)))
    }

    fn new(columns: &Arc<Columns>, schema: &Schema) -> Self {
        let mut taken = HashSet::new();
        let places = columns.names.iter().map(|column| {
            // A header may name a column twice; only the first is the field, and no name is written twice.
            let is_first = taken.insert(column.clone());
            let mut name = column.clone();
            let mut n = 2;
            while !is_first && !taken.insert(name.clone()) {
                name = format!("{column}~{n}");
                n += 1;
            }
            let node = schema.root.child(column).filter(|_| is_first);
            Place {
                node: node.map(|(at, _)| at),
                name,
            }
        });
        Self {
            places: places.collect(),
            columns: Arc::clone(columns),
        }
    }
}

impl Walker<'_> {
    /// Splits a line into its columns; more of them than the header names are kept, fewer are an error.
    pub(crate) fn columns<'a>(
        &self,
        text: &'a str,
        plan: &ColumnPlan,
    ) -> Result<Walked<'a>, String> {
        let mut walked = self.start();
        let separator = char::from(plan.columns.separator);
        let mut cells = text.trim_end_matches(separator).split(separator);
        let n_names = plan.places.len();
        for (n, place) in plan.places.iter().enumerate() {
            let cell = cells.next().ok_or_else(|| {
                format!("the line has {n} columns where the header names {n_names}")
            })?;
            let node = place.node.and_then(|at| self.schema.root.children.get(at));
            self.column(node, &place.name, cell, &mut walked);
        }
        for (n, cell) in cells.enumerate() {
            self.column(
                None,
                &format!("column_{}", n_names + n + 1),
                cell,
                &mut walked,
            );
        }
        Ok(walked)
    }

    fn column<'a>(&self, node: Option<&Node>, name: &str, cell: &'a str, walked: &mut Walked<'a>) {
        let Some(value) = Value::from_text(cell) else {
            return;
        };
        if let Some(slot) = node
            .and_then(|node| node.slot)
            .and_then(|slot| walked.slots.get_mut(slot))
        {
            *slot = Some(value.clone());
        }
        let written = node.is_some_and(|node| {
            node.deferred
                || node
                    .kind
                    .is_some_and(|kind| self.typed(node, kind, value.clone(), walked))
        });
        if !written {
            write_member(
                &mut walked.other,
                name,
                &value,
                self.schema.other_bytes,
                &mut walked.cut,
            );
        }
    }
}
