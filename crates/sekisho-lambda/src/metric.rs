//! [`Metric`]: every metric of Sekisho, with its unit, its dimensions and what it means: the one table.

/// What a metric counts in, by CloudWatch's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

/// Who writes a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// The ingest Lambda.
    Ingest,
    /// The replay Lambda.
    Replay,
    /// The apply Lambda.
    Apply,
}

/// What a metric is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimensions {
    /// The installation.
    Installation,
    /// The installation and the source.
    Source,
}

/// How many values of a metric one batch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One, also where it is 0: an alarm returns to its rest, and no data is a sign of its own.
    Number,
    /// One for each thing that happened, none where nothing did.
    Samples,
}

/// Declares the metrics; the doc comment of each is its line in the table.
macro_rules! metrics {
    ($($function:ident { $($(#[doc = $means:literal])+ $name:ident: $unit:ident, $dimensions:ident, $shape:ident;)+ })+) => {
        /// A metric.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Metric {
            $($($(#[doc = $means])+ $name,)+)+
        }

        impl Metric {
            /// All of them.
            pub const ALL: &[Self] = &[$($(Self::$name,)+)+];

            /// Its name in CloudWatch.
            pub fn name(self) -> &'static str {
                match self { $($(Self::$name => stringify!($name),)+)+ }
            }

            /// What it counts in.
            pub fn unit(self) -> Unit {
                match self { $($(Self::$name => Unit::$unit,)+)+ }
            }

            /// Who writes it.
            pub fn function(self) -> Function {
                match self { $($(Self::$name => Function::$function,)+)+ }
            }

            /// What it is told apart by.
            pub fn dimensions(self) -> Dimensions {
                match self { $($(Self::$name => Dimensions::$dimensions,)+)+ }
            }

            /// How many values a batch has.
            pub fn shape(self) -> Shape {
                match self { $($(Self::$name => Shape::$shape,)+)+ }
            }

            /// What it means, for people.
            pub fn means(self) -> &'static str {
                match self { $($(Self::$name => concat!($($means),+),)+)+ }
            }
        }
    };
}

metrics! {
    Ingest {
        /// Objects, or slices of large ones, that were worked on.
        Objects: Count, Installation, Number;
        /// Those of them that could not be finished and are read again.
        ObjectsFailed: Count, Installation, Number;
        /// Those of them whose records and outcomes differ: a bug.
        ObjectsUnbalanced: Count, Installation, Number;
        /// Records framed, of every attempt.
        Records: Count, Installation, Number;
        /// Records that became documents.
        Indexed: Count, Installation, Number;
        /// Records that no parser could read, indexed with their text: each once, at the attempt that wrote it.
        Raw: Count, Installation, Number;
        /// Records whose documents were there already, which is success.
        Duplicate: Count, Installation, Number;
        /// Records that a rule of their parser leaves out.
        Excluded: Count, Installation, Number;
        /// Records, and unreadable rests of objects, that could not be indexed even raw and are in the quarantine bucket.
        Quarantined: Count, Installation, Number;
        /// Headers, blank lines and comments, which are no records.
        Skipped: Count, Installation, Number;
        /// Bytes of the objects as stored.
        BytesStored: Bytes, Installation, Number;
        /// Bytes read, after decompression.
        BytesRead: Bytes, Installation, Number;
        /// How long each object took from its first byte to its last verdict.
        ObjectMilliseconds: Milliseconds, Installation, Samples;
        /// How long each `_bulk` request took.
        BulkMilliseconds: Milliseconds, Installation, Samples;
        /// `_bulk` requests sent, repetitions included.
        BulkRequests: Count, Installation, Number;
        /// Those of them that the cluster had no room for or did not answer (429, 502 to 504, no answer), wholly or in part.
        BulkRejected: Count, Installation, Number;
        /// The most `_bulk` requests of this process that were under way at once.
        BulkInFlight: Count, Installation, Number;
        /// From S3's event to the last verdict of each object that brought new documents; live messages only: nothing that replay sent back, no duplicates.
        DeliveryDelay: Seconds, Installation, Samples;
        /// From the newest `@timestamp` of each such object to its last verdict.
        EventDelay: Seconds, Installation, Samples;
        /// Since when nothing is written because the cluster takes nothing or is not set up, as this process and the notes of its messages know; 0 while it writes, at least 1 while it does not.
        BrakedSeconds: Seconds, Installation, Number;
        /// Items and requests that the cluster answered with 401 or 403; blocks of an index and expired credentials are neither.
        PermissionDenied: Count, Installation, Number;
        /// Published parsers that cannot be used now, so that the objects that they claim go back, and 1 for a pointer that cannot be read.
        BundlesRefused: Count, Installation, Number;
        /// Messages that go back to the queue.
        MessagesFailed: Count, Installation, Number;
        /// Records framed, by source.
        SourceRecords: Count, Source, Number;
        /// Raw records, by source.
        SourceRaw: Count, Source, Number;
    }
    Replay {
        /// Messages found in the dead-letter queue.
        DeadLetters: Count, Installation, Number;
        /// Messages sent back to the queue, from the dead-letter queue or from where they waited parked for the cluster.
        Replayed: Count, Installation, Number;
        /// Messages parked in this run that do not return by themselves.
        Parked: Count, Installation, Number;
        /// Messages that are parked now and do not return by themselves; counted up to 10,000.
        ParkedWaiting: Count, Installation, Number;
        /// 1 where the run could not do its work, else 0.
        ReplayFailed: Count, Installation, Number;
    }
    Apply {
        /// 1 where something could not be applied, else 0.
        ApplyFailed: Count, Installation, Number;
        /// Templates, policies, roles and settings that were changed.
        ApplyChanged: Count, Installation, Number;
    }
}

impl Unit {
    /// CloudWatch's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Bytes => "Bytes",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
        }
    }
}

impl Function {
    /// The word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Replay => "replay",
            Self::Apply => "apply",
        }
    }
}

