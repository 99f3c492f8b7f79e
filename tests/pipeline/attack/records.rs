//! The bytes of objects, and what must become of each record: by construction, not by reading them.

use std::io::Write as _;

use chrono::NaiveDate;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::case::{Day, Kind, ObjectSpec, Packing, RecordSpec, Source};

/// The longest record, and how many records of an unknown object are indexed.
pub(crate) const MAX_RECORD_BYTES: usize = 1500;
pub(crate) const UNKNOWN_RECORDS: u64 = 6;

/// The day on which it all happens.
pub(crate) const TODAY: &str = "2026-11-23";

/// What becomes of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Indexed,
    Raw,
    Quarantined,
    Excluded,
}

/// One record of an object.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) offset: u64,
    pub(crate) fate: Fate,
    /// Its `event.id`, or its text where it is raw: two versions of an object may have other records at one offset.
    pub(crate) token: String,
    /// Whether its identity is its content.
    pub(crate) by_content: bool,
    /// The day of its own, where a parser can read it; a raw document is filed under the object's.
    pub(crate) day: Option<NaiveDate>,
}

/// An object's stored bytes and its records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made {
    pub(crate) stored: Vec<u8>,
    pub(crate) records: Vec<Record>,
    /// Where the object's own bytes end early.
    pub(crate) cut: Option<u64>,
}

impl Day {
    /// The record's own day; `None` for the object's.
    pub(crate) fn date(self) -> Option<NaiveDate> {
        let text = match self {
            Self::Today => TODAY,
            Self::Yesterday => "2026-11-22",
            Self::ReadOnly => "2026-11-10",
            Self::Closed => "2026-11-05",
            Self::None => return None,
        };
        Some(text.parse().unwrap())
    }
}

/// Makes an object; `name` keeps its records apart from those of others, `more` puts records of other texts behind the first ones.
pub(crate) fn make(spec: &ObjectSpec, records: &[RecordSpec], name: &str) -> Made {
    let mut maker = Maker {
        source: spec.source,
        name,
        plain: Vec::new(),
        records: Vec::new(),
        last: None,
        unknown: 0,
    };
    match spec.source {
        Source::Envelope => maker
            .plain
            .extend_from_slice(b"{\"owner\":\"x\",\"Records\":["),
        Source::Columns if !records.is_empty() => {
            maker
                .plain
                .extend_from_slice(b"time n size odd strict note id text\n");
        }
        _ => {}
    }
    for (number, record) in records.iter().enumerate() {
        let is_last = number + 1 == records.len();
        let needs_end = spec.ends_with_newline || spec.packing == Packing::Garbage;
        maker.add(record, number, !is_last || needs_end);
    }
    if spec.source == Source::Envelope {
        maker.plain.extend_from_slice(b"]}");
    }
    maker.pack(spec.packing)
}

struct Maker<'a> {
    source: Source,
    name: &'a str,
    plain: Vec<u8>,
    records: Vec<Record>,
    /// The text of the last record and what it was.
    last: Option<(String, Record)>,
    unknown: u64,
}

