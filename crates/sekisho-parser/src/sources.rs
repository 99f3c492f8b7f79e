//! What a record's text holds by name, for tests and for people: the sources that `parser.toml` can name.

use std::sync::Arc;

use sekisho_record::Record;
use serde_json::{Map, Value};

use crate::envelope;
use crate::plan::ObjectPlan;
use crate::tokens::Pair;

impl ObjectPlan {
    /// Gives a record's fields as JSON, before any of them has gone anywhere; nothing for a record that cannot be read.
    pub fn sources(&mut self, record: &Record<'_>) -> Option<Value> {
        let program = Arc::clone(&self.program);
        let whole = self.framing.encoding.decode(record.bytes);
        let opened = envelope::open(&program.unwrap, &self.framing.format, record, &whole).ok()?;
        let text = program.text_of(&opened, &whole);
        if program.reads_json(text) {
            return serde_json::from_str(text).ok();
        }
        let Some(plan) = self.column_plan(record) else {
            return Some(object(&program.tokens.record(text).ok()?));
        };
        let mut pairs = plan.pairs(text).ok()?;
        program.tokens.fields(&mut pairs);
        Some(object(&pairs))
    }
}

/// Gives pairs as an object; a name with dots leads to a member below, too.
fn object(pairs: &[Pair<'_, '_>]) -> Value {
    let mut all = Map::new();
    for pair in pairs {
        let name = pair.name.text();
        let text = Value::from(pair.text.as_ref());
        let mut parts: Vec<&str> = name.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut inner = Some(&mut all);
        for part in parts {
            let below = inner.map(|object| {
                object
                    .entry(part)
                    .or_insert_with(|| Value::Object(Map::new()))
            });
            inner = below.and_then(Value::as_object_mut);
        }
        if let Some(object) = inner {
            object.insert(last.to_owned(), text.clone());
        }
        all.insert(name.into_owned(), text);
    }
    Value::Object(all)
}
