//! [`Tables`]: what the guesses decided, table by table.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_document::{FieldType, ecs};

use super::super::Doubt;
use super::super::ecs::{PEER, candidates, is_forwarded, outcomes, plain};
use super::super::fields::Field;
use super::super::text::is_request;
use super::{quote, write};

/// Filled by `[user_agent]`.
const AGENT: &str = "user_agent.original";
/// Filled by `[outcome]`.
const STATUS: &str = "http.response.status_code";
/// How long something took, without its unit.
const DURATIONS: [&str; 8] = [
    "duration",
    "latency",
    "elapsed",
    "took",
    "responsetime",
    "requesttime",
    "timetaken",
    "processingtime",
];
/// A unit at the end of a name, and how many nanoseconds it is.
const UNITS: [(&str, &str); 9] = [
    ("milliseconds", "1000000"),
    ("millis", "1000000"),
    ("ms", "1000000"),
    ("micros", "1000"),
    ("us", "1000"),
    ("seconds", "1000000000"),
    ("secs", "1000000000"),
    ("ns", "1"),
    ("s", "1000000000"),
];
/// Names that say little: what they are taken for is worth a look.
const VAGUE: [&str; 14] = [
    "id", "source", "client", "code", "service", "app", "path", "target", "bytes", "event",
    "account", "ip", "file", "group",
];

/// What the guesses decided, table by table.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) addresses: Vec<(&'static str, String)>,
    pub(super) types: BTreeMap<String, FieldType>,
    pub(super) fields: BTreeMap<String, String>,
    constants: BTreeMap<&'static str, &'static str>,
    /// The path of a request line.
    request: Option<String>,
    /// Paths that stand in the document as they are.
    pub(super) mapped: BTreeSet<String>,
}

impl Tables {
    /// Gives each field to the ECS field that fits it best, and each ECS field to one field.
    pub(super) fn ecs(&mut self, all: &[Field], doubts: &mut Vec<Doubt>) {
        let mut wanted: BTreeMap<&'static str, Vec<(usize, &Field)>> = BTreeMap::new();
        let mut left: Vec<_> = all
            .iter()
            .filter(|f| !self.mapped.contains(&f.path()))
            .collect();
        left.sort_by_key(|field| (field.keys.len(), std::cmp::Reverse(field.seen)));
        for field in left {
            if self.request.is_none() && field.all(is_request) {
                self.request = Some(field.path());
                self.mapped.insert(field.path());
                continue;
            }
            if is_forwarded(field) {
                self.addresses.push(("forwarded", field.path()));
                self.mapped.insert(field.path());
                continue;
            }
            let fitting = candidates(field)
                .into_iter()
                .filter(|target| fits(field, target));
            for (place, target) in fitting.enumerate() {
                wanted.entry(target).or_default().push((place, field));
            }
        }
        for place in 0..4 {
            for (target, fields) in &wanted {
                let is_free = |(at, field): &&(usize, &Field)| {
                    *at == place && !self.mapped.contains(&field.path())
                };
                let free: Vec<_> = fields
                    .iter()
                    .filter(is_free)
                    .map(|(_, field)| *field)
                    .collect();
                let Some((field, others)) = free.split_first() else {
                    continue;
                };
                if self.has(target) {
                    doubts.push(Doubt::new(
                        format!("`{target}`: not from `{}`", field.path()),
                        "another field has it; list both to take the first that is there",
                    ));
                    continue;
                }
                self.take(target, field, doubts);
                for other in others {
                    doubts.push(Doubt::new(
                        format!("`{target}`: `{}`", field.path()),
                        format!("or `{}`", other.path()),
                    ));
                }
            }
        }
        // Without a peer the header says nothing.
        if !self.has(PEER) {
            self.addresses.clear();
        }
    }

    fn has(&self, target: &str) -> bool {
        let has_peer = self.addresses.iter().any(|(key, _)| *key == "peer");
        (target == PEER && has_peer) || self.fields.contains_key(target)
    }

