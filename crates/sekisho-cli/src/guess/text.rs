//! Lines of text: which way of `[[tokens]]` cuts them, tried with the engine itself.

use std::collections::BTreeMap;

use chrono::DateTime;
use sekisho_parser::{Catalog, ObjectContext, ParserFiles, ParserSettings};
use sekisho_record::Record;

use crate::cases::Json;

use super::Doubt;
use super::time::time_format;

/// Fewer columns or pairs are prose.
const MIN_COLUMNS: usize = 3;
/// How many values of a column name it.
const NAMING_VALUES: usize = 50;

/// `Nov 23 01:02:03 host program[12]: text`, RFC 3164.
const SYSLOG: &str = r"^(?:<\d{1,3}>)?(?<timestamp>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?<hostname>\S+) (?<program>[^\s:\[]+)(?:\[(?<pid>\d+)\])?: (?<message>.*)$";

/// A step of `[[tokens]]`, and what it makes of the lines.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cut {
    pub(super) step: String,
    pub(super) records: Vec<Json>,
}

/// Finds a way that cuts at least nine of ten lines.
pub(super) fn cut(lines: &[&str], doubts: &mut Vec<Doubt>) -> Option<Cut> {
    let syslog = format!("regex = '{SYSLOG}'");
    let pairs = format!("kv = {{}}\nrequire = {MIN_COLUMNS}");
    let begins_with_pair = |line: &&&str| {
        line.split(' ')
            .next()
            .is_some_and(|word| word.contains('='))
    };
    let has_pairs = most(lines.iter().filter(begins_with_pair).count(), lines.len());
    let ways = [
        (true, "cef = true".to_owned()),
        (true, syslog),
        (has_pairs, pairs),
    ];
    let known = ways
        .into_iter()
        .filter(|(is_tried, _)| *is_tried)
        .find_map(|(_, step)| run(lines, step));
    known.or_else(|| columns(lines, doubts))
}

fn most(count: usize, all: usize) -> bool {
    all > 0 && count * 10 >= all * 9
}

/// Cuts the lines by a step; nothing where it fits too few of them.
fn run(lines: &[&str], step: String) -> Option<Cut> {
    let files = ParserFiles {
        folder: "guess/text".to_owned(),
        spec: format!(
            "[source]\ndataset = \"guess.text\"\ntitle = \"-\"\nreference = \"https://example.com/\"\nindex = \"log-guess\"\n[match]\nkeys = [\"**\"]\n[record]\nformat = \"lines\"\n[[tokens]]\n{step}\n"
        ),
        ..ParserFiles::default()
    };
    let catalog = Catalog::from_files(vec![files], ParserSettings::default()).ok()?;
    let object = ObjectContext {
        bucket: "sample".to_owned(),
        key: "sample.log".to_owned(),
        entry: None,
        etag: None,
        last_modified: DateTime::UNIX_EPOCH,
    };
    let mut plan = catalog.plan(object, &[]).ok()?;
    let cut = lines.iter().filter_map(|line| {
        let record = Record {
            offset: 0,
            bytes: line.as_bytes(),
            columns: None,
            envelope: None,
        };
        let mut sources = Json::read(&plan.sources(&record)?.to_string()).ok()?;
        if let Json::Object(members) = &mut sources {
            // A name with a dot is listed as a path too, which is what a parser writes.
            members.retain(|name, _| !name.contains('.'));
        }
        Some(sources)
    });
    let records: Vec<Json> = cut.collect();
    most(records.len(), lines.len()).then_some(Cut { step, records })
}

