//! What the function logs: one JSON line for each thing that it changed, and a summary.

use sekisho_cluster::Change;

use crate::apply::{Outcome, word};

/// Logs what one run changed.
pub(crate) fn outcome(outcome: &Outcome) {
    for one in &outcome.applied {
        if one.change != Change::Unchanged {
            let kind = outcome.kind(one);
            tracing::info!(kind, name = one.name, change = word(one.change), "applied");
        }
    }
    tracing::info!(
        changed = outcome.changed(),
        unchanged = outcome.applied.len() - outcome.changed(),
        "apply finished"
    );
}
