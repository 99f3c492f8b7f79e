//! Documents by their ids, in real time: what was written a moment ago is found without a refresh.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{accepted, unreadable};
use crate::{BulkError, ClusterApi, Method};

/// How many ids one call asks for.
const AT_ONCE: usize = 500;

/// What a look-up wants of each document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Whether it is there.
    Presence,
    /// Its source too.
    Source,
}

/// What a look-up of one id gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// It is there.
    Found {
        /// Its source; `null` where only its presence was wanted.
        source: Value,
        /// With the primary term, names this state of the document for [`WriteOp::IndexIf`](super::WriteOp::IndexIf).
        seq_no: u64,
        /// See `seq_no`.
        primary_term: u64,
    },
    /// It is not there, or its index is not.
    Missing,
    /// Its index cannot be read.
    Unreadable {
        /// The error's type, such as `index_closed_exception`.
        kind: String,
        /// Why.
        reason: String,
    },
}

#[derive(Deserialize)]
struct Answer {
    docs: Vec<Doc>,
}

#[derive(Deserialize)]
struct Doc {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    found: bool,
    #[serde(rename = "_source")]
    source: Option<Box<RawValue>>,
    #[serde(rename = "_seq_no", default)]
    seq_no: u64,
    #[serde(rename = "_primary_term", default)]
    primary_term: u64,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    reason: String,
}

/// Looks documents up by index and id, and answers in their order.
///
/// # Errors
/// When no answer came, or one that is none of a look-up.
pub async fn mget(
    api: &dyn ClusterApi,
    ids: &[(&str, &str)],
    want: Want,
) -> Result<Vec<Found>, BulkError> {
    let path = match want {
        Want::Presence => "/_mget?realtime=true&_source=false",
        Want::Source => "/_mget?realtime=true",
    };
    let mut found = Vec::with_capacity(ids.len());
    for part in ids.chunks(AT_ONCE) {
        let docs: Vec<_> = part
            .iter()
            .map(|(index, id)| json!({ "_index": index, "_id": id }))
            .collect();
        let body = json!({ "docs": docs }).to_string();
        let answer = api.call(Method::Post, path, Some(body.into())).await?;
        let answer = accepted("POST /_mget", answer)?;
        let answer: Answer = serde_json::from_slice(&answer.body)
            .map_err(|error| unreadable("POST /_mget", error))?;
        let asked = part.iter().map(|(_, id)| *id);
        if !answer.docs.iter().map(|doc| doc.id.as_str()).eq(asked) {
            return Err(BulkError::Mismatch {
                sent: format!("{} ids", part.len()),
                answered: format!("{} ids, or others", answer.docs.len()),
            });
        }
        for doc in answer.docs {
            found.push(read(doc)?);
        }
    }
    Ok(found)
}

fn read(doc: Doc) -> Result<Found, BulkError> {
    Ok(match (doc.error, doc.found) {
        (Some(fault), _) if fault.kind == "index_not_found_exception" => Found::Missing,
        (Some(Fault { kind, reason }), _) => Found::Unreadable { kind, reason },
        (None, false) => Found::Missing,
        (None, true) => Found::Found {
            source: match doc.source {
                Some(source) => serde_json::from_str(source.get())
                    .map_err(|error| unreadable("POST /_mget", error))?,
                None => Value::Null,
            },
            seq_no: doc.seq_no,
            primary_term: doc.primary_term,
        },
    })
}
