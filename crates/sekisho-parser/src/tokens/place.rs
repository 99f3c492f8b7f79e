//! Pairs to their places: slots, typed fields, `other`.

use std::borrow::Cow;

use sekisho_document::json::{FlatWriter, KeyNames, write_text};

use super::{Name, Pair};
use crate::schema::{Node, Schema};
use crate::value::Value;
use crate::walk::{Walked, Walker};

/// A text on its way below an object of the source's namespace.
struct Nested<'k, 'a> {
    path: &'k [usize],
    name: Cow<'k, str>,
    value: Value<'a>,
}

impl Walker<'_> {
    /// Puts each pair in its place; `-` and empty texts are absent.
    pub(crate) fn place<'a>(&self, pairs: &[Pair<'_, 'a>]) -> Walked<'a> {
        let mut walked = self.start();
        let mut seen = vec![false; self.schema.n_nodes];
        let mut names = KeyNames::default();
        let mut nested = Vec::new();
        for pair in pairs {
            let Some(value) = Value::from_cow(pair.text.clone()) else {
                continue;
            };
            let (name, path) = named(&pair.name, self.schema);
            let node = path.and_then(|path| self.schema.node(path));
            let is_first = node
                .and_then(|node| seen.get_mut(node.id))
                .is_some_and(|seen| !std::mem::replace(seen, true));
            let Some(node) = node else {
                if !pair.consumed {
                    self.keep(names.plain(name), &pair.text, &mut walked);
                }
                continue;
            };
            if !is_first {
                // A field has one value; the next one of the same name stands beside the first.
                let name = names.plain(Cow::Owned(format!("{name}~2")));
                self.keep(name, &pair.text, &mut walked);
                continue;
            }
            self.fill(node, &value, pair.consumed, &mut walked);
            match path {
                _ if node.deferred => {}
                Some(path @ [_, _, ..]) if node.kind.is_some() => {
                    nested.push(Nested { path, name, value })
                }
                _ => {
                    let typed = |kind| self.typed(node, kind, value, &mut walked);
                    if !node.kind.is_some_and(typed) && !pair.consumed {
                        self.keep(names.plain(name), &pair.text, &mut walked);
                    }
                }
            }
        }
        nested.sort_by(|a, b| a.path.cmp(b.path));
        self.nested_typed(&self.schema.root, 0, &nested, &mut walked);
        walked
    }

    /// Fills the slot that mapping reads.
    fn fill<'a>(&self, node: &Node, value: &Value<'a>, consumed: bool, walked: &mut Walked<'a>) {
        let Some(at) = node.slot else { return };
        if let Some(slot) = walked.slots.get_mut(at) {
            *slot = Some(value.clone());
        }
        if consumed {
            walked.consumed.push(at);
        }
    }

    /// Writes what lies below objects of the namespace, each object once.
    fn nested_typed<'a>(
        &self,
        node: &Node,
        depth: usize,
        nested: &[Nested<'_, 'a>],
        walked: &mut Walked<'a>,
    ) {
        let groups = nested.chunk_by(|a, b| a.path.get(depth) == b.path.get(depth));
        for group in groups {
            let child = group
                .first()
                .and_then(|first| node.children.get(*first.path.get(depth)?));
            let Some(child) = child else { continue };
            let Some(kind) = child.kind else {
                let start = walked.typed.len();
                write_text(&mut walked.typed, &child.key);
                walked.typed.extend_from_slice(b":{");
                let inside = walked.typed.len();
                self.nested_typed(child, depth + 1, group, walked);
                crate::walk::close(&mut walked.typed, start, inside);
                continue;
            };
            for leaf in group {
                if !self.typed(child, kind, leaf.value.clone(), walked) {
                    let text = leaf.value.text().unwrap_or_default();
                    self.keep(Cow::Borrowed(leaf.name.as_ref()), &text, walked);
                }
            }
        }
    }

    /// Keeps a text in `other`, cut where no term could hold it.
    fn keep(&self, name: Cow<'_, str>, text: &str, walked: &mut Walked<'_>) {
        let path_bytes = self.schema.other_bytes + 1 + name.len();
        write_text(&mut walked.other, &name);
        walked.other.push(b':');
        let mut writer = FlatWriter::new(&mut walked.other);
        writer.text(text, path_bytes);
        walked.cut |= writer.cut();
        walked.other.push(b',');
    }
}

/// Gives the name and the way to its node.
fn named<'k>(name: &'k Name<'_, '_>, schema: &'k Schema) -> (Cow<'k, str>, Option<&'k [usize]>) {
    let text = name.text();
    let path = match name {
        Name::Place(place) => place.path.as_deref(),
        Name::Free(_) | Name::Column(_) => schema.find(&text),
    };
    (text, path)
}
