//! [`Verdict`]: what became of one item, decided by status and error type alone.

use crate::error::remedy;

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
    /// The cluster had no room, and the retry budget ended.
    Rejected {
        /// Error type and reason.
        reason: String,
    },
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
const DOCUMENT_ARGUMENTS: [&str; 5] = [
    "Limit of total fields",
    "Limit of mapping depth",
    "Limit of nested fields",
    "Document contains at least one immense term",
    "DocValuesField ",
];

/// Decides by status and error type; everything that is not known is a state fault.
pub(crate) fn classify(status: u16, complaint: Complaint<'_>) -> Verdict {
    let reason = || describe(status, complaint);
    match (status, complaint.kind) {
        (200..=299, _) => Verdict::Indexed,
        (409, "version_conflict_engine_exception") => Verdict::Duplicate,
        // 429 with a block is the disk watermark: it does not pass by waiting a minute.
        (429, "cluster_block_exception") => Verdict::StateFault { reason: reason() },
        (429 | 502..=504, _) => Verdict::Rejected { reason: reason() },
        (400, "mapper_parsing_exception" | "strict_dynamic_mapping_exception") => {
            Verdict::DocumentFault {
                field: field(complaint.reason),
                reason: reason(),
            }
        }
        (400, "illegal_argument_exception")
            if DOCUMENT_ARGUMENTS
                .iter()
                .any(|start| complaint.reason.starts_with(start)) =>
        {
            Verdict::DocumentFault {
                field: field(complaint.reason),
                reason: reason(),
            }
        }
        _ => Verdict::StateFault { reason: reason() },
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
            reason: describe(status, complaint),
        },
        // A 2xx without items was read before; it says nothing of this item.
        (200..=299, _) => Verdict::StateFault {
            reason: describe(status, complaint),
        },
        _ => classify(status, complaint),
    }
}

fn describe(status: u16, complaint: Complaint<'_>) -> String {
    const LONGEST: usize = 400;
    let cut = |text: &str| text.chars().take(LONGEST).collect::<String>();
    let Complaint {
        kind,
        reason,
        cause,
    } = complaint;
    let mut text = match (kind, reason) {
        ("", "") => format!("status {status}"),
        ("", reason) => format!("status {status}: {}", cut(reason)),
        (kind, reason) => format!("{kind}: {}", cut(reason)),
    };
    if let Some((kind, reason)) = cause {
        text.push_str("; ");
        text.push_str(kind);
        text.push_str(": ");
        text.push_str(&cut(reason));
    }
    text.push_str(remedy(status, reason));
    text
}

