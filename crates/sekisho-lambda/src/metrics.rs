//! [`Metrics`]: hands a batch's numbers to CloudWatch, by way of the log.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sekisho_config::Settings;

use crate::emf::{OTHER, documents};
use crate::numbers::Numbers;

/// Takes log lines.
pub trait LineSink: Send + Sync {
    /// Takes one line, without its end.
    fn line(&self, line: &str);
}

/// Standard output, which Lambda keeps.
struct Stdout;

impl LineSink for Stdout {
    fn line(&self, line: &str) {
        // In one piece, so that no other line comes in between; numbers that cannot be written are missed, the work is not.
        let line = format!("{line}\n");
        std::io::stdout().lock().write_all(line.as_bytes()).ok();
    }
}

/// Hands numbers to CloudWatch.
#[derive(Clone)]
pub struct Metrics {
    /// `None` where the installation wants none.
    sink: Option<Arc<dyn LineSink>>,
    installation: String,
    /// Those with metrics of their own.
    sources: BTreeSet<String>,
}

impl Metrics {
    /// Writes to standard output, as the settings say; `datasets` are the sources that the function knows.
    pub fn new<'a>(settings: &Settings, datasets: impl IntoIterator<Item = &'a str>) -> Self {
        Self::to(Arc::new(Stdout), settings, datasets)
    }

    /// Writes to `sink`.
    pub fn to<'a>(
        sink: Arc<dyn LineSink>,
        settings: &Settings,
        datasets: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            sink: settings.metrics.enabled.then_some(sink),
            installation: installation(&settings.index.prefix).to_owned(),
            sources: chosen(settings, datasets),
        }
    }

    /// Writes nothing.
    pub fn off() -> Self {
        Self {
            sink: None,
            installation: String::new(),
            sources: BTreeSet::new(),
        }
    }

    /// Gives the name that a source is counted under.
    pub fn source<'a>(&self, dataset: &'a str) -> &'a str {
        if self.sources.contains(dataset) {
            dataset
        } else {
            OTHER
        }
    }

    /// Writes the numbers of a batch.
    pub fn write(&self, numbers: &Numbers, at: DateTime<Utc>) {
        let Some(sink) = &self.sink else {
            return;
        };
        for document in documents(numbers, &self.installation, at) {
            sink.line(&document);
        }
    }
}

/// Names the installation after its prefix.
fn installation(prefix: &str) -> &str {
    match prefix.trim_end_matches('-') {
        "" => "sekisho",
        name => name,
    }
}

/// The same for every process of an installation: a choice by what comes first would differ between them, and there would be no bound on all of them together.
fn chosen<'a>(
    settings: &Settings,
    datasets: impl IntoIterator<Item = &'a str>,
) -> BTreeSet<String> {
    let metrics = &settings.metrics;
    let mut known: Vec<_> = datasets.into_iter().collect();
    known.sort_unstable();
    let mut chosen = BTreeSet::new();
    for source in metrics.sources.iter().map(String::as_str).chain(known) {
        if chosen.len() < metrics.max_sources {
            chosen.insert(source.to_owned());
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::metric::{Function, Metric};

    #[derive(Default)]
    struct Kept(Mutex<Vec<String>>);

    impl LineSink for Kept {
        fn line(&self, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.metrics.max_sources = 2;
        settings.metrics.sources = vec!["own.vital".to_owned()];
        settings
    }

    #[test]
    fn the_sources_with_metrics_of_their_own_are_bounded_and_the_same_everywhere() {
        for order in [["b", "a", "c"], ["c", "b", "a"]] {
            let metrics = Metrics::to(Arc::new(Kept::default()), &settings(), order);
            let names = ["own.vital", "a", "b", "c"].map(|dataset| metrics.source(dataset));
            assert_eq!(names, ["own.vital", "a", "other", "other"]);
        }
    }

    #[test]
    fn one_line_a_document_or_none_at_all() {
        for enabled in [true, false] {
            let mut settings = settings();
            settings.metrics.enabled = enabled;
            settings.index.prefix = "siem-".to_owned();
            let kept = Arc::new(Kept::default());
            let sink = Arc::clone(&kept) as Arc<dyn LineSink>;
            let metrics = Metrics::to(sink, &settings, ["a"]);
            let mut numbers = Numbers::new(Function::Ingest);
            numbers.add_of(metrics.source("a"), Metric::SourceRecords, 1);
            metrics.write(&numbers, DateTime::UNIX_EPOCH);
            let lines = kept.0.lock().unwrap();
            assert_eq!(lines.len(), if enabled { 2 } else { 0 });
            let mut named = lines.iter();
            assert!(named.all(|line| line.contains("\"Installation\":\"siem\"")));
        }
        assert_eq!(installation(""), "sekisho");
    }
}
