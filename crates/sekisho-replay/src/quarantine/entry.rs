//! [`Entry`]: one file of the quarantine, and the stretches of objects that entries ask for.

use bytes::Bytes;
use sekisho_event::{ObjectRef, ObjectSlice, Reach};
use serde::Deserialize;
use serde_json::Value;

/// What may lie between two records that follow each other: a line's end.
const LONGEST_GAP: u64 = 2;

/// One file of the quarantine.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its key.
    pub(super) file: String,
    pub(super) object: ObjectRef,
    pub(super) offset: u64,
    pub(super) length: u64,
    /// An earlier run found that the object is gone.
    pub(super) source_gone: bool,
    /// The file as it is.
    json: Value,
}

/// The fields that say where a record is.
#[derive(Deserialize)]
struct Position {
    bucket: String,
    key: String,
    etag: Option<String>,
    version_id: Option<String>,
    offset: u64,
    length: u64,
    #[serde(default)]
    source_gone: bool,
}

impl Entry {
    /// Reads a file; `None` for one of another shape.
    pub(super) fn read(file: &str, bytes: &[u8]) -> Option<Self> {
        let json: Value = serde_json::from_slice(bytes).ok()?;
        let position = Position::deserialize(&json).ok()?;
        Some(Self {
            file: file.to_owned(),
            object: ObjectRef {
                etag: position.etag,
                version_id: position.version_id,
                ..ObjectRef::new(position.bucket, position.key)
            },
            offset: position.offset,
            length: position.length,
            source_gone: position.source_gone,
            json,
        })
    }

    /// Whether it stands for the rest of its object, whose length nobody knows.
    pub(super) fn is_rest(&self) -> bool {
        self.length == 0
    }

    /// Writes the file with the mark that its object is gone.
    pub(super) fn marked_gone(&self) -> Bytes {
        let mut json = self.json.clone();
        if let Some(fields) = json.as_object_mut() {
            fields.insert("source_gone".to_owned(), Value::Bool(true));
        }
        json.to_string().into()
    }

    fn end(&self) -> Option<u64> {
        (!self.is_rest()).then(|| self.offset.saturating_add(self.length))
    }
}

/// Entries of one object that follow each other: they are read at once.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    pub(super) object: ObjectRef,
    pub(super) entries: Vec<Entry>,
    start: u64,
    end: Option<u64>,
}

impl Stretch {
    pub(super) fn slice(&self) -> ObjectSlice {
        ObjectSlice {
            start: self.start,
            end: self.end,
            reach: Reach::Stream,
            ..ObjectSlice::whole(self.object.clone())
        }
    }
}

/// Puts entries together that follow each other; a record between two of them would be written again, so none may lie there.
pub(super) fn stretches(mut entries: Vec<Entry>) -> Vec<Stretch> {
    entries.sort_by(|one, other| order(one).cmp(&order(other)));
    let mut stretches: Vec<Stretch> = Vec::new();
    for entry in entries {
        if let Some(stretch) = stretches.last_mut()
            && stretch.object == entry.object
            && stretch
                .end
                .is_some_and(|end| entry.offset.saturating_sub(end) <= LONGEST_GAP)
        {
            stretch.end = entry.end().map(|end| end.max(stretch.end.unwrap_or(end)));
            stretch.entries.push(entry);
            continue;
        }
        stretches.push(Stretch {
            object: entry.object.clone(),
            start: entry.offset,
            end: entry.end(),
            entries: vec![entry],
        });
    }
    stretches
}

fn order(entry: &Entry) -> (&str, &str, Option<&str>, u64) {
    let object = &entry.object;
    let etag = object.etag.as_deref();
    (&object.bucket, &object.key, etag, entry.offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, offset: u64, length: u64) -> Entry {
        let json = serde_json::json!({
            "bucket": "b", "key": key, "etag": "e", "version_id": null,
            "offset": offset, "length": length, "reason": "r",
        });
        Entry::read("quarantine/x.json", json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn entries_that_follow_each_other_are_read_at_once() {
        let entries = vec![
            entry("k", 30, 0),
            entry("k", 11, 10),
            entry("k", 0, 10),
            entry("other", 10, 10),
        ];
        let found: Vec<_> = stretches(entries)
            .iter()
            .map(|stretch| {
                let slice = stretch.slice();
                (
                    slice.object.key,
                    slice.start,
                    slice.end,
                    stretch.entries.len(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("k".to_owned(), 0, Some(21), 2),
                ("k".to_owned(), 30, None, 1),
                ("other".to_owned(), 10, Some(20), 1),
            ]
        );
    }

    #[test]
    fn a_mark_keeps_everything_else() {
        let marked = entry("k", 1, 2).marked_gone();
        let read = Entry::read("f", &marked).unwrap();
        assert!(read.source_gone);
        assert_eq!(read.json["reason"], "r");
        assert!(Entry::read("f", b"{}").is_none());
    }
}
