//! The table, in the words of real nodes and of what stands before them.

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
            let reason =
                format!("mapping set to {mode}, dynamic introduction of {reason} is not allowed");
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
