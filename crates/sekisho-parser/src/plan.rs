//! [`ObjectPlan`]: what an object's key decided, at work on its records.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sekisho_document::{DaySource, DocumentHead, DocumentId, ObjectIdentity, Rotation, ecs};
use sekisho_record::{Fault, FaultReason, Frame, Framing, Record};

use crate::draft::Draft;
use crate::emit::{Written, write};
use crate::execute::Verdict;
use crate::outcome::{ObjectContext, Outcome};
use crate::parser::Parser;
use crate::program::Program;
use crate::related::addresses_in;
use crate::settings::{KeepOriginal, ParserSettings};
use crate::time::write_time;
use crate::value::Value;
use crate::walk::{Walked, Walker};

/// How much of a record's text a raw document carries in `message`, where it is searched by words.
const MAX_MESSAGE_BYTES: usize = 32_000;

/// What an object's key decided, at work on its records.
#[derive(Debug)]
pub struct ObjectPlan {
    program: Arc<Program>,
    framing: Framing,
    settings: Arc<ParserSettings>,
    object: ObjectContext,
    identity: ObjectIdentity,
    captures: Vec<(String, String)>,
    index: String,
    rotation: Rotation,
    names: HashMap<NaiveDate, Arc<str>>,
    path: String,
    label: String,
    unclaimed: Option<Unclaimed>,
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
        let framing = program.framing.clone();
        let mut plan = Self::new(program, framing, parser.index(), object, settings);
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
        let identity = ObjectIdentity::new(&object.bucket, &object.key, object.entry.as_deref());
        let path = format!("s3://{}/{}", object.bucket, object.key);
        let label = format!("{}@{}", program.dataset, settings.version);
        Self {
            program,
            framing,
            settings,
            identity,
            captures: Vec::new(),
            index: index.to_owned(),
            rotation: Rotation::Daily,
            names: HashMap::new(),
            path,
            label,
            object,
            unclaimed: None,
        }
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

    /// Makes the raw document of a record that no parser could read or that the index refused, and appends it to `body`.
    pub fn raw(
        &mut self,
        record: &[u8],
        offset: u64,
        reason: &str,
        body: &mut Vec<u8>,
    ) -> DocumentHead {
        let text = String::from_utf8_lossy(record);
        let program = Arc::clone(&self.program);
        let mut draft = Draft::new(&program, &[], &text, Walked::default());
        let fixed = &program.fixed;
        draft.set(fixed.kind, Value::owned("pipeline_error"));
        draft.set(fixed.error_message, Value::owned(reason));
        draft.set(fixed.message, Value::Text(Cow::Borrowed(cut(&text))));
        for address in addresses_in(cut(&text)) {
            draft.append(fixed.related_ip, Value::owned(address));
        }
        if self.settings.keep_original != KeepOriginal::Never {
            draft.set(fixed.original, Value::Text(Cow::Borrowed(&text)));
        }
        let id = self.identity.by_position(offset, record);
        self.finish(&mut draft, offset, None, id, false, body)
    }

    fn fault(&mut self, fault: &Fault<'_>, body: &mut Vec<u8>) -> Outcome {
        let reason = fault.reason.to_string();
        match fault.reason {
            FaultReason::TooLong { .. }
            | FaultReason::Unterminated { .. }
            | FaultReason::TooDeep { .. } => Outcome::Quarantined { reason },
            FaultReason::Truncated | FaultReason::NotJson(_) | FaultReason::NoHeader => {
                self.count_unclaimed();
                Outcome::Raw {
                    head: self.raw(fault.bytes, fault.offset, &reason, body),
                    reason,
                }
            }
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
            Err(reason) => Outcome::Raw {
                head: self.raw(record.bytes, record.offset, &reason, body),
                reason,
            },
        }
    }

