//! Lines joined to records: by how the first of them begins, and never beyond the limit.

use crate::support::{Steps, check, multiline, render};

#[test]
fn a_record_reaches_to_the_next_first_line() {
    check(
        &multiline("^2026-"),
        b"2026-11-23 one\n2026-11-23 two\n\tat line 2\r\n\n  at line 4\n\n\n2026-11-23 three\nlast",
        &[
            "2026-11-23 one",
            r"2026-11-23 two\n\tat line 2\r\n\n  at line 4",
            r"2026-11-23 three\nlast",
        ],
    );
    check(
        &multiline("^# Time:"),
        b"\xEF\xBB\xBF# Time: 1\r\n# User: a\r\n# Time: 2\r\n",
        &[r"# Time: 1\r\n# User: a", "# Time: 2"],
    );
}

#[test]
fn what_stands_before_the_first_of_them_is_one_record() {
    check(
        &multiline("^2026-"),
        b"\n \n\tat the end of another file\n more\n2026-11-23 one\n",
        &[
            "-Blank",
            "-Blank",
            r"\tat the end of another file\n more",
            "2026-11-23 one",
        ],
    );
    check(&multiline("^2026-"), b"\n", &["-Blank"]);
    check(&multiline("^2026-"), b"", &[]);
}

#[test]
fn a_record_is_cut_before_the_line_that_would_outgrow_it() {
    let mut framing = multiline("^a");
    framing.max_record_bytes = 8;
    check(
        &framing,
        b"a 1\n 22\n 333\n4\na\n",
        &[r"a 1\n 22", r" 333\n4", "a"],
    );
    let long = [b"a\n".as_slice(), &[b'x'; 3000], b"\nb\na 2\n"].concat();
    for step in [1, 7, 100, 5000] {
        let steps = Steps {
            bytes: &long,
            steps: vec![step],
            error: None,
        };
        let frames = render(steps, &framing);
        assert_eq!(frames[0], "0 a", "{step}");
        assert!(frames[1].starts_with("2 !TooLong"), "{frames:?}");
        assert_eq!(frames[2..], ["3003 b", "3005 a 2"], "{step}");
    }
}

#[test]
fn the_record_that_a_read_error_tears_is_a_fault() {
    for bytes in ["a 1\na 2\n more\n", "a 1\na 2\n more\n ha"] {
        let steps = Steps {
            bytes: bytes.as_bytes(),
            steps: vec![3],
            error: Some("gone"),
        };
        let frames = render(steps, &multiline("^a"));
        assert_eq!(frames[0], "0 a 1");
        assert!(frames[1].starts_with("4 !Truncated"), "{frames:?}");
    }
}
