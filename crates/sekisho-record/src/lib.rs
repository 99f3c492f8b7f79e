//! Takes decompressed bytes and gives records: opens the envelope and frames what is inside.
//!
//! **Invariant:** memory is bounded by [`Framing::max_record_bytes`], never by the object, and no field is interpreted here.

mod frame;

pub use frame::{Columns, Delimited, Fault, FaultReason, Format, Frame, Framing, Record, Skip};