    /// Runs the program; the error is why the record must be raw.
    fn document(&mut self, record: &Record<'_>, body: &mut Vec<u8>) -> Result<Outcome, String> {
        let program = Arc::clone(&self.program);
        let text = String::from_utf8_lossy(record.bytes);
        let walker = Walker {
            schema: &program.schema,
            times: &program.times,
            max_depth: self.settings.max_depth,
        };
        let walked = match &record.columns {
            Some(columns) => walker.columns(&text, columns)?,
            None if program.is_json() => walker.json(&text).map_err(|fault| fault.to_string())?,
            None => walker.start(),
        };
        let captures = std::mem::take(&mut self.captures);
        let mut draft = Draft::new(&program, &captures, &text, walked);
        let verdict = program.run(&mut draft, &self.settings.trusted_proxies);
        let outcome = match verdict {
            Verdict::Document(time) => {
                let unique = program
                    .unique_by
                    .iter()
                    .all(|source| draft.first(source).is_some());
                let id = if unique && !program.unique_by.is_empty() {
                    ObjectIdentity::by_content(&program.dataset, record.bytes)
                } else {
                    self.identity.by_position(record.offset, record.bytes)
                };
                if self.settings.keep_original == KeepOriginal::Always {
                    draft.set(program.fixed.original, Value::Text(Cow::Borrowed(&text)));
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
        drop(draft);
        self.captures = captures;
        outcome
    }

    /// Adds the object's own facts, writes the document and decides its index.
    fn finish(
        &mut self,
        draft: &mut Draft<'_, '_>,
        offset: u64,
        time: Option<DateTime<Utc>>,
        id: DocumentId,
        parsed: bool,
        body: &mut Vec<u8>,
    ) -> DocumentHead {
        let program = draft.program;
        let fixed = &program.fixed;
        let object_time = self.object.time().and_utc();
        // A date in the key is a date as it stands; LastModified is an instant, and its day depends on the zone.
        let object_day = sekisho_document::key_date(&self.object.key).map_or_else(
            || self.settings.index.local_date(object_time),
            |time| time.date(),
        );
        let day = self.settings.index.day(object_day, time);
        let object = || Value::Text(Cow::Borrowed("object"));
        if day.source == DaySource::Object {
            draft.set(fixed.day, object());
        }
        if time.is_none() {
            draft.set(fixed.time, object());
        }
        draft
            .outputs
            .get_mut(fixed.timestamp)
            .into_iter()
            .for_each(|place| *place = write_time(time.unwrap_or(object_time)).map(Value::owned));
        self.common(draft, offset);
        let start = body.len();
        let mut written = write(
            &program.emit,
            &program.outputs,
            &draft.outputs,
            &draft.walked,
            body,
        );
        if written.cut && parsed {
            written = self.again_with_original(draft, start, body);
        }
        DocumentHead {
            id,
            index: self.index_name(day.date),
            ingested_at: written.ingested_at,
        }
    }

    /// Writes a document of which something had to be cut once more, with its original.
    fn again_with_original(
        &self,
        draft: &mut Draft<'_, '_>,
        start: usize,
        body: &mut Vec<u8>,
    ) -> Written {
        let program = draft.program;
        body.truncate(start);
        draft.set(program.fixed.cut, Value::Bool(true));
        if self.settings.keep_original != KeepOriginal::Never {
            draft.set(
                program.fixed.original,
                Value::Text(Cow::Borrowed(draft.text)),
            );
        }
        write(
            &program.emit,
            &program.outputs,
            &draft.outputs,
            &draft.walked,
            body,
        )
    }

    /// Sets what is the same for every record of the object.
    fn common(&self, draft: &mut Draft<'_, '_>, offset: u64) {
        let program = draft.program;
        let fixed = &program.fixed;
        let (module, _) = program
            .dataset
            .split_once('.')
            .unwrap_or((&program.dataset, ""));
        for (name, value) in [
            ("ecs.version", ecs::VERSION),
            ("event.module", module),
            ("event.dataset", &program.dataset),
        ] {
            if let Some(output) = program
                .outputs
                .iter()
                .position(|output| output.name == name)
            {
                draft.set(output, Value::owned(value));
            }
        }
        let missing = |output: usize, draft: &Draft<'_, '_>| {
            draft.outputs.get(output).is_some_and(Option::is_none)
        };
        if missing(fixed.kind, draft) {
            draft.set(fixed.kind, Value::owned("event"));
        }
        if missing(fixed.created, draft)
            && let Some(time) = write_time(self.object.last_modified)
        {
            draft.set(fixed.created, Value::owned(time));
        }
        draft.set(fixed.path, Value::owned(self.path.as_str()));
        draft.set(fixed.offset, Value::Number(Cow::Owned(offset.to_string())));
        draft.set(fixed.parser, Value::owned(self.label.as_str()));
        if let Some(etag) = &self.object.etag {
            draft.set(fixed.etag, Value::owned(etag.as_str()));
        }
    }

    fn index_name(&mut self, date: NaiveDate) -> Arc<str> {
        let Self {
            names,
            settings,
            index,
            rotation,
            ..
        } = self;
        Arc::clone(
            names
                .entry(date)
                .or_insert_with(|| Arc::from(settings.index.name(index, *rotation, date))),
        )
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_MESSAGE_BYTES))
        .unwrap_or(text)
}
