//! [`Summary`]: what a run did, per source and in total.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{Books, ObjectReport};

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// By dataset.
    pub sources: Vec<SourceSummary>,
    /// The sum.
    pub total: SourceSummary,
}

/// What a run did for one source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceSummary {
    /// `event.dataset`, `-` for objects whose parser was never decided, `total` for the sum.
    pub dataset: String,
    /// Objects.
    pub objects: u64,
    /// Objects that are not finished.
    pub failed: u64,
    /// Objects whose own bytes ended early.
    pub cut: u64,
    /// Decompressed bytes.
    pub bytes: u64,
    /// Records and their outcomes.
    #[serde(flatten)]
    pub books: Books,
    /// From the first start to the last end, in seconds.
    pub seconds: f64,
    /// Decompressed megabytes (10⁶ bytes) per second of that time.
    pub megabytes_per_second: f64,
}

/// The same while it is added up.
#[derive(Default)]
struct Sum {
    objects: u64,
    failed: u64,
    cut: u64,
    bytes: u64,
    books: Books,
    span: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Summary {
    /// Adds the reports up.
    pub fn of(reports: &[ObjectReport]) -> Self {
        let mut sources: BTreeMap<&str, Sum> = BTreeMap::new();
        let mut total = Sum::default();
        for report in reports {
            let dataset = report.dataset.as_deref().unwrap_or("-");
            sources.entry(dataset).or_default().add(report);
            total.add(report);
        }
        Self {
            sources: sources
                .into_iter()
                .map(|(dataset, sum)| sum.named(dataset))
                .collect(),
            total: total.named("total"),
        }
    }

    /// Tells whether every record was accounted for and nothing was left raw, quarantined, unread or failed.
    pub fn clean(&self) -> bool {
        let SourceSummary {
            failed, cut, books, ..
        } = &self.total;
        *failed == 0 && *cut == 0 && books.raw == 0 && books.quarantined == 0
    }
}

impl Sum {
    fn add(&mut self, report: &ObjectReport) {
        self.objects += 1;
        self.failed += u64::from(report.error.is_some());
        self.cut += u64::from(report.cut.is_some());
        self.bytes += report.bytes;
        self.books += report.books;
        let (from, to) = self.span.unwrap_or((report.started, report.ended));
        self.span = Some((from.min(report.started), to.max(report.ended)));
    }

    fn named(self, dataset: &str) -> SourceSummary {
        let seconds = self
            .span
            .map_or(0.0, |(from, to)| (to - from).as_seconds_f64());
        #[expect(clippy::cast_precision_loss, reason = "a speed for people")]
        let megabytes = self.bytes as f64 / 1e6;
        SourceSummary {
            dataset: dataset.to_owned(),
            objects: self.objects,
            failed: self.failed,
            cut: self.cut,
            bytes: self.bytes,
            books: self.books,
            seconds,
            megabytes_per_second: if seconds > 0.0 {
                megabytes / seconds
            } else {
                0.0
            },
        }
    }
}
