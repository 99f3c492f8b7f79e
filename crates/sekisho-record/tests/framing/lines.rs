//! Lines, NDJSON and delimited text.

use sekisho_record::Format;

use crate::support::{Steps, check, delimited, framing, render, w3c};

#[test]
fn each_line_is_a_record() {
    let lines = framing(Format::Lines);
    check(&lines, b"", &[]);
    check(&lines, b"a", &["a"]);
    check(&lines, b"a\r\nb\n c \nd", &["a", "b", " c ", "d"]);
    check(
        &lines,
        b"\n\r\n  \t\na\n\n",
        &["-Blank", "-Blank", "-Blank", "a", "-Blank"],
    );
    check(
        &lines,
        b"\xEF\xBB\xBFa\nb\xE9\xFF\n\x00\n\xEF\xBB\xBFc",
        &["a", r"b\xe9\xff", r"\x00", "c"],
    );
}

#[test]
fn a_broken_line_of_ndjson_costs_itself() {
    let ndjson = framing(Format::Ndjson);
    let input = b"{\"a\":\"x}\n{\"b\":1}\r\n[[{\"c\":\"[[[\"}]]\n{";
    check(
        &ndjson,
        input,
        &[
            r#"{\"a\":\"x}"#,
            r#"{\"b\":1}"#,
            r#"[[{\"c\":\"[[[\"}]]"#,
            "{",
        ],
    );
}

#[test]
fn a_header_names_the_columns_until_the_next_one() {
    let known = "[version|account-id|action]";
    check(
        &delimited(&[]),
        b"version account-id action\r\n5 1 OK\n5 2 OK",
        &[
            "-Header".to_owned(),
            format!("{known} 5 1 OK"),
            format!("{known} 5 2 OK"),
        ]
        .each_ref()
        .map(String::as_str),
    );
    check(
        &delimited(&[]),
        b"version account-id action\n5 1 OK\naction version\nOK 5\n",
        &[
            "-Header",
            "[version|account-id|action] 5 1 OK",
            "-Header",
            "[action|version] OK 5",
        ],
    );
    check(
        &delimited(&[]),
        b"version brand-new action\n5 1 OK\n5\n",
        &[
            "-Header",
            "[version|brand-new|action] 5 1 OK",
            "[version|brand-new|action] 5",
        ],
    );
    check(
        &delimited(&[]),
        b"version account-id action\n",
        &["-Header"],
    );
}

#[test]
fn without_a_header_the_default_columns_hold_or_the_line_is_a_fault() {
    check(
        &delimited(&["version", "action"]),
        b"5 OK\n",
        &["[version|action] 5 OK"],
    );
    check(
        &delimited(&[]),
        b"5 OK\n5 NO",
        &["!NoHeader 5 OK", "!NoHeader 5 NO"],
    );
}

#[test]
fn no_data_line_is_lost_under_a_header() {
    for count in [1, 2, 1000] {
        for last_newline in ["", "\n"] {
            let data: Vec<String> = (0..count).map(|n| format!("5 {n} OK")).collect();
            let input = format!(
                "version account-id action\n{}{last_newline}",
                data.join("\n")
            );
            let frames = data
                .iter()
                .map(|line| format!("[version|account-id|action] {line}"));
            let expected: Vec<String> = ["-Header".to_owned()].into_iter().chain(frames).collect();
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            check(&delimited(&[]), input.as_bytes(), &expected);
        }
    }
}

#[test]
fn the_line_that_a_read_error_tears_is_a_fault() {
    let steps = Steps {
        bytes: b"a\nb\nc",
        steps: vec![1],
        error: Some("gone"),
    };
    let frames = render(steps, &framing(Format::Lines));
    assert_eq!(frames[..2], ["0 a", "2 b"]);
    assert!(frames[2].starts_with("4 !Truncated 1 "), "{frames:?}");
    assert_eq!(frames[3..], ["5 read error: gone"]);
}

#[test]
fn a_fields_line_names_the_columns_wherever_it_stands() {
    check(
        &w3c(&[]),
        b"#Version: 1.0\n#Fields: date cs(Host)\n2026-11-23\ta b\n#Remark: x\n#Fields:\tversion  action\n5\tOK\n",
        &[
            "-Comment",
            "-Header",
            r"[date|cs(Host)] 2026-11-23\ta b",
            "-Comment",
            "-Header",
            r"[version|action] 5\tOK",
        ],
    );
}

#[test]
fn where_a_fields_line_is_expected_no_other_line_is_a_header() {
    let names = b"version\taction\n5\tOK\n";
    check(
        &w3c(&["version", "action"]),
        names,
        &[
            r"[version|action] version\taction",
            r"[version|action] 5\tOK",
        ],
    );
    check(
        &w3c(&[]),
        names,
        &[r"!NoHeader version\taction", r"!NoHeader 5\tOK"],
    );
}

#[test]
fn json_in_the_place_of_columns_has_none() {
    check(
        &w3c(&["version"]),
        b"{\"a\":1}\n {\"a\":2}\n5\n",
        &[r#"{\"a\":1}"#, r#" {\"a\":2}"#, "[version] 5"],
    );
}
