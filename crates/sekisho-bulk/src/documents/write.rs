//! Documents written one by one, many in a request, each with its own operation.

use std::io::Write as _;

use bytes::Bytes;
use serde_json::json;

use super::{accepted, unreadable};
use crate::answer::{Action, BulkAnswer, FILTER_PATH, Item};
use crate::{BulkError, ClusterApi, Method};

/// Where a request is cut.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentWrite {
    /// The `_index`.
    pub index: String,
    /// The `_id`.
    pub id: String,
    /// What is done.
    pub op: WriteOp,
    /// The document as JSON; empty for a delete.
    pub body: Vec<u8>,
}

/// What is done with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOp {
    /// Written only where none is there.
    Create,
    /// Written over what is there.
    Index,
    /// Written over this state of the document only.
    IndexIf {
        /// As [`mget`](super::mget) gave it.
        seq_no: u64,
        /// As [`mget`](super::mget) gave it.
        primary_term: u64,
    },
    /// Deleted.
    Delete,
    /// This state of the document is deleted, and no later one.
    DeleteIf {
        /// As [`mget`](super::mget) or a [`Hit`](super::Hit) gave it.
        seq_no: u64,
        /// As [`mget`](super::mget) or a [`Hit`](super::Hit) gave it.
        primary_term: u64,
    },
}

impl WriteOp {
    fn deletes(self) -> bool {
        match self {
            Self::Delete | Self::DeleteIf { .. } => true,
            Self::Create | Self::Index | Self::IndexIf { .. } => false,
        }
    }
}

/// What became of one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteAnswer {
    /// Done.
    Done,
    /// Another document, or another state of it, is there.
    Conflict,
    /// What should be deleted is not there.
    NotFound,
    /// The cluster refused this one.
    Refused {
        /// The item's status.
        status: u16,
        /// The error's type.
        kind: String,
        /// Why.
        reason: String,
    },
}

/// Writes documents and answers in their order; visible to look-ups by id at once, to searches after a refresh.
///
/// # Errors
/// When a request was refused as a whole or not answered: what became of its writes cannot be known, and those of earlier requests are done.
pub async fn write_documents(
    api: &dyn ClusterApi,
    writes: &[DocumentWrite],
) -> Result<Vec<WriteAnswer>, BulkError> {
    let mut answers = Vec::with_capacity(writes.len());
    let mut open = vec![writes];
    while let Some(part) = open.pop() {
        let (body, taken) = build(part);
        if taken == 0 {
            continue;
        }
        let (now, later) = part.split_at(taken.min(part.len()));
        let path = format!("/_bulk?filter_path={FILTER_PATH}");
        let answer = api.call(Method::Post, &path, Some(body)).await?;
        open.push(later);
        if answer.status == 413 && now.len() > 1 {
            let (first, second) = now.split_at(now.len() / 2);
            open.push(second);
            open.push(first);
            continue;
        }
        let answer = accepted("POST /_bulk", answer)?;
        read(&answer.body, now, &mut answers)?;
    }
    Ok(answers)
}

/// Builds one body of the first writes and says how many those are.
fn build(writes: &[DocumentWrite]) -> (Bytes, usize) {
    let mut body = Vec::new();
    let mut taken = 0;
    for write in writes {
        let at = json!({ "_index": write.index, "_id": write.id });
        let (action, with_body) = match write.op {
            WriteOp::Create => (json!({ "create": at }), true),
            WriteOp::Index => (json!({ "index": at }), true),
            WriteOp::IndexIf {
                seq_no,
                primary_term,
            } => (
                json!({ "index": {
                    "_index": write.index, "_id": write.id,
                    "if_seq_no": seq_no, "if_primary_term": primary_term,
                } }),
                true,
            ),
            WriteOp::Delete => (json!({ "delete": at }), false),
            WriteOp::DeleteIf {
                seq_no,
                primary_term,
            } => (
                json!({ "delete": {
                    "_index": write.index, "_id": write.id,
                    "if_seq_no": seq_no, "if_primary_term": primary_term,
                } }),
                false,
            ),
        };
        if taken > 0 && body.len() + write.body.len() > MAX_BYTES {
            break;
        }
        // A write to memory cannot fail.
        drop(writeln!(body, "{action}"));
        if with_body {
            // Between the tokens of JSON a line break is a space.
            let line = write.body.iter().map(|byte| match byte {
                b'\n' | b'\r' => b' ',
                other => *other,
            });
            body.extend(line);
            body.push(b'\n');
        }
        taken += 1;
    }
    (Bytes::from(body), taken)
}

fn read(
    body: &[u8],
    writes: &[DocumentWrite],
    answers: &mut Vec<WriteAnswer>,
) -> Result<(), BulkError> {
    let answer: BulkAnswer<'_> =
        serde_json::from_slice(body).map_err(|error| unreadable("POST /_bulk", error))?;
    let items: Vec<_> = answer.items.iter().map(Action::item).collect();
    let sent = writes.iter().map(|write| write.id.as_str());
    if !items.iter().map(|item| &*item.id).eq(sent) {
        return Err(BulkError::Mismatch {
            sent: format!("{} documents", writes.len()),
            answered: format!("{} documents, or others", items.len()),
        });
    }
    let pairs = writes.iter().zip(items);
    answers.extend(pairs.map(|(write, item)| written(write, item)));
    Ok(())
}

fn written(write: &DocumentWrite, item: &Item<'_>) -> WriteAnswer {
    let error = item.error.as_ref();
    let kind = error.map(|error| &*error.kind).unwrap_or_default();
    match (item.status, kind) {
        (200..=299, _) => WriteAnswer::Done,
        (409, "version_conflict_engine_exception") => WriteAnswer::Conflict,
        (404, "" | "index_not_found_exception") if write.op.deletes() => WriteAnswer::NotFound,
        (status, kind) => WriteAnswer::Refused {
            status,
            kind: kind.to_owned(),
            reason: error
                .and_then(|error| error.reason.as_deref())
                .unwrap_or_default()
                .to_owned(),
        },
    }
}
