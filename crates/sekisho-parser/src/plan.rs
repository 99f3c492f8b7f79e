//! [`ObjectPlan`]: what an object's key decided, at work on its records.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sekisho_document::{DocumentId, ObjectIdentity, Rotation};
use sekisho_record::{Columns, Encoding, Fault, FaultReason, Format, Frame, Framing, Record};
use sha2::{Digest as _, Sha256};

use crate::columns::ColumnPlan;
use crate::draft::Draft;
use crate::entry::place;
use crate::envelope;
use crate::execute::Verdict;
use crate::origin::Decision;
use crate::outcome::{ObjectContext, Outcome};
use crate::parser::Parser;
use crate::program::Program;
use crate::redact::hide;
use crate::settings::{KeepOriginal, ParserSettings};
use crate::time::TimeFormats;
use crate::value::Value;
use crate::walk::Walker;

/// What an object's key decided, at work on its records.
#[derive(Debug)]
pub struct ObjectPlan {
    pub(crate) program: Arc<Program>,
    pub(crate) framing: Framing,
    pub(crate) settings: Arc<ParserSettings>,
    pub(crate) object: ObjectContext,
    pub(crate) identity: ObjectIdentity,
    /// How times are written, around the object's own.
    pub(crate) times: Arc<TimeFormats>,
    pub(crate) captures: Vec<(String, String)>,
    pub(crate) index: String,
    pub(crate) rotation: Rotation,
    pub(crate) names: HashMap<NaiveDate, Arc<str>>,
    pub(crate) path: String,
    pub(crate) label: String,
    pub(crate) unclaimed: Option<Unclaimed>,
    /// Where the columns of the header in force go.
    pub(crate) columns: Option<ColumnPlan>,
    /// The columns of lines that stand in an envelope, where no header can.
    pub(crate) inner_columns: Option<Arc<Columns>>,
    /// What decided about the last record, where somebody asks.
    pub(crate) decisions: Option<Vec<Decision>>,
    /// The newest time that a record said of itself.
    pub(crate) newest: Option<DateTime<Utc>>,
}

/// What limits an object that no parser claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unclaimed {
    pub(crate) n_records: u64,
    pub(crate) limit: u64,
}

impl ObjectPlan {
    /// Starts on an object with the parser that claims it.
    pub(crate) fn parser(
        parser: &Parser,
        program: Arc<Program>,
        object: ObjectContext,
        settings: Arc<ParserSettings>,
        head: &[u8],
    ) -> Self {
        let captures = parser.capture.as_ref().and_then(|regex| {
            let found = regex.captures(&object.key)?;
            let names = regex.capture_names().flatten();
            Some(
                names
                    .filter_map(|name| {
                        Some((name.to_owned(), found.name(name)?.as_str().to_owned()))
                    })
                    .collect(),
            )
        });
        let rotation = parser.rotation(&settings);
        let mut framing = program.framing.clone();
        let mut inner_columns = None;
        if let Some(format) = envelope::framing(&program.unwrap, head) {
            inner_columns = columns(&framing.format);
            framing.format = format;
            framing.encoding = Encoding::Utf8;
        }
        let marked = framing.encoding.marked(head);
        if marked.reads(&framing.format) {
            framing.encoding = marked;
        }
        let mut plan = Self::new(program, framing, parser.index(), object, settings);
        if let Some(revision) = parser.revision() {
            plan.label = format!("{}+{revision}", plan.label);
        }
        plan.inner_columns = inner_columns;
        plan.captures = captures.unwrap_or_default();
        plan.rotation = rotation;
        plan
    }

    /// Starts on an object that nobody claims.
    pub(crate) fn unclaimed(
        program: Arc<Program>,
        framing: Framing,
        index: &str,
        object: ObjectContext,
        settings: Arc<ParserSettings>,
    ) -> Self {
        let limit = settings.unknown_records;
        let mut plan = Self::new(program, framing, index, object, settings);
        plan.unclaimed = Some(Unclaimed {
            n_records: 0,
            limit,
        });
        plan
    }

    fn new(
        program: Arc<Program>,
        framing: Framing,
        index: &str,
        object: ObjectContext,
        settings: Arc<ParserSettings>,
    ) -> Self {
        let (identity, path) = place(&object);
        let zone = settings.timezones.get(&*program.dataset).copied();
        let times = Arc::new(program.times.near(object.time()).in_zone(zone));
        let label = format!("{}@{}", program.dataset, settings.version);
        Self {
            program,
            framing,
            settings,
            identity,
            times,
            captures: Vec::new(),
            index: index.to_owned(),
            rotation: Rotation::Daily,
            names: HashMap::new(),
            path,
            label,
            object,
            unclaimed: None,
            columns: None,
            inner_columns: None,
            decisions: None,
            newest: None,
        }
    }

