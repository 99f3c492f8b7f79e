//! [`Origin`] and [`Decision`]: which line of a parser gave a field its value, for `--explain`.

/// Where a field's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// The engine: facts of the object, collected `related.*`.
    #[default]
    Engine,
    /// A line of `parser.toml`, from 1.
    Line(usize),
    /// A row of a lookup table.
    Row {
        /// The lookup's line in `parser.toml`.
        lookup: usize,
        /// The row's line in the table.
        row: usize,
    },
    /// `transform.vrl`.
    Script,
}

/// What decided about one field of a document, or about leaving the record out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The field, or `[[exclude]]`.
    pub field: String,
    /// What filled it.
    pub origin: Origin,
}
