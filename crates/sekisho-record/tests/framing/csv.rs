//! RFC 4180: line feeds in quotes are text, and an unclosed quote costs only its own line.

use sekisho_record::Format;

use crate::support::{Steps, check, csv, framing, render};

fn plain() -> sekisho_record::Framing {
    framing(Format::Csv { separator: b',' })
}

#[test]
fn a_line_feed_in_quotes_is_text() {
    check(
        &plain(),
        b"1,\"select\n  1\r\n\",x\r\n2,\"a\"\"b\n\"\"\",\"c\nd\"\n\xEF\xBB\xBF\"3\n\"\n4,a\"b\n\"5\n\"",
        &[
            r#"1,\"select\n  1\r\n\",x"#,
            r#"2,\"a\"\"b\n\"\"\",\"c\nd\""#,
            r#"\"3\n\""#,
            r#"4,a\"b"#,
            r#"\"5\n\""#,
        ],
    );
}

#[test]
fn an_unclosed_quote_takes_no_neighbour_with_it() {
    check(
        &plain(),
        b"1,\"open\n2,\"b\",x\n3,\"c\n4,d\n5,e",
        &[r#"1,\"open"#, r#"2,\"b\",x"#, r#"3,\"c"#, "4,d", "5,e"],
    );
    check(&plain(), b"1,\"a\"x,b\n2,\"", &[r#"1,\"a\"x,b"#, r#"2,\""#]);
}

#[test]
fn nothing_closes_a_quote_beyond_the_limit() {
    let mut framing = plain();
    framing.max_record_bytes = 20;
    let text = [
        b"1,\"\n".as_slice(),
        b"2,x\n".repeat(8).as_slice(),
        b"3,\",\n",
    ]
    .concat();
    for step in [1, 5, 1000] {
        let steps = Steps {
            bytes: &text,
            steps: vec![step],
            error: None,
        };
        let frames = render(steps, &framing);
        assert_eq!(frames.len(), 10, "{frames:?}");
        assert_eq!(frames[0], r#"0 1,\""#);
        assert_eq!(frames[9], r#"36 3,\","#);
    }
}

#[test]
fn what_a_read_error_tears_is_one_fault() {
    let steps = Steps {
        bytes: b"1,a\n2,\"b\nc",
        steps: vec![3],
        error: Some("gone"),
    };
    let frames = render(steps, &plain());
    assert_eq!(frames[0], "0 1,a");
    assert!(frames[1].starts_with("4 !Truncated 6 "), "{frames:?}");
}

#[test]
fn a_header_names_the_columns_also_in_quotes() {
    check(
        &csv(&[]),
        b"\"version\", action,extra\n5,\"O\nK\",\n\"action\",version\nOK,5\n",
        &[
            "-Header",
            r#"[version|action|extra] 5,\"O\nK\","#,
            "-Header",
            "[action|version] OK,5",
        ],
    );
    check(
        &csv(&["version", "action"]),
        b"5,\"O\nK\"\n",
        &[r#"[version|action] 5,\"O\nK\""#],
    );
}