/// Finds the field that a reason names.
fn field(reason: &str) -> Option<String> {
    const NAMED: [(&str, char); 5] = [
        ("failed to parse field [", ']'),
        ("immense term in field=\"", '"'),
        ("DocValuesField \"", '"'),
        ("Existing mapping for [", ']'),
        ("object mapping for [", ']'),
    ];
    NAMED.iter().find_map(|(before, after)| {
        let (_, rest) = reason.split_once(before)?;
        let (name, _) = rest.split_once(*after)?;
        // A flat_object keeps its terms in two fields of its own.
        let name = name
            .strip_suffix("._valueAndPath")
            .or_else(|| name.strip_suffix("._value"))
            .unwrap_or(name);
        (!name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, kind: &str, reason: &str) -> Verdict {
        classify(
            status,
            Complaint {
                kind,
                reason,
                cause: None,
            },
        )
    }

    fn is_state(status: u16, kind: &str, reason: &str) {
        let verdict = verdict(status, kind, reason);
        assert!(matches!(verdict, Verdict::StateFault { .. }), "{verdict:?}");
    }

    fn is_document(kind: &str, reason: &str, named: Option<&str>) {
        match verdict(400, kind, reason) {
            Verdict::DocumentFault { field, .. } => assert_eq!(field.as_deref(), named),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn success_and_duplicate() {
        assert_eq!(verdict(201, "", ""), Verdict::Indexed);
        assert_eq!(
            verdict(
                409,
                "version_conflict_engine_exception",
                "[x]: version conflict"
            ),
            Verdict::Duplicate
        );
    }

    #[test]
    fn rejections_are_retried_but_not_the_disk_watermark() {
        for status in [429, 502, 503, 504] {
            assert!(matches!(
                verdict(status, "rejected_execution_exception", ""),
                Verdict::Rejected { .. }
            ));
        }
        is_state(
            429,
            "cluster_block_exception",
            "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark];",
        );
    }

    #[test]
    fn document_faults_name_their_field() {
        is_document(
            "mapper_parsing_exception",
            "failed to parse field [source.ip] of type [ip] in document with id '1'. Preview of field's value: 'x'",
            Some("source.ip"),
        );
        is_document("mapper_parsing_exception", "failed to parse", None);
        is_document(
            "mapper_parsing_exception",
            "object mapping for [aws.x] tried to parse field [x] as object, but found a concrete value",
            Some("aws.x"),
        );
        is_document(
            "mapper_parsing_exception",
            "Could not dynamically add mapping for field [kw.x]. Existing mapping for [aws.kw] must be of type object but found [keyword].",
            Some("aws.kw"),
        );
        is_document(
            "illegal_argument_exception",
            "Document contains at least one immense term in field=\"aws.ct.other._valueAndPath\" (whose UTF8 encoding is longer than the max length 32766)",
            Some("aws.ct.other"),
        );
        is_document(
            "illegal_argument_exception",
            "DocValuesField \"fo._valueAndPath\" is too large, must be <= 32766",
            Some("fo"),
        );
        is_document(
            "illegal_argument_exception",
            "Limit of total fields [1000] has been exceeded",
            None,
        );
        is_document(
            "strict_dynamic_mapping_exception",
            "mapping set to strict",
            None,
        );
    }

    #[test]
    fn everything_else_is_a_state_fault() {
        is_state(
            400,
            "illegal_argument_exception",
            "no write index is defined for alias",
        );
        is_state(400, "index_closed_exception", "closed");
        is_state(
            400,
            "validation_exception",
            "this action would add [2] shards",
        );
        is_state(400, "invalid_index_name_exception", "Invalid index name");
        is_state(403, "security_exception", "no permissions");
        is_state(
            403,
            "cluster_block_exception",
            "FORBIDDEN/8/index write (api)",
        );
        is_state(404, "index_not_found_exception", "no such index");
        is_state(409, "something_else", "");
        is_state(500, "null_pointer_exception", "");
        is_state(302, "", "");
    }

    #[test]
    fn a_refused_login_or_permission_says_what_to_do() {
        let says = |status, kind, reason: &str, word: &str| {
            let Verdict::StateFault { reason } = verdict(status, kind, reason) else {
                panic!("{status} is no state fault");
            };
            assert_eq!(reason.contains(word), !word.is_empty(), "{reason}");
            reason
        };
        says(401, "", "Unauthorized", "check `opensearch.auth`");
        let security = "no permissions for [indices:admin/create] and User [name=a]";
        says(403, "security_exception", security, "the user's role");
        let signature = r#"{"message":"The request signature we calculated does not match"}"#;
        says(403, "", signature, "`opensearch.region`");
        let block = "index [x] blocked by: [FORBIDDEN/8/index write (api)];";
        let reason = says(403, "cluster_block_exception", block, "FORBIDDEN/8");
        assert!(!reason.contains("opensearch."), "{reason}");
    }

    #[test]
    fn a_refused_request_of_one_item_is_its_fault_only_where_its_bytes_are() {
        let alone = |status, kind| {
            classify_alone(
                status,
                Complaint {
                    kind,
                    ..Complaint::default()
                },
            )
        };
        for (status, kind) in [(400, "json_parse_exception"), (413, "")] {
            assert!(matches!(alone(status, kind), Verdict::DocumentFault { .. }));
        }
        for (status, kind) in [
            (401, ""),
            (403, ""),
            (400, "illegal_argument_exception"),
            (200, ""),
        ] {
            assert!(matches!(alone(status, kind), Verdict::StateFault { .. }));
        }
        assert!(matches!(alone(503, ""), Verdict::Rejected { .. }));
    }
}
