//! [`ObjectReader`]: one object's records with their outcomes, in the order of the bytes.

use std::borrow::Cow;
use std::io::{self, Chain, Cursor, Read};

use sekisho_event::{ObjectRef, ObjectSlice, Reach};
use sekisho_object::{
    CappedDecoder, Compression, DecodeFault, ObjectError, ObjectLimits, decompress, plain,
};
use sekisho_parser::{Catalog, Decision, ObjectContext, ObjectPlan, Outcome};
use sekisho_record::{Fault, FaultReason, Format, Frame, Record, RecordError, RecordReader};

use crate::quarantine::{Digest, KEPT_BYTES};
use crate::source::{Broken, Source};
use crate::{PipelineError, Reason};

/// How many bytes are read at a time to find the first line of a slice.
const ALIGN_BYTES: usize = 64 << 10;

/// Reads one object: decompresses, frames and parses, on the thread that calls it.
///
/// The pipeline, `sekisho parse` and the tests of a parser folder read through this one type, so they cannot differ.
pub struct ObjectReader<R: Read> {
    object: ObjectRef,
    records: RecordReader<Source<Aligned<CappedDecoder<R>>>>,
    plan: ObjectPlan,
    broken: Broken,
    /// Offset of the first byte that was framed; not 0 where a slice is read by its range.
    base: u64,
    /// The bounds of the slice, by the offsets of its records.
    start: u64,
    bound: Option<u64>,
    /// Whether a slice of this object can be reached by its range.
    plain_lines: bool,
    torn: u64,
    /// Records that belong to other slices.
    outside: u64,
    cut: Option<Reason>,
    /// Whether the rest of the object is not read.
    over: bool,
    /// Decompressed bytes of the archive's entries before the one under way.
    earlier: u64,
    /// Whether the archive's entry under way was read to its end.
    entry_over: bool,
}

/// One record and how it ended in the parser.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// Offset of its first byte in the decompressed stream.
    pub offset: u64,
    /// Its bytes; of an over-long record the first 64 KiB.
    pub bytes: &'a [u8],
    /// Length in bytes of the whole.
    pub length: u64,
    /// SHA-256 of the whole, where `bytes` is not all of it.
    pub digest: Option<Digest>,
    /// What people may see of the bytes, where secrets were in them and nobody makes a document of them.
    pub shown: Option<Vec<u8>>,
    /// How it ended; a document was appended to the buffer.
    pub outcome: Outcome,
    /// Which lines decided, after [`ObjectReader::explain`].
    pub decisions: Vec<Decision>,
}

/// What comes next in an object.
#[derive(Debug)]
pub enum Step<'a> {
    /// A record.
    Record(Parsed<'a>),
    /// Something that is no record.
    Skipped,
    /// A record that belongs to the slices before.
    Before,
    /// A record at this offset that belongs to the slices behind, or is left to them.
    Behind(u64),
    /// The object's end.
    End,
}

impl<R: Read> ObjectReader<R> {
    /// Reads the head of an object and decides the plan.
    ///
    /// # Errors
    /// When the bytes do not come, or the parser of the key cannot be used.
    pub fn open(
        catalog: &Catalog,
        object: &ObjectRef,
        context: ObjectContext,
        limits: &ObjectLimits,
        read: R,
    ) -> Result<Self, PipelineError> {
        let whole = ObjectSlice::whole(object.clone());
        Self::open_slice(catalog, &whole, context, limits, read)
    }

