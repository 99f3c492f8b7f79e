//! Runs a program over one record.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::draft::Draft;
use crate::origin::Origin;
use crate::program::{Program, Source};
use crate::settings::Cidr;
use crate::value::Value;
use crate::walk::{Walked, write_member};

/// What the program makes of a record, before the object's own facts are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A document; the record's own time, where it has a usable one.
    Document(Option<DateTime<Utc>>),
    /// No shape for this parser.
    Raw(String),
    /// A rule leaves it out.
    Excluded(Arc<str>),
}

impl Program {
    /// Fills the draft: constants, addresses, the pieces of the web, fields, lookups, rules, script.
    pub(crate) fn run(&self, draft: &mut Draft<'_, '_>, trusted: &[Cidr]) -> Verdict {
        if let Some(name) = self.missing(draft) {
            return Verdict::Raw(format!(
                "the record has no `{name}`, so it is no record of {}",
                self.dataset
            ));
        }
        let time = self.time(draft);
        self.constants.iter().for_each(|given| given.apply(draft));
        if let Some(addresses) = &self.addresses {
            addresses.apply(draft, trusted);
        }
        self.web.apply(draft);
        for mapping in &self.mappings {
            mapping.apply(draft);
        }
        for lookup in &self.lookups {
            lookup.apply(draft);
        }
        self.rules(draft);
        if let Some(exclude) = self
            .excludes
            .iter()
            .find(|exclude| exclude.condition.holds(draft))
        {
            draft.origin = Origin::Line(exclude.line);
            draft.excluded = true;
            return Verdict::Excluded(Arc::clone(&exclude.name));
        }
        if let Some(script) = self
            .script
            .as_ref()
            .filter(|script| script.always() || draft.transform)
            && let Err(reason) = script.run(draft)
        {
            return Verdict::Raw(format!("transform.vrl: {reason}"));
        }
        draft.origin = Origin::Engine;
        self.relate(draft);
        self.keep_unused(draft);
        Verdict::Document(time)
    }

    fn missing(&self, draft: &Draft<'_, '_>) -> Option<&str> {
        self.require
            .iter()
            .find(|(_, source)| draft.first(source).is_none())
            .map(|(name, _)| name.as_str())
    }

    /// Reads the record's own time from the first source that holds a usable one.
    fn time(&self, draft: &mut Draft<'_, '_>) -> Option<DateTime<Utc>> {
        for sources in &self.timestamp {
            let time = joined(sources, draft).and_then(|text| draft.times.parse(&text));
            if time.and_then(crate::time::write_time).is_none() {
                continue;
            }
            for source in sources {
                draft.mark_scalar_used(source);
            }
            draft.origin = Origin::Line(self.timestamp_line);
            draft.note(self.fixed.timestamp);
            return time;
        }
        None
    }

    fn rules(&self, draft: &mut Draft<'_, '_>) {
        for rule in &self.rules {
            if rule.condition.holds(draft) {
                rule.set.iter().for_each(|setting| setting.apply(draft));
                rule.append.iter().for_each(|setting| setting.append(draft));
                draft.transform |= rule.transform;
            } else {
                rule.otherwise
                    .iter()
                    .for_each(|setting| setting.apply(draft));
            }
        }
    }

    /// Collects `related.*`.
    fn relate(&self, draft: &mut Draft<'_, '_>) {
        for (output, related) in &self.related {
            if let Some(Some(value)) = draft.outputs.get(*output).cloned() {
                draft.append(*related, value);
            }
        }
        for address in std::mem::take(&mut draft.walked.addresses) {
            draft.append(self.fixed.related_ip, Value::owned(address));
        }
    }

    /// Puts the values that mapping could take, and did not, into `other`.
    fn keep_unused(&self, draft: &mut Draft<'_, '_>) {
        let Walked {
            slots, other, cut, ..
        } = &mut draft.walked;
        let unused = self
            .schema
            .deferred
            .iter()
            .zip(&draft.used)
            .map(|(deferred, used)| *deferred && !used);
        for ((path, value), unused) in self.schema.slots.iter().zip(slots).zip(unused) {
            if let (true, Some(value)) = (unused, value) {
                write_member(other, path, value, self.schema.other_bytes, cut);
            }
        }
    }
}

/// Joins the texts of several sources with blanks; nothing where one of them is absent.
fn joined<'a>(sources: &[Source], draft: &Draft<'_, 'a>) -> Option<Cow<'a, str>> {
    let text = |source| draft.first(source)?.text();
    let (first, rest) = sources.split_first()?;
    let mut joined = text(first)?;
    for source in rest {
        let next = text(source)?;
        joined = Cow::Owned(format!("{joined} {next}"));
    }
    Some(joined)
}
