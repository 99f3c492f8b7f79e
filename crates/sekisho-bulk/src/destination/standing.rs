//! Whether the cluster takes anything at all, as the last writes saw it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Verdict;

/// Why nothing was taken, until something is.
#[derive(Debug, Default)]
pub(super) struct Standing {
    refused: Mutex<Option<Refused>>,
}

#[derive(Debug)]
struct Refused {
    reason: String,
    /// Whose items were refused since the last was taken.
    indices: BTreeSet<Arc<str>>,
    /// Whether it was said of the cluster rather than of one index.
    is_whole: bool,
}

/// How many indices must refuse before they are the cluster: one that an operator has blocked must not stop the others.
const INDICES_OF_A_CLUSTER: usize = 2;

impl Standing {
    /// Learns that a request was refused as a whole.
    pub(super) fn stopped(&self, reason: &str) {
        self.with(|refused| {
            let now = refused.get_or_insert_with(|| Refused::new(reason));
            now.is_whole = true;
        });
    }

    /// Learns from the verdicts of one write, each with the index of its item.
    pub(super) fn note(&self, verdicts: &[(Arc<str>, &Verdict)]) {
        let is_taken = |verdict: &Verdict| {
            matches!(
                verdict,
                Verdict::Indexed | Verdict::Duplicate | Verdict::DocumentFault { .. }
            )
        };
        if verdicts.iter().any(|(_, verdict)| is_taken(verdict)) {
            return self.with(|refused| *refused = None);
        }
        for (index, verdict) in verdicts {
            let (reason, is_whole) = match verdict {
                Verdict::Rejected { reason } => (reason, true),
                Verdict::StateFault { reason } => (reason, reason.contains(WATERMARK)),
                Verdict::Indexed
                | Verdict::Duplicate
                | Verdict::DocumentFault { .. }
                | Verdict::Retired { .. } => continue,
            };
            self.with(|refused| {
                let now = refused.get_or_insert_with(|| Refused::new(reason));
                now.is_whole |= is_whole;
                now.indices.insert(Arc::clone(index));
            });
        }
    }

    /// Says why nothing is taken.
    pub(super) fn refuses_all(&self) -> Option<String> {
        self.with(|refused| {
            let refused = refused.as_ref()?;
            let is_all = refused.is_whole || refused.indices.len() >= INDICES_OF_A_CLUSTER;
            is_all.then(|| refused.reason.clone())
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut Option<Refused>) -> T) -> T {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut refused)
    }
}

/// A full disk blocks index by index, but all of them.
const WATERMARK: &str = "TOO_MANY_REQUESTS/12/";

impl Refused {
    fn new(reason: &str) -> Self {
        Self {
            reason: reason.to_owned(),
            indices: BTreeSet::new(),
            is_whole: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(reason: &str) -> Verdict {
        Verdict::StateFault {
            reason: reason.into(),
        }
    }

    fn rejected() -> Verdict {
        Verdict::Rejected {
            reason: "no answer".into(),
        }
    }

    #[track_caller]
    fn check(standing: &Standing, verdicts: &[(&str, Verdict)], expected: Option<&str>) {
        let verdicts: Vec<_> = verdicts
            .iter()
            .map(|(index, verdict)| (Arc::from(*index), verdict))
            .collect();
        standing.note(&verdicts);
        assert_eq!(standing.refuses_all().as_deref(), expected, "{verdicts:?}");
    }

    #[test]
    fn one_index_is_not_the_cluster() {
        let standing = Standing::default();
        check(&standing, &[], None);
        check(&standing, &[("a", fault("x"))], None);
        check(&standing, &[("a", fault("x"))], None);
        check(&standing, &[("b", fault("y"))], Some("x"));
        check(
            &standing,
            &[("a", fault("x")), ("b", Verdict::Indexed)],
            None,
        );
        let document = Verdict::DocumentFault {
            field: None,
            reason: "r".into(),
        };
        check(&standing, &[("a", fault("x"))], None);
        check(&standing, &[("b", document)], None);
        check(&standing, &[("b", fault("y"))], None);
        let retired = Verdict::Retired { reason: "r".into() };
        check(&standing, &[("a", retired)], None);
    }

    #[test]
    fn what_is_said_of_the_cluster_counts_at_once() {
        let standing = Standing::default();
        check(&standing, &[("a", rejected())], Some("no answer"));
        check(&standing, &[("a", Verdict::Duplicate)], None);
        let disk = fault("blocked by: [TOO_MANY_REQUESTS/12/disk usage];");
        let shown = "blocked by: [TOO_MANY_REQUESTS/12/disk usage];";
        check(&standing, &[("a", disk)], Some(shown));
        check(&standing, &[("a", Verdict::Indexed)], None);
        standing.stopped("Unauthorized");
        check(
            &standing,
            &[("a", fault("Unauthorized"))],
            Some("Unauthorized"),
        );
        check(&standing, &[("a", Verdict::Indexed)], None);
    }
}
