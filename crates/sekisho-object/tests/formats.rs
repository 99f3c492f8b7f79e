//! Zstd, bzip2, framed snappy and zip from the outside: the same promises as gzip, whichever format an object has.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy does not see the helpers of these tests as tests"
)]

use std::io::{Cursor, Read, Write};

use proptest::collection::vec;
use proptest::prelude::*;
use sekisho_object::{Compression, DecodeFault, ObjectLimits, decompress};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const LIMITS: ObjectLimits = ObjectLimits {
    max_compressed_bytes: 1 << 30,
    max_decompressed_bytes: 1 << 40,
    max_ratio: 10_000,
    max_entries: 4,
};

/// A format whose members may follow each other, and how one is made.
struct Format {
    compression: Compression,
    name: &'static str,
    pack: fn(&[u8]) -> Vec<u8>,
}

const FORMATS: [Format; 3] = [
    Format {
        compression: Compression::Zstd,
        name: "zstd",
        pack: zstd,
    },
    Format {
        compression: Compression::Bzip2,
        name: "bzip2",
        pack: bzip2,
    },
    Format {
        compression: Compression::Snappy,
        name: "snappy",
        pack: snappy,
    },
];

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd_with(bytes, &[zstd_safe::CParameter::ChecksumFlag(true)])
}

fn zstd_with(bytes: &[u8], parameters: &[zstd_safe::CParameter]) -> Vec<u8> {
    let mut context = zstd_safe::CCtx::create();
    for parameter in parameters {
        context.set_parameter(*parameter).unwrap();
    }
    let mut packed = vec![0; zstd_safe::compress_bound(bytes.len())];
    let length = context.compress2(packed.as_mut_slice(), bytes).unwrap();
    packed.truncate(length);
    packed
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.into_inner().unwrap()
}

