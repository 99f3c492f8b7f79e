//! [`Misfit`]: why a way to cut a text does not fit it.

use std::fmt;

/// Why a step does not fit; words are made only where somebody reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misfit<'p> {
    /// The step has no alternative at all.
    Other,
    /// `when` does not hold.
    When,
    /// The expression does not match.
    Regex,
    /// No pair of name and value.
    Kv {
        assign: &'p str,
        n_pairs: usize,
        require: usize,
    },
    /// Too few columns.
    Few {
        n_columns: usize,
        next: &'p str,
        require: usize,
    },
    /// A quote that nothing closes.
    Unclosed { column: &'p str, n_columns: usize },
    /// A text of the pattern is not there.
    Dissect {
        literal: &'p str,
        before: Option<&'p str>,
        n_fields: usize,
    },
    /// No CEF at all, or its header ends early.
    Cef { next: &'p str, n_fields: usize },
}

impl Misfit<'_> {
    /// Tells how far the step came, to choose the reason that says most.
    pub(crate) fn reached(&self) -> usize {
        match self {
            Self::Other | Self::When => 0,
            Self::Regex => 1,
            Self::Kv { n_pairs, .. } => 1 + n_pairs,
            Self::Few { n_columns, .. } | Self::Unclosed { n_columns, .. } => 1 + n_columns,
            Self::Dissect { n_fields, .. } | Self::Cef { n_fields, .. } => 1 + n_fields,
        }
    }
}

impl fmt::Display for Misfit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other => f.write_str("no step of `[[tokens]]` reads this text"),
            Self::When => f.write_str("no `when` of `[[tokens]]` holds for this text"),
            Self::Regex => f.write_str("the text does not match the `regex` of `[[tokens]]`"),
            Self::Kv {
                assign,
                n_pairs,
                require,
            } => write!(
                f,
                "the text has {n_pairs} pairs of the form `name{assign}value`, expected at least {require}"
            ),
            Self::Few {
                n_columns,
                next,
                require,
            } => write!(
                f,
                "the text ends after {n_columns} columns, where `{next}` was expected; at least {require} are needed"
            ),
            Self::Unclosed { column, .. } => {
                write!(f, "the quote before column `{column}` is never closed")
            }
            Self::Dissect {
                literal,
                before: None,
                ..
            } => write!(f, "the text does not begin with `{literal}`"),
            Self::Dissect {
                literal,
                before: Some(name),
                ..
            } => write!(f, "`{literal}` was expected behind `{name}`"),
            Self::Cef { next, n_fields: 0 } => {
                write!(f, "the text has no `CEF:`, so there is no `{next}`")
            }
            Self::Cef { next, .. } => write!(f, "the CEF header ends before `{next}`"),
        }
    }
}
