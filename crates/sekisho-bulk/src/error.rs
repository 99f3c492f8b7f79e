//! What can go wrong between a batch and its verdicts.

use std::error::Error;

/// Why no verdict could be had.
#[derive(Debug, thiserror::Error)]
pub enum BulkError {
    /// The settings name no usable cluster.
    #[error("cannot connect to `{url}`: {reason}")]
    Settings {
        /// The address, without credentials.
        url: String,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// The client could not be built.
    #[error("cannot build the client for `{url}`")]
    Client {
        /// The address, without credentials.
        url: String,
        /// What the client said.
        #[source]
        source: opensearch::Error,
    },
    /// No answer came.
    #[error("no answer from `{url}`{}", if *.timeout { " within `opensearch.timeout_ms`" } else { "" })]
    Connection {
        /// The address, without credentials.
        url: String,
        /// Whether the time was up.
        timeout: bool,
        /// What the client said.
        #[source]
        source: opensearch::Error,
    },
    /// The cluster shows a certificate that cannot be trusted, so nothing was sent.
    #[error("`{url}` is not trusted: {reason}; {}", certificate_remedy(.reason))]
    Certificate {
        /// The address, without credentials.
        url: String,
        /// What is wrong with the certificate.
        reason: String,
    },
    /// The answer is not what `_bulk` gives.
    #[error("cannot read the `_bulk` answer for {items} items")]
    Answer {
        /// How many items were sent.
        items: usize,
        /// Where it is no JSON of that shape.
        #[source]
        source: serde_json::Error,
    },
    /// The answer speaks of other items than were sent.
    #[error("the `_bulk` answer does not match its request: sent {sent}, answered {answered}")]
    Mismatch {
        /// What was sent.
        sent: String,
        /// What came back.
        answered: String,
    },
    /// The answer to a call is not what that call gives.
    #[error("cannot read the answer to `{call}`")]
    Unreadable {
        /// Method and path.
        call: String,
        /// Where it is no JSON of that shape.
        #[source]
        source: serde_json::Error,
    },
    /// A body that no request can be made from; a fault of whoever wrote it.
    #[error("document `{id}` of `{index}` has no end of `event` at byte {ingested_at} of its body")]
    Body {
        /// The `_id`.
        id: String,
        /// The `_index`.
        index: String,
        /// Where the end of `event` should be.
        ingested_at: usize,
    },
    /// The cluster is too old or is no OpenSearch.
    #[error("`{found}` is not supported; {remedy}")]
    Version {
        /// Distribution and number.
        found: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The cluster refused a call.
    #[error("`{call}` was refused with {status}: {reason}{}", remedy(*.status, .reason))]
    Refused {
        /// Method and path.
        call: String,
        /// The HTTP status.
        status: u16,
        /// The start of the answer.
        reason: String,
    },
}

/// What the caller of a failed write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Another attempt may succeed.
    Retry,
    /// The document is at fault.
    Document,
    /// The cluster or the installation is at fault: nothing is repaired or quarantined.
    State,
}

impl BulkError {
    /// Decides between retry, document fault and state fault.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Connection { .. }
            | Self::Answer { .. }
            | Self::Unreadable { .. }
            | Self::Refused {
                status: 429 | 502..=504,
                ..
            } => ErrorClass::Retry,
            Self::Body { .. } => ErrorClass::Document,
            Self::Settings { .. }
            | Self::Client { .. }
            | Self::Certificate { .. }
            | Self::Mismatch { .. }
            | Self::Version { .. }
            | Self::Refused { .. } => ErrorClass::State,
        }
    }
}

/// What an operator does about a refused login or permission; starts with `; ` or is empty.
pub(crate) fn remedy(status: u16, reason: &str) -> &'static str {
    match status {
        401 => "; check `opensearch.auth`, `opensearch.username` and `opensearch.password`",
        403 if reason.contains("no permissions for") => "; give the user's role this permission",
        // What stands before a domain answers in its own words, and knows no blocks.
        403 if !reason.contains("blocked by") => {
            "; check `opensearch.auth`, `opensearch.region` and what the access policy allows"
        }
        _ => "",
    }
}

fn certificate_remedy(reason: &str) -> &'static str {
    const REMEDIES: [(&str, &str); 3] = [
        (
            "not valid for name",
            "use an address in `opensearch.url` that the certificate names",
        ),
        ("expired", "renew the certificate, and check the clock"),
        // What `openssl req -x509` makes by default; naming it as its own authority does not help.
        (
            "CaUsedAsEndEntity",
            "make the cluster's certificate again with `basicConstraints=CA:FALSE`",
        ),
    ];
    let mut known = REMEDIES.iter();
    let found = known.find(|(word, _)| reason.contains(word));
    found.map_or(
        "name the authority of the certificate in `opensearch.ca_file`",
        |(_, remedy)| remedy,
    )
}

/// Gives an error and its cause in one line that says nothing twice.
pub(crate) fn explain(error: &BulkError) -> String {
    let text = error.to_string();
    let cause = root_cause(error);
    if text.contains(&cause) {
        return text;
    }
    format!("{text}: {cause}")
}

/// The innermost error, which says what happened; those around it say where.
pub(crate) fn root_cause(error: &dyn Error) -> String {
    let inner = std::iter::successors(error.source(), |&error| error.source()).last();
    inner.map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_fault_says_what_helps_against_it() {
        // As the TLS library words them.
        for (reason, word) in [
            ("UnknownIssuer", "opensearch.ca_file"),
            (
                "certificate not valid for name \"127.0.0.1\"",
                "opensearch.url",
            ),
            ("certificate expired: verification time …", "renew"),
            ("Other(OtherError(CaUsedAsEndEntity))", "CA:FALSE"),
        ] {
            let error = BulkError::Certificate {
                url: "https://node".into(),
                reason: format!("invalid peer certificate: {reason}"),
            };
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
