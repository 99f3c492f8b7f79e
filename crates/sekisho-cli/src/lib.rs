//! The `sekisho` command as a library: its subcommands, and the cases of a parser folder.
//!
//! **Invariant:** data goes to stdout, everything else to stderr; the same pipeline runs here as in the Lambda.

mod apply;
pub mod args;
mod audit;
pub mod cases;
mod explain;
mod guess;
pub mod load;
mod parse;
mod parser;
mod reload;
mod replay;
mod route;
mod run;
pub mod select;
mod setup;

pub use run::{Finish, run};
