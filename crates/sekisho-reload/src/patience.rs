//! Calls that are made again while their failure may pass, and deletes that name exactly what was seen.

use std::time::Duration;

use sekisho_bulk::{
    BulkError, ClusterApi, DocumentWrite, ErrorClass, Hit, WriteAnswer, WriteOp, write_documents,
};
use tokio::time::sleep;

use crate::ReloadError;

/// The pauses between attempts: a node that restarts is back by then, or somebody has to look.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(10),
];

/// Makes a call again while its failure may pass.
pub(crate) async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, BulkError>
where
    F: Future<Output = Result<T, BulkError>>,
{
    for pause in PAUSES {
        match call().await {
            Err(error) if error.class() == ErrorClass::Retry => sleep(pause).await,
            other => return other,
        }
    }
    call().await
}

/// Why documents are still there.
#[derive(Debug)]
pub(crate) enum Undeleted {
    Unanswered(BulkError),
    Refused {
        index: String,
        id: String,
        status: u16,
        reason: String,
    },
}

impl Undeleted {
    pub(crate) fn of(self, object: &str) -> ReloadError {
        match self {
            Self::Unanswered(source) => ReloadError::Sweep {
                object: object.to_owned(),
                source,
            },
            Self::Refused {
                index,
                id,
                status,
                reason,
            } => ReloadError::Delete {
                index,
                id,
                status,
                reason,
            },
        }
    }
}

/// Deletes documents as they were found, and says how many: one that was written since is left to who wrote it.
pub(crate) async fn delete(api: &dyn ClusterApi, hits: Vec<Hit>) -> Result<u64, Undeleted> {
    let mut open: Vec<_> = hits
        .into_iter()
        .map(|hit| DocumentWrite {
            index: hit.index,
            id: hit.id,
            op: WriteOp::DeleteIf {
                seq_no: hit.seq_no,
                primary_term: hit.primary_term,
            },
            body: Vec::new(),
        })
        .collect();
    let mut deleted = 0;
    let mut pauses = PAUSES.into_iter();
    while !open.is_empty() {
        let answers = patiently(|| write_documents(api, &open))
            .await
            .map_err(Undeleted::Unanswered)?;
        let mut refused = Vec::new();
        for (write, answer) in open.into_iter().zip(answers) {
            match answer {
                WriteAnswer::Done => deleted += 1,
                WriteAnswer::Conflict | WriteAnswer::NotFound => {}
                WriteAnswer::Refused {
                    status,
                    kind,
                    reason,
                } => refused.push((write, status, format!("{kind}: {reason}"))),
            }
        }
        let is_lasting = |status: u16| !matches!(status, 429 | 502..=504);
        let pause = pauses.next();
        let lasting = refused
            .iter()
            .find(|(_, status, _)| pause.is_none() || is_lasting(*status));
        if let Some((write, status, reason)) = lasting {
            return Err(Undeleted::Refused {
                index: write.index.clone(),
                id: write.id.clone(),
                status: *status,
                reason: reason.clone(),
            });
        }
        open = refused.into_iter().map(|(write, ..)| write).collect();
        if let (Some(pause), false) = (pause, open.is_empty()) {
            sleep(pause).await;
        }
    }
    Ok(deleted)
}
