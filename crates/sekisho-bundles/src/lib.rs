//! Parsers that operators publish beside the built-in ones: a folder becomes a [`Bundle`], a [`Pointer`] selects bundles, and [`Parsers`] keeps the set in work.
//!
//! **Invariant:** bundles are immutable and named by their digest; one conditional write of the pointer puts another set into work, so two publishers cannot overwrite each other.
//! A bundle that cannot be used holds the keys that it claims, and nothing else: no record of them is read by an older parser instead.

mod bundle;
mod error;
mod parsers;
mod pointer;
mod publish;
mod set;
mod store;
#[cfg(test)]
mod tests;

pub use bundle::Bundle;
pub use error::BundleError;
pub use parsers::{Current, Parsers};
pub use pointer::{POINTER_KEY, Pointer, Published, Version};
pub use publish::{Draft, History};
pub use set::{Refusal, Set};
pub use store::{BundleStore, Found, OnlyIf, Put, StoreError};
