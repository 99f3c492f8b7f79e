//! [`Draft`]: the `parser.toml` that the guesses make.

mod tables;

use std::fmt::Write as _;

use sekisho_document::FieldType;

use crate::cases::Json;

use super::ecs::plain;
use super::fields::{Field, fields};
use super::shape::{Format, Shape};
use super::time::{TimeFormat, time_format};
use super::{Doubt, Names};
use tables::Tables;

/// Names under which logs know the time of a record, the best first.
const TIMES: [&str; 18] = [
    "timestamp",
    "atimestamp",
    "eventtime",
    "time",
    "datetime",
    "ts",
    "date",
    "occurredat",
    "createdat",
    "created",
    "starttime",
    "start",
    "eventdate",
    "logtime",
    "requesttime",
    "receivedat",
    "at",
    "t",
];
/// The `parser.toml` of a new parser, and what its `README.md` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    /// `parser.toml`
    pub(crate) toml: String,
    /// The ECS fields that it fills, with their sources.
    pub(crate) mapped: Vec<(String, String)>,
}

/// Makes a parser of what the records hold.
pub(crate) fn draft(names: &Names, shape: &Shape, doubts: &mut Vec<Doubt>) -> Draft {
    let all = fields(&shape.records);
    let (all, unusable): (Vec<_>, Vec<_>) = all.into_iter().partition(Field::has_path);
    for field in unusable {
        doubts.push(Doubt::new(
            format!(
                "`{}` stays in `{}.other`",
                field.keys.join("."),
                names.dataset
            ),
            "no path can name it",
        ));
    }
    let time = time_field(&all, doubts);
    let mut tables = Tables::default();
    if let Some((field, _)) = time {
        tables.mapped.insert(field.path());
    }
    tables.ecs(&all, doubts);
    if shape.format == Format::Lines {
        let text = "{ from = \"@record\", as = \"wildcard\" }".to_owned();
        tables
            .fields
            .insert(format!("{}.text", names.dataset), text);
    }
    tables.durations(&all, doubts);
    tables.outcome(&all, doubts);
    tables.categories(doubts);
    tables.types(&all, shape.format.is_text(), &names.dataset, doubts);
    tables.addresses_left(&all, doubts);
    let mut toml = head(names, &shape.format);
    if let Some(envelope) = shape.unwrap {
        write(&mut toml, format_args!("unwrap = [{}]", quote(envelope)));
    }
    let is_required = |field: &&Field| field.seen == shape.records.len() && !shape.format.is_text();
    if let Some((field, _)) = time.filter(|(field, _)| is_required(field)) {
        write(
            &mut toml,
            format_args!("require = [{}]", quote(&field.path())),
        );
    }
    if let Format::Text(step) = &shape.format {
        write(&mut toml, format_args!("\n[[tokens]]\n{step}"));
    }
    match shape.unwrap {
        // CloudWatch Logs wrote when it got each message.
        Some(_) if time.is_none() => write(
            &mut toml,
            format_args!(
                "\n[timestamp]\nfrom    = \"@envelope.timestamp\"\nformats = [\"epoch_ms\"]"
            ),
        ),
        _ => timestamp(&mut toml, time, &tables),
    }
    if time.is_none() && shape.unwrap.is_none() {
        doubts.push(Doubt::new(
            "the time: each object's own, since no field holds one",
            "add `[timestamp]` with `from` and `formats`",
        ));
    }
    tables.write(&mut toml);
    let peer = tables
        .addresses
        .iter()
        .map(|(key, path)| ((*key).to_owned(), path.clone()));
    let fields = tables
        .fields
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()));
    Draft {
        toml,
        mapped: peer.chain(fields).collect(),
    }
}

