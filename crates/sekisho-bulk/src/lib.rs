//! Takes documents and gives `_bulk` requests, then one verdict per item, tied back to object and position.
//!
//! **Invariant:** this is the only crate that knows the OpenSearch wire format; it knows no parsers, and every item of a batch ends in exactly one [`Verdict`] or the whole write is an error.

mod answer;
mod batch;
mod client;
mod describe;
mod destination;
mod documents;
mod error;
mod request;
mod transport;
mod verdict;
mod version;

pub use batch::{BulkBatch, BulkItem, WriteMode};
pub use client::{Auth, ConnectSettings, OpenSearchTransport, Renewal};
pub use destination::{BulkDestination, BulkLoad, BulkSettings, Clock, Destination, retired_alias};
pub use documents::{
    DocumentWrite, Found, Hit, Search, Want, WriteAnswer, WriteOp, mget, refresh, search_page,
    write_documents,
};
pub use error::{BulkError, ErrorClass};
/// What signs requests: made from the AWS configuration by the one crate that knows the AWS SDK.
pub use opensearch::auth::Credentials;
pub use transport::{ApiAnswer, BulkAnswer, ClusterApi, Method, Transport};
pub use verdict::Verdict;
pub use version::{ClusterVersion, check_version};