/// Lines of which no two are equal.
fn lines(count: usize) -> Vec<u8> {
    let line = |n: usize| format!("{n} {:016x}\n", n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    (0..count).map(line).collect::<String>().into_bytes()
}

/// An archive of these entries; `described_behind` writes it as one who cannot seek.
fn archive(
    entries: &[(&str, &[u8])],
    method: CompressionMethod,
    described_behind: bool,
) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    if described_behind {
        let mut writer = ZipWriter::new_stream(Vec::new());
        for (name, bytes) in entries {
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        return writer.finish().unwrap().into_inner();
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.add_directory("logs/", options).unwrap();
    for (name, bytes) in entries {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

type Entries = Vec<(Option<String>, Vec<u8>)>;

/// Reads every entry in steps; of what is no archive, the one there is.
fn read(object: &[u8], limits: &ObjectLimits, step: usize) -> (Entries, Option<DecodeFault>) {
    let mut decoder = decompress(object, limits).unwrap();
    let (mut entries, mut buffer) = (Vec::new(), vec![0; step]);
    loop {
        let mut bytes = Vec::new();
        let result = loop {
            match decoder.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(count) => bytes.extend(&buffer[..count]),
                Err(error) => break Err(error),
            }
        };
        entries.push((decoder.entry().map(str::to_owned), bytes));
        match result.and_then(|()| decoder.next_entry()) {
            Ok(true) => {}
            Ok(false) => return (entries, None),
            Err(error) => {
                let fault = *DecodeFault::of(&error).unwrap();
                let again = decoder.read(&mut buffer).unwrap_err();
                assert_eq!(DecodeFault::of(&again), Some(&fault), "a fault stays");
                return (entries, Some(fault));
            }
        }
    }
}

#[track_caller]
fn check(object: &[u8], bytes: &[u8]) {
    let (entries, fault) = read(object, &LIMITS, 1 << 16);
    assert_eq!(fault, None);
    assert!(
        entries.len() == 1 && entries[0].1 == bytes,
        "{}",
        entries[0].1.len()
    );
}

#[test]
fn every_member_is_unpacked() {
    for Format {
        pack, compression, ..
    } in FORMATS
    {
        let (one, two) = (lines(40_000), lines(3));
        let packed = pack(&one);
        assert_eq!(
            decompress(packed.as_slice(), &LIMITS)
                .unwrap()
                .compression(),
            compression
        );
        check(&packed, &one);
        check(
            &[pack(&two), pack(b""), packed].concat(),
            &[two, one].concat(),
        );
    }
}

#[test]
fn a_cut_object_gives_what_came_and_says_so() {
    for Format { pack, name, .. } in FORMATS {
        let text = lines(20_000);
        let packed = pack(&text);
        for cut in [12, packed.len() / 2, packed.len() - 1] {
            let (entries, fault) = read(&packed[..cut], &LIMITS, 1 << 16);
            assert!(text.starts_with(&entries[0].1), "{name} cut at {cut}");
            let is_named = matches!(fault, Some(DecodeFault::Truncated { format, offset }) if format == name && offset == cut as u64);
            assert!(is_named, "{name} cut at {cut}: {fault:?}");
        }
    }
}

#[test]
fn what_lies_before_corrupt_data_is_given() {
    for Format { pack, name, .. } in FORMATS {
        let text = lines(200_000);
        let mut packed = pack(&text);
        let middle = packed.len() / 2;
        packed[middle..middle + 64].fill(0xA5);
        let (entries, fault) = read(&packed, &LIMITS, 1 << 20);
        assert!(
            matches!(fault, Some(DecodeFault::Corrupt { format, .. }) if format == name),
            "{name}: {fault:?}"
        );
        let bytes = &entries[0].1;
        let same = text.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        assert!(same > text.len() / 3, "{name}: {same} of {}", text.len());
    }
}

#[test]
fn other_bytes_behind_a_member_are_a_fault() {
    for Format { pack, name, .. } in FORMATS {
        let object = [pack(b"a line\n"), b"no member".to_vec()].concat();
        let (entries, fault) = read(&object, &LIMITS, 100);
        assert_eq!(entries[0].1, b"a line\n", "{name}");
        assert!(fault.is_some(), "{name}");
    }
}

#[test]
fn a_frame_of_zstd_that_holds_no_data_is_passed_over() {
    let skipped = b"\x5A\x2A\x4D\x18\x03\0\0\0abc".to_vec();
    check(&[zstd(b"a"), skipped, zstd(b"b")].concat(), b"ab");
}

#[test]
fn a_window_that_takes_too_much_memory_is_refused() {
    let long = [
        zstd_safe::CParameter::WindowLog(25),
        zstd_safe::CParameter::ContentSizeFlag(false),
    ];
    let text = lines(3_000_000);
    let (entries, fault) = read(&zstd_with(&text, &long), &LIMITS, 1 << 16);
    assert!(entries[0].1.is_empty());
    assert!(
        matches!(fault, Some(DecodeFault::WindowTooLarge { .. })),
        "{fault:?}"
    );
}

#[test]
fn every_entry_of_an_archive_is_given_under_its_name() {
    let long = lines(50_000);
    let entries: [(&str, &[u8]); 3] = [
        ("a.log", &long),
        ("logs/empty.log", b""),
        ("logs/b.log", b"two\n"),
    ];
    let expected: Entries = entries
        .iter()
        .map(|(name, bytes)| (Some((*name).to_owned()), bytes.to_vec()))
        .collect();
    for (method, described_behind) in [
        (CompressionMethod::Deflated, false),
        (CompressionMethod::Deflated, true),
        (CompressionMethod::Stored, false),
    ] {
        let mut limits = LIMITS;
        let object = archive(&entries, method, described_behind);
        for step in [1, 1000, 1 << 20] {
            let (given, fault) = read(&object, &limits, step);
            assert_eq!(fault, None, "{method:?}");
            assert!(given == expected, "{method:?}");
        }
        limits.max_entries = 2;
        let (given, fault) = read(&object, &limits, 1000);
        assert_eq!(fault, Some(DecodeFault::TooManyEntries { limit: 2 }));
        assert!(expected.starts_with(&given));
    }
    check(&archive(&[], CompressionMethod::Deflated, true), b"");
}

#[test]
fn entries_before_a_fault_are_given() {
    let text = lines(2000);
    let entries: [(&str, &[u8]); 2] = [("a", &text), ("b", &text)];
    let object = archive(&entries, CompressionMethod::Stored, false);
    let at = object
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x03\x04")
        .unwrap();

    let (given, fault) = read(&object[..at + 100], &LIMITS, 1000);
    assert!(given[0].1 == text && given.len() == 2 && text.starts_with(&given[1].1));
    assert!(
        matches!(fault, Some(DecodeFault::Truncated { .. })),
        "{fault:?}"
    );

    let mut corrupt = object.clone();
    corrupt[at + 100] ^= 1;
    let (given, fault) = read(&corrupt, &LIMITS, 1000);
    assert_eq!(given[0].1, text);
    assert!(
        matches!(fault, Some(DecodeFault::Corrupt { format: "zip", .. })),
        "{fault:?}"
    );

    let mut encrypted = object.clone();
    encrypted[at + 6] |= 1;
    let (given, fault) = read(&encrypted, &LIMITS, 1000);
    assert_eq!(given[0].1, text);
    assert!(
        matches!(
            fault,
            Some(DecodeFault::Entry {
                how: "encrypted",
                ..
            })
        ),
        "{fault:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_damage_is_a_value_and_any_step_gives_the_same(
        which in 0..4_usize,
        n_lines in 0..300_usize,
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        keep in any::<prop::sample::Index>(),
        step in 1..5000_usize,
    ) {
        let text = lines(n_lines);
        let mut object = match FORMATS.get(which) {
            Some(format) => (format.pack)(&text),
            None => archive(&[("a", &text), ("b", &text)], CompressionMethod::Deflated, n_lines % 2 == 0),
        };
        // Nothing, in snappy, is no bytes at all.
        prop_assume!(!object.is_empty());
        for (at, byte) in damage {
            let at = at.index(object.len());
            object[at] = byte;
        }
        object.truncate(keep.index(object.len() + 1));
        prop_assume!(decompress(object.as_slice(), &LIMITS).is_ok());
        let whole = read(&object, &LIMITS, 1 << 20);
        prop_assert!(read(&object, &LIMITS, step) == whole);
    }
}
