//! [`Shape`]: how a sample's bytes become records.

use std::collections::BTreeMap;

use crate::cases::Json;

use super::envelope::subscription;
use super::text::{Cut, cut};
use super::{Doubt, Sample};

/// How many records are looked at.
pub(super) const MAX_RECORDS: usize = 500;
/// How many records the case of a new parser holds.
const CASE_RECORDS: usize = 20;
/// Up to here a sample becomes the case as it is.
pub(super) const CASE_BYTES: usize = 32 << 10;
/// Fewer columns are prose.
const MIN_COLUMNS: usize = 3;

/// How a sample's bytes become records.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    /// The lines of `[record]`, and the tables behind it that name its columns.
    pub(crate) format: Format,
    /// The records that could be read, as objects.
    pub(crate) records: Vec<Json>,
    /// What the case holds.
    pub(crate) case: String,
    /// The envelope that the records travel in, as `[record] unwrap` names it.
    pub(crate) unwrap: Option<&'static str>,
}

/// The format of `[record]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON value or many; the path to the array of records.
    Json(Option<String>),
    /// One JSON value a line.
    Ndjson,
    /// Columns that a header line names.
    Delimited {
        /// What stands between them.
        separator: char,
        /// Their names.
        columns: Vec<String>,
    },
    /// One record a line, cut by a step of `[[tokens]]`.
    Text(String),
    /// One record a line, kept as a whole.
    Lines,
}

impl Format {
    /// Its name in `[record]`.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Json(_) => "json",
            Self::Ndjson => "ndjson",
            Self::Delimited { .. } => "delimited",
            Self::Text(_) | Self::Lines => "lines",
        }
    }

    /// Whether values are texts whatever they hold.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Delimited { .. } | Self::Text(_) | Self::Lines)
    }
}

/// Decides what the bytes are.
pub(crate) fn shape(sample: &Sample, doubts: &mut Vec<Doubt>) -> Shape {
    if sample.is_lossy {
        doubts.push(Doubt::new(
            "the text: UTF-8, with bytes in it that are none",
            "set `[record] encoding` if it is written in another one",
        ));
    }
    let text = sample.text.trim_start_matches('\u{feff}');
    if let Some(shape) = subscription(text, doubts) {
        return shape;
    }
    if text.trim_start().starts_with(['{', '['])
        && let Some(shape) = json(text, doubts)
    {
        return shape;
    }
    delimited(text, doubts).unwrap_or_else(|| lines(text, doubts))
}

/// Reads a line or text as JSON, where it is an object.
pub(super) fn object(text: &str) -> Option<Json> {
    Json::read(text)
        .ok()
        .filter(|value| matches!(value, Json::Object(_)))
}

fn json(text: &str, doubts: &mut Vec<Doubt>) -> Option<Shape> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let (mut broken, mut records) = (0_usize, Vec::new());
    for line in lines.take(MAX_RECORDS) {
        match object(line) {
            Some(record) => records.push(record),
            None => broken += 1,
        }
    }
    let wrapped = match records.as_slice() {
        [one] if broken == 0 => array_in(one).is_some(),
        _ => false,
    };
    if !wrapped && records.len() > broken {
        if broken > 0 {
            doubts.push(Doubt::new(
                format!("the format: `ndjson`, though {broken} lines are no JSON objects"),
                "look at those lines: they become raw documents",
            ));
        }
        return Some(Shape {
            unwrap: None,
            format: Format::Ndjson,
            records,
            case: first_lines(text),
        });
    }
    whole(text, doubts)
}

/// One value over all lines, or values that follow each other.
fn whole(text: &str, doubts: &mut Vec<Doubt>) -> Option<Shape> {
    let values = values(text);
    let (path, mut records) = match values.as_slice() {
        [Json::List(elements)] => (None, elements.clone()),
        [one] => match array_in(one) {
            Some((path, elements)) => (Some(path), elements.to_vec()),
            None => (None, values),
        },
        [] => return None,
        _ => (None, values),
    };
    records.retain(|record| matches!(record, Json::Object(_)));
    records.truncate(MAX_RECORDS);
    if records.is_empty() {
        return None;
    }
    if let Some(path) = &path {
        doubts.push(Doubt::new(
            format!("the records: the elements of `{path}`"),
            "remove `[record] records` if the object around them is the record",
        ));
    }
    let case = if text.len() <= CASE_BYTES {
        text.to_owned()
    } else {
        around(path.as_deref(), &records)
    };
    Some(Shape {
        unwrap: None,
        format: Format::Json(path),
        records,
        case,
    })
}

/// Cuts a text into the JSON values that follow each other in it, up to the first that is broken.
pub(super) fn values(text: &str) -> Vec<Json> {
    let mut values = Vec::new();
    let mut stream =
        serde_json::Deserializer::from_str(text).into_iter::<&serde_json::value::RawValue>();
    while let Some(Ok(value)) = stream.next() {
        match Json::read(value.get()) {
            Ok(value) => values.push(value),
            Err(_) => break,
        }
    }
    values
}

/// Finds the only array of objects near the top of an object, with its path.
fn array_in(value: &Json) -> Option<(String, &[Json])> {
    let Json::Object(members) = value else {
        return None;
    };
    let arrays = members.iter().filter_map(|(key, value)| match value {
        Json::List(list) if !list.is_empty() => list
            .iter()
            .all(|element| matches!(element, Json::Object(_)))
            .then_some((key, list)),
        _ => None,
    });
    let arrays: Vec<_> = arrays.collect();
    let known = |key: &str| {
        let names = [
            "records",
            "events",
            "items",
            "entries",
            "logs",
            "logevents",
            "value",
            "data",
            "results",
        ];
        names.contains(&key.to_lowercase().as_str())
    };
    // A record may hold an array too, so an unknown name counts only where little stands around it.
    let (key, list) = match arrays.as_slice() {
        [(key, list)] if known(key) || (members.len() <= 3 && list.len() > 1) => (key, list),
        _ => arrays
            .iter()
            .find(|(key, _)| known(key))
            .map(|(key, list)| (key, list))?,
    };
    Some(((*key).clone(), list))
}

