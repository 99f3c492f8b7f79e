//! What the function logs: one JSON line for each message that it parks, and a summary.

use crate::parked::ParkedMessage;
use crate::report::{End, ReplayReport};

/// Logs a message that was parked, with its cause in words.
pub(crate) fn parked(parked: &ParkedMessage) {
    /// The level of an event is a constant, its fields are the same.
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                file = parked.key(),
                cause = parked.cause.name(),
                error = parked.error,
                object = parked.object,
                message_id = parked.message_id,
                replays = parked.replays,
                $message
            )
        };
    }
    if parked.returns {
        line!(info, "message parked until the cluster takes writes");
    } else {
        line!(warn, "message parked");
    }
}

/// Logs what one run found and did.
pub(crate) fn report(report: &ReplayReport) {
    tracing::info!(
        messages = report.messages(),
        sent_back = report.total(|row| row.sent_back),
        parked = report.total(|row| row.parked),
        waiting = report.total(|row| row.waiting),
        deleted = report.total(|row| row.deleted),
        left = report.left + report.total(|row| row.left),
        returned = report.returned,
        notes_left = report.notes_left,
        closed = report.closed,
        end = report.end.to_string(),
        failed = matches!(report.end, End::Failed(_)),
        "replay finished"
    );
}
