//! One pass over a record: fills the slots that mapping reads, and writes the source's own fields – declared ones typed, the rest into `other`.

use std::borrow::Cow;

use sekisho_document::FieldType;
use sekisho_document::json::{
    FlatWriter, JsonFault, KeyNames, Kind, Raw, Scanner, unescape, write_text,
};

use crate::Redactor;
use crate::convert::convert;
use crate::schema::{Node, Schema};
use crate::time::TimeFormats;
use crate::value::{Value, for_elements};

/// What the walk leaves behind for mapping and emission.
#[derive(Debug, Default)]
pub(crate) struct Walked<'a> {
    /// The value of each slot.
    pub(crate) slots: Vec<Option<Value<'a>>>,
    /// Members of `<module>.<dataset>`, each with a comma behind it.
    pub(crate) typed: Vec<u8>,
    /// Members of `<module>.<dataset>.other`, each with a comma behind it.
    pub(crate) other: Vec<u8>,
    /// Addresses in fields declared as `ip`.
    pub(crate) addresses: Vec<String>,
    /// Whether a value was too long for its field and was cut.
    pub(crate) cut: bool,
    /// The texts of columns whose name hides them.
    pub(crate) hidden: Vec<String>,
    /// The slots whose text was cut further: they can be read and need no place of their own.
    pub(crate) consumed: Vec<usize>,
}

/// What was met of a node's members.
struct Seen<'a> {
    children: Vec<bool>,
    names: KeyNames<'a>,
    /// The member that is no member but the record inside.
    record: Option<&'static str>,
}

impl Seen<'_> {
    fn of(node: &Node) -> Self {
        Self {
            children: vec![false; node.children.len()],
            names: KeyNames::default(),
            record: None,
        }
    }
}

/// Walks records of one parser.
#[derive(Debug)]
pub(crate) struct Walker<'p> {
    pub(crate) schema: &'p Schema,
    pub(crate) times: &'p TimeFormats,
    pub(crate) max_depth: usize,
    pub(crate) redactor: &'p Redactor,
    /// Whether the record may hold a secret.
    pub(crate) suspicious: bool,
}

impl<'p> Walker<'p> {
    /// Starts with empty slots.
    pub(crate) fn start<'a>(&self) -> Walked<'a> {
        Walked {
            slots: vec![None; self.schema.slots.len()],
            ..Walked::default()
        }
    }

