//! [`Verdict`]: what became of one item, decided by status and error type alone.

use crate::describe::{describe, describe_document};

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Written.
    Indexed,
    /// Its `_id` was already there, which is success.
    Duplicate,
    /// The document itself cannot be stored: an allow-list of error types.
    DocumentFault {
        /// The field that OpenSearch names, where it names one.
        field: Option<String>,
        /// Error type and reason.
        reason: String,
    },
    /// The index is retired (closed, or made read-only by our lifecycle) and cannot be read: whether the document is there cannot be known, so the record is quarantined.
    Retired {
        /// `index_retired`, and why.
        reason: String,
    },
    /// The cluster or the installation refuses: nothing is repaired or quarantined, the message fails.
    StateFault {
        /// Error type and reason.
        reason: String,
    },
    /// The cluster had no room or gave no answer until the retries ended; another attempt may succeed.
    Rejected {
        /// What it said, or that it said nothing.
        reason: String,
    },
}

/// Why an index takes no writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// It is closed, so nothing can be read either.
    Closed,
    /// It has a write block: of our lifecycle, which marks it, or of an operator.
    Blocked,
}

/// The blocks that a lifecycle puts on an index: read-only, write, remote (a warm or snapshot tier).
///
/// All of them answer `FORBIDDEN`, as an operator's own do; `12`, a full disk, is none of them.
const LIFECYCLE_BLOCKS: [&str; 3] = ["5", "8", "13"];

/// Tells whether an item was refused because its index takes no writes.
pub(crate) fn lock(status: u16, complaint: Complaint<'_>) -> Option<Lock> {
    match (status, complaint.kind) {
        (400, "index_closed_exception") => Some(Lock::Closed),
        (403, "cluster_block_exception") if complaint.reason.starts_with("index [") => {
            blocks(complaint.reason)
                .any(|id| LIFECYCLE_BLOCKS.contains(&id))
                .then_some(Lock::Blocked)
        }
        _ => None,
    }
}

/// Reads the ids of `index [x] blocked by: [FORBIDDEN/8/index write (api)];`.
fn blocks(reason: &str) -> impl Iterator<Item = &str> {
    let (_, list) = reason.split_once("blocked by:").unwrap_or_default();
    list.split(';').filter_map(|block| block.split('/').nth(1))
}

/// Tells whether a login or a permission is denied: neither a block of an index nor a signature that has expired is that.
pub(crate) fn denied(status: u16, complaint: Complaint<'_>) -> bool {
    let is_block = complaint.kind.ends_with("block_exception");
    let is_expired = complaint.kind.is_empty() && says_expired(complaint.reason);
    matches!(status, 401 | 403) && !is_block && !is_expired
}

/// What an item's `error` says.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Complaint<'a> {
    pub(crate) kind: &'a str,
    pub(crate) reason: &'a str,
    /// Type and reason of the cause.
    pub(crate) cause: Option<(&'a str, &'a str)>,
}

/// How `illegal_argument_exception` starts where the document is at fault and not the request.
const DOCUMENT_ARGUMENTS: [&str; 6] = [
    "Limit of total fields",
    "Limit of mapping depth",
    "Limit of nested fields",
    "Document contains at least one immense term",
    "DocValuesField ",
    // Two documents of one request gave a new field two types; only a template of the operator's own adds fields.
    "mapper [",
];

/// Decides by status and error type; everything that is not known is a state fault.
pub(crate) fn classify(status: u16, complaint: Complaint<'_>) -> Verdict {
    let reason = || describe(status, complaint);
    match (status, complaint.kind) {
        (200..=299, _) => Verdict::Indexed,
        (409, "version_conflict_engine_exception") => Verdict::Duplicate,
        // 429 with a block is the disk watermark: it does not pass by waiting a minute.
        (429, "cluster_block_exception") => Verdict::StateFault { reason: reason() },
        (429, _) => Verdict::Rejected {
            reason: format!("the cluster had no room: {}", reason()),
        },
        (502..=504, _) => Verdict::Rejected {
            reason: format!("the cluster was not available: {}", reason()),
        },
        // What stands before a domain says so, in its own words; the next request is signed anew.
        (400 | 401 | 403, "") if says_expired(complaint.reason) => Verdict::Rejected {
            reason: format!("the credentials had expired: {}", reason()),
        },
        (400, "mapper_parsing_exception" | "strict_dynamic_mapping_exception") => {
            document_fault(status, complaint)
        }
        (400, "illegal_argument_exception")
            if DOCUMENT_ARGUMENTS
                .iter()
                .any(|start| complaint.reason.starts_with(start)) =>
        {
            document_fault(status, complaint)
        }
        _ => Verdict::StateFault { reason: reason() },
    }
}

/// A document that cannot be stored, with the field that OpenSearch names.
fn document_fault(status: u16, complaint: Complaint<'_>) -> Verdict {
    let field = field(complaint.reason);
    Verdict::DocumentFault {
        reason: describe_document(status, complaint, field.is_some()),
        field,
    }
}

/// Decides about a request that was refused as a whole and held this one item.
pub(crate) fn classify_alone(status: u16, complaint: Complaint<'_>) -> Verdict {
    match (status, complaint.kind) {
        // The body could not be read as lines of JSON, or its id is refused: no other item can be at fault.
        (
            400,
            "json_parse_exception" | "parse_exception" | "action_request_validation_exception",
        )
        | (413, _) => Verdict::DocumentFault {
            field: None,
            reason: describe_document(status, complaint, false),
        },
        // A 2xx without items was read before; it says nothing of this item.
        (200..=299, _) => Verdict::StateFault {
            reason: describe(status, complaint),
        },
        _ => classify(status, complaint),
    }
}

/// Whether a refused request was signed with credentials or at a time that had passed.
pub(crate) fn says_expired(body: &str) -> bool {
    let body = body.to_ascii_lowercase();
    let what = ["token", "signature", "request", "credential"];
    body.contains("expired") && what.iter().any(|word| body.contains(word))
}

/// Finds the field that a reason names.
fn field(reason: &str) -> Option<String> {
    const NAMED: [(&str, &str); 6] = [
        ("failed to parse field [", "] of type ["),
        ("immense term in field=\"", "\" (whose "),
        ("DocValuesField \"", "\" is too large"),
        ("Existing mapping for [", "] must be"),
        ("object mapping for [", "] tried to parse field ["),
        ("mapper [", "] cannot be changed"),
    ];
    let between = |before: &str, after: &str| {
        let (_, rest) = reason.split_once(before)?;
        Some(rest.split_once(after)?.0)
    };
    let name = NAMED
        .iter()
        .find_map(|(before, after)| between(before, after))
        .map(str::to_owned)
        .or_else(|| {
            let name = between("dynamic introduction of [", "] within [")?;
            match between("] within [", "] is not allowed")? {
                "_doc" => Some(name.to_owned()),
                parent => Some(format!("{parent}.{name}")),
            }
        })?;
    // A flat_object keeps its terms in two fields of its own.
    let name = name
        .strip_suffix("._valueAndPath")
        .or_else(|| name.strip_suffix("._value"))
        .unwrap_or(&name);
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
