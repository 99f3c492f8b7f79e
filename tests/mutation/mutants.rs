//! Every way to leave one line out of a `parser.toml` or of a lookup table.

use std::ops::Range;

use anyhow::{Context, Result, bail};
use toml_edit::{Array, Document, DocumentMut, Item, Table, TableLike, Value};

/// A file of a parser folder that lacks one thing.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    /// The file's name.
    pub(crate) file: String,
    /// The table that the line stands in.
    pub(crate) table: &'static str,
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is gone.
    pub(crate) what: String,
    /// The key that is gone or that lost an element.
    pub(crate) key: String,
    /// The text without it.
    pub(crate) text: String,
}

/// One step from the document's root to what is left out.
#[derive(Debug, Clone)]
enum Step {
    Key(String),
    At(usize),
}

/// Something that can be left out.
struct Part {
    table: &'static str,
    path: Vec<Step>,
    at: usize,
}

/// Lists the mutants of a `parser.toml`.
pub(crate) fn of(text: &str) -> Result<Vec<Mutant>> {
    let document = Document::parse(text)?;
    let mut parts = Parts::default();
    parts.tables(document.as_table());
    parts
        .0
        .iter()
        .map(|part| {
            Ok(Mutant {
                file: "parser.toml".to_owned(),
                table: part.table,
                line: 1 + text.bytes().take(part.at).filter(|b| *b == b'\n').count(),
                what: name(&part.path),
                key: key(&part.path),
                text: without(text, &part.path)?,
            })
        })
        .collect()
}

/// Lists the mutants of a lookup table: each row left out.
pub(crate) fn of_table(file: &str, text: &str) -> Vec<Mutant> {
    let lines: Vec<&str> = text.lines().collect();
    let is_row = |line: &str| !line.trim().is_empty() && !line.starts_with('#');
    let rows = lines.iter().enumerate().filter(|(_, line)| is_row(line));
    // The first is the header.
    rows.skip(1)
        .map(|(at, row)| {
            let mut left = lines.clone();
            left.remove(at);
            let words = row.split(|c: char| !c.is_alphanumeric());
            Mutant {
                file: file.to_owned(),
                table: "rows",
                line: at + 1,
                what: format!("`{row}`"),
                key: words
                    .max_by_key(|word| word.len())
                    .unwrap_or_default()
                    .to_owned(),
                text: left.join("\n"),
            }
        })
        .collect()
}

#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn add(&mut self, table: &'static str, path: &[Step], span: Option<Range<usize>>) {
        self.0.push(Part {
            table,
            path: path.to_vec(),
            at: span.map_or(0, |span| span.start),
        });
    }

    fn tables(&mut self, root: &Table) {
        // A key pattern that a wider one covers is there to be more specific, which no case can show: `[match] keys` stays.
        for (table, keys) in [
            ("match", &["capture"][..]),
            ("record", &["unique_by", "require"][..]),
            ("addresses", &["forwarded"][..]),
        ] {
            for key in keys {
                self.key(table, root, key);
            }
        }
        for table in ["timestamp", "addresses"] {
            if let Some(item) = root.get(table) {
                self.add(table, &path(&[table]), item.span());
            }
        }
        for table in ["request", "url", "user_agent", "outcome"] {
            if let Some(items) = root.get(table).and_then(Item::as_table_like) {
                self.add(table, &path(&[table]), root.get(table).and_then(Item::span));
                self.entries(table, &path(&[table]), items);
            }
        }
        if let Some(Item::Table(timestamp)) = root.get("timestamp") {
            self.elements(
                "timestamp",
                &path(&["timestamp", "from"]),
                timestamp.get("from"),
            );
            self.elements(
                "timestamp",
                &path(&["timestamp", "formats"]),
                timestamp.get("formats"),
            );
        }
        for table in ["types", "fields", "constants", "lookup"] {
            if let Some(items) = root.get(table).and_then(Item::as_table_like) {
                self.entries(table, &path(&[table]), items);
            }
        }
        self.rules("when", root.get("when"));
        self.rules("exclude", root.get("exclude"));
    }

    /// One key of a table, and the elements of its list.
    fn key(&mut self, table: &'static str, root: &Table, key: &str) {
        let Some(items) = root.get(table).and_then(Item::as_table_like) else {
            return;
        };
        let Some((name, item)) = items.get_key_value(key) else {
            return;
        };
        let path = path(&[table, key]);
        // An empty list says nothing.
        if item.as_array().is_some_and(Array::is_empty) {
            return;
        }
        self.add(table, &path, name.span());
        self.elements(table, &path, Some(item));
    }

    /// Every line of a table, and the paths of lines that list several.
    fn entries(&mut self, table: &'static str, above: &[Step], items: &dyn TableLike) {
        for (key, item) in items.iter() {
            let path = below(above, Step::Key(key.to_owned()));
            let span = items.key(key).and_then(toml_edit::Key::span);
            self.add(table, &path, span);
            self.elements(table, &path, Some(item));
            for list in ["from", "all"] {
                let path = below(&path, Step::Key(list.to_owned()));
                let listed = item.as_table_like().and_then(|item| item.get(list));
                self.elements(table, &path, listed);
            }
        }
    }

    /// The elements of a list that has more than one.
    fn elements(&mut self, table: &'static str, above: &[Step], item: Option<&Item>) {
        let Some(list) = item.and_then(Item::as_array).filter(|list| list.len() > 1) else {
            return;
        };
        for (at, value) in list.iter().enumerate() {
            self.add(table, &below(above, Step::At(at)), value.span());
        }
    }

    /// `[[when]]` and `[[exclude]]`: the whole, each condition of several, each thing that is set.
    fn rules(&mut self, table: &'static str, item: Option<&Item>) {
        let Some(rules) = item.and_then(Item::as_array_of_tables) else {
            return;
        };
        for (at, rule) in rules.iter().enumerate() {
            let path = below(&path(&[table]), Step::At(at));
            self.add(table, &path, rule.span());
            for list in ["all", "any", "none", "in", "not_in", "when"] {
                let path = below(&path, Step::Key(list.to_owned()));
                self.elements(table, &path, rule.get(list));
            }
            for set in ["set", "otherwise", "append"] {
                let path = below(&path, Step::Key(set.to_owned()));
                if let Some(items) = rule.get(set).and_then(Item::as_table_like) {
                    self.entries(table, &path, items);
                }
            }
        }
    }
}

