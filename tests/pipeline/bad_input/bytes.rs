//! Objects whose bytes are wrong as a whole: empty, cut, with garbage, too large, or no text.

use sekisho_event::ObjectRef;
use sekisho_parser::{Catalog, ObjectContext, ParserSettings};
use sekisho_pipeline::ObjectReader;

use crate::read::{CLOUDTRAIL, UNCLAIMED, VPCFLOW, event, gzip, limits, read, trail};

#[test]
fn an_empty_object_has_no_records() {
    for key in [CLOUDTRAIL, VPCFLOW, UNCLAIMED] {
        for bytes in [Vec::new(), gzip(b"")] {
            let read = read(key, &bytes);
            assert_eq!((read.outcomes(), read.cut), (vec![], None), "{key}");
        }
    }
}

#[test]
fn zero_records_and_a_header_alone_are_no_records() {
    assert_eq!(read(CLOUDTRAIL, br#"{"Records":[]}"#).outcomes(), [""; 0]);
    let header = read(
        VPCFLOW,
        b"version account-id interface-id srcaddr dstaddr\n",
    );
    assert_eq!((header.outcomes(), header.skipped), (vec![], 1));
}

#[test]
fn a_truncated_gzip_keeps_every_record_before_the_cut() {
    let records: Vec<_> = (0..200).map(|n| event(n, "")).collect();
    let whole = gzip(trail(&records).as_bytes());
    let cut = read(CLOUDTRAIL, &whole[..whole.len() - 40]);
    assert!(
        cut.cut
            .as_deref()
            .is_some_and(|reason| reason.contains("truncated")),
        "{:?}",
        cut.cut
    );
    let n_documents = cut
        .outcomes()
        .iter()
        .filter(|outcome| **outcome == "document")
        .count();
    assert!(
        n_documents > 0 && n_documents >= cut.records.len() - 1,
        "{n_documents}"
    );
    let rest = cut.records.last().unwrap();
    assert!(
        rest.outcome == "document" || rest.reason.contains("ends inside this record"),
        "{rest:?}"
    );
}

#[test]
fn garbage_behind_a_gzip_costs_no_record() {
    let mut bytes = gzip(trail(&[event(1, ""), event(2, "")]).as_bytes());
    bytes.extend_from_slice(b"garbage that is no gzip member");
    let read = read(CLOUDTRAIL, &bytes);
    assert_eq!(read.outcomes(), ["document"; 2]);
    assert!(
        read.cut
            .as_deref()
            .is_some_and(|reason| reason.contains("garbage") || reason.contains("gzip")),
        "{:?}",
        read.cut
    );
}

#[test]
fn every_gzip_member_is_read() {
    let mut bytes = gzip(trail(&[event(1, "")]).as_bytes());
    bytes.extend(gzip(b""));
    bytes.extend(gzip(trail(&[event(2, ""), event(3, "")]).as_bytes()));
    assert_eq!(read(CLOUDTRAIL, &bytes).outcomes(), ["document"; 3]);
}

#[test]
fn a_zip_bomb_stops_at_the_cap_with_a_reason() {
    let bomb = gzip(&vec![b'a'; 300 << 20]);
    let read = read(UNCLAIMED, &bomb);
    assert!(
        read.cut
            .as_deref()
            .is_some_and(|reason| reason.contains("limits.")),
        "{:?}",
        read.cut
    );
    assert_eq!(read.outcomes(), ["quarantined"]);
}

#[test]
fn binary_that_nobody_claims_is_refused_once() {
    let catalog = Catalog::builtin(ParserSettings::default()).unwrap();
    let object = ObjectRef::new("example-logs", UNCLAIMED);
    let context = ObjectContext {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        entry: None,
        etag: None,
        last_modified: "2026-11-23T10:20:00Z".parse().unwrap(),
    };
    let refused = match ObjectReader::open(
        &catalog,
        &object,
        context,
        &limits(),
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".as_slice(),
    ) {
        Err(error) => format!(
            "{error}: {}",
            std::error::Error::source(&error)
                .map(ToString::to_string)
                .unwrap_or_default()
        ),
        Ok(reader) => reader
            .cut()
            .map(|cut| cut.reason.clone())
            .unwrap_or_default(),
    };
    assert!(refused.contains("unknown_binary"), "{refused}");
}

#[test]
fn unclaimed_text_and_json_are_searchable_raw() {
    let read = read(
        UNCLAIMED,
        "login from 192.0.2.44 failed\n日本語の行\n".as_bytes(),
    );
    assert_eq!(read.outcomes(), ["raw"; 2]);
    let first = &read.records[0];
    assert_eq!(first.document["related"]["ip"][0], "192.0.2.44");
    assert_eq!(first.document["message"], "login from 192.0.2.44 failed");
    assert_eq!(first.index, "log-unknown-2026.11.23");
    assert!(first.reason.contains("no parser claims key"));
}
