//! [`Tally`]: what all pages of a load came to, in memory that does not grow with the bucket.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::Result;
use sekisho_pipeline::{FailureClass, ObjectReport, PipelineError, SourceSummary, Summary};
use serde_json::{Value, json};

use crate::select::LeftOut;

use super::table;

/// How many objects with a fault are told one by one to people.
const TOLD_OBJECTS: usize = 20;
/// And how many at most to machines.
const KEPT_OBJECTS: usize = 10_000;
/// So many objects of which none finished are no chance.
const ENOUGH_FAILED: usize = 10;

/// Adds pages up.
pub(crate) struct Tally {
    sources: BTreeMap<String, SourceSummary>,
    total: SourceSummary,
    faulty: Vec<ObjectReport>,
    n_faulty: usize,
    /// Objects that the ledger says are done.
    pub(crate) n_done: usize,
    pub(crate) left_out: LeftOut,
    /// Why the load ended before the end of the listing.
    pub(crate) stopped: Option<String>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            sources: BTreeMap::new(),
            total: Summary::of(&[]).total,
            faulty: Vec::new(),
            n_faulty: 0,
            n_done: 0,
            left_out: LeftOut::default(),
            stopped: None,
        }
    }

    /// Adds the objects of a page.
    pub(crate) fn add(&mut self, reports: Vec<ObjectReport>) {
        let summary = Summary::of(&reports);
        add(&mut self.total, &summary.total);
        for source in summary.sources {
            match self.sources.get_mut(&source.dataset) {
                Some(sum) => add(sum, &source),
                None => drop(self.sources.insert(source.dataset.clone(), source)),
            }
        }
        for report in reports.into_iter().filter(|report| !report.clean()) {
            self.n_faulty += 1;
            if self.faulty.len() < KEPT_OBJECTS {
                self.faulty.push(report);
            }
        }
    }

    fn summary(&self) -> Summary {
        Summary {
            sources: self.sources.values().cloned().collect(),
            total: self.total.clone(),
        }
    }

    /// Tells whether everything is accounted for and indexed.
    pub(crate) fn clean(&self) -> bool {
        self.summary().clean() && self.stopped.is_none()
    }

    /// Prints it: to stderr for people, to stdout as JSON.
    pub(crate) fn print(&self, as_json: bool, out: &mut dyn Write) -> Result<()> {
        if as_json {
            writeln!(out, "{}", self.as_json())?;
            return Ok(());
        }
        let mut err = io::stderr();
        for report in self.faulty.iter().take(TOLD_OBJECTS) {
            tell(report, &mut err)?;
        }
        if self.n_faulty > TOLD_OBJECTS {
            let more = self.n_faulty - TOLD_OBJECTS;
            writeln!(err, "… and {more} more objects; `--json` lists them")?;
        }
        let LeftOut {
            ignored,
            excluded,
            other_times,
        } = self.left_out;
        for (count, why) in [
            (ignored, "match `ignore.keys` and were not read"),
            (excluded, "are no logs by an `exclude` of a parser"),
            (other_times, "lie outside of `--since` and `--until`"),
        ] {
            if count > 0 {
                writeln!(err, "{count} objects {why}")?;
            }
        }
        if self.n_done > 0 {
            writeln!(err, "{} objects are done by the ledger", self.n_done)?;
        }
        table::write(&self.summary(), &mut err)?;
        if let Some(reason) = &self.stopped {
            writeln!(err, "stopped: {reason}")?;
        }
        Ok(())
    }

    /// Gives the same for machines.
    pub(crate) fn as_json(&self) -> Value {
        let objects: Vec<_> = self.faulty.iter().map(object_json).collect();
        json!({
            "summary": self.summary(),
            "ignored": self.left_out.ignored,
            "left_out": self.left_out,
            "done": self.n_done,
            "faulty": self.n_faulty,
            "objects": objects,
            "stopped": self.stopped,
        })
    }
}

fn add(sum: &mut SourceSummary, other: &SourceSummary) {
    sum.objects += other.objects;
    sum.failed += other.failed;
    sum.cut += other.cut;
    sum.bytes += other.bytes;
    sum.books += other.books;
    sum.seconds += other.seconds;
    #[expect(clippy::cast_precision_loss, reason = "a speed for people")]
    let megabytes = sum.bytes as f64 / 1e6;
    if sum.seconds > 0.0 {
        sum.megabytes_per_second = megabytes / sum.seconds;
    }
}

