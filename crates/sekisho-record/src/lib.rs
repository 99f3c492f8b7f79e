//! Takes decompressed bytes and gives records: opens the envelope and frames what is inside.
//!
//! **Invariant:** memory is bounded by [`Framing::max_record_bytes`], never by the object, and no field is interpreted here.
//! Any chunking of the same bytes gives the same frames.

mod csv;
mod cut;
mod encoding;
mod error;
mod frame;
mod header;
mod json;
mod line;
mod multiline;
mod reader;
mod window;

pub use encoding::Encoding;
pub use error::RecordError;
pub use frame::{
    Columns, Delimited, Fault, FaultReason, FirstLine, Format, Frame, Framing, Quotes, Record, Skip,
};
pub use reader::RecordReader;
