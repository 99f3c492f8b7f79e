//! The apply Lambda as a library: any payload in, the cluster's content as this version needs it, and the report of what was changed out.
//!
//! It runs inside the network of the domain, as the domain's master user: a laptop reaches neither.
//!
//! **Invariant:** a second invocation changes nothing, and an invocation that could not apply everything fails.

mod apply;
mod log;

pub use apply::Apply;