    fn take(&mut self, target: &str, field: &Field, doubts: &mut Vec<Doubt>) {
        let path = field.path();
        if VAGUE.contains(&plain(field.name()).as_str()) && field.keys.len() == 1 {
            let value = field.values.first().map(String::as_str).unwrap_or_default();
            doubts.push(Doubt::new(
                format!("`{path}` is `{target}`"),
                format!("its name says little; the sample has `{}`", short(value)),
            ));
        }
        if target == PEER {
            self.addresses.insert(0, ("peer", path.clone()));
        } else if target == "network.transport" {
            let text = format!("{{ from = {}, lower = true }}", quote(&path));
            self.fields.insert(target.to_owned(), text);
        } else {
            self.fields.insert(target.to_owned(), quote(&path));
        }
        self.mapped.insert(path);
    }

    pub(super) fn durations(&mut self, all: &[Field], doubts: &mut Vec<Doubt>) {
        for field in all {
            let name = plain(field.name());
            let is_number = field.all(|text| text.parse::<f64>().is_ok());
            let Some(unit) = DURATIONS.iter().find_map(|known| name.strip_prefix(known)) else {
                continue;
            };
            if !is_number || self.has("event.duration") || self.mapped.contains(&field.path()) {
                continue;
            }
            match UNITS.iter().find(|(known, _)| *known == unit) {
                Some((_, nanoseconds)) => {
                    let text = format!("{{ from = {}, multiply = {nanoseconds} }}", quote(&field.path()));
                    self.fields.insert("event.duration".to_owned(), text);
                }
                None => doubts.push(Doubt::new(
                    format!("`event.duration`: not from `{}`", field.path()),
                    "its name has no unit; `{ from = …, multiply = 1000000 }` turns milliseconds into nanoseconds",
                )),
            }
        }
    }

    pub(super) fn outcome(&mut self, all: &[Field], doubts: &mut Vec<Doubt>) {
        let mut found = all
            .iter()
            .filter_map(|field| Some((field, outcomes(field)?)));
        if let Some((field, words)) = found.next() {
            let map = words
                .iter()
                .map(|(word, means)| format!("{} = {}", quote(word), quote(means)));
            let map = map.collect::<Vec<_>>().join(", ");
            let text = format!(
                "{{ from = {}, lower = true, map = {{ {map} }} }}",
                quote(&field.path())
            );
            self.fields.insert("event.outcome".to_owned(), text);
            doubts.push(Doubt::new(
                format!("`event.outcome`: `{}`, {}", field.path(), said(&words)),
                "add the words that the sample does not have",
            ));
            return;
        }
        if self.has("http.response.status_code") {
            // `[outcome]` sets both.
            return;
        }
        doubts.push(Doubt::new(
            "`event.outcome`: not set",
            "if a field says how it ended, map it to `success`, `failure` or `unknown`",
        ));
    }

    pub(super) fn categories(&mut self, doubts: &mut Vec<Doubt>) {
        let web = ["http.request.method", "http.response.status_code"];
        let found = if web.iter().any(|field| self.has(field)) {
            Some(("[\"web\"]", "[\"access\"]"))
        } else if self.has(PEER) && self.has("destination.ip") {
            Some(("[\"network\"]", "[\"connection\"]"))
        } else {
            None
        };
        if let Some((category, kind)) = found {
            self.constants.insert("event.category", category);
            self.constants.insert("event.type", kind);
            doubts.push(Doubt::new(
                format!("`event.category`: {category}, `event.type`: {kind}"),
                "see the ECS pages for what fits better, and `[[when]]` where records differ",
            ));
        } else {
            doubts.push(Doubt::new(
                "`event.category` and `event.type`: not set",
                "add them to `[constants]`, or by `[[when]]`, like `[\"authentication\"]` and `[\"start\"]`",
            ));
        }
    }

