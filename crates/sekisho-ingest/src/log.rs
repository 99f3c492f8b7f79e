//! What the function logs: one JSON line for each object, and one for what is no object.

use std::error::Error;

use sekisho_bundles::Refusal;
use sekisho_delivery::DeliveryError;
use sekisho_event::{IgnoreReason, Ignored, MessageError};
use sekisho_pipeline::ObjectReport;

/// Logs how one object ended.
pub(crate) fn object(report: &ObjectReport) {
    /// The level of an event is a constant, its fields are the same.
    macro_rules! line {
        ($level:ident, $message:literal, $error:expr) => {
            tracing::$level!(
                bucket = report.object.bucket,
                key = report.object.key,
                dataset = report.dataset,
                records = report.books.records,
                skipped = report.books.skipped,
                indexed = report.books.indexed,
                raw = report.books.raw,
                duplicate = report.books.duplicate,
                excluded = report.books.excluded,
                quarantined = report.books.quarantined,
                bytes = report.bytes,
                duration_ms = (report.ended - report.started).num_milliseconds(),
                reason = first_reason(report),
                error = $error,
                class = report.error.as_ref().map(|error| error.class().name()),
                start = report.start,
                end = report.end,
                eof = report.eof,
                $message
            )
        };
    }
    match &report.error {
        Some(error) => line!(error, "object failed", chain(error)),
        None if report.clean() => line!(info, "object finished", tracing::field::Empty),
        None => line!(warn, "object finished", tracing::field::Empty),
    }
}

/// Logs what is acknowledged without reading.
pub(crate) fn ignored(ignored: &Ignored) {
    let object = ignored.object.as_ref();
    let reason = match &ignored.reason {
        IgnoreReason::TestEvent => "test event".to_owned(),
        IgnoreReason::NotCreated(event) => format!("event `{event}` creates nothing"),
        IgnoreReason::Folder => "folder".to_owned(),
        IgnoreReason::Quarantine => {
            "the quarantine is no input; remove its notification".to_owned()
        }
        IgnoreReason::Pattern(pattern) => format!("pattern `{pattern}` of `ignore.keys`"),
    };
    tracing::info!(
        bucket = object.map(|o| &o.bucket),
        key = object.map(|o| &o.key),
        reason,
        "notification ignored"
    );
}

/// Logs a message that fails because it cannot be understood.
pub(crate) fn unreadable(id: &str, error: &MessageError) {
    tracing::error!(message_id = id, error = chain(error), "message failed");
}

/// Logs that messages go back unread since the cluster takes nothing.
pub(crate) fn braked(messages: usize, reason: &str) {
    tracing::warn!(messages, reason, "braked, messages go back");
}

/// Logs what could not be done beside the work itself: it is made up for by a later delivery.
pub(crate) fn beside(error: &DeliveryError, what: &str) {
    tracing::warn!(error = chain(error), what, "delivery call failed");
}

/// Logs that a published parser, or the pointer to them, cannot be used; the reason ends with what helps.
pub(crate) fn bundle_refused(refusal: &Refusal) {
    tracing::error!(
        bundle = refusal.object,
        dataset = refusal.dataset,
        reason = refusal.reason,
        "bundle refused"
    );
}

/// Logs that nothing was written.
pub(crate) fn not_ready(error: &anyhow::Error) {
    tracing::error!(
        error = format!("{error:#}"),
        "cluster not ready, nothing was written"
    );
}

/// Gives an error and its causes in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn first_reason(report: &ObjectReport) -> Option<String> {
    let cut = report.cut.iter();
    let first = cut
        .chain(&report.reasons)
        .next()
        .map(|reason| format!("byte {}: {}", reason.offset, shown(&reason.reason)));
    first.or_else(|| report.ignored.clone())
}

/// What of a reason may be logged: behind the place in a script stands what it says of the record's values.
fn shown(reason: &str) -> &str {
    const SCRIPT: &str = "transform.vrl: ";
    if !reason.starts_with(SCRIPT) {
        return reason;
    }
    let known = reason.split_once("):").map_or(SCRIPT, |(known, _)| known);
    reason
        .get(..known.len() + usize::from(known != SCRIPT))
        .unwrap_or(SCRIPT)
        .trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_says_of_a_value_is_not_logged() {
        for (reason, logged) in [
            (
                "transform.vrl: function call error for \"parse_int\" at (7:21): could not parse hunter2 (x): y",
                "transform.vrl: function call error for \"parse_int\" at (7:21)",
            ),
            ("transform.vrl: hunter2 is no number", "transform.vrl:"),
            (
                "the record has no `n`, so it is no record of test.app",
                "the record has no `n`, so it is no record of test.app",
            ),
        ] {
            assert_eq!(shown(reason), logged);
        }
    }
}
