//! Framing from the outside: bytes in, frames out, rendered as text.

mod chunking;
mod json;
mod limits;
mod lines;
mod support;
