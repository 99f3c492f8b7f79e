//! S3 and the credentials of the process, behind the traits of the other crates: [`S3Store`] gives objects, [`ObjectList`] lists them, [`S3Quarantine`] keeps what cannot be indexed.
//!
//! **Invariant:** this is the only crate that knows the AWS SDK, and a read is pinned to the bytes that the notification named, or it fails as superseded.

mod error;
mod list;
mod session;

pub use error::{AwsError, ErrorClass};
pub use list::ObjectList;
pub use session::Session;
