//! [`Schema`]: the shape of a source's own fields, as one tree that the walk over a record follows.

use std::collections::HashMap;

use sekisho_document::FieldType;

/// A node of the tree: what to do with the value that stands at its path.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Its number in the tree.
    pub(crate) id: usize,
    /// The key, as written to the namespace.
    pub(crate) key: String,
    /// The declared type, if any.
    pub(crate) kind: Option<FieldType>,
    /// The slot that mapping reads the value from, if anything does.
    pub(crate) slot: Option<usize>,
    /// Whether mapping decides at the end if the value still belongs into `other`.
    pub(crate) deferred: bool,
    /// Length of the full dotted path in the document, in bytes.
    pub(crate) path_bytes: usize,
    /// Nodes below.
    pub(crate) children: Vec<Node>,
    /// Whether a declared type, or a deferred slot, lies below.
    pub(crate) holds_fields: bool,
}

impl Node {
    /// Finds a child by its plain key.
    pub(crate) fn child(&self, key: &str) -> Option<(usize, &Self)> {
        self.children
            .iter()
            .enumerate()
            .find(|(_, child)| child.key == key)
    }
}

impl Node {
    /// Lists the declared fields at and below this node, by their full names.
    pub(crate) fn typed(&self, name: &str, fields: &mut Vec<(String, FieldType)>) {
        if let Some(kind) = self.kind {
            fields.push((name.to_owned(), kind));
            return;
        }
        for child in &self.children {
            child.typed(&format!("{name}.{}", child.key), fields);
        }
    }
}

/// The tree and the slots that it fills.
#[derive(Debug)]
pub(crate) struct Schema {
    /// The record itself.
    pub(crate) root: Node,
    /// The envelopes around the record; a tree of its own, so that no record can imitate them.
    pub(crate) envelope: Node,
    /// The dotted path of each slot, for `other`.
    pub(crate) slots: Vec<String>,
    /// Whether mapping decides at the end if a slot's value belongs into `other`.
    pub(crate) deferred: Vec<bool>,
    /// Length of `<module>.<dataset>.other` in bytes.
    pub(crate) other_bytes: usize,
    /// How many nodes there are.
    pub(crate) n_nodes: usize,
    /// The way to each node by its dotted name, for columns and tokens.
    names: HashMap<String, Box<[usize]>>,
}

impl Schema {
    /// Starts the tree of a namespace such as `aws.cloudtrail`.
    pub(crate) fn new(namespace: &str) -> Self {
        let root = Node {
            path_bytes: namespace.len(),
            ..Node::default()
        };
        let envelope = Node {
            path_bytes: namespace.len() + ".other.envelope".len(),
            ..Node::default()
        };
        Self {
            root,
            envelope,
            slots: Vec::new(),
            deferred: Vec::new(),
            other_bytes: namespace.len() + ".other".len(),
            n_nodes: 1,
            names: HashMap::new(),
        }
    }

    /// Declares the type of a path; the error says why it cannot be.
    pub(crate) fn declare(&mut self, path: &[&str], kind: FieldType) -> Result<(), String> {
        let node = grow(&mut self.root, path)?;
        if node.kind.is_some() {
            return Err("it is declared twice".to_owned());
        }
        if has_types(node) {
            return Err("a field below it is declared too; declare one of the two".to_owned());
        }
        node.kind = Some(kind);
        Ok(())
    }

    /// Gives the slot of a path, making one where there is none.
    pub(crate) fn slot(&mut self, path: &[&str]) -> usize {
        let node = grow_untyped(&mut self.root, path);
        let slot = *node.slot.get_or_insert(self.slots.len());
        self.note_slot(slot, || path.join("."))
    }

    /// Gives the slot of a path in the envelopes, making one where there is none.
    pub(crate) fn envelope_slot(&mut self, path: &[&str]) -> usize {
        let node = grow_untyped(&mut self.envelope, path);
        let slot = *node.slot.get_or_insert(self.slots.len());
        self.note_slot(slot, || format!("envelope.{}", path.join(".")))
    }

    /// Notes the path of a slot that is new.
    fn note_slot(&mut self, slot: usize, path: impl Fn() -> String) -> usize {
        if slot == self.slots.len() {
            self.slots.push(path());
            self.deferred.push(false);
        }
        slot
    }