fn path(keys: &[&str]) -> Vec<Step> {
    keys.iter()
        .map(|key| Step::Key((*key).to_owned()))
        .collect()
}

fn below(above: &[Step], step: Step) -> Vec<Step> {
    let mut path = above.to_vec();
    path.push(step);
    path
}

fn name(path: &[Step]) -> String {
    let steps: Vec<String> = path
        .iter()
        .map(|step| match step {
            Step::Key(key) => format!("`{key}`"),
            Step::At(at) => format!("{}", at + 1),
        })
        .collect();
    steps.join(" ")
}

fn key(path: &[Step]) -> String {
    let mut keys = path.iter().filter_map(|step| match step {
        Step::Key(key) if !matches!(key.as_str(), "from" | "all") => Some(key.clone()),
        Step::Key(_) | Step::At(_) => None,
    });
    keys.next_back().unwrap_or_default()
}

/// Gives the text without what stands at a path.
fn without(text: &str, path: &[Step]) -> Result<String> {
    let mut document: DocumentMut = text.parse()?;
    let (last, above) = path.split_last().context("an empty path")?;
    let mut place = Place::Item(document.as_item_mut());
    for step in above {
        place = place.below(step)?;
    }
    place.remove(last)?;
    Ok(document.to_string())
}

/// Where a path leads: TOML has three kinds of places that hold others.
enum Place<'d> {
    Item(&'d mut Item),
    Table(&'d mut Table),
    Value(&'d mut Value),
}

impl<'d> Place<'d> {
    fn below(self, step: &Step) -> Result<Self> {
        let found = match (self, step) {
            (Self::Item(item), Step::Key(key)) => item.get_mut(key.as_str()).map(Place::Item),
            (Self::Item(Item::ArrayOfTables(tables)), Step::At(at)) => {
                tables.get_mut(*at).map(Place::Table)
            }
            (Self::Item(item), Step::At(at)) => item
                .as_array_mut()
                .and_then(|list| list.get_mut(*at))
                .map(Place::Value),
            (Self::Table(table), Step::Key(key)) => table.get_mut(key).map(Place::Item),
            (Self::Value(Value::InlineTable(table)), Step::Key(key)) => {
                table.get_mut(key).map(Place::Value)
            }
            _ => None,
        };
        found.with_context(|| format!("nothing at {}", name(std::slice::from_ref(step))))
    }

    fn remove(self, step: &Step) -> Result<()> {
        match (self, step) {
            (Self::Item(item), Step::Key(key)) => {
                let table = item.as_table_like_mut().context("no table")?;
                table.remove(key).context("no such key")?;
            }
            (Self::Item(Item::ArrayOfTables(tables)), Step::At(at)) => {
                tables.remove(*at);
            }
            (Self::Item(item), Step::At(at)) => {
                item.as_array_mut().context("no list")?.remove(*at);
            }
            (Self::Table(table), Step::Key(key)) => {
                table.remove(key).context("no such key")?;
            }
            (Self::Value(Value::InlineTable(table)), Step::Key(key)) => {
                table.remove(key).context("no such key")?;
            }
            (Self::Value(Value::Array(list)), Step::At(at)) => {
                list.remove(*at);
            }
            _ => bail!("nothing to leave out"),
        }
        Ok(())
    }
}