fn around(path: Option<&str>, records: &[Json]) -> String {
    let records = records.iter().take(CASE_RECORDS).map(Json::write);
    let list = format!("[{}]", records.collect::<Vec<_>>().join(","));
    match path {
        Some(path) => {
            let key = Json::Text(path.to_owned()).write();
            format!("{{{key}:{list}}}\n")
        }
        None => format!("{list}\n"),
    }
}

/// A header line and rows of as many columns.
fn delimited(text: &str, doubts: &mut Vec<Doubt>) -> Option<Shape> {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let header = lines.next()?;
    let rows: Vec<&str> = lines.take(MAX_RECORDS).collect();
    if rows.is_empty() {
        return None;
    }
    let separators = ['\t', ',', ';', '|', ' '];
    let separator = separators.into_iter().find(|separator| {
        let columns = header.split(*separator).count();
        let fits = |row: &&&str| row.split(*separator).count() == columns;
        columns >= MIN_COLUMNS
            && rows.iter().filter(fits).count() * 10 >= rows.len() * 9
            && is_header(header, *separator)
    })?;
    let columns: Vec<String> = header.split(separator).map(str::to_owned).collect();
    if rows.iter().any(|row| row.contains('"')) {
        doubts.push(Doubt::new(
            format!("the format: `delimited` by `{}`", separator.escape_default()),
            "some lines hold `\"`: use a format that knows quotes if a quoted column can hold the separator",
        ));
    }
    let record = |row: &&str| {
        let cells = columns.iter().zip(row.split(separator));
        let present = cells.filter(|(_, cell)| !matches!(*cell, "" | "-"));
        let members = present.map(|(name, cell)| (name.clone(), Json::Text(cell.to_owned())));
        Json::Object(members.collect())
    };
    Some(Shape {
        unwrap: None,
        records: rows.iter().map(record).collect(),
        case: first_lines(text),
        format: Format::Delimited { separator, columns },
    })
}

/// Names are words, each another one, and at least one of them has no digit.
fn is_header(line: &str, separator: char) -> bool {
    let names: Vec<&str> = line.split(separator).collect();
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
            && name.parse::<std::net::IpAddr>().is_err()
    };
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    names.iter().all(is_name) && distinct.len() == names.len()
}

pub(super) fn lines(text: &str, doubts: &mut Vec<Doubt>) -> Shape {
    let all = text.lines().filter(|line| !line.trim().is_empty());
    let all: Vec<&str> = all.take(MAX_RECORDS).collect();
    if let Some(Cut { step, records }) = cut(&all, doubts) {
        return Shape {
            unwrap: None,
            format: Format::Text(step),
            records,
            case: first_lines(text),
        };
    }
    doubts.push(Doubt::new(
        "the format: `lines`, each kept as a whole",
        "name its parts: see `[[tokens]]` and `extract` in parsers/README.md",
    ));
    let records = text.lines().filter(|line| !line.trim().is_empty());
    let record = |line: &str| {
        let message = ("@record".to_owned(), Json::Text(line.to_owned()));
        Json::Object(BTreeMap::from([message]))
    };
    Shape {
        unwrap: None,
        format: Format::Lines,
        records: records.take(MAX_RECORDS).map(record).collect(),
        case: first_lines(text),
    }
}

/// The lines of a case: all of a small sample, else the first, and with them a header.
fn first_lines(text: &str) -> String {
    if text.len() <= CASE_BYTES && text.lines().count() <= 2 * CASE_RECORDS {
        return text.to_owned();
    }
    text.split_inclusive('\n').take(CASE_RECORDS + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, format: &Format, records: usize) {
        let found = shape(&Sample::of(text), &mut Vec::new());
        assert_eq!((&found.format, found.records.len()), (format, records));
    }

    #[test]
    fn tells_formats() {
        check("{\"a\":1}\n{\"a\":2}\n", &Format::Ndjson, 2);
        check("{\"a\":1,\"events\":\"x\"}\n", &Format::Ndjson, 1);
        check("\u{feff}{\"a\":1}\n", &Format::Ndjson, 1);
        check("{\"a\":1}\nbroken\n{\"a\":2}\n", &Format::Ndjson, 2);
        check(
            "{\"Records\":[{\"a\":1},{\"a\":2}]}",
            &Format::Json(Some("Records".to_owned())),
            2,
        );
        check("{\n \"a\": 1\n}\n{\n \"a\": 2\n}", &Format::Json(None), 2);
        check("[{\"a\":1},\n{\"a\":2}]", &Format::Json(None), 2);
        check("one two\nthree\n", &Format::Lines, 2);
        check("{broken\n", &Format::Lines, 1);
        let delimited = |separator, columns: &[&str]| Format::Delimited {
            separator,
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        };
        check("a,b,c\n1,2,3\n4,5,\n", &delimited(',', &["a", "b", "c"]), 2);
        check(
            "a\tb\tc\n1 x\t2\t3\n",
            &delimited('\t', &["a", "b", "c"]),
            1,
        );
        check("1,2,3\n4,5,6\n", &Format::Lines, 2);
    }

    #[test]
    fn a_record_with_an_array_is_no_envelope() {
        let text = r#"{"id":1,"user":"x","action":"y","tags":[{"k":1}]}"#;
        check(text, &Format::Ndjson, 1);
    }
}
