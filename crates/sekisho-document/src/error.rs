//! What can be wrong with what a document is made from.

/// A setting or name that no document can be made with.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// A type that `parser.toml` may not declare.
    #[error(
        "unknown type `{name}`; use keyword, wildcard, long, double, boolean, ip, date or flat_object"
    )]
    UnknownType {
        /// The name as written.
        name: String,
    },
    /// An index name that OpenSearch refuses.
    #[error("`{name}` cannot be an index name: {reason}")]
    IndexName {
        /// The name as written.
        name: String,
        /// What OpenSearch refuses in it.
        reason: &'static str,
    },
    /// A zone that the IANA database does not know.
    #[error("unknown time zone `{name}`; use an IANA name such as `UTC` or `Asia/Tokyo`")]
    TimeZone {
        /// The name as written.
        name: String,
    },
}