    /// Walks a JSON record.
    pub(crate) fn json<'a>(&self, text: &'a str) -> Result<Walked<'a>, JsonFault> {
        let mut walked = self.start();
        let mut scanner = Scanner::new(text, self.max_depth);
        self.members(
            &mut scanner,
            &self.schema.root,
            self.schema.other_bytes,
            &mut walked,
        )?;
        scanner.end()?;
        Ok(walked)
    }

    /// Walks the envelopes around the record, innermost first: where two have a member of one name, mapping reads that of the inner one.
    pub(crate) fn envelopes<'a>(
        &self,
        objects: impl Iterator<Item = (&'a str, Option<&'static str>)>,
        walked: &mut Walked<'a>,
    ) -> Result<(), JsonFault> {
        let key = free_name(&walked.other);
        let start = walked.other.len();
        open(&mut walked.other, &key);
        let inside = walked.other.len();
        let mut seen = Seen::of(&self.schema.envelope);
        for (text, record) in objects {
            let mut scanner = Scanner::new(text, self.max_depth);
            seen.record = record;
            self.members_but(
                &mut scanner,
                &self.schema.envelope,
                self.schema.envelope.path_bytes,
                &mut seen,
                walked,
            )?;
        }
        close(&mut walked.other, start, inside);
        Ok(())
    }

    /// Walks the members of an object at a node whose fields are declared one by one.
    fn members<'a>(
        &self,
        scanner: &mut Scanner<'a>,
        node: &Node,
        other_bytes: usize,
        walked: &mut Walked<'a>,
    ) -> Result<(), JsonFault> {
        self.members_but(scanner, node, other_bytes, &mut Seen::of(node), walked)
    }

    /// The same for objects that share their members' names.
    fn members_but<'a>(
        &self,
        scanner: &mut Scanner<'a>,
        node: &Node,
        other_bytes: usize,
        seen: &mut Seen<'a>,
        walked: &mut Walked<'a>,
    ) -> Result<(), JsonFault> {
        scanner.open_object()?;
        let mut first = true;
        while let Some(escaped) = scanner.next_key(first)? {
            first = false;
            let key = plain(escaped);
            let begin = scanner.clone();
            let raw = scanner.value()?;
            if seen.record.is_some_and(|record| record == key) {
                continue;
            }
            let child = node.child(&key).filter(|(at, _)| {
                let seen = seen.children.get_mut(*at);
                seen.is_some_and(|seen| !std::mem::replace(seen, true))
            });
            let done = match child {
                Some((_, child)) => self.member(begin, raw, child, other_bytes, walked)?,
                None => false,
            };
            if !done && !is_nothing(raw) {
                let name = seen.names.name(escaped);
                write_raw(&mut walked.other, &name, raw, other_bytes, &mut walked.cut)?;
            }
        }
        Ok(())
    }

    /// Handles a member that the schema knows; tells whether it needs no place in `other`.
    fn member<'a>(
        &self,
        mut begin: Scanner<'a>,
        raw: Raw<'a>,
        node: &Node,
        other_bytes: usize,
        walked: &mut Walked<'a>,
    ) -> Result<bool, JsonFault> {
        let value = Value::from_json(raw);
        if let Some(slot) = node.slot.and_then(|slot| walked.slots.get_mut(slot)) {
            slot.clone_from(&value);
        }
        let Some(value) = value else {
            return Ok(true);
        };
        if raw.kind == Kind::Object && !node.children.is_empty() {
            if node.holds_fields && node.kind.is_none() {
                self.nested(&mut begin, node, other_bytes, walked)?;
                return Ok(true);
            }
            self.slots_only(&mut begin, node, walked)?;
        }
        match node.kind {
            Some(FieldType::FlatObject) => self.subtree(node, raw, walked),
            Some(kind) => Ok(self.typed(node, kind, value, walked)),
            None => Ok(node.deferred),
        }
    }

    /// Walks an object inside the namespace, leaving no trace of it where nothing was written.
    fn nested<'a>(
        &self,
        begin: &mut Scanner<'a>,
        node: &Node,
        other_bytes: usize,
        walked: &mut Walked<'a>,
    ) -> Result<(), JsonFault> {
        let (typed, other) = (walked.typed.len(), walked.other.len());
        open(&mut walked.typed, &node.key);
        open(&mut walked.other, &node.key);
        let (typed_inside, other_inside) = (walked.typed.len(), walked.other.len());
        self.members(begin, node, other_bytes + 1 + node.key.len(), walked)?;
        close(&mut walked.typed, typed, typed_inside);
        close(&mut walked.other, other, other_inside);
        Ok(())
    }

    /// Fills slots below an object that is written as a whole.
    fn slots_only<'a>(
        &self,
        scanner: &mut Scanner<'a>,
        node: &Node,
        walked: &mut Walked<'a>,
    ) -> Result<(), JsonFault> {
        scanner.open_object()?;
        let mut first = true;
        while let Some(key) = scanner.next_key(first)? {
            first = false;
            let mut begin = scanner.clone();
            let raw = scanner.value()?;
            let Some((_, child)) = node.child(&plain(key)) else {
                continue;
            };
            if let Some(slot) = child.slot.and_then(|slot| walked.slots.get_mut(slot))
                && slot.is_none()
            {
                *slot = Value::from_json(raw);
            }
            if raw.kind == Kind::Object && !child.children.is_empty() {
                self.slots_only(&mut begin, child, walked)?;
            }
        }
        Ok(())
    }

    /// Writes an open-ended subtree; a scalar in its place belongs into `other`.
    fn subtree(
        &self,
        node: &Node,
        raw: Raw<'_>,
        walked: &mut Walked<'_>,
    ) -> Result<bool, JsonFault> {
        if !is_subtree(raw) {
            return Ok(false);
        }
        write_raw(
            &mut walked.typed,
            &node.key,
            raw,
            node.path_bytes,
            &mut walked.cut,
        )?;
        Ok(true)
    }

    /// Writes a scalar, or an array of them, of a declared type; tells whether it was valid.
    pub(crate) fn typed<'a>(
        &self,
        node: &Node,
        kind: FieldType,
        value: Value<'a>,
        walked: &mut Walked<'a>,
    ) -> bool {
        let Some(value) = self.converted(kind, value) else {
            return false;
        };
        if kind == FieldType::Ip {
            value
                .clone()
                .each(&mut |ip| walked.addresses.extend(ip.text().map(Cow::into_owned)));
        }
        write_member(
            &mut walked.typed,
            &node.key,
            &value,
            node.path_bytes,
            &mut walked.cut,
        );
        true
    }

    fn converted<'a>(&self, kind: FieldType, value: Value<'a>) -> Option<Value<'a>> {
        let Value::Array(text) = value else {
            return convert(value, kind, self.times);
        };
        let mut converted = Some(Vec::new());
        for_elements(text, &mut |raw| {
            let element = Value::from_json(raw).and_then(|value| convert(value, kind, self.times));
            converted = match (converted.take(), element) {
                (Some(mut list), Some(element)) => {
                    list.push(element);
                    Some(list)
                }
                (Some(list), None) if raw.kind == Kind::Null => Some(list),
                _ => None,
            };
        });
        converted.filter(|list| !list.is_empty()).map(Value::List)
    }
}