fn head(names: &Names, format: &Format) -> String {
    let Names {
        dataset, pattern, ..
    } = names;
    let mut toml = format!(
        "[source]\ndataset   = {}\ntitle     = {}\nreference = \"https://example.com/\" # the page that describes the format\nindex     = {}\n\n[match]\nkeys = [{}]\n\n[record]\n",
        quote(dataset),
        quote(&dataset.replace(['.', '_'], " ")),
        quote(&names.index()),
        quote(pattern),
    );
    match format {
        Format::Json(None) => write(&mut toml, format_args!("format = \"json\"")),
        Format::Json(Some(path)) => {
            write(
                &mut toml,
                format_args!("format  = \"json\"\nrecords = {}", quote(path)),
            );
        }
        Format::Ndjson => write(&mut toml, format_args!("format = \"ndjson\"")),
        Format::Lines | Format::Text(_) => write(&mut toml, format_args!("format = \"lines\"")),
        Format::Delimited { separator, columns } => {
            let columns: Vec<_> = columns.iter().map(|name| quote(name)).collect();
            let separator = quote(&separator.to_string());
            write(
                &mut toml,
                format_args!(
                    "format    = \"delimited\"\nseparator = {separator}\ncolumns   = [{}]",
                    columns.join(", ")
                ),
            );
        }
    }
    toml
}

/// Picks the field that says when: by its values, then by its name.
fn time_field<'f>(all: &'f [Field], doubts: &mut Vec<Doubt>) -> Option<(&'f Field, TimeFormat)> {
    let rank = |field: &Field| {
        let name = plain(field.name());
        let at = TIMES.iter().position(|known| *known == name);
        (at.unwrap_or(TIMES.len()), field.keys.len())
    };
    let mut found: Vec<_> = all
        .iter()
        .filter_map(|field| {
            let values: Vec<&str> = field.values.iter().map(String::as_str).collect();
            let format = time_format(&values)?;
            // Ten digits under any name may be an id.
            let by_name = rank(field).0 < TIMES.len() || format.name != "epoch";
            by_name.then_some((field, format))
        })
        .collect();
    found.sort_by_key(|(field, _)| (std::cmp::Reverse(field.seen), rank(field)));
    let most = found.first().map_or(0, |(field, _)| field.seen);
    found.retain(|(field, _)| field.seen * 2 > most);
    found.sort_by_key(|(field, _)| rank(field));
    let (field, format) = found.first().copied()?;
    let path = field.path();
    if found.len() > 1 {
        let others: Vec<_> = found
            .iter()
            .skip(1)
            .map(|(other, _)| format!("`{}`", other.path()))
            .collect();
        doubts.push(Doubt::new(
            format!("`@timestamp`: `{path}`"),
            format!("or {}", others.join(", ")),
        ));
    }
    if !format.has_zone {
        doubts.push(Doubt::new(
            format!("the zone of `{path}`: UTC"),
            "its times carry none; set `[timestamp] timezone`, like `Asia/Tokyo`",
        ));
    }
    if let Some(or) = format.or {
        doubts.push(Doubt::new(
            format!("the format of `{path}`: `{}`", format.name),
            format!("or `{or}`: no day in the sample tells"),
        ));
    }
    Some((field, format))
}

fn timestamp(toml: &mut String, time: Option<(&Field, TimeFormat)>, tables: &Tables) {
    let Some((field, format)) = time else {
        return;
    };
    let mut formats = vec![quote(format.name)];
    let has_dates = tables.types.values().any(|kind| *kind == FieldType::Date);
    if has_dates && format.name != "rfc3339" {
        formats.push(quote("rfc3339"));
    }
    let (from, formats) = (quote(&field.path()), formats.join(", "));
    write(
        toml,
        format_args!("\n[timestamp]\nfrom    = {from}\nformats = [{formats}]"),
    );
    if !format.has_zone {
        write(toml, format_args!("timezone = \"UTC\""));
    }
}

fn write(toml: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    writeln!(toml, "{line}").ok();
}

/// A JSON text is a TOML text too.
fn quote(text: &str) -> String {
    Json::Text(text.to_owned()).write()
}

#[cfg(test)]
mod tests;
