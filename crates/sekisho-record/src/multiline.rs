//! [`MultilineFramer`]: one record from each line that begins one to the next such line.

use memchr::memchr;

use crate::cut::{Cut, Step};
use crate::frame::{FaultReason, FirstLine, Skip};
use crate::line::BOM;
use crate::window::Window;

/// How much of a line is looked at to tell whether it begins a record.
const GLANCE_BYTES: u64 = 1024;

/// Joins lines.
pub(crate) struct MultilineFramer {
    first_line: FirstLine,
    max_record_bytes: u64,
    record: Option<Lines>,
    /// Where the line under way begins.
    start: u64,
    /// Up to where no line feed was found.
    scanned: u64,
}

/// The lines of the record under way.
#[derive(Clone, Copy)]
struct Lines {
    start: u64,
    /// Behind the last line that is not blank.
    end: u64,
}

impl MultilineFramer {
    pub(crate) fn new(first_line: FirstLine, max_record_bytes: usize) -> Self {
        Self {
            first_line,
            max_record_bytes: max_record_bytes as u64,
            record: None,
            start: 0,
            scanned: 0,
        }
    }

    pub(crate) fn advance<R>(&mut self, window: &Window<R>) -> Step {
        while let Some(length) = memchr(b'\n', window.from(self.scanned)) {
            let end = self.scanned + length as u64;
            if let Some(record) = self.ended(window, end, true) {
                return Step::Cut(record);
            }
            let skipped = self.take(window, end);
            self.start = end + 1;
            self.scanned = end + 1;
            if let Some(skipped) = skipped {
                return Step::Cut(skipped);
            }
        }
        self.scanned = window.end();
        // A line that outgrows the record would push it out of memory.
        let record = self.ended(window, self.scanned, false);
        record.map_or(Step::More, Step::Cut)
    }

    pub(crate) fn finish<R>(&mut self, window: &Window<R>) -> Option<Cut> {
        let end = window.end();
        if self.start < end {
            if let Some(record) = self.ended(window, end, true) {
                return Some(record);
            }
            let skipped = self.take(window, end);
            self.start = end;
            self.scanned = end;
            if skipped.is_some() && !window.torn() {
                return skipped;
            }
        }
        let Lines { start, end } = self.record.take()?;
        // What broke off may have had more lines.
        match window.torn() {
            true => Some(Cut::Fault {
                start,
                end,
                reason: FaultReason::Truncated,
                open: end - start > self.max_record_bytes,
            }),
            false => Some(record(start, end)),
        }
    }

    pub(crate) fn position(&self) -> u64 {
        self.scanned
    }

    pub(crate) fn hold(&self) -> Option<u64> {
        Some(self.record.map_or(self.start, |record| record.start))
    }

    /// Gives the record under way if the line from `start` to `end` is none of its lines: it begins one, or is too long for it.
    fn ended<R>(&mut self, window: &Window<R>, end: u64, is_whole: bool) -> Option<Cut> {
        let lines = self.record.filter(|record| record.start < self.start)?;
        let is_too_long = end - lines.start > self.max_record_bytes;
        if is_too_long || (is_whole && self.begins_record(window, end)) {
            self.record = None;
            return Some(record(lines.start, lines.end));
        }
        None
    }

    fn begins_record<R>(&self, window: &Window<R>, end: u64) -> bool {
        let line = window.slice(self.start, end.min(self.start + GLANCE_BYTES));
        let line = line.strip_prefix(BOM).unwrap_or(line);
        self.first_line.0.is_match(line)
    }

    /// Adds a line to the record under way; a blank one is part of it only if another follows.
    fn take<R>(&mut self, window: &Window<R>, end: u64) -> Option<Cut> {
        let mut lines = Lines {
            start: self.start,
            end,
        };
        if end - self.start <= self.max_record_bytes {
            let whole = window.slice(self.start, end);
            let line = whole.strip_prefix(BOM).unwrap_or(whole);
            lines.start += (whole.len() - line.len()) as u64;
            lines.end -= u64::from(line.ends_with(b"\r"));
            if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                return self.record.is_none().then_some(Cut::Skipped(Skip::Blank));
            }
        }
        let start = self.record.map_or(lines.start, |record| record.start);
        self.record = Some(Lines { start, ..lines });
        None
    }
}

fn record(start: u64, end: u64) -> Cut {
    Cut::Record {
        start,
        end,
        columns: None,
    }
}
