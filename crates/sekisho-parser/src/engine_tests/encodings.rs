//! `[record] encoding`: text that is no UTF-8.

use super::*;

const LINES: &str = "[record]\nformat = \"lines\"\nencoding = \"shift_jis\"\n[[tokens]]\ndelimited = [\"host\", \"cookie\", \"status\"]\n[types]\n\"status\" = \"keyword\"\n[fields]\n\"url.domain\" = \"host\"\n";

fn made(spec: &str, text: &[u8]) -> Vec<Made> {
    let catalog = catalog(spec, None, None, ParserSettings::default()).unwrap();
    records(&catalog, KEY, text)
}

#[track_caller]
fn check(made: &Made) {
    assert!(
        matches!(made.outcome, Outcome::Document(_)),
        "{:?}",
        made.outcome
    );
    assert_eq!(made.document["url"]["domain"], "www.example.com");
    assert_eq!(made.document["aws"]["test"]["status"], "表示");
    assert!(!made.document.to_string().contains("s3cr3t"));
}

#[test]
fn what_is_declared_is_read() {
    let made = made(
        LINES,
        b"www.example.com s3cr3tvalue \x95\\\x8E\xA6\r\nwww.example.com s3cr3tvalue \x95\\\x8E\xA6\n",
    );
    made.iter().for_each(check);
    assert_eq!(made[1].document["sekisho"]["offset"], 34);
}

#[test]
fn a_byte_order_mark_is_believed_more() {
    let text = "\u{feff}www.example.com s3cr3tvalue 表示\n";
    check(&made(LINES, text.as_bytes())[0]);
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let made = made(&LINES.replace("encoding = \"shift_jis\"\n", ""), &wide);
    assert_eq!(made.len(), 1);
    check(&made[0]);
    assert_eq!(made[0].document["sekisho"]["offset"], 2);
}

#[test]
fn what_cannot_be_read_so_is_refused() {
    let message = refused("encoding = \"euc-jp\"\n");
    assert!(message.contains("JSON is UTF-8"), "{message}");
    let csv = LINES
        .replace("shift_jis", "utf-16le")
        .replace("\"lines\"", "\"csv\"");
    let Err(message) = catalog(&csv, None, None, ParserSettings::default()) else {
        panic!("UTF-16 in CSV is not framed");
    };
    assert!(
        message.contains("is for `lines` and `delimited`"),
        "{message}"
    );
}
