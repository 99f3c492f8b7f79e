//! Whether the cluster takes anything at all, as the last writes saw it.

use std::sync::{Mutex, PoisonError};

use crate::Verdict;

/// Why nothing was taken, until something is.
#[derive(Debug, Default)]
pub(super) struct Standing {
    refused: Mutex<Option<String>>,
}

impl Standing {
    /// Learns from the verdicts of one write.
    pub(super) fn note(&self, verdicts: &[Verdict]) {
        let is_taken = |verdict: &Verdict| {
            matches!(
                verdict,
                Verdict::Indexed | Verdict::Duplicate | Verdict::DocumentFault { .. }
            )
        };
        let reason = verdicts.iter().map(|verdict| match verdict {
            Verdict::StateFault { reason } | Verdict::Rejected { reason } => Some(reason),
            Verdict::Indexed
            | Verdict::Duplicate
            | Verdict::DocumentFault { .. }
            | Verdict::Retired { .. } => None,
        });
        let all = reason.collect::<Option<Vec<_>>>();
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if verdicts.iter().any(is_taken) {
            *refused = None;
        } else if let Some(first) = all.as_deref().and_then(<[_]>::first) {
            *refused = Some((*first).clone());
        }
    }

    /// Says why nothing is taken.
    pub(super) fn refuses_all(&self) -> Option<String> {
        let refused = self.refused.lock();
        refused.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_all_from_a_write_without_a_taken_item_until_one_is_taken() {
        let fault = |reason: &str| Verdict::StateFault {
            reason: reason.into(),
        };
        let rejected = Verdict::Rejected {
            reason: "no answer".into(),
        };
        let document = Verdict::DocumentFault {
            field: None,
            reason: "r".into(),
        };
        let retired = Verdict::Retired { reason: "r".into() };
        let standing = Standing::default();
        let steps: [(&[Verdict], Option<&str>); 9] = [
            (&[], None),
            (&[fault("a"), Verdict::Indexed], None),
            (&[fault("a"), retired.clone()], None),
            (&[fault("a"), rejected.clone()], Some("a")),
            (&[retired], Some("a")),
            (&[rejected], Some("no answer")),
            (&[document, fault("b")], None),
            (&[fault("b")], Some("b")),
            (&[Verdict::Duplicate], None),
        ];
        for (verdicts, expected) in steps {
            standing.note(verdicts);
            assert_eq!(standing.refuses_all().as_deref(), expected, "{verdicts:?}");
        }
    }
}
