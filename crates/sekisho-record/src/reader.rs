//! [`RecordReader`]: pulls bytes, gives frames.

use std::io::Read;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::cut::{Cut, LOOKBACK, Step};
use crate::error::RecordError;
use crate::frame::{Fault, FaultReason, Format, Frame, Framing, Record, Skip};
use crate::json::JsonFramer;
use crate::line::LineFramer;
use crate::multiline::MultilineFramer;
use crate::window::Window;

/// How much of an over-long record is kept for people to look at.
const HEAD_BYTES: usize = 64 * 1024;

/// Reads the records of one object, in the order of the bytes.
///
/// It holds one window of at most twice [`Framing::max_record_bytes`] plus 1 MiB, whatever the object looks like.
/// An error of the reader is given after every record before it.
pub struct RecordReader<R> {
    window: Window<R>,
    framer: Framer,
    max_record_bytes: usize,
    overlong: Overlong,
    drained: bool,
    records: u64,
    skipped: u64,
}

enum Framer {
    Json(JsonFramer),
    Line(LineFramer),
    Multiline(MultilineFramer),
}

/// The record that outgrew the limit: its head and a running digest.
#[derive(Default)]
struct Overlong {
    start: Option<u64>,
    hashed_to: u64,
    digest: Sha256,
    head: Vec<u8>,
}

impl<R: Read> RecordReader<R> {
    /// Prepares to frame the decompressed bytes of `read`; nothing is read yet.
    pub fn new(read: R, framing: Framing) -> Self {
        Self {
            window: Window::new(read),
            max_record_bytes: framing.max_record_bytes,
            framer: Framer::new(framing),
            overlong: Overlong::default(),
            drained: false,
            records: 0,
            skipped: 0,
        }
    }

    /// Begins again with what the reader gives next, as with the first bytes of another object: offsets count from 0, the counts go on.
    ///
    /// For archives, whose entries are one stream each.
    pub fn restart(&mut self, framing: Framing) {
        self.window.restart();
        self.framer = Framer::new(framing);
        self.drained = false;
    }

    /// The reader, to make it go on behind an end.
    pub fn get_mut(&mut self) -> &mut R {
        self.window.get_mut()
    }

    /// Gives the next frame, `None` at the end of the object.
    ///
    /// # Errors
    ///
    /// Gives the reader's own error once, after every frame before it; the record that it tore apart was given as [`FaultReason::Truncated`].
    #[expect(
        clippy::should_implement_trait,
        reason = "a frame borrows the window, which `Iterator` cannot say"
    )]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, RecordError> {
        let Some(cut) = self.next_cut()? else {
            return Ok(None);
        };
        Ok(Some(self.frame(cut)))
    }

    /// How many records were given, well framed or not.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// How many headers, blank lines and comments were given.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// How many decompressed bytes were read so far, since the last restart.
    pub fn bytes(&self) -> u64 {
        self.window.end()
    }

    fn next_cut(&mut self) -> Result<Option<Cut>, RecordError> {
        loop {
            if let Step::Cut(cut) = self.framer.advance(&self.window) {
                return Ok(Some(cut));
            }
            let keep = self.keep_from();
            if self.window.fill(keep) {
                continue;
            }
            // One more turn: a framer that waited for bytes now sees that none come.
            if !std::mem::replace(&mut self.drained, true) {
                continue;
            }
            if let Some(cut) = self.framer.finish(&self.window) {
                return Ok(Some(cut));
            }
            let offset = self.window.end();
            return match self.window.take_error() {
                Some(source) => Err(RecordError::Read { offset, source }),
                None => Ok(None),
            };
        }
    }

    /// Decides from where on bytes stay in memory; what an over-long record gives up is hashed first.
    fn keep_from(&mut self) -> u64 {
        let lookback = self.framer.position().saturating_sub(LOOKBACK);
        let Some(start) = self.framer.hold() else {
            return lookback;
        };
        if self.framer.position().saturating_sub(start) <= self.max_record_bytes as u64 + LOOKBACK {
            return start.min(lookback);
        }
        self.overlong.take_up(start, lookback, &self.window);
        lookback
    }

    fn frame(&mut self, cut: Cut) -> Frame<'_> {
        match cut {
            Cut::Skipped(skip) => {
                self.skipped += 1;
                Frame::Skipped(skip)
            }
            Cut::Record {
                start,
                end,
                columns,
            } => {
                if self.too_long(start, end) {
                    let limit = self.max_record_bytes;
                    return self.fault(start, end, FaultReason::TooLong { limit });
                }
                if self.framer.is_control() {
                    self.skipped += 1;
                    return Frame::Skipped(Skip::Control);
                }
                self.records += 1;
                Frame::Record(Record {
                    offset: start,
                    bytes: self.window.slice(start, end),
                    columns,
                    envelope: self.framer.envelope(),
                })
            }
            Cut::Fault {
                start,
                end,
                reason,
                open,
            } => {
                let limit = self.max_record_bytes;
                let reason = match (self.too_long(start, end), open) {
                    (false, _) => reason,
                    (true, false) => FaultReason::TooLong { limit },
                    (true, true) => FaultReason::Unterminated { limit },
                };
                self.fault(start, end, reason)
            }
        }
    }

    fn fault(&mut self, start: u64, end: u64, reason: FaultReason) -> Frame<'_> {
        self.records += 1;
        let digest;
        let bytes = if self.too_long(start, end) {
            self.overlong.take_up(start, end, &self.window);
            digest = self.overlong.close();
            self.overlong.head.as_slice()
        } else {
            let bytes = self.window.slice(start, end);
            digest = Sha256::digest(bytes).into();
            bytes
        };
        Frame::Fault(Fault {
            offset: start,
            bytes,
            length: end.saturating_sub(start),
            digest,
            reason,
        })
    }

    fn too_long(&self, start: u64, end: u64) -> bool {
        end.saturating_sub(start) > self.max_record_bytes as u64
    }
}