    /// Lets mapping decide at the end whether a slot's value belongs into `other`.
    pub(crate) fn defer(&mut self, slot: usize) {
        if let Some(deferred) = self.deferred.get_mut(slot) {
            *deferred = true;
        }
    }

    /// Closes the tree: tells every node what lies below it.
    pub(crate) fn finish(&mut self) {
        let deferred = self.deferred.clone();
        settle(&mut self.root, &deferred);
        settle(&mut self.envelope, &deferred);
        let mut taken = vec![false; self.deferred.len()];
        note_deferred(&self.root, &mut taken);
        note_deferred(&self.envelope, &mut taken);
        self.deferred = taken;
        self.n_nodes = 1;
        number(&mut self.root, &mut self.n_nodes);
        note_names(&self.root, "", &[], &mut self.names);
        for (at, child) in self.root.children.iter().enumerate() {
            // A name with a dot in it may be one key as well as a path; as a key it was declared with quotes.
            self.names.insert(child.key.clone(), Box::from([at]));
        }
    }

    /// Finds the way to a node by its dotted name.
    pub(crate) fn find(&self, name: &str) -> Option<&[usize]> {
        self.names.get(name).map(AsRef::as_ref)
    }

    /// Gives the node that a way leads to.
    pub(crate) fn node(&self, path: &[usize]) -> Option<&Node> {
        path.iter()
            .try_fold(&self.root, |node, at| node.children.get(*at))
    }
}

/// Finds or makes the node of a declared path.
fn grow<'n>(node: &'n mut Node, path: &[&str]) -> Result<&'n mut Node, String> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(node);
    };
    if node.kind.is_some() {
        return Err(format!(
            "`{}` above it is declared already; a typed field can have no fields below",
            node.key
        ));
    }
    grow(child_mut(node, key), rest)
}

fn grow_untyped<'n>(node: &'n mut Node, path: &[&str]) -> &'n mut Node {
    path.iter().fold(node, |node, key| child_mut(node, key))
}

fn child_mut<'n>(node: &'n mut Node, key: &str) -> &'n mut Node {
    let at = node
        .children
        .iter()
        .position(|child| child.key == key)
        .unwrap_or_else(|| {
            let path_bytes = node.path_bytes + 1 + key.len();
            node.children.push(Node {
                key: key.to_owned(),
                path_bytes,
                ..Node::default()
            });
            node.children.len() - 1
        });
    #[expect(
        clippy::indexing_slicing,
        reason = "the position was found or made on the line above"
    )]
    &mut node.children[at]
}

fn has_types(node: &Node) -> bool {
    node.children
        .iter()
        .any(|child| child.kind.is_some() || has_types(child))
}

fn settle(node: &mut Node, deferred: &[bool]) {
    for child in &mut node.children {
        settle(child, deferred);
        let wanted = child
            .slot
            .is_some_and(|slot| deferred.get(slot) == Some(&true));
        // A typed field is written during the walk, and a slot with fields below is no leaf.
        child.deferred = wanted && child.kind.is_none() && child.children.is_empty();
    }
    node.holds_fields = node
        .children
        .iter()
        .any(|child| child.kind.is_some() || child.deferred || child.holds_fields);
}

fn number(node: &mut Node, next: &mut usize) {
    for child in &mut node.children {
        child.id = *next;
        *next += 1;
        number(child, next);
    }
}

fn note_names(node: &Node, above: &str, path: &[usize], names: &mut HashMap<String, Box<[usize]>>) {
    for (at, child) in node.children.iter().enumerate() {
        let path = [path, &[at]].concat();
        let name = match above {
            "" => child.key.clone(),
            above => format!("{above}.{}", child.key),
        };
        note_names(child, &name, &path, names);
        names.insert(name, path.into_boxed_slice());
    }
}

fn note_deferred(node: &Node, taken: &mut [bool]) {
    for child in &node.children {
        if let Some(flag) = child.slot.and_then(|slot| taken.get_mut(slot)) {
            *flag = child.deferred;
        }
        // Below an open-ended subtree nothing is deferred: the subtree is copied whole.
        if child.kind.is_none() {
            note_deferred(child, taken);
        }
    }
}
