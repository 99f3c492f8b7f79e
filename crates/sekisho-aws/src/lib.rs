//! S3 and the credentials of the process, behind the traits of the other crates: [`S3Store`] gives objects, [`ObjectList`] lists them, [`S3Quarantine`] keeps what cannot be indexed, [`S3Files`] the notes and parked messages beside it, [`S3Bundles`] the parsers that operators publish, [`SqsQueue`] is a queue, [`connect_cluster`] signs what goes to OpenSearch.
//!
//! **Invariant:** this is the only crate that knows the AWS SDK, and a read is pinned to the bytes that the notification named, or it fails as superseded.

mod buckets;
mod bundles;
mod cluster;
mod error;
mod files;
mod list;
mod quarantine;
mod queue;
mod session;
mod store;

pub use bundles::S3Bundles;
pub use cluster::{ConnectError, connect_cluster};
pub use error::AwsError;
pub use files::S3Files;
pub use list::ObjectList;
pub use quarantine::S3Quarantine;
pub use queue::SqsQueue;
pub use session::Session;
pub use store::S3Store;
