//! [`Tally`]: adds up a batch for its metrics.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sekisho_bulk::{BulkError, BulkLoad};
use sekisho_cluster::ClusterError;
use sekisho_lambda::{Function, Metric, Metrics, Numbers};
use sekisho_ledger::LedgerError;
use sekisho_pipeline::{ObjectReport, PipelineError};

/// The numbers of one batch.
pub(crate) struct Tally<'a> {
    metrics: &'a Metrics,
    numbers: Numbers,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(metrics: &'a Metrics) -> Self {
        Self {
            metrics,
            numbers: Numbers::new(Function::Ingest),
        }
    }

    /// Adds an attempt at an object, or at a slice of one.
    pub(crate) fn report(&mut self, report: &ObjectReport) {
        let books = &report.books;
        let cut = u64::from(report.cut.is_some());
        let unbalanced = matches!(report.error, Some(PipelineError::Unbalanced { .. }));
        let denied = report.error.as_ref().is_some_and(is_denied);
        for (metric, count) in [
            (Metric::Objects, 1),
            (Metric::ObjectsFailed, u64::from(report.error.is_some())),
            (Metric::ObjectsUnbalanced, u64::from(unbalanced)),
            (Metric::Records, books.records),
            (Metric::Indexed, books.indexed),
            (Metric::Raw, books.raw),
            (Metric::Duplicate, books.duplicate),
            (Metric::Excluded, books.excluded),
            (Metric::Quarantined, books.quarantined + cut),
            (Metric::Skipped, books.skipped),
            (Metric::BytesStored, stored(report)),
            (Metric::BytesRead, report.bytes),
            (Metric::PermissionDenied, u64::from(denied)),
        ] {
            self.numbers.add(metric, count);
        }
        if report.bytes > 0 {
            let took = since(report.started, report.ended);
            self.numbers.sample(Metric::ObjectMilliseconds, took);
        }
        if let Some(dataset) = &report.dataset {
            let source = self.metrics.source(dataset);
            self.numbers
                .add_of(source, Metric::SourceRecords, books.records);
            self.numbers.add_of(source, Metric::SourceRaw, books.raw);
        }
        self.freshness(report);
    }

    /// Notes how late the documents of a finished object are; those that were there already were not late by now.
    fn freshness(&mut self, report: &ObjectReport) {
        let is_new = report.error.is_none() && report.books.indexed + report.books.raw > 0;
        let Some(event_time) = report.object.event_time.filter(|_| is_new) else {
            return;
        };
        let delivery = since(event_time, report.ended);
        self.numbers.sample(Metric::DeliveryDelay, delivery);
        if let Some(newest) = report.newest {
            let event = since(newest, report.ended);
            self.numbers.sample(Metric::EventDelay, event);
        }
    }

    /// Notes that the cluster was not ready: where it denies that it is asked, nothing else says so.
    pub(crate) fn not_ready(&mut self, error: &anyhow::Error) {
        let denied = error.chain().any(|cause| {
            let refused = cause.downcast_ref().and_then(status_of_bulk);
            let status = refused.or_else(|| match cause.downcast_ref()? {
                ClusterError::Refused { status, .. } => Some(*status),
                _ => None,
            });
            matches!(status, Some(401 | 403))
        });
        self.numbers
            .add(Metric::PermissionDenied, u64::from(denied));
    }

    /// Adds what the bulk requests were like.
    pub(crate) fn bulk(&mut self, load: &BulkLoad) {
        for (metric, count) in [
            (Metric::BulkRequests, load.requests),
            (Metric::BulkRejected, load.rejected),
            (Metric::BulkInFlight, load.in_flight),
            (Metric::PermissionDenied, load.denied),
        ] {
            self.numbers.add(metric, count);
        }
        for took in &load.took {
            self.numbers.sample(Metric::BulkMilliseconds, *took);
        }
    }

    /// Notes how many published parsers cannot be used.
    pub(crate) fn bundles_refused(&mut self, bundles: usize) {
        self.numbers.add(Metric::BundlesRefused, bundles as u64);
    }

    /// Notes how many messages go back.
    pub(crate) fn failed(&mut self, messages: usize) {
        self.numbers.add(Metric::MessagesFailed, messages as u64);
    }

    /// Notes for how long nothing was written.
    pub(crate) fn braked(&mut self, seconds: u64) {
        self.numbers.add(Metric::BrakedSeconds, seconds);
    }

    pub(crate) fn write(&self, at: DateTime<Utc>) {
        self.metrics.write(&self.numbers, at);
    }
}

/// The stored bytes of an object count with its first slice.
fn stored(report: &ObjectReport) -> u64 {
    let is_first = report.start == 0 && report.bytes > 0;
    report.object.size.filter(|_| is_first).unwrap_or_default()
}

/// The two clocks may differ: what came before it was sent is not late.
fn since(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    (to - from)
        .max(TimeDelta::zero())
        .to_std()
        .unwrap_or_default()
}

/// Tells whether the ledger was denied; what was denied of documents is in the destination's own count.
fn is_denied(error: &PipelineError) -> bool {
    let PipelineError::Ledger { source, .. } = error else {
        return false;
    };
    let status = match source {
        // A block of the ledger's index is no permission.
        LedgerError::Refused { reason, .. } if reason.contains("blocked by") => None,
        LedgerError::Refused { status, .. } => Some(*status),
        LedgerError::Unreachable(error) => status_of_bulk(error),
        LedgerError::Contended { .. } | LedgerError::Malformed { .. } => None,
    };
    matches!(status, Some(401 | 403))
}

fn status_of_bulk(error: &BulkError) -> Option<u16> {
    match error {
        BulkError::Refused { status, .. } => Some(*status),
        _ => None,
    }
}