    /// Starts to note for each record which line decided about it.
    pub fn explain(&mut self) {
        self.decisions = Some(Vec::new());
    }

    /// Gives what decided about the last record; empty unless [`Self::explain`] was called, and for raw records.
    pub fn take_decisions(&mut self) -> Vec<Decision> {
        self.decisions
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Gives the newest time that a record of the object said of itself, of those times that lie near the object's own: for freshness.
    pub fn newest(&self) -> Option<DateTime<Utc>> {
        self.newest
    }

    /// Gives `event.dataset`.
    pub fn dataset(&self) -> &str {
        &self.program.dataset
    }

    /// Gives the framing of the object.
    pub fn framing(&self) -> &Framing {
        &self.framing
    }

    /// Gives what `sekisho.parser` says: the dataset and the version of what parsed it.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Says why the rest of the object is not read: nobody claims it and it is over its cap.
    pub fn over_cap(&self) -> Option<String> {
        let Unclaimed { n_records, limit } = self.unclaimed?;
        (n_records >= limit).then(|| format!("unknown_lines: no parser claims key `{}`, and {limit} records of it are indexed as they are; add a parser, or raise `limits.unknown_lines`", self.object.key))
    }

    /// Gives the id that a record has by its position, for callers that make none of their own.
    pub fn position_id(&self, offset: u64, record: &[u8]) -> DocumentId {
        self.identity.by_position(offset, record)
    }

    /// Turns what framing gave into its outcome; a document, if it is one, is appended to `body`.
    pub fn parse(&mut self, frame: &Frame<'_>, body: &mut Vec<u8>) -> Outcome {
        match frame {
            Frame::Record(record) => self.record(record, body),
            Frame::Fault(fault) => self.fault(fault, body),
            // Headers, blank lines and comments are counted by framing and have no outcome; nobody passes them here.
            Frame::Skipped(_) => Outcome::Excluded {
                rule: Arc::from("skipped"),
            },
        }
    }

    /// Passes over what belongs to another slice, as if it had been parsed.
    pub fn pass(&mut self, frame: &Frame<'_>) {
        let counts = match frame {
            Frame::Record(_) => true,
            Frame::Fault(fault) => !quarantines(&fault.reason),
            Frame::Skipped(_) => false,
        };
        if counts {
            self.count_unclaimed();
        }
    }

    /// Tells whether no parser claims the object.
    pub fn is_unclaimed(&self) -> bool {
        self.unclaimed.is_some()
    }

    /// Fingerprints what decides where records begin, what they are named and where they go: framing, identity, time and index.
    ///
    /// Slices of one object that were read under different fingerprints do not fit together.
    pub fn rules(&self) -> String {
        let program = &self.program;
        let rules = format!(
            "{:?}",
            (
                &program.dataset,
                &self.framing.format,
                self.framing.encoding,
                &program.named_by,
                &program.times,
                &self.index,
                self.rotation,
                &self.settings.index,
            )
        );
        let digest = Sha256::digest(rules.as_bytes());
        let shown = digest.iter().take(8);
        shown.map(|byte| format!("{byte:02x}")).collect()
    }

    fn fault(&mut self, fault: &Fault<'_>, body: &mut Vec<u8>) -> Outcome {
        let reason = fault.reason.to_string();
        if quarantines(&fault.reason) {
            return Outcome::Quarantined { reason };
        }
        self.count_unclaimed();
        Outcome::Raw {
            head: self.raw(fault.bytes, fault.offset, &reason, body),
            reason,
        }
    }

    fn count_unclaimed(&mut self) {
        if let Some(unclaimed) = &mut self.unclaimed {
            unclaimed.n_records += 1;
        }
    }

    fn record(&mut self, record: &Record<'_>, body: &mut Vec<u8>) -> Outcome {
        if self.unclaimed.is_some() {
            self.count_unclaimed();
            let reason = format!(
                "no parser claims key `{}`; add one under `parsers/`, or list the prefix in `ignore`",
                self.object.key
            );
            return Outcome::Raw {
                head: self.raw(record.bytes, record.offset, &reason, body),
                reason,
            };
        }
        match self.document(record, body) {
            Ok(outcome) => outcome,
            Err(reason) => {
                let reason = self.settings.redactor.text(&reason).into_owned();
                Outcome::Raw {
                    head: self.raw(record.bytes, record.offset, &reason, body),
                    reason,
                }
            }
        }
    }

    /// Runs the program; the error is why the record must be raw.
    fn document(&mut self, record: &Record<'_>, body: &mut Vec<u8>) -> Result<Outcome, String> {
        let program = Arc::clone(&self.program);
        let settings = Arc::clone(&self.settings);
        let times = Arc::clone(&self.times);
        let original = self.framing.encoding.decode(record.bytes);
        let safe = settings.redactor.text(&original);
        let suspicious = matches!(safe, Cow::Owned(_));
        // JSON keeps its structure without its secrets; text is cut first, so that nobody moves its columns by writing `cookie: ` into one.
        let whole: &str = if program.is_json() { &safe } else { &original };
        let opened = envelope::open(&program.unwrap, &self.framing.format, record, whole)?;
        let text = program.text_of(&opened, whole);
        let is_json = program.reads_json(text);
        let inner = match is_json && !program.is_json() {
            true => settings.redactor.text(text),
            false => Cow::Borrowed(text),
        };
        let text: &str = &inner;
        let walker = Walker {
            schema: &program.schema,
            times: &times,
            max_depth: settings.max_depth,
            redactor: &settings.redactor,
            suspicious,
        };
        let mut walked = match self.column_plan(record) {
            _ if is_json => walker.json(text).map_err(|fault| fault.to_string())?,
            Some(plan) => walker.columns(text, plan, &program.tokens)?,
            None => walker.tokens(text, &program.tokens)?,
        };
        if !opened.is_empty() {
            let kept = walker.envelopes(opened.objects(whole), &mut walked);
            kept.map_err(|fault| format!("the envelope: {fault}"))?;
        }
        let captures = std::mem::take(&mut self.captures);
        // What is inside JSON without its secrets has none.
        let text = match is_json {
            true => Cow::Borrowed(text),
            false => walker.shown(text, &walked.hidden),
        };
        let keeps_original = settings.keep_original == KeepOriginal::Always;
        let original = keeps_original.then(|| hide(Cow::Borrowed(&*safe), &walked.hidden));
        let mut draft = Draft::new(&program, &times, &captures, &text, walked);
        let verdict = program.run(&mut draft, &self.settings.trusted_proxies);
        let outcome = match verdict {
            Verdict::Document(time) => {
                let id = self.id(&draft, record);
                if let Some(original) = &original {
                    draft.set(program.fixed.original, Value::Text(Cow::Borrowed(original)));
                }
                Ok(Outcome::Document(self.finish(
                    &mut draft,
                    record.offset,
                    time,
                    id,
                    true,
                    body,
                )))
            }
            Verdict::Raw(reason) => Err(reason),
            Verdict::Excluded(rule) => Ok(Outcome::Excluded { rule }),
        };
        if let Some(decisions) = &mut self.decisions {
            *decisions = draft.decisions();
        }
        drop(draft);
        self.captures = captures;
        outcome
    }

    /// Gives where the columns of a record go; nothing for a record without columns.
    pub(crate) fn column_plan(&mut self, record: &Record<'_>) -> Option<&ColumnPlan> {
        let columns = record.columns.as_ref().or(self.inner_columns.as_ref())?;
        let (schema, redactor) = (&self.program.schema, &self.settings.redactor);
        Some(ColumnPlan::of(&mut self.columns, columns, schema, redactor))
    }

    /// Identifies a record by its content where its fields make it unique in the world, else by its position.
    fn id(&self, draft: &Draft<'_, '_>, record: &Record<'_>) -> DocumentId {
        let by = &self.program.unique_by;
        if !by.is_empty() && by.iter().all(|source| draft.first(source).is_some()) {
            return ObjectIdentity::by_content(&self.program.dataset, record.bytes);
        }
        self.identity.by_position(record.offset, record.bytes)
    }
}

/// Gives the columns of lines without a header.
fn columns(format: &Format) -> Option<Arc<Columns>> {
    let Format::Delimited(delimited) = format else {
        return None;
    };
    Some(Arc::new(Columns {
        separator: delimited.separator,
        quotes: delimited.quotes,
        names: delimited.default_columns.clone(),
    }))
    .filter(|columns| !columns.names.is_empty())
}

/// Tells whether such bytes cannot even be a raw document.
fn quarantines(reason: &FaultReason) -> bool {
    match reason {
        FaultReason::TooLong { .. }
        | FaultReason::Unterminated { .. }
        | FaultReason::TooDeep { .. } => true,
        FaultReason::Truncated | FaultReason::NotJson(_) | FaultReason::NoHeader => false,
    }
}
