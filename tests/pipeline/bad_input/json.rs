//! Records that are broken or extreme JSON, between good ones.

use crate::read::{CLOUDTRAIL, Read, WAF, event, read, trail};

/// Reads a record between two good ones, which must survive.
fn between(bad: &str) -> Read {
    let read = read(
        CLOUDTRAIL,
        trail(&[event(1, ""), bad.to_owned(), event(2, "")]).as_bytes(),
    );
    let good: Vec<_> = read
        .records
        .iter()
        .filter(|record| record.document["event"]["id"].as_str().is_some())
        .map(|record| record.document["event"]["id"].to_string())
        .collect();
    for n in ["000000000001", "000000000002"] {
        assert!(
            good.iter().any(|id| id.contains(n)),
            "record {n} is lost beside {}",
            bad.get(..80).unwrap_or(bad)
        );
    }
    read
}

#[test]
fn nesting_costs_only_its_own_record() {
    for depth in [200, 1_000_000] {
        let deep = format!(
            ",\"requestParameters\":{{\"a\":{}1{}}}",
            "[".repeat(depth),
            "]".repeat(depth)
        );
        let read = between(&event(3, &deep));
        assert_eq!(
            read.outcomes(),
            ["document", "quarantined", "document"],
            "{depth}"
        );
        assert!(
            read.records[1].reason.contains("nests deeper"),
            "{}",
            read.records[1].reason
        );
    }
}

#[test]
fn a_record_of_50_mb_costs_only_itself() {
    let long = format!(
        ",\"requestParameters\":{{\"a\":\"{}\"}}",
        "x".repeat(50 << 20)
    );
    let read = between(&event(3, &long));
    assert_eq!(read.outcomes(), ["document", "quarantined", "document"]);
    assert!(read.records[1].reason.contains("limits.max_record_bytes"));
}

#[test]
fn an_unclosed_quote_costs_only_its_own_line() {
    let line = |n: u32| {
        format!(
            r#"{{"timestamp":1795428900000,"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-1:111122223333:regional/webacl/a/1","action":"ALLOW","httpRequest":{{"clientIp":"192.0.2.{n}","uri":"/","httpMethod":"GET"}}}}"#
        )
    };
    let text = format!(
        "{}\n{{\"timestamp\":1,\"action\":\"BLO\n{}\n",
        line(1),
        line(2)
    );
    let read = read(WAF, text.as_bytes());
    assert_eq!(read.outcomes(), ["document", "raw", "document"]);
    assert!(
        read.records[1].reason.starts_with("not JSON"),
        "{}",
        read.records[1].reason
    );
    assert_eq!(read.records[2].document["source"]["ip"], "192.0.2.2");
}

#[test]
fn a_truncated_object_ends_in_a_raw_record() {
    let text = trail(&[event(1, ""), event(2, "")]);
    let read = read(CLOUDTRAIL, &text.as_bytes()[..text.len() - 30]);
    assert_eq!(read.outcomes(), ["document", "raw"]);
    assert!(
        read.records[1]
            .reason
            .contains("the object ends inside this record")
    );
    assert!(
        read.records[1].document["event"]["original"]
            .as_str()
            .is_some_and(|original| original.contains("GetObject"))
    );
}

#[test]
fn duplicate_keys_keep_both_values() {
    let read = between(&event(
        3,
        r#","requestParameters":{"a":"first","a":"second"},"requestID":"x","requestID":"y""#,
    ));
    assert_eq!(read.outcomes(), ["document"; 3]);
    let text = read.records[1].document.to_string();
    for value in ["first", "second", "\"x\"", "\"y\""] {
        assert!(text.contains(value), "{value} is lost");
    }
}

#[test]
fn odd_characters_stay_a_document() {
    for odd in [
        r#","userAgent":"\ud800 lone""#,
        r#","userAgent":"nul \u0000""#,
        ",\"userAgent\":\"raw \u{0}nul\"",
        ",\"userAgent\":\"日本語\"",
    ] {
        assert_eq!(between(&event(3, odd)).outcomes(), ["document"; 3], "{odd}");
    }
    let lone = between(&event(3, r#","userAgent":"\ud800 lone""#));
    assert_eq!(
        lone.records[1].document["user_agent"]["original"],
        "\u{fffd} lone"
    );
}

#[test]
fn a_bom_and_latin_1_stay_documents() {
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend(
        trail(&[event(1, ",\"userAgent\":\"caf\u{1}\"")])
            .replace('\u{1}', "E")
            .into_bytes(),
    );
    assert_eq!(read(CLOUDTRAIL, &bytes).outcomes(), ["document"]);
    let latin: Vec<u8> = trail(&[event(1, ",\"userAgent\":\"caf#\"")])
        .bytes()
        .map(|byte| if byte == b'#' { 0xe9 } else { byte })
        .collect();
    let read = read(CLOUDTRAIL, &latin);
    assert_eq!(read.outcomes(), ["document"]);
    assert_eq!(
        read.records[0].document["user_agent"]["original"],
        "caf\u{fffd}"
    );
}

#[test]
fn numbers_beyond_i64_and_f64_keep_their_digits() {
    let read = between(&event(
        3,
        r#","requestParameters":{"big":123456789012345678901234567890,"huge":1e400}"#,
    ));
    assert_eq!(read.outcomes(), ["document"; 3]);
    let parameters = &read.records[1].document["aws"]["cloudtrail"]["requestParameters"];
    assert_eq!(
        (parameters["big"].as_str(), parameters["huge"].as_str()),
        (Some("123456789012345678901234567890"), Some("1e400"))
    );
}

#[test]
fn what_is_no_object_is_raw() {
    let read = between("42");
    assert_eq!(read.outcomes(), ["document", "raw", "document"]);
}
