//! What can go wrong with the templates of a cluster.

use sekisho_bulk::BulkError;

/// Why templates could not be made, compared or applied.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Two fields that no mapping can hold together.
    #[error(
        "field `{field}` of index `{index}` is both {first} and {second}; give one of them another type or name"
    )]
    Conflict {
        /// The index without prefix and day.
        index: String,
        /// The dotted name.
        field: String,
        /// One type.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// The cluster's templates are not those that this version writes for.
    #[error(
        "the cluster's index templates are {found}, this version needs {needed}; run `sekisho apply`"
    )]
    Templates {
        /// What the cluster holds.
        found: String,
        /// What is needed.
        needed: String,
    },
    /// The cluster refused a call.
    #[error("cannot {action} template `{name}`: status {status}: {reason}")]
    Refused {
        /// `read` or `put`.
        action: &'static str,
        /// The template's name.
        name: String,
        /// The HTTP status.
        status: u16,
        /// The start of the answer.
        reason: String,
    },
    /// The cluster could not be reached.
    #[error("cannot reach the cluster")]
    Bulk(#[from] BulkError),
}
