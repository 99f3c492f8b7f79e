//! JSON text in and out without a tree: a validating scanner over borrowed text, a string writer, and the neutralizer that makes open-ended subtrees acceptable to OpenSearch.

mod flat;
mod scan;
mod write;

pub use flat::{FlatWriter, KeyNames, MAX_FLAT_DEPTH, MAX_TERM_BYTES};
pub use scan::{JsonFault, Kind, Raw, Scanner};
pub use write::{unescape, write_escaped, write_text, write_text_cut};
