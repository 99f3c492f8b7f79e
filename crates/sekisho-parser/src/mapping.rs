//! `[fields]` at run time: sources, steps, types.

use std::borrow::Cow;

use sekisho_document::json::{Kind, write_text};

use crate::convert::convert;
use crate::draft::Draft;
use crate::members;
use crate::origin::Origin;
use crate::program::{Given, Mapping, Setting, Source, Step};
use crate::value::{Value, for_elements, for_members};
use crate::web::decoded;

impl Mapping {
    /// Fills the target from the first usable source, or from all of them.
    pub(crate) fn apply(&self, draft: &mut Draft<'_, '_>) {
        draft.origin = Origin::Line(self.line);
        let array = draft
            .program
            .outputs
            .get(self.target)
            .is_some_and(|output| output.array);
        if self.collect || array {
            self.collect(draft);
        } else {
            self.first(draft);
        }
    }

    fn first(&self, draft: &mut Draft<'_, '_>) {
        let mut refused = None;
        for source in &self.sources {
            let mut found = None;
            let mut n_values = 0;
            for value in self.read(draft, source) {
                n_values += 1;
                if found.is_none() {
                    self.convert(draft, value.clone(), &mut |value| {
                        found = found.take().or(Some(value))
                    });
                    refused = refused.or_else(|| value.text());
                }
            }
            if let Some(value) = found {
                draft.set(self.target, value);
                if n_values == 1 {
                    self.mark_used(draft, source);
                }
                return;
            }
        }
        if let (Some(otherwise), Some(text)) = (self.otherwise, refused) {
            draft.set(otherwise, Value::Text(text));
            if let [source] = self.sources.as_slice() {
                self.mark_used(draft, source);
            }
        }
    }

    fn collect(&self, draft: &mut Draft<'_, '_>) {
        for source in &self.sources {
            let (mut n_values, mut n_taken) = (0, 0);
            let mut list = Vec::new();
            for value in self.read(draft, source) {
                n_values += 1;
                let before = list.len();
                self.convert(draft, value, &mut |value| list.push(value));
                n_taken += usize::from(list.len() > before);
            }
            if n_values > 0 && n_values == n_taken {
                self.mark_used(draft, source);
            }
            let any = !list.is_empty();
            for value in list {
                draft.append(self.target, value);
            }
            if any && !self.collect {
                return;
            }
        }
    }

    /// Gives the values of a source; an object or array stays whole where the target wants one.
    fn read<'a>(&self, draft: &Draft<'_, 'a>, source: &Source) -> Vec<Value<'a>> {
        let mut values = Vec::new();
        if matches!(self.steps.first(), Some(Step::MapBy(..))) {
            values.extend(draft.root(&source.root));
        } else {
            draft.each(source, &mut |value| values.push(value));
        }
        values
    }

    fn convert<'a>(
        &self,
        draft: &Draft<'_, 'a>,
        value: Value<'a>,
        sink: &mut dyn FnMut(Value<'a>),
    ) {
        let Some(output) = draft.program.outputs.get(self.target) else {
            return;
        };
        let times = draft.times;
        if !self.members.is_empty() {
            return members::object(&self.members, &value, times)
                .into_iter()
                .for_each(sink);
        }
        run(&self.steps, value, &mut |value| {
            if let Some(value) = convert(value, output.kind, times) {
                sink(value);
            }
        });
    }

    /// Notes that the source's value stands in the document, so that `other` need not repeat it.
    fn mark_used(&self, draft: &mut Draft<'_, '_>, source: &Source) {
        if self.steps.iter().any(Step::is_lossy) {
            return;
        }
        if !self.members.is_empty() {
            let mut whole = true;
            draft.each(source, &mut |value| {
                whole &= members::is_whole(&self.members, &value, draft.times);
            });
            if !whole {
                return;
            }
        }
        if let Some(Step::MapBy(name, content)) = self.steps.first()
            && !draft
                .root(&source.root)
                .is_some_and(|value| is_pairs(&value, name, content))
        {
            return;
        }
        draft.mark_used(source);
    }
}

impl Given {
    /// Gives the field its constant.
    pub(crate) fn apply(&self, draft: &mut Draft<'_, '_>) {
        draft.origin = Origin::Line(self.line);
        draft.set(self.output, self.value.clone());
    }
}

impl Setting {
    /// Gives a field its value.
    pub(crate) fn apply(&self, draft: &mut Draft<'_, '_>) {
        match self {
            Self::Constant(given) => given.apply(draft),
            Self::Mapping(mapping) => {
                // A rule's value replaces what stood there, where it has one.
                let before = draft.outputs.get_mut(mapping.target).and_then(Option::take);
                mapping.apply(draft);
                if let Some(place) = draft.outputs.get_mut(mapping.target)
                    && place.is_none()
                {
                    *place = before;
                }
            }
        }
    }

    /// Adds to a field that holds an array.
    pub(crate) fn append(&self, draft: &mut Draft<'_, '_>) {
        match self {
            Self::Constant(given) => {
                draft.origin = Origin::Line(given.line);
                draft.append(given.output, given.value.clone());
            }
            Self::Mapping(mapping) => {
                draft.origin = Origin::Line(mapping.line);
                mapping.collect(draft);
            }
        }
    }
}

