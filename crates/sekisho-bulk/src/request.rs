//! Builds `_bulk` bodies: an action line, the document with `event.ingested` spliced in, cut by size.

use std::io::Write as _;

use bytes::Bytes;

use crate::{BulkBatch, BulkError, BulkItem, WriteMode};

/// Where items are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Their own index.
    Base,
    /// The index beside it, for what comes after its retirement.
    Late,
}

impl Target {
    /// What the index's name ends with.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Base => "",
            Self::Late => "-late",
        }
    }
}

/// Room for the action line and the time, beyond the names and the body.
const LINE: usize = 96;

/// One `_bulk` body and the places of its items in the batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) body: Bytes,
    pub(crate) items: Vec<usize>,
}

/// Cuts the chosen items into bodies of at most `max_bytes`; a longer document is a body of its own.
pub(crate) fn build(
    batch: &BulkBatch,
    chosen: &[usize],
    target: Target,
    ingested: &str,
    max_bytes: usize,
) -> Result<Vec<Request>, BulkError> {
    let mut requests = Vec::new();
    let mut buffer = Vec::new();
    let mut places = Vec::new();
    for &place in chosen {
        let Some(item) = batch.items.get(place) else {
            continue;
        };
        let start = buffer.len();
        write(batch, item, target, ingested, &mut buffer)?;
        if buffer.len() > max_bytes && start > 0 {
            let last = buffer.split_off(start);
            requests.push(Request {
                body: Bytes::from(std::mem::replace(&mut buffer, last)),
                items: std::mem::take(&mut places),
            });
        }
        places.push(place);
    }
    if !places.is_empty() {
        requests.push(Request {
            body: Bytes::from(buffer),
            items: places,
        });
    }
    Ok(requests)
}

fn write(
    batch: &BulkBatch,
    item: &BulkItem,
    target: Target,
    ingested: &str,
    buffer: &mut Vec<u8>,
) -> Result<(), BulkError> {
    let parts = batch
        .body(item)
        .and_then(|body| body.split_at_checked(item.ingested_at))
        .filter(|(_, end)| end.first() == Some(&b'}'));
    let Some((head, tail)) = parts else {
        return Err(BulkError::Body {
            id: item.id.to_string(),
            index: item.index.to_string(),
            ingested_at: item.ingested_at,
        });
    };
    buffer.reserve(head.len() + tail.len() + item.index.len() + LINE);
    // Index names were checked to hold nothing that JSON escapes, ids are base64url, and a write to memory cannot fail.
    drop(writeln!(
        buffer,
        r#"{{"{}":{{"_index":"{}{}","_id":"{}"}}}}"#,
        match batch.mode {
            WriteMode::Create => "create",
            WriteMode::Index => "index",
        },
        item.index,
        target.suffix(),
        item.id
    ));
    buffer.extend_from_slice(head);
    drop(write!(buffer, r#","ingested":"{ingested}""#));
    buffer.extend_from_slice(tail);
    buffer.push(b'\n');
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use sekisho_document::{DocumentHead, ObjectIdentity};

    use super::*;

    pub(crate) fn batch(messages: &[&str]) -> BulkBatch {
        let mut batch = BulkBatch::default();
        for (at, message) in messages.iter().enumerate() {
            let start = batch.bytes.len();
            let body = format!(r#"{{"event":{{"kind":"event"}},"message":"{message}"}}"#);
            batch.bytes.extend_from_slice(body.as_bytes());
            let head = DocumentHead {
                id: ObjectIdentity::new("b", "k", None).by_position(at as u64, message.as_bytes()),
                index: "log-x-2026.11.23".into(),
                ingested_at: r#"{"event":{"kind":"event""#.len(),
            };
            batch.push(head, start, at as u64, 0, false);
        }
        batch
    }

    fn built(messages: &[&str], max_bytes: usize) -> Vec<(Vec<usize>, usize)> {
        let batch = batch(messages);
        let all: Vec<_> = (0..batch.items.len()).collect();
        build(&batch, &all, Target::Base, "T", max_bytes)
            .unwrap()
            .into_iter()
            .map(|request| (request.items, request.body.len()))
            .collect()
    }

    #[test]
    fn writes_action_and_document_lines() {
        let batch = batch(&["a"]);
        let requests = build(&batch, &[0], Target::Base, "2026-11-23T00:00:00.000Z", 1000).unwrap();
        let text = String::from_utf8(requests[0].body.to_vec()).unwrap();
        let id = batch.items[0].id.to_string();
        assert_eq!(
            text,
            format!(
                "{{\"create\":{{\"_index\":\"log-x-2026.11.23\",\"_id\":\"{id}\"}}}}\n\
                 {{\"event\":{{\"kind\":\"event\",\"ingested\":\"2026-11-23T00:00:00.000Z\"}},\"message\":\"a\"}}\n"
            )
        );
    }

    #[test]
    fn the_action_line_says_what_is_done_and_where() {
        let mut batch = batch(&["a"]);
        batch.mode = WriteMode::Index;
        let requests = build(&batch, &[0], Target::Late, "T", 1000).unwrap();
        let start = r#"{"index":{"_index":"log-x-2026.11.23-late","_id":""#;
        assert!(requests[0].body.starts_with(start.as_bytes()));
    }

    #[test]
    fn cuts_by_size_and_keeps_a_longer_document_whole() {
        let one = built(&["a"], 1000)[0].1;
        assert_eq!(
            built(&["a", "b", "c"], 2 * one),
            [(vec![0, 1], 2 * one), (vec![2], one)]
        );
        assert_eq!(built(&["a", "b"], 1), [(vec![0], one), (vec![1], one)]);
        assert_eq!(built(&[], 1), []);
    }

    #[test]
    fn refuses_a_body_without_the_end_of_event() {
        let mut batch = batch(&["a"]);
        batch.items[0].ingested_at = 3;
        assert!(matches!(
            build(&batch, &[0], Target::Base, "T", 1000),
            Err(BulkError::Body { ingested_at: 3, .. })
        ));
        batch.items[0].ingested_at = 3000;
        assert!(build(&batch, &[0], Target::Base, "T", 1000).is_err());
    }
}
