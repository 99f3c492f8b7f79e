//! Takes objects and replaces their documents with those that the parsers of now make of them: the one way that replaces.
//!
//! Each object is read whole by the pipeline, which writes its documents over what is there; then the older documents of the same bytes are deleted, wherever they lie.
//! Retired indices stay as they are: what lies in them is named.
//!
//! **Invariant:** a document is deleted only when what replaces it is written, so at no moment is a record without one; whatever stops a reload, the next one heals.

mod days;
mod error;
mod floor;
mod held;
mod layout;
mod look_up;
mod patience;
mod reload;
mod replacing;
mod report;
mod sweep;

pub use error::ReloadError;
pub use reload::{Parts, Reload, ReloadSettings};
pub use report::{Left, LeftRecords, ObjectReload};
