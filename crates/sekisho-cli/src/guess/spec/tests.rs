//! What a sample becomes.

use sekisho_parser::{Catalog, ParserFiles, ParserSettings};

use super::super::{Sample, names, shape};
use super::*;

/// Drafts a parser and compiles it.
fn drafted(text: &str) -> (Draft, Vec<Doubt>) {
    let mut doubts = Vec::new();
    let shape = shape(&Sample::of(text), &mut doubts);
    let names = names(
        Some("acme.app"),
        Some("acme/app/2026/11/23/x.log"),
        "x.log",
        &mut doubts,
    );
    let draft = draft(&names, &shape, &mut doubts);
    let files = ParserFiles {
        folder: "acme/app".to_owned(),
        spec: draft.toml.clone(),
        ..ParserFiles::default()
    };
    let catalog = Catalog::from_files(vec![files], ParserSettings::default())
        .unwrap_or_else(|error| panic!("{error}\n{}", draft.toml));
    catalog
        .mappings()
        .unwrap_or_else(|error| panic!("{error}\n{}", draft.toml));
    (draft, doubts)
}

#[track_caller]
fn check(text: &str, lines: &[&str]) -> Vec<Doubt> {
    let (draft, doubts) = drafted(text);
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let toml: Vec<String> = draft.toml.lines().map(squeezed).collect();
    for line in lines {
        assert!(
            toml.iter().any(|have| have == line),
            "{line}\n{}",
            draft.toml
        );
    }
    doubts
}

#[test]
fn a_web_log_in_json() {
    let doubts = check(
        concat!(
            r#"{"ts":"2026-11-23T01:02:03Z","remote_addr":"198.51.100.7","method":"GET","path":"/a","status":200,"user":{"name":"erika"},"latency_ms":12.5,"tags":["a"],"ctx":{"x-request-id":"q"}}"#,
            "\n",
            r#"{"ts":"2026-11-23T01:02:04Z","remote_addr":"2001:db8::1","method":"POST","path":"/b","status":503,"user":null,"latency_ms":3}"#,
            "\n"
        ),
        &[
            "format = \"ndjson\"",
            "require = [\"ts\"]",
            "from = \"ts\"",
            "formats = [\"rfc3339\"]",
            "peer = \"remote_addr\"",
            "\"http.request.method\" = \"method\"",
            "status = \"status\"",
            "\"user.name\" = \"user.name\"",
            "\"event.duration\" = { from = \"latency_ms\", multiply = 1000000 }",
            "\"latency_ms\" = \"double\"",
            "\"http.request.id\" = \"ctx.x-request-id\"",
            "\"event.category\" = [\"web\"]",
        ],
    );
    assert!(
        doubts
            .iter()
            .any(|doubt| doubt.decided.starts_with("`event.category`"))
    );
}

#[test]
fn a_table_with_local_times() {
    let doubts = check(
        "Date;User Name;Door;Result;Address\n2026/11/23 01:02:03;erika;7;granted;192.0.2.1\n"
            .replace("User Name", "User")
            .as_str(),
        &[
            "separator = \";\"",
            "columns = [\"Date\", \"User\", \"Door\", \"Result\", \"Address\"]",
            "formats = [\"%Y/%m/%d %H:%M:%S%.f\"]",
            "timezone = \"UTC\"",
            "\"Door\" = \"long\"",
            "\"user.name\" = \"User\"",
            "\"event.outcome\" = { from = \"Result\", lower = true, map = { \"granted\" = \"success\" } }",
            "\"related.ip\" = { all = [\"Address\"] }",
        ],
    );
    assert!(
        doubts
            .iter()
            .any(|doubt| doubt.decided.starts_with("the zone of"))
    );
}

#[test]
fn whatever_the_sample_is_the_parser_compiles() {
    for text in [
        r#"{"a.b":1,"c":{"d e":2,"f[0]":3},"other":{"x":1},"@timestamp":"2026-11-23T00:00:00Z","":1}"#,
        r#"{"a":{"b":1}} {"a":"x"}"#,
        r#"{"source":{"ip":"192.0.2.1"},"destination":{"ip":"192.0.2.2"},"event":{"kind":"x","category":["web"]}}"#,
        r#"{"a\"b":1,"ts":1795395600}"#,
        r#"[{"time":1795395600.5,"ip":["192.0.2.1","192.0.2.2"],"list":[{"a":1}]}]"#,
        "plain text\nmore of it\n",
        "<14>Nov 23 01:02:03 host app: x\n",
    ] {
        drafted(text);
    }
}
