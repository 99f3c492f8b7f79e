//! Takes what invokes a Lambda and gives the objects that it names, each tied to its message.
//!
//! **Invariant:** this crate does no I/O and decodes every key before anything looks at it.

mod object_ref;

pub use object_ref::ObjectRef;
