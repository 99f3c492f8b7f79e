//! Framing from the outside: bytes in, frames out, rendered as text.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "clippy does not see the helpers of these tests as tests"
)]

mod chunking;
mod csv;
mod encodings;
mod envelopes;
mod json;
mod limits;
mod lines;
mod multiline;
mod support;