/// Tells whether a value has the shape of an open-ended subtree: an object, or an array of objects.
fn is_subtree(raw: Raw<'_>) -> bool {
    match raw.kind {
        Kind::Object => true,
        Kind::Array => {
            let (mut n_elements, mut only_objects) = (0, true);
            for_elements(raw.text, &mut |element| {
                n_elements += 1;
                only_objects &= element.kind == Kind::Object;
            });
            n_elements > 0 && only_objects
        }
        Kind::String | Kind::Number | Kind::Bool | Kind::Null => false,
    }
}

/// Tells whether a value says no more than that there is none.
fn is_nothing(raw: Raw<'_>) -> bool {
    let inside = || {
        raw.text
            .get(1..raw.text.len().saturating_sub(1))
            .unwrap_or_default()
    };
    match raw.kind {
        Kind::Null => true,
        Kind::Object | Kind::Array => inside().trim().is_empty(),
        Kind::String | Kind::Number | Kind::Bool => false,
    }
}

/// Gives the name under which the envelopes' members are kept: no key that the record itself left in `other`.
fn free_name(other: &[u8]) -> String {
    let is_taken =
        |name: &str| memchr::memmem::find(other, format!("\"{name}\":").as_bytes()).is_some();
    let mut name = "envelope".to_owned();
    let mut n = 2;
    while is_taken(&name) {
        name = format!("envelope~{n}");
        n += 1;
    }
    name
}

fn plain(escaped: &str) -> Cow<'_, str> {
    if escaped.contains('\\') {
        unescape(escaped)
    } else {
        Cow::Borrowed(escaped)
    }
}

fn open(out: &mut Vec<u8>, key: &str) {
    write_text(out, key);
    out.extend_from_slice(b":{");
}

/// Closes what [`open`] began: a last comma becomes the brace, and an empty object vanishes.
pub(crate) fn close(out: &mut Vec<u8>, start: usize, inside: usize) {
    if out.len() == inside {
        out.truncate(start);
    } else if let Some(last) = out.last_mut() {
        *last = b'}';
        out.push(b',');
    }
}

/// Writes a member whose value is copied from JSON.
fn write_raw(
    out: &mut Vec<u8>,
    name: &str,
    raw: Raw<'_>,
    above_bytes: usize,
    cut: &mut bool,
) -> Result<(), JsonFault> {
    write_text(out, name);
    out.push(b':');
    let mut writer = FlatWriter::new(out);
    writer.value(raw, above_bytes + 1 + name.len(), 0)?;
    *cut |= writer.cut();
    out.push(b',');
    Ok(())
}

/// Writes a member with a value of ours.
pub(crate) fn write_member(
    out: &mut Vec<u8>,
    name: &str,
    value: &Value<'_>,
    above_bytes: usize,
    cut: &mut bool,
) {
    write_text(out, name);
    out.push(b':');
    *cut |= value.write(out, above_bytes + 1 + name.len());
    out.push(b',');
}