    /// Types what does not stand in ECS as it is.
    pub(super) fn types(
        &mut self,
        all: &[Field],
        is_text: bool,
        dataset: &str,
        doubts: &mut Vec<Doubt>,
    ) {
        for field in all.iter().filter(|f| !self.mapped.contains(&f.path())) {
            let path = field.path();
            let below = format!("{path}.");
            let has_below = all.iter().any(|other| other.path().starts_with(&below));
            if path == "@record" {
                continue;
            }
            match field.kind(is_text).filter(|_| !has_below) {
                Some(kind) => {
                    if field.is_mixed() {
                        doubts.push(Doubt::new(
                            format!("`{path}`: {kind}"),
                            "records disagree on what it is",
                        ));
                    }
                    self.types.insert(path, kind);
                }
                None => doubts.push(Doubt::new(
                    format!("`{path}` stays in `{dataset}.other`"),
                    "it is a value in some records and an object in others",
                )),
            }
        }
    }

    /// Addresses that no ECS field holds are found by `related.ip` at least.
    pub(super) fn addresses_left(&mut self, all: &[Field], doubts: &mut Vec<Doubt>) {
        let left = all
            .iter()
            .filter(|f| f.is_ip() && !self.mapped.contains(&f.path()) && !f.is_list);
        let left: Vec<String> = left.map(Field::path).collect();
        if left.is_empty() {
            return;
        }
        for path in &left {
            doubts.push(Doubt::new(
                format!("`{path}` holds addresses: found by `related.ip`"),
                "say whose: `[addresses] peer`, `destination.ip`, `host.ip`, …",
            ));
        }
        let list: Vec<_> = left.iter().map(|path| quote(path)).collect();
        let text = format!("{{ all = [{}] }}", list.join(", "));
        self.fields.insert("related.ip".to_owned(), text);
    }

    pub(super) fn write(&self, toml: &mut String) {
        let addresses = self
            .addresses
            .iter()
            .map(|(key, path)| ((*key).to_owned(), quote(path)));
        table(toml, "addresses", addresses.collect());
        let shared = [
            (
                "request",
                "line",
                self.request.as_ref().map(|path| quote(path)),
            ),
            ("user_agent", "from", self.fields.get(AGENT).cloned()),
            ("outcome", "status", self.fields.get(STATUS).cloned()),
        ];
        for (name, key, path) in shared {
            let lines = path.map(|path| (key.to_owned(), path));
            table(toml, name, lines.into_iter().collect());
        }
        let types = self
            .types
            .iter()
            .map(|(path, kind)| (quote(path), quote(kind.name())));
        table(toml, "types", types.collect());
        let is_shared = |name: &str| name == AGENT || name == STATUS;
        let fields = self
            .fields
            .iter()
            .filter(|(name, _)| !is_shared(name))
            .map(|(name, value)| (quote(name), value.clone()));
        table(toml, "fields", fields.collect());
        let constants = self
            .constants
            .iter()
            .map(|(name, value)| (quote(name), (*value).to_owned()));
        table(toml, "constants", constants.collect());
    }
}

/// Whether the values can stand in the ECS field.
fn fits(field: &Field, target: &str) -> bool {
    let Some(ecs) = ecs::field(target) else {
        return target == PEER;
    };
    if field.is_tree() || field.is_mixed() || (field.is_list && !ecs.array) {
        return false;
    }
    match ecs.kind {
        FieldType::Keyword | FieldType::Wildcard | FieldType::Text => true,
        FieldType::Long => field.is_integer(),
        FieldType::Double => field.all(|text| text.parse::<f64>().is_ok()),
        FieldType::Boolean => field.all(|text| matches!(text, "true" | "false")),
        FieldType::Ip => field.is_ip(),
        FieldType::Date => field.kind(false) == Some(FieldType::Date),
        FieldType::GeoPoint | FieldType::FlatObject | FieldType::Nested => false,
    }
}

fn said(words: &[(String, &str)]) -> String {
    let words = words
        .iter()
        .map(|(word, means)| format!("`{word}` is {means}"));
    words.collect::<Vec<_>>().join(", ")
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn table(toml: &mut String, name: &str, lines: Vec<(String, String)>) {
    if lines.is_empty() {
        return;
    }
    let width = lines
        .iter()
        .map(|(key, _)| key.chars().count())
        .max()
        .unwrap_or(0);
    write(toml, format_args!("\n[{name}]"));
    for (key, value) in lines {
        write(toml, format_args!("{key:<width$} = {value}"));
    }
}
