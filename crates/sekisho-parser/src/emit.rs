//! The document's tree, flattened once into a list of what to write in which order.

use std::collections::BTreeMap;

use sekisho_document::json::write_text;

use crate::program::Output;
use crate::value::Value;
use crate::walk::Walked;

/// One step of writing a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Emit {
    /// `"key":{`
    Open(Vec<u8>),
    /// Closes the innermost object; one that stayed empty vanishes.
    Close,
    /// `"key":` and an output's value, where it has one.
    Field {
        /// `"key":`
        key: Vec<u8>,
        /// Which output.
        output: usize,
    },
    /// The source's own fields: the declared ones, then `other`.
    Namespace,
    /// The place where the bulk splices `event.ingested`.
    Ingested,
}

#[derive(Default)]
struct Tree {
    output: Option<usize>,
    namespace: bool,
    children: BTreeMap<String, Tree>,
}

/// Lays out every output and the source's namespace as one tree; `event` comes last, since the bulk adds to it.
pub(crate) fn layout(outputs: &[Output], namespace: &str) -> Vec<Emit> {
    let mut root = Tree::default();
    for (n, output) in outputs.iter().enumerate() {
        grow(&mut root, &output.name).output = Some(n);
    }
    grow(&mut root, namespace).namespace = true;
    let event = root.children.remove("event").unwrap_or_default();
    let mut emit = Vec::new();
    write_children(&root, &mut emit);
    emit.push(Emit::Open(key("event", b"{")));
    write_children(&event, &mut emit);
    emit.push(Emit::Ingested);
    emit.push(Emit::Close);
    emit
}

fn grow<'t>(tree: &'t mut Tree, name: &str) -> &'t mut Tree {
    name.split('.').fold(tree, |tree, part| {
        tree.children.entry(part.to_owned()).or_default()
    })
}

fn write_children(tree: &Tree, emit: &mut Vec<Emit>) {
    if tree.namespace {
        emit.push(Emit::Namespace);
    }
    for (name, child) in &tree.children {
        if let Some(output) = child.output {
            emit.push(Emit::Field {
                key: key(name, b""),
                output,
            });
        } else {
            emit.push(Emit::Open(key(name, b"{")));
            write_children(child, emit);
            emit.push(Emit::Close);
        }
    }
}

fn key(name: &str, behind: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_text(&mut out, name);
    out.push(b':');
    out.extend_from_slice(behind);
    out
}

/// What writing a document found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    /// Offset (from where the document starts) where `event.ingested` goes.
    pub(crate) ingested_at: usize,
    /// Whether a value was too long for its field and was cut.
    pub(crate) cut: bool,
}

/// Writes a document behind what `body` holds.
pub(crate) fn write(
    emit: &[Emit],
    outputs: &[Output],
    values: &[Option<Value<'_>>],
    walked: &Walked<'_>,
    body: &mut Vec<u8>,
) -> Written {
    let start = body.len();
    let mut ingested_at = 0;
    let mut cut = walked.cut;
    let mut open: Vec<(usize, usize)> = Vec::with_capacity(8);
    body.push(b'{');
    for step in emit {
        match step {
            Emit::Open(key) => {
                let before = body.len();
                body.extend_from_slice(key);
                open.push((before, body.len()));
            }
            Emit::Close => {
                let Some((before, inside)) = open.pop() else {
                    continue;
                };
                if body.len() == inside {
                    body.truncate(before);
                } else {
                    close(body);
                    body.push(b',');
                }
            }
            Emit::Field { key, output } => {
                if let (Some(Some(value)), Some(output)) =
                    (values.get(*output), outputs.get(*output))
                {
                    body.extend_from_slice(key);
                    cut |= value.write(body, output.name.len());
                    body.push(b',');
                }
            }
            Emit::Namespace => write_namespace(walked, body),
            Emit::Ingested => {
                // The comma behind the last member of `event` becomes its closing brace.
                ingested_at = body.len() - 1 - start;
            }
        }
    }
    close(body);
    Written { ingested_at, cut }
}

fn write_namespace(walked: &Walked<'_>, body: &mut Vec<u8>) {
    body.extend_from_slice(&walked.typed);
    if !walked.other.is_empty() {
        body.extend_from_slice(b"\"other\":{");
        body.extend_from_slice(&walked.other);
        close(body);
        body.push(b',');
    }
}

/// Turns the comma behind the last member into the closing brace.
fn close(body: &mut Vec<u8>) {
    match body.last_mut() {
        Some(last) if *last == b',' => *last = b'}',
        _ => body.push(b'}'),
    }
}
