//! The end of a document: the object's own facts, the writing, the index; and the raw document of what nobody could read.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use sekisho_document::{DaySource, DocumentHead, DocumentId, ecs};

use crate::draft::Draft;
use crate::emit::{Written, write};
use crate::plan::ObjectPlan;
use crate::related::addresses_in;
use crate::settings::KeepOriginal;
use crate::time::write_time;
use crate::value::Value;
use crate::walk::Walked;

/// How much of a record's text a raw document carries in `message`, where it is searched by words.
const MAX_MESSAGE_BYTES: usize = 32_000;

impl ObjectPlan {
    /// Makes the raw document of a record that no parser could read or that the index refused, and appends it to `body`.
    pub fn raw(
        &mut self,
        record: &[u8],
        offset: u64,
        reason: &str,
        body: &mut Vec<u8>,
    ) -> DocumentHead {
        let text = self.framing.encoding.decode(record);
        let text = self.shown(&text);
        let program = Arc::clone(&self.program);
        let times = Arc::clone(&self.times);
        let mut draft = Draft::new(&program, &times, &[], &text, Walked::default());
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

    /// Adds the object's own facts, writes the document and decides its index.
    pub(crate) fn finish(
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
        } else {
            self.newest = self.newest.max(time);
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
        draft.set(fixed.ecs_version, Value::Text(Cow::Borrowed(ecs::VERSION)));
        draft.set(fixed.module, Value::owned(module));
        draft.set(fixed.dataset, Value::owned(&*program.dataset));
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
