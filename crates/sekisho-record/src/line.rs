//! [`LineFramer`]: one record a line, for text, NDJSON and delimited text.

use memchr::memchr;

use crate::csv::CsvLines;
use crate::cut::{Cut, Step};
use crate::frame::{Delimited, FaultReason, Format, Quotes, Skip};
use crate::header::Header;
use crate::json::depth;
use crate::window::Window;

/// A byte order mark carries no text; it stands at the start of a file, so also in the middle of concatenated ones.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Cuts at line feeds, but for those in quotes.
pub(crate) struct LineFramer {
    kind: Kind,
    /// Where quotes may hold line feeds.
    csv: Option<CsvLines>,
    max_record_bytes: u64,
    max_depth: usize,
    /// Where the line under way begins.
    start: u64,
    /// Up to where no line feed was found.
    scanned: u64,
}

enum Kind {
    Text,
    Json,
    Delimited(Header),
}

impl LineFramer {
    pub(crate) fn new(format: Format, max_record_bytes: usize, max_depth: usize) -> Self {
        let separator = match &format {
            Format::Csv { separator }
            | Format::Delimited(Delimited {
                separator,
                quotes: Quotes::Csv,
                ..
            }) => Some(*separator),
            _ => None,
        };
        let kind = match format {
            Format::Lines | Format::Multiline(_) | Format::Csv { .. } => Kind::Text,
            Format::Ndjson | Format::Json { .. } | Format::CloudwatchLogs => Kind::Json,
            Format::Delimited(delimited) => Kind::Delimited(Header::new(delimited)),
        };
        Self {
            kind,
            csv: separator.map(|separator| CsvLines::new(separator, max_record_bytes as u64)),
            max_record_bytes: max_record_bytes as u64,
            max_depth,
            start: 0,
            scanned: 0,
        }
    }

    pub(crate) fn advance<R>(&mut self, window: &Window<R>) -> Step {
        let found = match &mut self.csv {
            Some(csv) => csv.find(window, self.start, &mut self.scanned),
            None => self.line_feed(window),
        };
        let Some(end) = found else {
            return Step::More;
        };
        let start = std::mem::replace(&mut self.start, end + 1);
        self.scanned = end + 1;
        Step::Cut(self.line(window, start, end))
    }

    pub(crate) fn finish<R>(&mut self, window: &Window<R>) -> Option<Cut> {
        let (start, end) = (self.start, window.end());
        self.start = end;
        self.scanned = end;
        if let Some(csv) = &mut self.csv {
            csv.restart();
        }
        if start == end {
            return None;
        }
        let open = end - start > self.max_record_bytes;
        if open || window.torn() {
            return Some(Cut::Fault {
                start,
                end,
                reason: FaultReason::Truncated,
                open,
            });
        }
        Some(self.line(window, start, end))
    }

    pub(crate) fn position(&self) -> u64 {
        self.scanned
    }

    pub(crate) fn hold(&self) -> Option<u64> {
        Some(self.start)
    }

    fn line_feed<R>(&mut self, window: &Window<R>) -> Option<u64> {
        let Some(length) = memchr(b'\n', window.from(self.scanned)) else {
            self.scanned = window.end();
            return None;
        };
        Some(self.scanned + length as u64)
    }

    fn line<R>(&mut self, window: &Window<R>, start: u64, end: u64) -> Cut {
        if end - start > self.max_record_bytes {
            return Cut::Record {
                start,
                end,
                columns: None,
            };
        }
        let whole = window.slice(start, end);
        let line = whole.strip_prefix(BOM).unwrap_or(whole);
        let start = start + (whole.len() - line.len()) as u64;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let end = start + line.len() as u64;
        if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            return Cut::Skipped(Skip::Blank);
        }
        match &mut self.kind {
            Kind::Text => record(start, end),
            Kind::Json if depth::exceeds(line, self.max_depth) => Cut::Fault {
                start,
                end,
                reason: FaultReason::TooDeep {
                    limit: self.max_depth,
                },
                open: false,
            },
            Kind::Json => record(start, end),
            Kind::Delimited(header) => header.cut(line, start, end),
        }
    }
}

fn record(start: u64, end: u64) -> Cut {
    Cut::Record {
        start,
        end,
        columns: None,
    }
}