impl Maker<'_> {
    fn add(&mut self, spec: &RecordSpec, number: usize, newline: bool) {
        let is_envelope = self.source == Source::Envelope;
        let kind = match spec.kind {
            // What is no record needs a line of its own, and Broken would break the whole envelope.
            Kind::Blank if is_envelope => Kind::Good,
            Kind::Broken if is_envelope => Kind::Shapeless,
            other => other,
        };
        if kind == Kind::Blank {
            self.plain.push(b'\n');
            return;
        }
        let (text, mut record) = match (kind, self.last.clone()) {
            (Kind::Again, Some(last)) => last,
            (kind, _) => self.record(kind, spec, number),
        };
        self.last = Some((text.clone(), record.clone()));
        if is_envelope && self.plain.last() == Some(&b'}') {
            self.plain.push(b',');
        }
        record.offset = self.plain.len() as u64;
        self.plain.extend_from_slice(text.as_bytes());
        if newline && !is_envelope {
            self.plain.push(b'\n');
        }
        let is_long = text.len() > MAX_RECORD_BYTES;
        if self.source == Source::Unknown && !self.counts_as_unknown(&mut record, is_long) {
            return;
        }
        self.records.push(record);
    }

    /// Up to a cap everything is raw, the record at the cap stands for the rest, and what follows is not read.
    fn counts_as_unknown(&mut self, record: &mut Record, is_long: bool) -> bool {
        // What is too long does not count.
        if is_long && self.unknown < UNKNOWN_RECORDS {
            return true;
        }
        self.unknown += 1;
        if self.unknown > UNKNOWN_RECORDS {
            record.fate = Fate::Quarantined;
        }
        self.unknown <= UNKNOWN_RECORDS + 1
    }

    /// What a record says, and what becomes of it where a parser reads it.
    fn parts(&self, kind: Kind, spec: &RecordSpec, number: usize) -> (Parts, Fate) {
        let filler = match kind {
            Kind::TooLong => MAX_RECORD_BYTES + spec.text + 1,
            _ => spec.text,
        };
        let mut parts = Parts {
            id: format!("{}-{number}", self.name),
            text: "x".repeat(filler),
            time: spec.day.date().map(|day| format!("{day}T01:02:03Z")),
            note: "note".to_owned(),
            n: Some(number.to_string()),
            ..Parts::default()
        };
        let mut fate = Fate::Indexed;
        match kind {
            Kind::Good | Kind::Again | Kind::Blank => {}
            Kind::Shared(number) => {
                parts = Parts {
                    id: format!("shared-{number}"),
                    text: "shared".to_owned(),
                    time: Some(format!("{TODAY}T05:06:07Z")),
                    note: "note".to_owned(),
                    n: Some("0".to_owned()),
                    ..Parts::default()
                };
            }
            Kind::Excluded => {
                "health".clone_into(&mut parts.note);
                fate = Fate::Excluded;
            }
            Kind::Broken | Kind::Shapeless => {
                parts.n = None;
                fate = Fate::Raw;
            }
            Kind::Repairable => parts.size = Some("many".to_owned()),
            Kind::RepairableEcs => "badaction".clone_into(&mut parts.note),
            Kind::RepairableTwice => {
                parts.size = Some("many".to_owned());
                "badaction".clone_into(&mut parts.note);
            }
            Kind::RawOnly => {
                parts.odd = Some("odd".to_owned());
                fate = Fate::Raw;
            }
            Kind::Strict => parts.strict = Some("strict".to_owned()),
            Kind::Hopeless => {
                parts.text.push_str("HOPELESS");
                fate = Fate::Quarantined;
            }
            Kind::TooLong => fate = Fate::Quarantined,
        }
        (parts, fate)
    }

    fn record(&self, kind: Kind, spec: &RecordSpec, number: usize) -> (String, Record) {
        let source = self.source;
        let (parts, mut fate) = self.parts(kind, spec, number);
        let text = match (source, kind) {
            (Source::Columns | Source::Unknown, Kind::Broken | Kind::Shapeless) => parts.id.clone(),
            (Source::Columns | Source::Unknown, _) => parts.columns(),
            (_, Kind::Broken) => format!("{{\"id\":\"{}\",\"time\":", parts.id),
            _ => parts.json(),
        };
        let is_shared = matches!(kind, Kind::Shared(_));
        let day = if is_shared {
            Day::Today.date()
        } else {
            spec.day.date()
        };
        if source == Source::Unknown {
            fate = match kind {
                Kind::TooLong | Kind::Hopeless => Fate::Quarantined,
                _ => Fate::Raw,
            };
        }
        let unparsed = matches!(kind, Kind::Broken | Kind::Shapeless | Kind::TooLong);
        let parses = source != Source::Unknown && !unparsed;
        let token = match fate {
            Fate::Raw => text.clone(),
            _ => parts.id.clone(),
        };
        let record = Record {
            offset: 0,
            token,
            by_content: source.by_content() && fate == Fate::Indexed,
            day: day.filter(|_| parses),
            fate,
        };
        (text, record)
    }

    fn pack(self, packing: Packing) -> Made {
        let Self {
            plain,
            records,
            unknown,
            ..
        } = self;
        let length = plain.len() as u64;
        let gzip = |bytes: &[u8]| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let mut cut = None;
        let stored = match packing {
            Packing::Plain => plain,
            Packing::Gzip => gzip(&plain),
            Packing::Members => {
                let (first, second) = plain.split_at(plain.len() / 2);
                [gzip(first), gzip(second)].concat()
            }
            // What stands before a fault without an end is taken for torn.
            Packing::Garbage => {
                // What is over its cap is not read on.
                cut = (unknown <= UNKNOWN_RECORDS).then_some(length);
                [gzip(&plain), b"no gzip member".to_vec()].concat()
            }
        };
        Made {
            stored,
            records,
            cut,
        }
    }
}

#[derive(Default)]
struct Parts {
    id: String,
    time: Option<String>,
    n: Option<String>,
    size: Option<String>,
    odd: Option<String>,
    strict: Option<String>,
    note: String,
    text: String,
}

impl Parts {
    fn json(&self) -> String {
        let mut members = vec![format!("\"id\":\"{}\"", self.id)];
        for (name, value) in [
            ("time", &self.time),
            ("n", &self.n),
            ("size", &self.size),
            ("odd", &self.odd),
            ("strict", &self.strict),
        ] {
            if let Some(value) = value {
                members.push(format!("\"{name}\":\"{value}\""));
            }
        }
        members.push(format!("\"note\":\"{}\"", self.note));
        members.push(format!("\"text\":\"{}\"", self.text));
        format!("{{{}}}", members.join(","))
    }

    /// `time n size odd strict note id text`
    fn columns(&self) -> String {
        let or_absent = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        let text = if self.text.is_empty() {
            "-"
        } else {
            &self.text
        };
        [
            or_absent(&self.time),
            or_absent(&self.n),
            or_absent(&self.size),
            or_absent(&self.odd),
            or_absent(&self.strict),
            self.note.clone(),
            self.id.clone(),
            text.to_owned(),
        ]
        .join(" ")
    }
}
