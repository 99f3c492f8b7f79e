//! Guesses a parser from a sample: what the bytes are, what their fields hold, and which ECS fields these may be.
//!
//! **Invariant:** a guess is a proposal; whatever it is not sure of is a [`Doubt`] with the alternatives.

mod ecs;
mod envelope;
mod fields;
mod names;
mod sample;
mod shape;
mod spec;
mod text;
mod time;

pub(crate) use names::{Names, names};
pub(crate) use sample::Sample;
pub(crate) use shape::{Shape, shape};
pub(crate) use spec::{Draft, draft};

/// Something that the guess is not sure of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    /// What was decided, or left open.
    pub(crate) decided: String,
    /// What else it may be, or what to do.
    pub(crate) instead: String,
}

impl Doubt {
    pub(crate) fn new(decided: impl Into<String>, instead: impl Into<String>) -> Self {
        Self {
            decided: decided.into(),
            instead: instead.into(),
        }
    }
}
