//! [`repair`]: moves a field that OpenSearch refuses out of its way.

use crate::json::{MAX_TERM_BYTES, Scanner, unescape, write_text_cut};

/// Deeper documents do not leave the emitter.
const MAX_DEPTH: usize = 200;

/// A document without the field that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// The body, `event` last.
    pub body: Vec<u8>,
    /// Offset just before the closing brace of `event`.
    pub ingested_at: usize,
}

/// Moves a field into `<namespace>.other`, as text: an index may map it stricter than our templates do, and its value must not be lost.
///
/// `field` is the dotted name, as OpenSearch's refusal gives it.
/// Gives `None` where the document has no such field, or cannot do without it; then only its raw form is left.
pub fn repair(body: &[u8], namespace: &str, field: &str) -> Option<Repaired> {
    let other = format!("{namespace}.other");
    // What `other` refuses would be refused there again.
    if field == other || other.starts_with(&format!("{field}.")) {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    let (without, removed) = remove(text, field)?;
    let room = MAX_TERM_BYTES.saturating_sub(other.len() + field.len() + 2);
    let value = as_text(&removed, room)?;
    let nested: Vec<&str> = other.split('.').chain(field.split('.')).collect();
    let joined = field.replace('.', "_");
    let flat: Vec<&str> = other.split('.').chain([joined.as_str()]).collect();
    let moved = insert(&without, &nested, &value).or_else(|| insert(&without, &flat, &value))?;
    with_event_last(&moved)
}

/// The text of what was removed, as a JSON string: a string's own, of anything else the JSON.
fn as_text(removed: &[&str], room: usize) -> Option<String> {
    let quoted = |value: &str| Some(unescape(value.strip_prefix('"')?.strip_suffix('"')?).into());
    let text: String = match removed {
        [one] => quoted(one).unwrap_or_else(|| (*one).to_owned()),
        many => format!("[{}]", many.join(",")),
    };
    let mut value = Vec::new();
    write_text_cut(&mut value, &text, room);
    String::from_utf8(value).ok()
}

/// Escaped key and the text of its value.
type Member<'a> = (&'a str, &'a str);

/// Gives the members of an object; `None` for any other value.
fn members(text: &str) -> Option<Vec<Member<'_>>> {
    let mut scanner = Scanner::new(text, MAX_DEPTH);
    scanner.open_object().ok()?;
    let mut members = Vec::new();
    while let Some(key) = scanner.next_key(members.is_empty()).ok()? {
        members.push((key, value(&mut scanner, text)?));
    }
    Some(members)
}

fn elements(text: &str) -> Option<Vec<&str>> {
    let mut scanner = Scanner::new(text, MAX_DEPTH);
    scanner.open_array().ok()?;
    let mut elements = Vec::new();
    while scanner.next_element(elements.is_empty()).ok()? {
        elements.push(value(&mut scanner, text)?);
    }
    Some(elements)
}

fn value<'a>(scanner: &mut Scanner<'a>, text: &'a str) -> Option<&'a str> {
    scanner.peek()?;
    let start = scanner.at();
    scanner.value().ok()?;
    text.get(start..scanner.at())
}

/// Gives the value without the field, and what stood there: once for each element of an array on the way.
fn remove<'a>(text: &'a str, field: &str) -> Option<(String, Vec<&'a str>)> {
    let mut removed = Vec::new();
    if let Some(members) = members(text) {
        let mut kept = Vec::with_capacity(members.len());
        for (key, value) in members {
            let name = unescape(key);
            if name == field {
                removed.push(value);
                continue;
            }
            let below = field.strip_prefix(&*name);
            let rest = below.and_then(|below| below.strip_prefix('.'));
            match rest.and_then(|rest| remove(value, rest)) {
                Some((value, found)) => {
                    removed.extend(found);
                    kept.push(format!("\"{key}\":{value}"));
                }
                None => kept.push(format!("\"{key}\":{value}")),
            }
        }
        let found = !removed.is_empty();
        return found.then(|| (format!("{{{}}}", kept.join(",")), removed));
    }
    let mut kept = Vec::new();
    for element in elements(text)? {
        match remove(element, field) {
            Some((element, found)) => {
                removed.extend(found);
                kept.push(element);
            }
            None => kept.push(element.to_owned()),
        }
    }
    let found = !removed.is_empty();
    found.then(|| (format!("[{}]", kept.join(",")), removed))
}

