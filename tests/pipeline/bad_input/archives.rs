//! Zip archives, and logs packed with what is not gzip: every entry is read, by itself, under its name.

use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::read::{CLOUDTRAIL, Read, UNCLAIMED, VPCFLOW, event, read, trail};

fn archive(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in entries {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn paths(read: &Read) -> Vec<&str> {
    let documents = read.records.iter().map(|record| &record.document);
    let paths = documents.filter_map(|document| document["log"]["file"]["path"].as_str());
    paths.collect()
}

fn at(key: &str, entry: &str) -> String {
    format!("s3://example-logs/{key}!/{entry}")
}

#[test]
fn every_entry_is_an_object_of_its_own() {
    let (one, two) = (trail(&[event(1, ""), event(2, "")]), trail(&[event(3, "")]));
    let read = read(CLOUDTRAIL, &archive(&[("a.json", &one), ("b.json", &two)]));
    assert_eq!(read.outcomes(), ["document"; 3]);
    let (a, b) = (at(CLOUDTRAIL, "a.json"), at(CLOUDTRAIL, "b.json"));
    assert_eq!(paths(&read), [&a, &a, &b]);
}

#[test]
fn an_entry_that_breaks_off_takes_no_neighbour_with_it() {
    let whole = trail(&[event(1, ""), event(2, "")]);
    let cut = &whole[..whole.len() - 30];
    let read = read(CLOUDTRAIL, &archive(&[("a", cut), ("b", &whole)]));
    assert_eq!(read.outcomes(), ["document", "raw", "document", "document"]);
    assert_eq!(read.cut, None);
}

#[test]
fn equal_lines_of_two_entries_are_two_documents() {
    let read = read(
        UNCLAIMED,
        &archive(&[("a.log", "same"), ("none.log", ""), ("b.log", "same\n")]),
    );
    assert_eq!(read.outcomes(), ["raw"; 2]);
    assert_ne!(read.records[0].id, read.records[1].id);
    assert_eq!(
        paths(&read),
        [at(UNCLAIMED, "a.log"), at(UNCLAIMED, "b.log")]
    );
}

#[test]
fn every_entry_has_its_own_header() {
    let one = "version srcaddr dstaddr start end action log-status\n2 192.0.2.1 192.0.2.2 1795423500 1795423560 ACCEPT OK\n";
    let two = "dstaddr srcaddr version start end action log-status\n192.0.2.2 192.0.2.1 2 1795423500 1795423560 REJECT OK\n";
    let read = read(VPCFLOW, &archive(&[("a", one), ("b", two)]));
    assert_eq!(read.outcomes(), ["document"; 2]);
    for record in &read.records {
        assert_eq!(record.document["source"]["ip"], "192.0.2.1");
    }
}

#[test]
fn zstd_bzip2_and_snappy_are_read_like_gzip() {
    let text = trail(&[event(1, ""), event(2, "")]);
    let zstd = zstd(text.as_bytes());
    let mut bzip2 = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
    bzip2.write_all(text.as_bytes()).unwrap();
    let mut snappy = snap::write::FrameEncoder::new(Vec::new());
    snappy.write_all(text.as_bytes()).unwrap();
    let plain = read(CLOUDTRAIL, text.as_bytes());
    for object in [zstd, bzip2.finish().unwrap(), snappy.into_inner().unwrap()] {
        let read = read(CLOUDTRAIL, &object);
        assert_eq!(read.records, plain.records);
    }
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![0; zstd_safe::compress_bound(bytes.len())];
    let length = zstd_safe::compress(packed.as_mut_slice(), bytes, 3).unwrap();
    packed.truncate(length);
    packed
}
