//! Reads `_bulk` answers item by item, borrowing from the body.

use std::borrow::Cow;

use serde::Deserialize;

use crate::verdict::{Complaint, Lock, classify, denied, lock};
use crate::{BulkBatch, BulkError, Verdict};

/// Keeps answers small; `_id` ties each verdict to its item.
pub(crate) const FILTER_PATH: &str = "errors,items.*._id,items.*.status,\
    items.*.error.type,items.*.error.reason,\
    items.*.error.caused_by.type,items.*.error.caused_by.reason,error,status";

/// The answer to a `_bulk` request.
#[derive(Deserialize)]
pub(crate) struct BulkAnswer<'a> {
    /// One for each action, in their order.
    #[serde(borrow)]
    pub(crate) items: Vec<Action<'a>>,
}

/// What became of one action.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action<'a> {
    #[serde(borrow)]
    Create(Item<'a>),
    #[serde(borrow)]
    Index(Item<'a>),
    #[serde(borrow)]
    Delete(Item<'a>),
}

impl<'a> Action<'a> {
    /// The same for all kinds.
    pub(crate) fn item(&self) -> &Item<'a> {
        match self {
            Self::Create(item) | Self::Index(item) | Self::Delete(item) => item,
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Item<'a> {
    #[serde(borrow, rename = "_id")]
    pub(crate) id: Cow<'a, str>,
    pub(crate) status: u16,
    #[serde(borrow)]
    pub(crate) error: Option<ItemError<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct ItemError<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    caused_by: Option<Cause<'a>>,
}

#[derive(Deserialize)]
struct Cause<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
}

/// What an answer says of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    /// The verdict, unless the index turns out to be retired.
    pub(crate) verdict: Verdict,
    /// Why the index takes no writes, where that is why.
    pub(crate) lock: Option<Lock>,
    /// Whether a login or a permission is denied.
    pub(crate) denied: bool,
}

impl From<Verdict> for Answered {
    fn from(verdict: Verdict) -> Self {
        Self {
            verdict,
            lock: None,
            denied: false,
        }
    }
}

/// Reads what became of each item of the request, in its order.
pub(crate) fn read(
    body: &[u8],
    batch: &BulkBatch,
    sent: &[usize],
) -> Result<Vec<Answered>, BulkError> {
    let answer: BulkAnswer<'_> =
        serde_json::from_slice(body).map_err(|source| BulkError::Answer {
            items: sent.len(),
            source,
        })?;
    if answer.items.len() != sent.len() {
        return Err(BulkError::Mismatch {
            sent: format!("{} items", sent.len()),
            answered: format!("{} items", answer.items.len()),
        });
    }
    let items = sent.iter().filter_map(|&place| batch.items.get(place));
    items
        .zip(&answer.items)
        .map(|(item, answered)| {
            let answered = answered.item();
            let id = item.id.to_string();
            if id != answered.id {
                return Err(BulkError::Mismatch {
                    sent: format!("id `{id}`"),
                    answered: format!("id `{}`", answered.id),
                });
            }
            let complaint = complaint(answered.error.as_ref());
            Ok(Answered {
                verdict: classify(answered.status, complaint),
                lock: lock(answered.status, complaint),
                denied: denied(answered.status, complaint),
            })
        })
        .collect()
}

fn complaint<'a>(error: Option<&'a ItemError<'a>>) -> Complaint<'a> {
    let Some(error) = error else {
        return Complaint::default();
    };
    Complaint {
        kind: &error.kind,
        reason: error.reason.as_deref().unwrap_or_default(),
        cause: error
            .caused_by
            .as_ref()
            .map(|cause| (&*cause.kind, cause.reason.as_deref().unwrap_or_default())),
    }
}

#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow)]
    error: ItemError<'a>,
}

/// Reads why a whole request was refused and hands it to `decide`; the body may be no JSON at all.
pub(crate) fn refusal<T>(body: &[u8], decide: impl FnOnce(Complaint<'_>) -> T) -> T {
    match serde_json::from_slice::<Refusal<'_>>(body) {
        Ok(refusal) => decide(complaint(Some(&refusal.error))),
        Err(_) => decide(Complaint {
            kind: "",
            reason: &String::from_utf8_lossy(body),
            cause: None,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::batch;

    fn answer(batch: &BulkBatch, status: &[u16]) -> String {
        let items: Vec<_> = batch
            .items
            .iter()
            .zip(status)
            .map(|(item, status)| {
                format!(r#"{{"create":{{"_id":"{}","status":{status}}}}}"#, item.id)
            })
            .collect();
        format!(r#"{{"errors":false,"items":[{}]}}"#, items.join(","))
    }

    #[test]
    fn gives_a_verdict_for_each_item() {
        let batch = batch(&["a", "b"]);
        let verdicts = read(answer(&batch, &[201, 201]).as_bytes(), &batch, &[0, 1]).unwrap();
        assert_eq!(
            verdicts,
            [Verdict::Indexed, Verdict::Indexed].map(Answered::from)
        );
    }

    #[test]
    fn an_error_with_escapes_is_read() {
        let batch = batch(&["a"]);
        let body = format!(
            r#"{{"errors":true,"items":[{{"create":{{"_id":"{}","status":400,"error":{{"type":"mapper_parsing_exception","reason":"failed to parse field [a\"b] of type [ip]","caused_by":{{"type":"x","reason":"y"}}}}}}}}]}}"#,
            batch.items[0].id
        );
        assert_eq!(
            read(body.as_bytes(), &batch, &[0]).unwrap(),
            [Answered::from(Verdict::DocumentFault {
                field: Some("a\"b".into()),
                reason: "mapper_parsing_exception: failed to parse field [a\"b] of type [ip]; x: y"
                    .into(),
            })]
        );
    }

    #[test]
    fn a_wrong_count_or_id_is_an_error() {
        let batch = batch(&["a", "b"]);
        let short = answer(&batch, &[201]);
        assert!(matches!(
            read(short.as_bytes(), &batch, &[0, 1]),
            Err(BulkError::Mismatch { .. })
        ));
        let whole = answer(&batch, &[201, 201]);
        assert!(matches!(
            read(whole.as_bytes(), &batch, &[1, 0]),
            Err(BulkError::Mismatch { .. })
        ));
        assert!(matches!(
            read(b"{\"items\":[", &batch, &[0, 1]),
            Err(BulkError::Answer { .. })
        ));
    }

    #[test]
    fn a_refusal_may_be_json_text_or_nothing() {
        let kind = |body: &[u8]| refusal(body, |c| (c.kind.to_owned(), c.reason.to_owned()));
        assert_eq!(
            kind(br#"{"error":{"type":"a","reason":"b"},"status":400}"#),
            ("a".into(), "b".into())
        );
        assert_eq!(
            kind(b"Unauthorized"),
            (String::new(), "Unauthorized".into())
        );
        assert_eq!(kind(b""), (String::new(), String::new()));
    }
}