/// Puts a value below a path of objects; `None` where something else than an object stands in the way.
fn insert(text: &str, path: &[&str], leaf: &str) -> Option<String> {
    let (first, rest) = path.split_first()?;
    let members = members(text)?;
    let mut found = false;
    let mut kept = Vec::with_capacity(members.len() + 1);
    for (key, value) in members {
        if unescape(key) != *first {
            kept.push(format!("\"{key}\":{value}"));
            continue;
        }
        // Something is there already, and it stays.
        if rest.is_empty() {
            return None;
        }
        found = true;
        kept.push(format!("\"{key}\":{}", insert(value, rest, leaf)?));
    }
    if !found {
        let value = match rest {
            [] => leaf.to_owned(),
            rest => insert("{}", rest, leaf)?,
        };
        let mut key = Vec::new();
        write_text_cut(&mut key, first, MAX_TERM_BYTES);
        kept.push(format!("{}:{value}", String::from_utf8(key).ok()?));
    }
    Some(format!("{{{}}}", kept.join(",")))
}

/// The bulk splices the time of ingestion into `event`, so it must be there, not empty, and last.
fn with_event_last(text: &str) -> Option<Repaired> {
    let members = members(text)?;
    let (_, event) = members.iter().find(|(key, _)| *key == "event")?;
    if self::members(event)?.is_empty() {
        return None;
    }
    let others = members.iter().filter(|(key, _)| *key != "event");
    let mut body = String::from("{");
    for (key, value) in others {
        body.push_str(&format!("\"{key}\":{value},"));
    }
    body.push_str(&format!("\"event\":{event}}}"));
    Some(Repaired {
        ingested_at: body.len().checked_sub(2)?,
        body: body.into_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, field: &str, expected: Option<&str>) {
        let repaired = repair(body.as_bytes(), "test.app", field);
        let shown = repaired
            .as_ref()
            .map(|repaired| String::from_utf8_lossy(&repaired.body).into_owned());
        assert_eq!(shown.as_deref(), expected);
        if let Some(Repaired { body, ingested_at }) = repaired {
            assert_eq!(&body[ingested_at..], b"}}");
        }
    }

    #[test]
    fn a_field_moves_to_other_as_text() {
        check(
            r#"{"a":1,"source":{"ip":"x\"y","port":7},"test":{"app":{"other":{"b":2}}},"event":{"kind":"event"}}"#,
            "source.ip",
            Some(
                r#"{"a":1,"source":{"port":7},"test":{"app":{"other":{"b":2,"source":{"ip":"x\"y"}}}},"event":{"kind":"event"}}"#,
            ),
        );
        check(
            r#"{"a":{"b":[1,{"c":null}]},"event":{"kind":"event"}}"#,
            "a",
            Some(
                r#"{"test":{"app":{"other":{"a":"{\"b\":[1,{\"c\":null}]}"}}},"event":{"kind":"event"}}"#,
            ),
        );
    }

    #[test]
    fn dotted_names_and_arrays_are_entered() {
        check(
            r#"{"a.b":{"c":1},"event":{"kind":"event"}}"#,
            "a.b.c",
            Some(
                r#"{"a.b":{},"test":{"app":{"other":{"a":{"b":{"c":"1"}}}}},"event":{"kind":"event"}}"#,
            ),
        );
        check(
            r#"{"a":[{"b":1},{"b":"x"},2],"event":{"kind":"event"}}"#,
            "a.b",
            Some(
                r#"{"a":[{},{},2],"test":{"app":{"other":{"a":{"b":"[1,\"x\"]"}}}},"event":{"kind":"event"}}"#,
            ),
        );
    }

    #[test]
    fn what_stands_in_the_way_stays() {
        check(
            r#"{"a":{"b":1},"test":{"app":{"other":{"a":"x"}}},"event":{"kind":"event"}}"#,
            "a.b",
            Some(
                r#"{"a":{},"test":{"app":{"other":{"a":"x","a_b":"1"}}},"event":{"kind":"event"}}"#,
            ),
        );
    }

    #[test]
    fn what_cannot_be_moved_is_left_to_raw() {
        let event = r#"{"a":1,"event":{"kind":"event"}}"#;
        check(event, "b", None);
        check(event, "event", None);
        check(event, "event.kind", None);
        check(
            r#"{"test":{"app":{"other":{"b":2}}},"event":{"kind":"event"}}"#,
            "test.app.other",
            None,
        );
        check(
            r#"{"test":{"app":{"other":{"b":2}}},"event":{"kind":"event"}}"#,
            "test.app",
            None,
        );
    }
}
