//! What the function logs: one JSON line for each thing that it changed or could not, and a summary.

use sekisho_bundles::Refusal;
use sekisho_cluster::{Change, Report, Thing};

/// Logs what one run found and did.
pub(crate) fn report(report: &Report) {
    for thing in &report.things {
        self::thing(thing);
    }
    for finding in &report.findings {
        tracing::warn!(
            kind = ?finding.kind,
            name = finding.name,
            finding = finding.text,
            "found"
        );
    }
    tracing::info!(
        things = report.things.len(),
        changed = report.changed().count(),
        failed = report.failed().count(),
        findings = report.findings.len(),
        "apply finished"
    );
}

/// Logs that a published parser cannot be used; the reason ends with what helps.
pub(crate) fn bundle_refused(refusal: &Refusal) {
    tracing::error!(
        bundle = refusal.object,
        dataset = refusal.dataset,
        reason = refusal.reason,
        "bundle refused"
    );
}

fn thing(thing: &Thing) {
    /// The level of an event is a constant, its fields are the same.
    macro_rules! line {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                kind = %thing.kind,
                name = thing.name,
                reason = thing.reason,
                $message
            )
        };
    }
    match thing.change {
        Change::Created => line!(info, "created"),
        Change::Updated => line!(info, "updated"),
        Change::Unchanged => {}
        Change::Skipped => line!(info, "skipped"),
        Change::Failed => line!(error, "could not be applied"),
    }
}
