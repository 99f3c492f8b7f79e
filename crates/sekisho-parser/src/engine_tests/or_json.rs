//! `[record] or_json`: JSON in the place of lines.

use super::*;

const LINES: &str = "[record]\nformat = \"lines\"\nor_json = true\nunwrap = [\"cloudwatch_logs\"]\n[[tokens]]\ndelimited = [\"host\", \"cookie\", \"status\"]\n[types]\n\"status\" = \"long\"\n[fields]\n\"url.domain\" = \"host\"\n";

fn made(spec: &str, text: &str) -> Vec<Made> {
    let catalog = catalog(spec, None, None, ParserSettings::default()).unwrap();
    records(&catalog, KEY, text.as_bytes())
}

#[track_caller]
fn check(made: &Made) {
    assert!(
        matches!(made.outcome, Outcome::Document(_)),
        "{:?}",
        made.outcome
    );
    assert_eq!(made.document["url"]["domain"], "www.example.com");
    assert_eq!(made.document["aws"]["test"]["status"], 200);
    let text = made.document.to_string();
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[test]
fn a_line_and_an_object_give_the_same_fields() {
    let text = "www.example.com session=s3cr3t 200\n{\"host\":\"www.example.com\",\"cookie\":\"session=s3cr3t\",\"status\":200}\n";
    let made = made(LINES, text);
    assert_eq!(made.len(), 2);
    made.iter().for_each(check);
}

#[test]
fn also_inside_an_envelope() {
    let message = r#"{\"host\":\"www.example.com\",\"cookie\":\"session=s3cr3t\",\"status\":200}"#;
    let text = format!(
        r#"{{"messageType":"DATA_MESSAGE","logGroup":"g","logStream":"s","logEvents":[{{"id":"1","timestamp":1795428000000,"message":"{message}"}},{{"id":"2","timestamp":1795428000000,"message":"www.example.com session=s3cr3t 200"}}]}}"#
    );
    let made = made(LINES, &text);
    assert_eq!(made.len(), 2);
    made.iter().for_each(check);
}

#[test]
fn under_columns_too() {
    let spec = LINES
        .replace(
            "\"lines\"",
            "\"delimited\"\nfields_line = \"#Fields:\"\ncomment = \"#\"",
        )
        .replace(
            "[[tokens]]\ndelimited = [\"host\", \"cookie\", \"status\"]\n",
            "",
        );
    let text = "#Version: 1.0\n#Fields: status host cookie\n200 www.example.com session=s3cr3t\n{\"host\":\"www.example.com\",\"cookie\":\"session=s3cr3t\",\"status\":\"200\"}\n";
    let made = made(&spec, text);
    assert_eq!(made.len(), 2);
    made.iter().for_each(check);
}

#[test]
fn broken_json_is_raw_alone() {
    let text = "{\"host\":\nwww.example.com session=s3cr3t 200\n";
    let made = made(LINES, text);
    assert!(matches!(made[0].outcome, Outcome::Raw { .. }));
    check(&made[1]);
}

#[test]
fn refused_where_records_are_json_anyway() {
    let refused = refused("or_json = true\n");
    assert!(
        refused.ends_with("`or_json` is for `lines`, `multiline` and `delimited`"),
        "{refused}"
    );
}
