//! [`ObjectReader`]: one object's records with their outcomes, in the order of the bytes.

use std::io::Read;

use sekisho_event::ObjectRef;
use sekisho_object::{CappedDecoder, DecodeFault, ObjectLimits, decompress};
use sekisho_parser::{Catalog, Decision, ObjectContext, ObjectPlan, Outcome};
use sekisho_record::{FaultReason, Frame, RecordError, RecordReader};

use crate::quarantine::Digest;
use crate::source::{Broken, Source};
use crate::{PipelineError, Reason};

/// Reads one object: decompresses, frames and parses, on the thread that calls it.
///
/// The pipeline, `sekisho parse` and the tests of a parser folder read through this one type, so they cannot differ.
pub struct ObjectReader<R: Read> {
    object: ObjectRef,
    records: RecordReader<Source<CappedDecoder<R>>>,
    plan: ObjectPlan,
    broken: Broken,
    torn: u64,
    cut: Option<Reason>,
    /// Whether the rest of the object is not read.
    over: bool,
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
    /// The end.
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
        let read = decompress(read, limits).map_err(|source| PipelineError::Open {
            object: object.to_string(),
            source,
        })?;
        let source = Source::new(read);
        let plan = catalog
            .plan(context, source.head())
            .map_err(|source| PipelineError::Plan {
                object: object.to_string(),
                source,
            })?;
        let broken = source.broken();
        Ok(Self {
            object: object.clone(),
            records: RecordReader::new(source, plan.framing().clone()),
            plan,
            broken,
            torn: 0,
            cut: None,
            over: false,
        })
    }

    /// Parses what comes next, appending its document, if it is one, to `body`.
    ///
    /// # Errors
    /// When the bytes stop for a reason outside the object; a fault of the object's own bytes ends it, see [`ObjectReader::cut`].
    pub fn next(&mut self, body: &mut Vec<u8>) -> Result<Step<'_>, PipelineError> {
        if self.over {
            return Ok(Step::End);
        }
        match self.records.next() {
            Ok(Some(Frame::Skipped(_))) => Ok(Step::Skipped),
            // The tail that a broken connection tore off is no record of the object; the next attempt reads it whole.
            Ok(Some(Frame::Fault(fault))) if is_torn(&fault.reason) && self.broken.is_set() => {
                self.torn += 1;
                Ok(Step::Skipped)
            }
            Ok(Some(frame)) => {
                let over = self.plan.over_cap();
                self.over = over.is_some();
                let outcome = match over {
                    // One entry stands for the whole rest.
                    Some(reason) => Outcome::Quarantined { reason },
                    None => self.plan.parse(&frame, body),
                };
                let decisions = self.plan.take_decisions();
                Ok(Step::Record(parsed(&frame, outcome, decisions)))
            }
            Ok(None) => Ok(Step::End),
            Err(error) => {
                self.cut = Some(cut(&self.object, error)?);
                Ok(Step::End)
            }
        }
    }

    /// How many records framing gave.
    pub fn records(&self) -> u64 {
        self.records.records().saturating_sub(self.torn)
    }

    /// How many headers, blank lines and comments framing gave.
    pub fn skipped(&self) -> u64 {
        self.records.skipped()
    }

    /// How many decompressed bytes were read so far.
    pub fn bytes(&self) -> u64 {
        self.records.bytes()
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
        outcome,
        decisions,
    }
}

/// Tells a fault of the object's own bytes, which no second reading heals, from a source that broke off.
fn cut(object: &ObjectRef, error: RecordError) -> Result<Reason, PipelineError> {
    let RecordError::Read { offset, ref source } = error;
    match DecodeFault::of(source) {
        Some(fault) => Ok(Reason {
            offset,
            reason: fault.to_string(),
        }),
        None => Err(PipelineError::Read {
            object: object.to_string(),
            source: error,
        }),
    }
}
