//! What can go wrong with a queue or the quarantine bucket.

use std::error::Error;

/// Why a queue or a bucket did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It was not reached, or asks for patience; another attempt may succeed.
    #[error("`{place}` could not be reached")]
    Unavailable {
        /// The queue or bucket.
        place: String,
        /// What it or the connection says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The role may not do it.
    #[error("no permission for `{place}`; grant {permission}")]
    Denied {
        /// The queue or object.
        place: String,
        /// The actions that the role needs.
        permission: String,
        /// What it says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It says no for another reason.
    #[error("`{place}` refused")]
    Refused {
        /// The queue or object.
        place: String,
        /// What it says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The installation has none.
    #[error("there is no {what}; set `{setting}`")]
    Unset {
        /// What is missing.
        what: &'static str,
        /// The setting that names it.
        setting: &'static str,
    },
}
