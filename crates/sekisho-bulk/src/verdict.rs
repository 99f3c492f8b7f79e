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

    /// The words of nodes of 2.19.4 and 3.4.0, which differ in nothing here.
    #[test]
    fn the_named_field_is_found_in_what_nodes_say() {
        let parse = |field: &str, kind: &str, value: &str| {
            format!(
                "failed to parse field [{field}] of type [{kind}] in document with id '4832'. Preview of field's value: '{value}'"
            )
        };
        let concrete = |path: &str, field: &str| {
            format!(
                "object mapping for [{path}] tried to parse field [{field}] as object, but found a concrete value"
            )
        };
        let mapper = "mapper_parsing_exception";
        for (reason, named) in [
            // An object where text is mapped, at the root and below.
            (parse("t", "text", "{a=1}"), "t"),
            (parse("o.in.y", "long", "{z=1}"), "o.in.y"),
            // A text where an object is mapped: nested, dotted, in an array.
            (concrete("o", "o"), "o"),
            (concrete("o.in", "in"), "o.in"),
            (concrete("o.in", "o.in"), "o.in"),
            (concrete("o", "null"), "o"),
            (parse("i", "integer", "3000000000"), "i"),
            (parse("by", "byte", "300"), "by"),
            (parse("f", "float", "Infinity"), "f"),
            (parse("d", "date", "yesterday"), "d"),
            (parse("ip", "ip", "x.y"), "ip"),
            (parse("ns.fo", "flat_object", "text"), "ns.fo"),
            (parse("a]b", "long", "]"), "a]b"),
            ("failed to parse field [g] of type [geo_point]".into(), "g"),
        ] {
            is_document(mapper, &reason, Some(named));
        }
        for (reason, named) in [
            ("[foo] within [_doc]", "foo"),
            ("[y] within [o]", "o.y"),
            ("[r] within [o.p]", "o.p.r"),
        ] {
            for mode in ["strict", "strict_allow_templates"] {
                let reason = format!(
                    "mapping set to {mode}, dynamic introduction of {reason} is not allowed"
                );
                is_document("strict_dynamic_mapping_exception", &reason, Some(named));
            }
        }
        let immense = |field: &str| {
            format!(
                "Document contains at least one immense term in field=\"{field}\" (whose UTF8 encoding is longer than the max length 32766), all of which were skipped.  Please correct the analyzer to not produce such terms."
            )
        };
        for (reason, named) in [
            (immense("kw"), Some("kw")),
            (immense("o.x"), Some("o.x")),
            (immense("fo._value"), Some("fo")),
            (
                "DocValuesField \"wc\" is too large, must be <= 32766".into(),
                Some("wc"),
            ),
            ("Limit of total fields [20] has been exceeded".into(), None),
            (
                "mapper [x.y] cannot be changed from type [long] to [text]".into(),
                Some("x.y"),
            ),
        ] {
            is_document("illegal_argument_exception", &reason, named);
        }
        // Too deep, an empty or dotted key, the same key twice: the cause says it, and names no field.
        is_document(mapper, "failed to parse", None);
    }

    #[test]
    fn a_lock_of_one_index_is_told_by_its_block() {
        let locked = |status, kind, reason| {
            lock(
                status,
                Complaint {
                    kind,
                    reason,
                    cause: None,
                },
            )
        };
        let block = |reason| locked(403, "cluster_block_exception", reason);
        for reason in [
            "index [m-a] blocked by: [FORBIDDEN/8/index write (api)];",
            "index [m-ro] blocked by: [FORBIDDEN/5/index read-only (api)];",
            "index [m] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];[FORBIDDEN/8/index write (api)];",
        ] {
            assert_eq!(block(reason), Some(Lock::Blocked), "{reason}");
        }
        for reason in [
            "index [m] blocked by: [FORBIDDEN/7/index read (api)];",
            "blocked by: [FORBIDDEN/8/index write (api)];",
            "blocked by: [FORBIDDEN/6/cluster read-only (api)];",
            "no list",
        ] {
            assert_eq!(block(reason), None, "{reason}");
        }
        let disk = "index [m] blocked by: [TOO_MANY_REQUESTS/12/disk usage];";
        assert_eq!(locked(429, "cluster_block_exception", disk), None);
        assert_eq!(
            locked(400, "index_closed_exception", "closed"),
            Some(Lock::Closed)
        );
        assert_eq!(locked(403, "security_exception", "no permissions"), None);
    }

    #[test]
    fn expired_credentials_are_rejected_and_wrong_ones_are_a_state_fault() {
        for (status, body) in [
            (
                403,
                r#"{"message":"The security token included in the request is expired"}"#,
            ),
            (
                403,
                r#"{"message":"Signature expired: 20261123T000000Z is now earlier than 20261123T001000Z"}"#,
            ),
            (
                400,
                r#"{"__type":"ExpiredTokenException","message":"The security token included in the request is expired"}"#,
            ),
            (400, "RequestExpired: Request has expired."),
        ] {
            for decide in [classify, classify_alone] {
                let complaint = Complaint {
                    reason: body,
                    ..Complaint::default()
                };
                let verdict = decide(status, complaint);
                assert!(
                    matches!(&verdict, Verdict::Rejected { reason } if reason.starts_with("the credentials had expired: ")),
                    "{verdict:?}"
                );
            }
        }
        is_state(
            403,
            "",
            "The security token included in the request is invalid.",
        );
        is_state(403, "", "is not authorized to perform: es:ESHttpPost");
        is_state(401, "", "Unauthorized");
    }

    #[test]
    fn everything_else_is_a_state_fault() {
        is_state(
            400,
            "illegal_argument_exception",
            "no write index is defined for alias",
        );
        is_state(400, "illegal_argument_exception", "a token has expired");
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
        says(403, "security_exception", security, "indices:admin/create");
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
