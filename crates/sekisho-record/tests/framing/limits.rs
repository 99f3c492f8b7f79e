//! Records over the limits cost themselves, in bounded memory.

use std::io::{self, Read};

use sekisho_record::{FaultReason, Format, Frame, Framing, RecordReader};
use sha2::{Digest, Sha256};

use crate::support::{check, delimited, framing, json};

const MIB: usize = 1024 * 1024;

/// What came out: offset, length, and of a fault its reason and digest.
type Seen = (u64, u64, Option<(FaultReason, [u8; 32])>);

fn frames(read: impl Read, framing: &Framing) -> Vec<Seen> {
    let mut reader = RecordReader::new(read, framing.clone());
    let mut seen = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        seen.push(match frame {
            Frame::Record(record) => (record.offset, record.bytes.len() as u64, None),
            Frame::Fault(fault) => {
                let over = fault.length > framing.max_record_bytes as u64;
                let whole = if over { 64 * 1024 } else { u64::MAX };
                assert_eq!(fault.bytes.len() as u64, fault.length.min(whole));
                (
                    fault.offset,
                    fault.length,
                    Some((fault.reason, fault.digest)),
                )
            }
            Frame::Skipped(_) => continue,
        });
    }
    seen
}

fn long_record(length: usize) -> Vec<u8> {
    let mut record = b"{\"a\":\"".to_vec();
    record.resize(length - 2, b'x');
    record.extend(b"\"}");
    record
}

#[test]
fn a_50_mb_record_costs_itself() {
    let long = long_record(50 * MIB);
    let json = json(&["Records"]);
    costs_itself(&long, &json, "{\"Records\":[{},", ",{}]}");
}

#[test]
fn an_over_long_record_costs_itself_in_every_format() {
    let long = long_record(MIB);
    for (mut framing, before, after) in [
        (json(&[]), "{}\n", "\n{}"),
        (json(&[]), "{}", "{}"),
        (json(&["Records"]), "{},", ",{}"),
        (framing(Format::Ndjson), "{}\n", "\n{}"),
        (framing(Format::Lines), "{}\n", "\n{}"),
        (delimited(&["version"]), "{}\n", "\n{}"),
    ] {
        framing.max_record_bytes = MIB / 2;
        costs_itself(&long, &framing, before, after);
    }
}

fn costs_itself(long: &[u8], framing: &Framing, before: &str, after: &str) {
    let limit = framing.max_record_bytes;
    let input = Read::chain(before.as_bytes(), long).chain(after.as_bytes());
    let seen = frames(input, framing);
    assert_eq!(seen.len(), 3, "{seen:?}");
    let digest = Sha256::digest(long).into();
    let fault = Some((FaultReason::TooLong { limit }, digest));
    assert_eq!(
        seen[1],
        (before.len() as u64, long.len() as u64, fault),
        "{framing:?}"
    );
}

#[test]
fn a_tail_without_a_boundary_is_unterminated() {
    let long = long_record(9 * MIB);
    let tail = &long[..long.len() - 2];
    let limit = 8 * MIB;
    for framing in [json(&[]), framing(Format::Lines)] {
        let seen = frames(tail, &framing);
        let digest = Sha256::digest(tail).into();
        let reason = FaultReason::Unterminated { limit };
        assert_eq!(seen, [(0, tail.len() as u64, Some((reason, digest)))]);
    }
}

#[test]
fn the_limit_itself_is_allowed() {
    let mut framing = json(&[]);
    framing.max_record_bytes = 20;
    let seen = frames(
        [long_record(20), long_record(21)].concat().as_slice(),
        &framing,
    );
    assert_eq!(seen[0], (0, 20, None));
    assert!(matches!(
        seen[1],
        (20, 21, Some((FaultReason::TooLong { limit: 20 }, _)))
    ));
}

#[test]
fn the_array_of_records_is_found_behind_megabytes_of_envelope() {
    let input = format!(
        "{{\"x\":\"{}\",\"Records\":[{{}},1]}}{{}}",
        "y".repeat(9 * MIB)
    );
    let seen = frames(input.as_bytes(), &json(&["Records"]));
    let lengths: Vec<u64> = seen.iter().map(|frame| frame.1).collect();
    assert_eq!(lengths, [2, 1, 2]);
    assert!(seen.iter().all(|frame| frame.2.is_none()));
}

#[test]
fn a_million_levels_cost_one_record() {
    let limit = 100;
    for brackets in [["[", "]"], ["{\"a\":", "}"]] {
        let deep = format!(
            "{}1{}",
            brackets[0].repeat(1_000_000),
            brackets[1].repeat(1_000_000)
        );
        let digest = Sha256::digest(&deep).into();
        let fault = (
            4,
            deep.len() as u64,
            Some((FaultReason::TooDeep { limit }, digest)),
        );
        for (framing, before, after) in [
            (framing(Format::Ndjson), "{}\n\n", "\n{}"),
            (json(&["R"]), "[{},", ",{}]"),
        ] {
            let input = format!("{before}{deep}{after}");
            let seen = frames(input.as_bytes(), &framing);
            assert!(seen.contains(&fault), "{before} {:?}", seen.len());
            let last = seen.last().unwrap();
            assert_eq!((last.1, &last.2), (2, &None));
        }
    }
}

#[test]
fn a_million_levels_that_nobody_closes_cost_one_record() {
    for bracket in ["[{\"a\":", "{\"a\":", "{\"a\":["] {
        let input = format!("{}\n{{\"ok\":1}}", bracket.repeat(1_000_000));
        let seen = frames(input.as_bytes(), &json(&["Records"]));
        assert_eq!(seen.len(), 2, "{bracket}");
        assert!(matches!(seen[0].2, Some((FaultReason::TooDeep { .. }, _))));
        assert_eq!(seen[1].1, 8);
    }
}

#[test]
fn the_depth_limit_itself_is_allowed() {
    let mut framing = json(&[]);
    framing.max_depth = 2;
    let input = br#"{"a":[1]} {"a":[[]]} {"a":["[[["]}"#;
    check(
        &framing,
        input,
        &[
            r#"{\"a\":[1]}"#,
            r#"!TooDeep {\"a\":[[]]}"#,
            r#"{\"a\":[\"[[[\"]}"#,
        ],
    );
    framing.format = Format::Ndjson;
    let input = b"{\"a\":[1]}\n{\"a\":[[]]}\n{\"a\":[\"[[[\"]}\n[][][]";
    check(
        &framing,
        input,
        &[
            r#"{\"a\":[1]}"#,
            r#"!TooDeep {\"a\":[[]]}"#,
            r#"{\"a\":[\"[[[\"]}"#,
            "[][][]",
        ],
    );
}

/// Gives one endless line and remembers nothing.
struct Endless {
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = usize::try_from(self.left).unwrap().min(into.len());
        into[..length].fill(b'x');
        self.left -= length as u64;
        Ok(length)
    }
}

#[test]
fn an_endless_line_runs_through_a_bounded_window() {
    let mut framing = framing(Format::Lines);
    framing.max_record_bytes = 1000;
    let left = 8 * MIB as u64;
    let seen = frames(Endless { left }, &framing);
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].1, left);
}