    /// Reads the head of a slice and decides the plan.
    ///
    /// `read` gives the stored bytes of the object; for [`Reach::Range`], those from the byte before the slice on.
    ///
    /// # Errors
    /// As [`ObjectReader::open`].
    pub fn open_slice(
        catalog: &Catalog,
        slice: &ObjectSlice,
        context: ObjectContext,
        limits: &ObjectLimits,
        read: R,
    ) -> Result<Self, PipelineError> {
        let object = &slice.object;
        let not_open = |source| PipelineError::Open {
            object: object.to_string(),
            source,
        };
        let by_range = slice.reach == Reach::Range && slice.start > 0;
        let read = if by_range {
            plain(read, limits)
        } else {
            decompress(read, limits).map_err(not_open)?
        };
        let compression = read.compression();
        let (read, base) = if by_range {
            let (read, passed) =
                aligned(read).map_err(|source| not_open(ObjectError::Head { source }))?;
            (read, slice.start - 1 + passed)
        } else {
            (Cursor::new(Vec::new()).chain(read), 0)
        };
        let source = Source::new(read);
        let entry = source.rest().get_ref().1.entry().map(str::to_owned);
        // What a range of lines begins with says nothing about the object: it is none in an envelope, or it had no ranges.
        let head = if by_range { &[] } else { source.head() };
        let plan = catalog
            .plan(ObjectContext { entry, ..context }, head)
            .map_err(|source| PipelineError::Plan {
                object: object.to_string(),
                source,
            })?;
        let is_lines = matches!(plan.framing().format, Format::Lines | Format::Ndjson);
        Ok(Self {
            object: object.clone(),
            base,
            start: slice.start,
            bound: slice.end,
            plain_lines: compression == Compression::None
                && is_lines
                && plan.is_text_anywhere()
                && !plan.is_unclaimed(),
            broken: source.broken(),
            records: RecordReader::new(source, plan.framing().clone()),
            plan,
            torn: 0,
            outside: 0,
            cut: None,
            over: false,
            earlier: 0,
            entry_over: false,
        })
    }

    /// Parses what comes next, appending its document, if it is one, to `body`.
    ///
    /// # Errors
    /// When the bytes stop for a reason outside the object; a fault of the object's own bytes ends it, see [`ObjectReader::cut`].
    pub fn next(&mut self, body: &mut Vec<u8>) -> Result<Step<'_>, PipelineError> {
        self.next_within(body, self.bound)
    }

    /// The same, leaving every record that starts at or behind `bound` to others.
    pub(crate) fn next_within(
        &mut self,
        body: &mut Vec<u8>,
        bound: Option<u64>,
    ) -> Result<Step<'_>, PipelineError> {
        if self.over || (self.entry_over && !self.enter_next()?) {
            return Ok(Step::End);
        }
        let mut frame = match self.records.next() {
            Ok(Some(frame)) => frame,
            Ok(None) if self.plan.is_entry() => {
                self.entry_over = true;
                return Ok(Step::Skipped);
            }
            Ok(None) => return Ok(Step::End),
            Err(error) => {
                self.cut = Some(cut(&self.object, error, self.base)?);
                return Ok(Step::End);
            }
        };
        let offset = match &mut frame {
            Frame::Skipped(_) => return Ok(Step::Skipped),
            // The tail that a broken connection tore off is no record of the object; the next attempt reads it whole.
            Frame::Fault(fault) if is_torn(&fault.reason) && self.broken.is_set() => {
                self.torn += 1;
                return Ok(Step::Skipped);
            }
            Frame::Record(Record { offset, .. }) | Frame::Fault(Fault { offset, .. }) => {
                *offset += self.base;
                *offset
            }
        };
        if bound.is_some_and(|bound| offset >= bound) {
            self.outside += 1;
            return Ok(Step::Behind(offset));
        }
        if offset < self.start {
            self.outside += 1;
            self.plan.pass(&frame);
            return Ok(Step::Before);
        }
        let over = self.plan.over_cap();
        self.over = over.is_some();
        let outcome = match over {
            // One entry stands for the whole rest.
            Some(reason) => Outcome::Quarantined { reason },
            None => self.plan.parse(&frame, body),
        };
        let decisions = self.plan.take_decisions();
        let mut parsed = parsed(&frame, outcome, decisions);
        if let Outcome::Quarantined { .. } = parsed.outcome {
            let kept = parsed.bytes.get(..KEPT_BYTES).unwrap_or(parsed.bytes);
            if let Cow::Owned(shown) = self.plan.redacted(kept) {
                parsed.shown = Some(shown);
            }
        }
        Ok(Step::Record(parsed))
    }

    /// Goes on with the next entry of an archive; false where none follows.
    fn enter_next(&mut self) -> Result<bool, PipelineError> {
        let entries = self.records.get_mut().rest_mut().get_mut().1;
        let next = entries.next_entry();
        let name = entries.entry().map(str::to_owned);
        let n_bytes = self.records.bytes();
        self.earlier += n_bytes;
        self.base += n_bytes;
        self.entry_over = false;
        match next {
            Ok(true) => {
                self.plan.enter(name.as_deref());
                self.records.restart(self.plan.framing().clone());
                return Ok(true);
            }
            Ok(false) => {}
            Err(source) => {
                let error = RecordError::Read { offset: 0, source };
                self.cut = Some(cut(&self.object, error, self.base)?);
            }
        }
        self.over = true;
        Ok(false)
    }

    /// How many records of the slice framing gave.
    pub fn records(&self) -> u64 {
        let others = self.torn + self.outside;
        self.records.records().saturating_sub(others)
    }

    /// How many headers, blank lines and comments framing gave.
    pub fn skipped(&self) -> u64 {
        self.records.skipped()
    }

    /// How many decompressed bytes were read so far.
    pub fn bytes(&self) -> u64 {
        self.earlier + self.records.bytes()
    }

    /// Offset behind the last byte that was read.
    pub(crate) fn position(&self) -> u64 {
        self.base + self.records.bytes()
    }

    /// How later slices of this object are reached.
    pub(crate) fn reach(&self) -> Reach {
        if self.plain_lines {
            Reach::Range
        } else {
            Reach::Stream
        }
    }

    /// Leaves the records that start at or behind an offset to other slices.
    pub(crate) fn bound(&mut self, bound: u64) {
        self.bound = Some(bound);
    }

    /// Where the slice ends, where that is known.
    pub(crate) fn bound_of(&self) -> Option<u64> {
        self.bound
    }

    /// Why and where the object's own bytes ended early (truncated, corrupt, over a limit); every record before was given.
    pub fn cut(&self) -> Option<&Reason> {
        self.cut.as_ref()
    }

    /// Starts to note for each record which line decided about it.
    pub fn explain(&mut self) {
        self.plan.explain();
    }

    /// The plan.
    pub fn plan(&self) -> &ObjectPlan {
        &self.plan
    }

    /// The plan, to make a refused document again as raw.
    pub(crate) fn plan_mut(&mut self) -> &mut ObjectPlan {
        &mut self.plan
    }

    /// Gives up reading and keeps the plan.
    pub(crate) fn into_plan(self) -> ObjectPlan {
        self.plan
    }
}

