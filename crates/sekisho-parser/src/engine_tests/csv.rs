//! `[record] format = "csv"`: columns whose quotes may hold line feeds.

use super::*;

const SPEC: &str = "[record]\nformat = \"csv\"\ncolumns = [\"host\", \"status\", \"query\"]\n[types]\n\"status\" = \"long\"\n\"query\" = \"wildcard\"\n[fields]\n\"url.domain\" = \"host\"\n";

fn made(spec: &str, text: &str) -> Vec<Made> {
    let catalog = catalog(spec, None, None, ParserSettings::default()).unwrap();
    records(&catalog, KEY, text.as_bytes())
}

#[track_caller]
fn check(made: &Made, query: &str) {
    assert!(
        matches!(made.outcome, Outcome::Document(_)),
        "{:?}",
        made.outcome
    );
    assert_eq!(made.document["url"]["domain"], "www.example.com");
    assert_eq!(made.document["aws"]["test"]["status"], 200);
    assert_eq!(made.document["aws"]["test"]["query"], query);
}

#[test]
fn a_header_names_columns_that_hold_line_feeds() {
    let text = "\"query\",host,status\r\n\"select \"\"a\"\",\n  1\",www.example.com,\"200\"\r\nx,www.example.com,200\r\n";
    let made = made(SPEC, text);
    assert_eq!(made.len(), 2);
    check(&made[0], "select \"a\",\n  1");
    check(&made[1], "x");
}

#[test]
fn tokens_cut_a_record_without_columns() {
    let spec = SPEC.replace(
        "columns = [\"host\", \"status\", \"query\"]\n",
        "[[tokens]]\ncsv = [\"host\", \"status\", \"query\"]\nrequire = 2\n",
    );
    let made = made(&spec, "www.example.com,200,\"a\nb\",more\n");
    assert_eq!(made.len(), 1);
    check(&made[0], "a\nb");
}

#[test]
fn an_unclosed_quote_is_raw_alone() {
    let text = "query,host,status\nx,\"www.example.com,200\ny,www.example.com,\"200\"\n";
    let made = made(SPEC, text);
    assert_eq!(made.len(), 2);
    let Outcome::Raw { reason, .. } = &made[0].outcome else {
        panic!("{:?}", made[0].outcome);
    };
    assert_eq!(reason, "nothing closes the quote of column 2");
    check(&made[1], "y");
}