impl Overlong {
    /// Hashes the record that begins at `start` up to `to`, keeping its head.
    fn take_up<R>(&mut self, start: u64, to: u64, window: &Window<R>) {
        if self.start != Some(start) {
            self.start = Some(start);
            self.hashed_to = start;
            self.digest = Sha256::new();
            self.head.clear();
        }
        let bytes = window.slice(self.hashed_to, to);
        self.digest.update(bytes);
        let room = HEAD_BYTES.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(room));
        self.hashed_to = self.hashed_to.max(to);
    }

    fn close(&mut self) -> [u8; 32] {
        self.start = None;
        self.digest.finalize_reset().into()
    }
}

impl Framer {
    fn new(framing: Framing) -> Self {
        let max_depth = framing.max_depth;
        let max_record_bytes = framing.max_record_bytes;
        match framing.format {
            Format::Json { records } => {
                Self::Json(JsonFramer::new(records, max_record_bytes, max_depth))
            }
            Format::CloudwatchLogs => {
                Self::Json(JsonFramer::cloudwatch_logs(max_record_bytes, max_depth))
            }
            Format::Multiline(first_line) => {
                Self::Multiline(MultilineFramer::new(first_line, max_record_bytes))
            }
            line => {
                let framer = LineFramer::new(line, max_record_bytes, max_depth);
                Self::Line(framer.in_encoding(framing.encoding))
            }
        }
    }

    fn advance<R>(&mut self, window: &Window<R>) -> Step {
        match self {
            Self::Json(framer) => framer.advance(window),
            Self::Line(framer) => framer.advance(window),
            Self::Multiline(framer) => framer.advance(window),
        }
    }

    /// Gives what is left at the end of the stream, one frame a call.
    fn finish<R>(&mut self, window: &Window<R>) -> Option<Cut> {
        match self {
            Self::Json(framer) => framer.finish(window),
            Self::Line(framer) => framer.finish(window),
            Self::Multiline(framer) => framer.finish(window),
        }
    }

    fn position(&self) -> u64 {
        match self {
            Self::Json(framer) => framer.position(),
            Self::Line(framer) => framer.position(),
            Self::Multiline(framer) => framer.position(),
        }
    }

    /// What stands before the array whose element was just cut.
    fn envelope(&self) -> Option<Arc<[u8]>> {
        match self {
            Self::Json(framer) => framer.envelope().cloned(),
            Self::Line(_) | Self::Multiline(_) => None,
        }
    }

    /// Tells whether the element that was just cut is a message of no log.
    fn is_control(&self) -> bool {
        match self {
            Self::Json(framer) => framer.is_control(),
            Self::Line(_) | Self::Multiline(_) => false,
        }
    }

    /// Where the record under way begins.
    fn hold(&self) -> Option<u64> {
        match self {
            Self::Json(framer) => framer.hold(),
            Self::Line(framer) => framer.hold(),
            Self::Multiline(framer) => framer.hold(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, repeat};

    use super::*;
    use crate::frame::{Delimited, FirstLine, Quotes};

    const LIMIT: usize = 256 * 1024;

    /// Reads twelve times the limit of one byte behind a start.
    #[track_caller]
    fn check_memory(format: Format, start: &str, byte: u8) {
        let framing = Framing {
            format,
            encoding: crate::Encoding::Utf8,
            max_record_bytes: LIMIT,
            max_depth: 100,
        };
        let input = start.as_bytes().chain(repeat(byte).take(12 * LIMIT as u64));
        let mut reader = RecordReader::new(input, framing);
        while reader.next().unwrap().is_some() {}
        assert_eq!(reader.bytes(), (start.len() + 12 * LIMIT) as u64);
        let taken = reader.window.capacity();
        assert!(taken <= 5 * LIMIT, "{taken} bytes");
        assert!(reader.overlong.head.capacity() <= 2 * HEAD_BYTES);
    }

    #[test]
    fn memory_is_bounded_whatever_the_shape() {
        let json = |key: &str| Format::Json {
            records: vec![vec![key.to_owned()]],
        };
        check_memory(json("Records"), "{\"a\":\"", b'x');
        check_memory(json("Records"), "{\"a\":\"\n", b'x');
        check_memory(json("Records"), "{\"Records\":[{\"a\":\"", b'x');
        check_memory(json("Records"), "{\"Records\":[", b' ');
        check_memory(json("Records"), "", b'{');
        check_memory(json("Records"), "{\"a\":", b'[');
        check_memory(json("Records"), "", b'x');
        check_memory(json("Records"), "", b' ');
        check_memory(json("Records"), "[", b',');
        check_memory(Format::Lines, "", b'x');
        check_memory(Format::Ndjson, "", b'[');
        for (pattern, byte) in [("^a", b'x'), ("^a", b'\n'), ("^x", b'x')] {
            let first_line = FirstLine::new(pattern).unwrap();
            check_memory(Format::Multiline(first_line), "a\nb\n", byte);
        }
        for (start, byte) in [("\"", b'x'), ("\"\n", b'x'), ("", b'"'), ("\"", b'\n')] {
            check_memory(Format::Csv { separator: b',' }, start, byte);
        }
        let delimited = Delimited {
            separator: b' ',
            quotes: Quotes::None,
            known: Vec::new(),
            default_columns: Vec::new(),
            fields_line: None,
            comment: None,
            or_json: false,
        };
        check_memory(Format::Delimited(delimited), "", b' ');
    }
}