/// Says why there is no use in reading the next page, where that is so: what fails every object here fails them there too.
pub(crate) fn reason_to_stop(
    reports: &[ObjectReport],
    refuses_all: Option<String>,
) -> Option<String> {
    if let Some(reason) = refuses_all {
        return Some(format!("the destination takes nothing: {reason}"));
    }
    let errors: Vec<_> = reports
        .iter()
        .filter_map(|report| report.error.as_ref())
        .collect();
    let ledger = errors.iter().find(|error| {
        matches!(error, PipelineError::Ledger { source, .. }
            if !matches!(source, sekisho_ledger::LedgerError::Contended { .. }))
    });
    if let Some(error) = ledger {
        return Some(chain(error));
    }
    let n_tried = reports
        .iter()
        .filter(|report| report.ignored.is_none())
        .count();
    let installation = errors.iter().filter(|error| match error.class() {
        FailureClass::Transient | FailureClass::Permission | FailureClass::State => true,
        FailureClass::Missing | FailureClass::Object | FailureClass::Bug => false,
    });
    let last = errors.last().filter(|_| n_tried >= ENOUGH_FAILED)?;
    (installation.count() == n_tried).then(|| format!("none of {n_tried} objects: {}", chain(last)))
}

fn tell(report: &ObjectReport, err: &mut dyn Write) -> io::Result<()> {
    writeln!(err, "{}: {}", report.object, report.books)?;
    if let Some(error) = &report.error {
        writeln!(err, "  failed: {}", chain(error))?;
    }
    if let Some(cut) = &report.cut {
        writeln!(err, "  the rest behind byte {}: {}", cut.offset, cut.reason)?;
    }
    for reason in &report.reasons {
        writeln!(err, "  byte {}: {}", reason.offset, reason.reason)?;
    }
    Ok(())
}

fn object_json(report: &ObjectReport) -> Value {
    json!({
        "object": report.object.to_string(),
        "dataset": report.dataset,
        "books": report.books,
        "bytes": report.bytes,
        "reasons": report.reasons,
        "cut": report.cut,
        "error": report.error.as_ref().map(|error| chain(error)),
    })
}

/// Says an error with its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let texts: Vec<_> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use sekisho_event::ObjectRef;
    use sekisho_pipeline::Books;

    use super::*;

    fn report(error: Option<PipelineError>) -> ObjectReport {
        let time = "2026-11-23T00:00:00Z".parse().unwrap();
        ObjectReport {
            object: ObjectRef::new("b", "k"),
            dataset: Some("aws.elb".into()),
            books: Books {
                records: 2,
                indexed: 2,
                ..Books::default()
            },
            start: 0,
            end: 9,
            eof: true,
            next: None,
            raw_seen: 0,
            bytes: 1_000_000,
            reasons: Vec::new(),
            newest: None,
            cut: None,
            ignored: None,
            error,
            started: time,
            ended: time + chrono::TimeDelta::seconds(2),
        }
    }

    fn rejected() -> PipelineError {
        PipelineError::Rejected {
            object: "s3://b/k".into(),
            offset: 0,
            reason: "429".into(),
        }
    }

    fn no_queue() -> PipelineError {
        PipelineError::NoQueue {
            object: "s3://b/k".into(),
            offset: 0,
        }
    }

    #[test]
    fn pages_add_up() {
        let mut tally = Tally::new();
        tally.add(vec![report(None), report(None)]);
        tally.add(vec![report(None), report(Some(no_queue()))]);
        let summary = tally.summary();
        assert_eq!(summary.sources.len(), 1);
        for sum in [&summary.sources[0], &summary.total] {
            assert_eq!((sum.objects, sum.failed, sum.books.indexed), (4, 1, 8));
            assert!((sum.megabytes_per_second - 1.0).abs() < 1e-9);
        }
        assert!(!tally.clean());
        assert_eq!(tally.as_json()["objects"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn what_fails_every_object_stops_the_load_and_faults_of_objects_do_not() {
        let failed =
            |error: fn() -> PipelineError| (0..10).map(|_| report(Some(error()))).collect();
        let all_rejected: Vec<_> = failed(rejected);
        let reason = reason_to_stop(&all_rejected, None).unwrap();
        assert!(reason.contains("none of 10 objects"), "{reason}");
        assert_eq!(reason_to_stop(&all_rejected[..9], None), None);
        let mut one_done = failed(rejected);
        one_done.push(report(None));
        assert_eq!(reason_to_stop(&one_done, None), None);
        let own_faults: Vec<_> = failed(no_queue);
        assert_eq!(reason_to_stop(&own_faults, None), None);
        let reason = reason_to_stop(&[], Some("403".into())).unwrap();
        assert!(reason.contains("takes nothing: 403"), "{reason}");
    }

    #[test]
    fn a_ledger_that_refuses_stops_the_load_at_once() {
        let refused = PipelineError::Ledger {
            object: "s3://b/k".into(),
            source: sekisho_ledger::LedgerError::Refused {
                call: "POST /_bulk".into(),
                status: 403,
                reason: "no permissions for x; give it".into(),
            },
        };
        let reason = reason_to_stop(&[report(None), report(Some(refused))], None).unwrap();
        assert!(reason.contains("give it"), "{reason}");
    }
}