/// Columns between blanks, quotes or brackets, as many in each line; their values name them.
fn columns(lines: &[&str], doubts: &mut Vec<Doubt>) -> Option<Cut> {
    let loose = run(lines, "quoted = [\"column_1\"]".to_owned())?;
    let count = |record: &Json| match record {
        // Absent columns are not listed, so the last one tells how many there are.
        Json::Object(members) => members
            .keys()
            .filter_map(|name| name.strip_prefix("column_")?.parse().ok())
            .max()
            .unwrap_or(0),
        _ => 0,
    };
    let mut counts = BTreeMap::new();
    for record in &loose.records {
        *counts.entry(count(record)).or_insert(0_usize) += 1;
    }
    let (&n_columns, &n_lines) = counts.iter().max_by_key(|(_, n_lines)| **n_lines)?;
    if n_columns < MIN_COLUMNS || !most(n_lines, lines.len()) {
        return None;
    }
    let mut taken = Vec::new();
    for n in 1..=n_columns {
        let values: Vec<&str> = loose
            .records
            .iter()
            .filter_map(|record| match record.get(&format!("column_{n}"))? {
                Json::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .take(NAMING_VALUES)
            .collect();
        let name = name_of(&values).filter(|name| !taken.iter().any(|other| other == name));
        taken.push(name.map_or_else(|| format!("field_{n}"), str::to_owned));
    }
    // Words of prose are columns too, but none of them is anything in particular.
    if taken
        .iter()
        .filter(|name| !name.starts_with("field_"))
        .count()
        < 2
    {
        return None;
    }
    doubts.push(Doubt::new(
        format!("the names of the {n_columns} columns: by their values"),
        "call them in `[[tokens]]` as the vendor does, before anything refers to them",
    ));
    let names: Vec<String> = taken.iter().map(|name| format!("\"{name}\"")).collect();
    run(lines, format!("quoted = [{}]", names.join(", ")))
}

/// Names a column by what its values look like.
fn name_of(values: &[&str]) -> Option<&'static str> {
    let all =
        |is: &dyn Fn(&str) -> bool| !values.is_empty() && values.iter().all(|value| is(value));
    let some = |is: &dyn Fn(&str) -> bool| values.iter().any(|value| is(value));
    let is_status = |value: &str| {
        value.len() == 3
            && value
                .parse::<u16>()
                .is_ok_and(|code| (100..600).contains(&code))
    };
    if all(&|value| value.parse::<std::net::IpAddr>().is_ok()) {
        return Some("remote_addr");
    }
    if time_format(values).is_some_and(|format| format.name != "epoch") {
        return Some("time");
    }
    if all(&is_status) {
        return Some("status");
    }
    if some(&is_request) {
        return Some("request");
    }
    if some(&|value| value.contains("Mozilla/") || value.starts_with("curl/")) {
        return Some("user_agent");
    }
    if some(&|value| value.starts_with("http://") || value.starts_with("https://")) {
        return Some("referer");
    }
    None
}

/// Tells whether a text is `GET /path HTTP/1.1`.
pub(super) fn is_request(text: &str) -> bool {
    let mut parts = text.split(' ');
    let method = parts.next().unwrap_or_default();
    let is_method = method.len() >= 3 && method.chars().all(|c| c.is_ascii_uppercase());
    is_method
        && text
            .rsplit(' ')
            .next()
            .is_some_and(|version| version.starts_with("HTTP/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the step that a sample gets, and the names in its first record.
    #[track_caller]
    fn check(lines: &[&str], step: &str, names: &[&str]) {
        let cut = cut(lines, &mut Vec::new()).unwrap();
        assert_eq!(cut.step.lines().next(), Some(step));
        let Some(Json::Object(members)) = cut.records.first() else {
            panic!("no record");
        };
        let found: Vec<&str> = members.keys().map(String::as_str).collect();
        assert_eq!(found, names);
    }

    #[test]
    fn tells_how_lines_are_cut() {
        check(
            &[
                "t=2026-11-23T01:02:03Z user=erika msg=\"a b\"",
                "t=2026-11-23T01:02:04Z user=max msg=c",
            ],
            "kv = {}",
            &["msg", "t", "user"],
        );
        check(
            &["Nov 23 01:02:03 host CEF:0|Acme|Door|1.0|100|Door opened|3|src=192.0.2.1"],
            "cef = true",
            &["cef", "src", "syslog"],
        );
        check(
            &["Nov  3 01:02:03 gate doord[12]: opened"],
            &format!("regex = '{SYSLOG}'"),
            &["hostname", "message", "pid", "program", "timestamp"],
        );
        check(
            &[
                "192.0.2.1 x [23/Nov/2026:01:02:03 +0000] \"GET / HTTP/1.1\" 200",
                "192.0.2.2 y [23/Nov/2026:01:02:04 +0000] \"\\x16\\x03\" 400",
            ],
            "quoted = [\"remote_addr\", \"field_2\", \"time\", \"request\", \"status\"]",
            &["field_2", "remote_addr", "request", "status", "time"],
        );
    }

    #[test]
    fn leaves_prose_alone() {
        for lines in [
            ["the door was opened", "and somebody closed it"],
            ["a=b is no pair here", "nor here"],
        ] {
            assert_eq!(cut(&lines, &mut Vec::new()), None);
        }
    }
}