/// Runs the steps over a value; a step that does not fit gives nothing.
fn run<'a>(steps: &[Step], value: Value<'a>, sink: &mut dyn FnMut(Value<'a>)) {
    let Some((step, rest)) = steps.split_first() else {
        return sink(value);
    };
    match step {
        Step::MapBy(name, content) => {
            if let Some(object) = map_by(&value, name, content) {
                run(rest, object, sink);
            }
        }
        Step::Split(by) => {
            let Some(text) = value.text() else { return };
            for part in text
                .split(by.as_str())
                .map(str::trim)
                .filter(|part| !part.is_empty() && *part != "-")
            {
                run(rest, Value::owned(part), sink);
            }
        }
        Step::Multiply(factor) => {
            let product = value
                .text()
                .and_then(|text| text.parse::<f64>().ok())
                .map(|n| n * factor);
            if let Some(product) = product {
                run(rest, Value::Number(Cow::Owned(product.to_string())), sink);
            }
        }
        text_step => {
            let changed = value.text().and_then(|text| change(text_step, text));
            if let Some(text) = changed.filter(|text| !text.is_empty()) {
                run(rest, Value::Text(text), sink);
            }
        }
    }
}

/// Changes a text; what does not match stays as it is, except for `extract` and `map`, which then have no value.
fn change<'a>(step: &Step, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
    let part = |part: Option<&str>| part.map(str::to_owned).map(Cow::Owned);
    match step {
        Step::Lower => Some(Cow::Owned(text.to_lowercase())),
        Step::Upper => Some(Cow::Owned(text.to_uppercase())),
        Step::StripPrefix(prefix) => part(text.strip_prefix(prefix.as_str())).or(Some(text)),
        Step::StripSuffix(suffix) => part(text.strip_suffix(suffix.as_str())).or(Some(text)),
        Step::Before(mark) => {
            part(text.split_once(mark.as_str()).map(|(before, _)| before)).or(Some(text))
        }
        Step::After(mark) => {
            part(text.split_once(mark.as_str()).map(|(_, after)| after)).or(Some(text))
        }
        Step::AfterLast(mark) => {
            part(text.rsplit_once(mark.as_str()).map(|(_, after)| after)).or(Some(text))
        }
        Step::UrlDecode => Some(Cow::Owned(decoded(&text))),
        Step::Extract(regex) => {
            let groups = regex.captures(&text)?;
            part(
                groups
                    .get(1)
                    .or_else(|| groups.get(0))
                    .map(|found| found.as_str()),
            )
        }
        Step::Domain(part) => part.of(&text),
        Step::Map(table) => table.get(text.as_ref()).cloned().map(Cow::Owned),
        Step::Multiply(_) | Step::Split(_) | Step::MapBy(..) => Some(text),
    }
}

/// Turns an array of pairs into an object with lower-case names; several values of one name become an array.
fn map_by<'a>(value: &Value<'a>, name: &str, content: &str) -> Option<Value<'a>> {
    let Value::Array(text) = value else {
        return None;
    };
    let mut pairs: Vec<(String, Vec<String>)> = Vec::new();
    for_elements(text, &mut |raw| {
        let Some(element) = Value::from_json(raw) else {
            return;
        };
        let member = |key: &str| {
            let mut found = None;
            element
                .clone()
                .below(&[crate::path::Segment::Key(key.to_owned())], &mut |value| {
                    found = found.take().or_else(|| value.text())
                });
            found
        };
        let (Some(name), Some(content)) = (member(name), member(content)) else {
            return;
        };
        let name = name.to_lowercase();
        match pairs.iter_mut().find(|(taken, _)| *taken == name) {
            Some((_, contents)) => contents.push(content.into_owned()),
            None => pairs.push((name, vec![content.into_owned()])),
        }
    });
    (!pairs.is_empty()).then(|| Value::Object(Cow::Owned(write_pairs(&pairs))))
}

/// Tells whether an array holds nothing but objects of a name and a value.
fn is_pairs(value: &Value<'_>, name: &str, content: &str) -> bool {
    let Value::Array(text) = value else {
        return false;
    };
    let mut all = true;
    for_elements(text, &mut |raw| {
        let (mut n_members, mut n_wanted) = (0, 0);
        if raw.kind == Kind::Object {
            for_members(raw.text, &mut |key, member| {
                n_members += 1;
                n_wanted +=
                    usize::from((key == name || key == content) && member.kind == Kind::String);
            });
        }
        all &= n_members == 2 && n_wanted == 2;
    });
    all
}

fn write_pairs(pairs: &[(String, Vec<String>)]) -> String {
    let mut out = vec![b'{'];
    for (n, (name, contents)) in pairs.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        write_text(&mut out, name);
        out.push(b':');
        match contents.as_slice() {
            [one] => write_text(&mut out, one),
            several => {
                let list = several
                    .iter()
                    .map(|text| Value::owned(text.as_str()))
                    .collect();
                Value::List(list).write(&mut out, 0);
            }
        }
    }
    out.push(b'}');
    String::from_utf8(out).unwrap_or_default()
}
