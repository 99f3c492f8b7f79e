//! What OpenSearch said, for logs and notes: whatever it quotes of a document is left out, since no log holds what records do.

use std::iter::successors;

use crate::error::remedy;
use crate::verdict::Complaint;

/// How much is kept of one reason, in characters.
const LONGEST: usize = 400;

/// Where the words about a field end and those about its value or its document begin.
const BEHIND_THE_FIELD: [&str; 4] = [
    " in document with id",
    " Preview of field",
    " Please correct the analyzer",
    " The prefix of the first",
];

/// What stands around a value in the words of OpenSearch, of Java and of its JSON reader.
const AROUND_VALUES: [(char, char); 4] = [('\'', '\''), ('"', '"'), ('[', ']'), ('(', ')')];

/// Says why a document cannot be stored: the error, the field where it is named, and no value.
pub(crate) fn describe_document(
    status: u16,
    complaint: Complaint<'_>,
    names_field: bool,
) -> String {
    let reason = BEHIND_THE_FIELD
        .iter()
        .fold(complaint.reason, |reason, mark| {
            reason.split_once(mark).map_or(reason, |(before, _)| before)
        });
    let reason = if names_field {
        reason.to_owned()
    } else {
        without(reason, &AROUND_VALUES)
    };
    let cause = complaint
        .cause
        .map(|(kind, reason)| (kind, without(reason, &AROUND_VALUES)));
    text(status, complaint.kind, &reason, cause)
}

/// Says why something else than a document is at fault; names in brackets are needed for that, and what is in quotes may be a value.
pub(crate) fn describe(status: u16, complaint: Complaint<'_>) -> String {
    let quotes = AROUND_VALUES.get(..2).unwrap_or_default();
    let own = |text: &str| without(text, quotes);
    // Words without an error type are not OpenSearch's: what stands before it knows no documents.
    let reason = match complaint.kind {
        "" => complaint.reason.to_owned(),
        _ => own(complaint.reason),
    };
    let cause = complaint.cause.map(|(kind, reason)| (kind, own(reason)));
    let mut text = text(status, complaint.kind, &reason, cause);
    text.push_str(remedy(status, complaint.reason));
    text
}

fn text(status: u16, kind: &str, reason: &str, cause: Option<(&str, String)>) -> String {
    let cut = |text: &str| text.chars().take(LONGEST).collect::<String>();
    let mut text = match (kind, reason) {
        ("", "") => format!("status {status}"),
        ("", reason) => format!("status {status}: {}", cut(reason)),
        (kind, reason) => format!("{kind}: {}", cut(reason)),
    };
    if let Some((kind, reason)) = cause {
        text.push_str("; ");
        text.push_str(kind);
        text.push_str(": ");
        text.push_str(&cut(&reason));
    }
    text
}

/// Leaves out what stands between the first opening and the last closing mark of all pairs: a value may hold marks of its own.
fn without(text: &str, pairs: &[(char, char)]) -> String {
    let opens = pairs.iter().filter_map(|&(open, _)| {
        let at = opening(text, open)?;
        Some(at + open.len_utf8())
    });
    let Some(from) = opens.min() else {
        return text.to_owned();
    };
    let closes = pairs.iter().filter_map(|&(_, close)| text.rfind(close));
    let to = closes.filter(|&to| to >= from).max();
    let (before, behind) = (text.get(..from), text.get(to.unwrap_or(text.len())..));
    [before, Some("…"), behind].into_iter().flatten().collect()
}

/// Finds an opening mark; an apostrophe within a word is none.
fn opening(text: &str, open: char) -> Option<usize> {
    let next = |at: usize| {
        let rest = text.get(at + open.len_utf8()..)?;
        rest.find(open).map(|found| at + open.len_utf8() + found)
    };
    successors(text.find(open), |&at| next(at)).find(|&at| {
        let before = text.get(..at).unwrap_or_default().chars().next_back();
        open != '\'' || !before.is_some_and(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;
    use crate::verdict::{classify, classify_alone};

    /// What a record holds: the marks that OpenSearch puts around it are in it, too.
    const SECRETS: [&str; 4] = ["hunter2", "it's hunter2's", "\"hunter2\"", "]hunter2) 'x"];

    #[track_caller]
    fn check(status: u16, kind: &str, reason: &str, cause: &str, says: &str) {
        for secret in SECRETS {
            let (reason, cause) = (reason.replace('§', secret), cause.replace('§', secret));
            let complaint = Complaint {
                kind,
                reason: &reason,
                cause: (!cause.is_empty()).then_some(("illegal_argument_exception", &*cause)),
            };
            for decide in [classify, classify_alone] {
                let verdict = decide(status, complaint);
                let (Verdict::DocumentFault { reason, .. } | Verdict::StateFault { reason }) =
                    &verdict
                else {
                    panic!("{verdict:?}")
                };
                assert!(!reason.contains("hunter2"), "{reason}");
                assert!(reason.contains(says), "{reason}");
            }
        }
    }

    #[test]
    fn no_value_of_a_document_is_quoted() {
        let mapper = "mapper_parsing_exception";
        let parse = "failed to parse field [source.ip] of type [ip] in document with id 'x'. Preview of field's value: '§'";
        let named = "failed to parse field [source.ip] of type [ip]";
        for cause in [
            "'§' is not an IP string literal.",
            "For input string: \"§\"",
            "failed to parse date field [§] with format [strict_date_optional_time]",
            "Numeric value (§) out of range of int",
            "Value [§] is out of range for a long",
        ] {
            check(400, mapper, parse, cause, named);
        }
        let duplicate = "Duplicate field '§'\n at [Source: (byte[])\"§\"; line: 1]";
        check(400, mapper, "failed to parse", duplicate, "Duplicate field");
        let immense = "Document contains at least one immense term in field=\"kw\" (whose UTF8 encoding is longer than the max length 32766), all of which were skipped. Please correct the analyzer to not produce such terms. The prefix of the first immense term is: '[104, 117]...', original message: §";
        let argument = "illegal_argument_exception";
        check(400, argument, immense, "", "immense term in field=\"kw\"");
        check(
            400,
            argument,
            "it doesn't know '§'",
            "",
            "it doesn't know '…",
        );
    }

    #[test]
    fn a_request_of_one_item_quotes_no_value_either() {
        let complaint = Complaint {
            kind: "json_parse_exception",
            reason: "Unexpected character ('h' (code 104)): was expecting comma\n at [Source: \"hunter2\"]",
            cause: None,
        };
        let Verdict::DocumentFault { reason, .. } = classify_alone(400, complaint) else {
            panic!("a document is at fault")
        };
        assert!(!reason.contains("hunter2"), "{reason}");
        assert!(reason.starts_with("json_parse_exception: Unexpected character"));
    }

    #[test]
    fn what_an_operator_needs_stays() {
        let reason = "no permissions for [indices:data/write/bulk[s]] and User [name=ingest, backend_roles=[], requestedTenant=null]";
        let complaint = Complaint {
            kind: "security_exception",
            reason,
            cause: None,
        };
        assert!(describe(403, complaint).contains(reason));
        let proxy = Complaint {
            reason: r#"{"message":"The security token included in the request is invalid"}"#,
            ..Complaint::default()
        };
        assert!(describe(403, proxy).contains("The security token"));
    }
}
