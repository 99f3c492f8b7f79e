//! [`Draft`]: one record on its way through the program.

use std::borrow::Cow;

use crate::origin::{Decision, Origin};
use crate::program::{Program, Root, Source};
use crate::time::TimeFormats;
use crate::value::Value;
use crate::walk::Walked;

/// One record on its way through the program: what was read, and the document under construction.
#[derive(Debug)]
pub(crate) struct Draft<'p, 'a> {
    pub(crate) program: &'p Program,
    pub(crate) times: &'p TimeFormats,
    pub(crate) captures: &'a [(String, String)],
    pub(crate) text: &'a str,
    pub(crate) walked: Walked<'a>,
    pub(crate) outputs: Vec<Option<Value<'a>>>,
    /// Which slots found their way into the document without a loss.
    pub(crate) used: Vec<bool>,
    /// Whether a rule asks for the script.
    pub(crate) transform: bool,
    /// Whether a rule leaves the record out.
    pub(crate) excluded: bool,
    /// What is at work now, and what filled each field last.
    pub(crate) origin: Origin,
    pub(crate) origins: Vec<Origin>,
}

impl<'p, 'a> Draft<'p, 'a> {
    /// Starts a document.
    pub(crate) fn new(
        program: &'p Program,
        times: &'p TimeFormats,
        captures: &'a [(String, String)],
        text: &'a str,
        walked: Walked<'a>,
    ) -> Self {
        let outputs = vec![None; program.outputs.len()];
        let mut used = vec![false; program.schema.slots.len()];
        for slot in &walked.consumed {
            if let Some(used) = used.get_mut(*slot) {
                *used = true;
            }
        }
        let origins = vec![Origin::Engine; program.outputs.len()];
        Self {
            program,
            times,
            captures,
            text,
            walked,
            outputs,
            used,
            transform: false,
            excluded: false,
            origin: Origin::Engine,
            origins,
        }
    }

    /// Gives every value that a source reaches.
    pub(crate) fn each(&self, source: &Source, sink: &mut dyn FnMut(Value<'a>)) {
        if let Some(value) = self.root(&source.root) {
            value.below(&source.tail, sink);
        }
    }

    /// Gives the first value that a source reaches.
    pub(crate) fn first(&self, source: &Source) -> Option<Value<'a>> {
        let mut first = None;
        self.each(source, &mut |value| {
            first.get_or_insert(value);
        });
        first
    }

    /// Gives the value that reading starts from, whole.
    pub(crate) fn root(&self, root: &Root) -> Option<Value<'a>> {
        match root {
            Root::Slot(slot) => self.walked.slots.get(*slot)?.clone(),
            Root::Output(output) => self.outputs.get(*output)?.clone(),
            Root::Capture(name) => {
                let (_, text) = self.captures.iter().find(|(group, _)| group == name)?;
                Value::from_text(text)
            }
            Root::Record => Some(Value::Text(Cow::Borrowed(self.text))),
        }
    }

    /// Notes that the whole value of a source stands in the document; a path through an array reaches only a part.
    pub(crate) fn mark_used(&mut self, source: &Source) {
        if let (Root::Slot(slot), true) = (&source.root, source.tail.is_empty())
            && let Some(used) = self.used.get_mut(*slot)
        {
            *used = true;
        }
    }

    /// The same for a reader that takes one value: of an array the rest would be lost.
    pub(crate) fn mark_scalar_used(&mut self, source: &Source) {
        if !matches!(self.root(&source.root), Some(Value::Array(_))) {
            self.mark_used(source);
        }
    }

    /// Sets a field.
    pub(crate) fn set(&mut self, output: usize, value: Value<'a>) {
        if let Some(place) = self.outputs.get_mut(output) {
            *place = Some(value);
        }
        self.note(output);
    }

    /// Notes that what is at work now filled a field.
    pub(crate) fn note(&mut self, output: usize) {
        if let Some(origin) = self.origins.get_mut(output) {
            *origin = self.origin;
        }
    }

    /// Says what filled each field that has a value, and what left the record out.
    pub(crate) fn decisions(&self) -> Vec<Decision> {
        if self.excluded {
            return vec![Decision {
                field: "[[exclude]]".to_owned(),
                origin: self.origin,
            }];
        }
        let fields = self
            .program
            .outputs
            .iter()
            .zip(&self.outputs)
            .zip(&self.origins);
        fields
            .filter(|((_, value), origin)| value.is_some() && **origin != Origin::Engine)
            .map(|((output, _), origin)| Decision {
                field: output.name.clone(),
                origin: *origin,
            })
            .collect()
    }

    /// Adds values to a field that holds an array, each once.
    pub(crate) fn append(&mut self, output: usize, value: Value<'a>) {
        self.note(output);
        let Some(place) = self.outputs.get_mut(output) else {
            return;
        };
        let mut list = match place.take() {
            Some(Value::List(list)) => list,
            Some(value) => vec![value],
            None => Vec::new(),
        };
        value.each(&mut |value| {
            if !list.contains(&value) {
                list.push(value);
            }
        });
        *place = Some(Value::List(list)).filter(|list| *list != Value::List(Vec::new()));
    }
}
