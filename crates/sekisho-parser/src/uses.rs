//! Which line of `parser.toml` reads which path, for people and for the generated field pages.

use crate::parser::{FieldUse, Purpose};
use crate::spec::{
    ConditionSpec, Entries, FieldSpec, FieldTable, ParserSpec, SetSpec, SpecFile, TextOrList,
};

/// Lists every line that reads a path of the record, in file order of the tables.
pub(crate) fn list(spec: &ParserSpec, file: &SpecFile) -> Vec<FieldUse> {
    let mut uses = Uses {
        file,
        list: Vec::new(),
    };
    if let Some(timestamp) = &spec.timestamp {
        let at = file.text.find("[timestamp]").unwrap_or_default();
        for paths in &timestamp.from.0 {
            uses.paths(paths, at, &Purpose::Timestamp);
        }
    }
    if let Some(addresses) = &spec.addresses {
        let at = file.text.find("[addresses]").unwrap_or_default();
        uses.paths(&addresses.peer, at, &Purpose::Addresses);
        addresses
            .forwarded
            .iter()
            .for_each(|paths| uses.paths(paths, at, &Purpose::Addresses));
    }
    uses.web(spec);
    for (n, step) in spec.tokens.iter().enumerate() {
        if let Some(from) = &step.from {
            let names = step.names().map(str::to_owned).collect();
            uses.add(from, file.nth("[[tokens]]", n), Purpose::Tokens(names));
        }
    }
    for entry in spec.types.iter() {
        uses.add(&entry.key, entry.at, Purpose::Type(entry.value.clone()));
    }
    for entry in spec.fields.iter() {
        let purpose = Purpose::Field(entry.key.clone());
        match &entry.value {
            FieldSpec::Paths(paths) => uses.paths(paths, entry.at, &purpose),
            FieldSpec::Table(table) => uses.table(table, entry.at, &purpose),
        }
    }
    for entry in spec.lookup.iter() {
        uses.paths(
            &entry.value.from,
            entry.at,
            &Purpose::Lookup(entry.key.clone()),
        );
    }
    for when in &spec.when {
        uses.condition(&when.condition, when.at);
        for entries in [&when.set, &when.otherwise, &when.append] {
            uses.settings(entries);
        }
    }
    let at = file.text.find("[[exclude]]").unwrap_or_default();
    for condition in spec.exclude.iter().flat_map(|exclude| &exclude.when) {
        uses.condition(condition, at);
    }
    uses.list
}

struct Uses<'s> {
    file: &'s SpecFile,
    list: Vec<FieldUse>,
}

impl Uses<'_> {
    fn add(&mut self, path: &str, at: usize, purpose: Purpose) {
        self.list.push(FieldUse {
            path: path.to_owned(),
            line: self.file.line(at),
            purpose,
        });
    }

    fn paths(&mut self, paths: &TextOrList, at: usize, purpose: &Purpose) {
        paths
            .0
            .iter()
            .for_each(|path| self.add(path, at, purpose.clone()));
    }

    fn table(&mut self, table: &FieldTable, at: usize, purpose: &Purpose) {
        for paths in table.from.iter().chain(&table.all) {
            self.paths(paths, at, purpose);
        }
    }

    /// The pieces that sources of the web share.
    fn web(&mut self, spec: &ParserSpec) {
        let mut read = Vec::new();
        let line = spec.request.as_ref().map(|request| &request.line);
        for field in ["http.request.method", "url.original", "http.version"] {
            read.push(("[request]", field.to_owned(), line));
        }
        if let Some(url) = &spec.url {
            read.push(("[url]", "url.original".to_owned(), url.full.as_ref()));
            let parts = url.parts();
            read.extend(parts.map(|(part, paths)| ("[url]", format!("url.{part}"), paths)));
        }
        let agent = spec.user_agent.as_ref().map(|agent| &agent.from);
        read.push(("[user_agent]", "user_agent.original".to_owned(), agent));
        let status = spec.outcome.as_ref().map(|outcome| &outcome.status);
        for field in ["http.response.status_code", "event.outcome"] {
            read.push(("[outcome]", field.to_owned(), status));
        }
        for (table, field, paths) in read {
            let at = self.file.nth(table, 0);
            if let Some(paths) = paths {
                self.paths(paths, at, &Purpose::Field(field));
            }
        }
    }

    fn settings(&mut self, entries: &Entries<SetSpec>) {
        for entry in entries.iter() {
            if let SetSpec::Table(table) = &entry.value {
                self.table(table, entry.at, &Purpose::Field(entry.key.clone()));
            }
        }
    }

    fn condition(&mut self, condition: &ConditionSpec, at: usize) {
        if let Some(field) = &condition.field {
            self.add(field, at, Purpose::Condition);
        }
        for inner in condition
            .all
            .iter()
            .chain(&condition.any)
            .chain(&condition.none)
        {
            self.condition(inner, at);
        }
    }
}