impl Dimensions {
    /// The names of the dimensions.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Installation => &["Installation"],
            Self::Source => &["Installation", "Source"],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use sekisho_config::Settings;

    use super::*;

    /// The page for people and for the alarms: one line a metric.
    fn page() -> String {
        let mut page = "<!-- Generated by `cargo xtask docs` from crates/sekisho-lambda/src/metric.rs. -->\n\n\
            # Metrics\n\n\
            The functions write these into their logs in the [embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html), once a batch, in the namespace `Sekisho`.\n\
            `Installation` is `index.prefix` without its last `-`, or `sekisho`.\n\
            `Source` is `event.dataset`: of the sources that `metrics.sources` lists, of `sekisho.unknown`, and then of the built-in ones, up to `metrics.max_sources`; all others are `other`.\n\
            Every number is written with each batch, also as 0; times and delays only where there was one, at most 100 of them, spread over what was measured with the least and the greatest; a source only where the batch had records of it.\n\n\
            | name | unit | function | dimensions | means |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
        for metric in Metric::ALL {
            let (name, unit) = (metric.name(), metric.unit().name());
            let (function, means) = (metric.function().name(), metric.means().trim());
            let dimensions = metric.dimensions().names().join(", ");
            let line = writeln!(
                page,
                "| `{name}` | {unit} | {function} | {dimensions} | {means} |"
            );
            // Writing to a text cannot fail.
            line.ok();
        }
        page
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "whether to write is said to the test, not to the product"
    )]
    fn the_page_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/METRICS.md");
        if std::env::var("UPDATE_EXPECT").is_ok_and(|value| value == "1") {
            std::fs::write(path, page()).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap() == page(),
            "`METRICS.md` is out of date; run `cargo xtask docs`"
        );
    }

    #[test]
    fn an_installation_has_at_most_a_hundred() {
        let is_of_source = |metric: &&Metric| metric.dimensions() == Dimensions::Source;
        let of_sources = Metric::ALL.iter().filter(is_of_source).count();
        let sources = Settings::default().metrics.max_sources + 1;
        let all = Metric::ALL.len() - of_sources + of_sources * sources;
        assert!(all <= 100, "{all}");
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        assert_eq!(names.len(), Metric::ALL.len());
    }
}