/// Bytes from the first line on that begins behind a place: what was read to find it, then the rest.
type Aligned<R> = Chain<Cursor<Vec<u8>>, R>;

/// Passes over the line that `read` begins in the middle of, and says how many bytes that were.
fn aligned<R: Read>(mut read: R) -> io::Result<(Aligned<R>, u64)> {
    let mut passed = 0;
    let mut buffer = vec![0; ALIGN_BYTES];
    loop {
        let count = match read.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            count => count?,
        };
        let got = buffer.get(..count).unwrap_or_default();
        if let Some(newline) = got.iter().position(|&byte| byte == b'\n') {
            let rest = got.get(newline + 1..).unwrap_or_default().to_vec();
            return Ok((Cursor::new(rest).chain(read), passed + newline as u64 + 1));
        }
        passed += count as u64;
        if count == 0 {
            return Ok((Cursor::new(Vec::new()).chain(read), passed));
        }
    }
}

/// Tells whether a record has no end.
fn is_torn(reason: &FaultReason) -> bool {
    matches!(
        reason,
        FaultReason::Truncated | FaultReason::Unterminated { .. }
    )
}

fn parsed<'a>(frame: &Frame<'a>, outcome: Outcome, decisions: Vec<Decision>) -> Parsed<'a> {
    let (offset, bytes, whole) = match frame {
        Frame::Record(record) => (record.offset, record.bytes, None),
        Frame::Fault(fault) => (
            fault.offset,
            fault.bytes,
            Some((fault.length, fault.digest)),
        ),
        Frame::Skipped(_) => (0, [].as_slice(), None),
    };
    Parsed {
        offset,
        bytes,
        length: whole.map_or(bytes.len() as u64, |(length, _)| length),
        digest: whole.map(|(_, digest)| Digest(digest)),
        shown: None,
        outcome,
        decisions,
    }
}

/// Tells a fault of the object's own bytes, which no second reading heals, from a source that broke off.
fn cut(object: &ObjectRef, error: RecordError, base: u64) -> Result<Reason, PipelineError> {
    let RecordError::Read { offset, ref source } = error;
    match DecodeFault::of(source) {
        Some(fault) => Ok(Reason {
            offset: offset + base,
            reason: fault.to_string(),
        }),
        None => Err(PipelineError::Read {
            object: object.to_string(),
            source: error,
        }),
    }
}
