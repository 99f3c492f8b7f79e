//! [`LineFramer`]: one record a line, for text, NDJSON and delimited text.

use memchr::memchr;

use crate::csv::CsvLines;
use crate::cut::{Cut, Step};
use crate::encoding::Encoding;
use crate::frame::{Delimited, FaultReason, Format, Quotes, Skip};
use crate::header::Header;
use crate::json::depth;
use crate::window::Window;

/// A byte order mark carries no text; it stands at the start of a file, so also in the middle of concatenated ones.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Cuts at line feeds, but for those in quotes.
pub(crate) struct LineFramer {
    kind: Kind,
    encoding: Encoding,
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
            encoding: Encoding::Utf8,
            csv: separator.map(|separator| CsvLines::new(separator, max_record_bytes as u64)),
            max_record_bytes: max_record_bytes as u64,
            max_depth,
            start: 0,
            scanned: 0,
        }
    }

    /// Reads lines of another encoding.
    pub(crate) fn in_encoding(self, encoding: Encoding) -> Self {
        Self { encoding, ..self }
    }

    pub(crate) fn advance<R>(&mut self, window: &Window<R>) -> Step {
        let found = match &mut self.csv {
            Some(csv) => csv.find(window, self.start, &mut self.scanned),
            None if self.encoding == Encoding::Utf16Le => self.wide_line_feed(window),
            None => self.line_feed(window),
        };
        let Some(end) = found else {
            return Step::More;
        };
        let behind = match self.encoding {
            Encoding::Utf16Le => end + 2,
            Encoding::Utf8 | Encoding::ShiftJis | Encoding::EucJp => end + 1,
        };
        let start = std::mem::replace(&mut self.start, behind);
        self.scanned = behind;
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

    /// Finds a line feed of two bytes; one that the window cuts is found when more bytes come.
    fn wide_line_feed<R>(&mut self, window: &Window<R>) -> Option<u64> {
        while let Some(length) = memchr(b'\n', window.from(self.scanned)) {
            let found = self.scanned + length as u64;
            let next = window.from(found + 1).first();
            match next {
                Some(0) if found.is_multiple_of(2) => return Some(found),
                None if !window.ended() => {
                    self.scanned = found;
                    return None;
                }
                _ => self.scanned = found + 1,
            }
        }
        self.scanned = window.end();
        None
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
        let (passed, line) = self.encoding.trimmed(whole);
        let start = start + passed as u64;
        let end = start + line.len() as u64;
        if self.encoding.is_blank(line) {
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
            Kind::Delimited(header) if self.encoding == Encoding::Utf8 => {
                header.cut(line, start, end)
            }
            Kind::Delimited(header) => {
                header.cut(self.encoding.decode(line).as_bytes(), start, end)
            }
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
