//! [`Shelf`]: entries as the cluster holds them, and its refusals in words.

use std::sync::Arc;

use sekisho_bulk::{
    BulkError, ClusterApi, DocumentWrite, Found, Want, WriteAnswer, WriteOp, mget, write_documents,
};

use crate::{LedgerEntry, LedgerError, SliceKey};

/// Reads and writes entries, once each.
pub(super) struct Shelf {
    api: Arc<dyn ClusterApi>,
    prefix: String,
}

/// An entry and the state that it was read in.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) entry: LedgerEntry,
    op: WriteOp,
}

/// What a look-up of one slice gave.
pub(super) type Looked = Result<Option<Held>, LedgerError>;

/// An entry on its way.
pub(super) struct Write {
    pub(super) place: String,
    write: DocumentWrite,
}

/// Tells entries apart: an object that is put again as it was has the same id on another day.
pub(super) fn place(slice: &SliceKey) -> String {
    format!("{}/{}", slice.index(""), slice.id())
}

impl Shelf {
    pub(super) fn new(api: Arc<dyn ClusterApi>, prefix: String) -> Self {
        Self { api, prefix }
    }

    /// Looks slices up, in real time and in their order.
    pub(super) async fn read(&self, slices: &[SliceKey]) -> Result<Vec<Looked>, LedgerError> {
        let names: Vec<_> = slices
            .iter()
            .map(|slice| (slice.index(&self.prefix), slice.id()))
            .collect();
        let ids: Vec<_> = names.iter().map(|(index, id)| (&**index, &**id)).collect();
        let found = mget(&self.api, &ids, Want::Source)
            .await
            .map_err(|error| self.failed(error))?;
        let looked = names.iter().zip(found);
        Ok(looked
            .map(|((index, id), found)| self.look(index, id, found))
            .collect())
    }

    fn look(&self, index: &str, id: &str, found: Found) -> Looked {
        match found {
            Found::Missing => Ok(None),
            Found::Found {
                source,
                seq_no,
                primary_term,
            } => {
                let entry =
                    serde_json::from_value(source).map_err(|error| LedgerError::Malformed {
                        index: index.to_owned(),
                        id: id.to_owned(),
                        reason: error.to_string(),
                    })?;
                let op = WriteOp::IndexIf {
                    seq_no,
                    primary_term,
                };
                Ok(Some(Held { entry, op }))
            }
            Found::Unreadable { kind, reason } => {
                let status = match &*kind {
                    "index_closed_exception" => 400,
                    "security_exception" => 403,
                    // Shards that are not there yet: as OpenSearch answers for a single document.
                    _ => 503,
                };
                Err(self.refused("read", index, status, &format!("{kind}: {reason}")))
            }
        }
    }

    /// Makes the write of an entry over the state that was read.
    pub(super) fn prepare(
        &self,
        slice: &SliceKey,
        entry: &LedgerEntry,
        over: Option<&Held>,
    ) -> Write {
        let write = DocumentWrite {
            index: slice.index(&self.prefix),
            id: slice.id(),
            op: over.map_or(WriteOp::Create, |held| held.op),
            // A struct of texts, numbers and times cannot fail to serialize.
            body: serde_json::to_vec(entry).unwrap_or_default(),
        };
        let place = place(slice);
        Write { place, write }
    }

    /// Writes entries; `None` for those whose state has changed since they were read.
    pub(super) async fn write(
        &self,
        writes: &[Write],
    ) -> Result<Vec<Option<Result<(), LedgerError>>>, LedgerError> {
        let documents: Vec<_> = writes.iter().map(|write| write.write.clone()).collect();
        let answers = write_documents(&self.api, &documents)
            .await
            .map_err(|error| self.failed(error))?;
        let answers = documents.iter().zip(answers);
        Ok(answers
            .map(|(document, answer)| match answer {
                WriteAnswer::Done => Some(Ok(())),
                WriteAnswer::Conflict | WriteAnswer::NotFound => None,
                WriteAnswer::Refused {
                    status,
                    kind,
                    reason,
                } => {
                    let reason = format!("{kind}: {reason}");
                    Some(Err(self.refused("write", &document.index, status, &reason)))
                }
            })
            .collect())
    }

    fn failed(&self, error: BulkError) -> LedgerError {
        match error {
            BulkError::Refused {
                call,
                status,
                reason,
            } => self.refused(&call, &self.pattern(), status, &reason),
            other => LedgerError::Unreachable(Arc::new(other)),
        }
    }

    fn pattern(&self) -> String {
        format!("{}sekisho-ledger-*", self.prefix)
    }

    fn refused(&self, call: &str, index: &str, status: u16, reason: &str) -> LedgerError {
        let remedy = match status {
            401 => "; check `opensearch.auth`, `opensearch.username` and `opensearch.password`"
                .to_owned(),
            403 if reason.contains("blocked by") => {
                format!("; lift the write block of `{index}`")
            }
            403 => format!(
                "; give the user's role `create_index`, `indices:data/write/index`, `indices:data/write/bulk*` and `indices:data/read/mget*` on `{}`, and the cluster permissions `indices:data/write/bulk` and `indices:data/read/mget`",
                self.pattern()
            ),
            400 if reason.contains("index_closed_exception") => format!("; open `{index}`"),
            _ => String::new(),
        };
        LedgerError::Refused {
            call: format!("{call} `{index}`"),
            status,
            reason: format!("{reason}{remedy}"),
        }
    }
}
