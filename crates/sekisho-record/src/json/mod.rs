//! Framing of JSON that may stand in any shape: concatenated, on lines, pretty-printed, or in an array under a key.
//!
//! [`framer`] knows what stands between the values and how to go on after a broken one, [`value`] walks one value ([`sprint`] quickly where all is well), [`token`] knows the grammar, [`trail`] the way to the records, [`layout`] knows lines and seams, [`envelope`] keeps what stands before the records, [`depth`] guards NDJSON lines.

pub(crate) mod depth;
mod envelope;
mod framer;
mod layout;
mod scalar;
mod sprint;
mod token;
mod trail;
mod value;

pub(crate) use framer::JsonFramer;
