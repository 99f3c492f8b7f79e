//! Lines under a header: how many, which columns, and the last one, which the Python loader loses.

use crate::read::{VPCFLOW, read, read_range};

const HEADER: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

fn line(n: usize) -> String {
    format!(
        "2 111122223333 eni-0123456789abcdef0 192.0.2.1 198.51.100.1 {} 443 6 10 840 1795428000 1795428060 ACCEPT OK",
        1024 + n
    )
}

#[test]
fn every_line_under_a_header_is_a_document() {
    for n in [1, 2, 1000] {
        for last in ["", "\n", "\r\n"] {
            let lines: Vec<_> = (0..n).map(line).collect();
            let text = format!("{HEADER}\n{}{last}", lines.join("\n"));
            let read = read(VPCFLOW, text.as_bytes());
            assert_eq!(read.outcomes(), vec!["document"; n], "{n} {last:?}");
            assert_eq!(read.skipped, 1);
            assert_eq!(read.records[n - 1].document["source"]["port"], 1023 + n);
        }
    }
}

#[test]
fn two_identical_lines_are_two_documents() {
    let read = read(
        VPCFLOW,
        format!("{HEADER}\n{}\n{}\n", line(0), line(0)).as_bytes(),
    );
    assert_eq!(read.outcomes(), ["document"; 2]);
    assert_ne!(read.records[0].id, read.records[1].id);
}

#[test]
fn unknown_columns_are_kept() {
    let text = format!("{HEADER} brand-new\n{} value\n", line(0));
    let read = read(VPCFLOW, text.as_bytes());
    assert_eq!(read.outcomes(), ["document"]);
    assert_eq!(
        read.records[0].document["aws"]["vpcflow"]["other"]["brand-new"],
        "value"
    );
}

#[test]
fn fewer_columns_than_the_header_are_raw_and_more_are_kept() {
    let text = format!(
        "{HEADER}\n2 111122223333 eni-0123456789abcdef0 192.0.2.1\n{} extra\n{}\n",
        line(0),
        line(1)
    );
    let read = read(VPCFLOW, text.as_bytes());
    assert_eq!(read.outcomes(), ["raw", "document", "document"]);
    assert!(
        read.records[0]
            .reason
            .contains("4 columns where the header names 14"),
        "{}",
        read.records[0].reason
    );
    assert_eq!(read.records[0].document["related"]["ip"][0], "192.0.2.1");
    assert!(
        read.records[1].document["aws"]["vpcflow"]["other"]
            .to_string()
            .contains("extra")
    );
}

#[test]
fn invalid_utf_8_in_a_line_is_kept() {
    let mut bytes = format!("{HEADER}\n{}\n", line(0)).into_bytes();
    let at = bytes.len() - 3;
    bytes[at] = 0xff;
    assert_eq!(read(VPCFLOW, &bytes).outcomes(), ["document"]);
}

/// The head that decides the plan, the window of the framer and the reads of the decoder end here.
const BOUNDARIES: [usize; 4] = [4 << 10, 64 << 10, 256 << 10, 512 << 10];

#[test]
fn the_last_line_is_there_wherever_a_boundary_falls() {
    let header = format!("{HEADER} pad\n");
    for boundary in BOUNDARIES {
        for size in boundary - 1..=boundary + 1 {
            for last in ["", "\n"] {
                let mut text = header.clone();
                let mut n = 0;
                // Each line fills up to 8 KiB; the last one ends where the object does.
                while text.len() < size {
                    let start = format!("{} ", line(n));
                    let left = size - text.len() - start.len();
                    let (pad, end) = match left {
                        ..=9_000 => (left - last.len(), last),
                        _ => (8 << 10, "\n"),
                    };
                    text += &format!("{start}{}{end}", "x".repeat(pad));
                    n += 1;
                }
                assert_eq!(text.len(), size);
                let read = read(VPCFLOW, text.as_bytes());
                assert_eq!(read.outcomes(), vec!["document"; n], "{size} {last:?}");
                assert_eq!(read.records[n - 1].document["source"]["port"], 1023 + n);
            }
        }
    }
}

#[test]
fn a_range_of_lines_is_framed_like_the_object_whatever_it_begins_with() {
    let key = "Route53Public/2026/11/23/queries.log";
    let first =
        "1.0 2026-11-23T10:00:00Z Z123412341234 example.com A NOERROR UDP FRA6 192.0.2.1 -\n";
    let hostile = "{\"messageType\":\"DATA_MESSAGE\",\"logGroup\":\"g\",\"logEvents\":[{\"id\":\"1\",\"message\":\"taken\"}]}\n";
    let text = format!("{first}{hostile}{first}");
    let whole = read(key, text.as_bytes());
    assert_eq!(whole.outcomes(), ["document", "raw", "document"]);
    let rest = read_range(key, first.len(), text.as_bytes());
    assert_eq!(rest.records, whole.records[1..]);
}
