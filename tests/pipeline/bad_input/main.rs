//! Bad input, each kind with its outcome and its reason, and with proof that nothing else in the object is lost.

mod archives;
mod bytes;
mod days;
mod json;
mod read;
mod text;
