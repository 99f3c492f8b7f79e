//! Decompression from the outside: what is given before a fault, and which fault it is.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy does not see the helpers of these tests as tests"
)]

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::collection::vec;
use proptest::prelude::*;
use sekisho_object::{DecodeFault, ErrorClass, ObjectError, ObjectLimits, decompress};

const LIMITS: ObjectLimits = ObjectLimits {
    max_compressed_bytes: 1 << 30,
    max_decompressed_bytes: 1 << 40,
    max_ratio: 200,
    max_entries: 1_000,
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A member that stores its bytes as they are.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn garbage_at(offset: u64) -> DecodeFault {
    let format = "gzip";
    DecodeFault::TrailingGarbage { format, offset }
}

fn truncated_at(length: usize) -> DecodeFault {
    DecodeFault::Truncated {
        format: "gzip",
        offset: length as u64,
    }
}

/// Text that packs badly.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

/// Reads to the end or the fault.
fn read(read: impl Read, limits: &ObjectLimits) -> (Vec<u8>, Option<DecodeFault>) {
    let mut decoder = decompress(read, limits).unwrap();
    let mut bytes = Vec::new();
    let Err(error) = decoder.read_to_end(&mut bytes) else {
        return (bytes, None);
    };
    let fault = *DecodeFault::of(&error).unwrap();
    let again = decoder.read(&mut [0; 9]).unwrap_err();
    assert_eq!(DecodeFault::of(&again), Some(&fault), "a fault stays");
    (bytes, Some(fault))
}

#[track_caller]
fn check(object: &[u8], bytes: &[u8], fault: Option<DecodeFault>) {
    let (given, found) = read(object, &LIMITS);
    assert_eq!(found, fault);
    assert!(given == bytes, "{} of {} bytes", given.len(), bytes.len());
}

#[test]
fn plain_and_empty_objects_pass() {
    check(b"", b"", None);
    check(b"x", b"x", None);
    let text = noise(700_000);
    check(&text, &text, None);
}

#[test]
fn every_member_is_unpacked() {
    let (one, two) = (noise(300_000), b"two");
    check(&gzip(&one), &one, None);
    check(&gzip(b""), b"", None);
    let members = [gzip(b""), gzip(&one), gzip(b""), gzip(two), gzip(b"")];
    check(&members.concat(), &[one.as_slice(), two].concat(), None);
}

#[test]
fn zeros_behind_a_member_are_padding() {
    let padding = vec![0; 600_000];
    check(&[gzip(b"a"), padding.clone()].concat(), b"a", None);
    check(&[gzip(b"a"), padding, gzip(b"b")].concat(), b"ab", None);
}

#[test]
fn other_bytes_behind_a_member_are_garbage() {
    let member = gzip(b"a");
    let offset = member.len() as u64;
    for garbage in ["x", "\n", "\x1F\x08", "{\"a\":1}"] {
        let object = [&member, garbage.as_bytes()].concat();
        check(&object, b"a", Some(garbage_at(offset)));
    }
    let object = [&member, &b"\0\0x"[..]].concat();
    let fault = garbage_at(offset + 2);
    check(&object, b"a", Some(fault));
}

#[test]
fn a_member_cut_anywhere_is_truncated() {
    let (one, two) = (noise(60), noise(3000));
    let first = stored(&one);
    let object = [first.clone(), stored(&two)].concat();
    let whole = [one.clone(), two].concat();
    for cut in 0..object.len() {
        let (bytes, fault) = read(&object[..cut], &LIMITS);
        assert!(whole.starts_with(&bytes), "cut at {cut}");
        let expected = (cut > 0 && cut != first.len()).then_some(truncated_at(cut));
        assert_eq!(fault, expected, "cut at {cut}");
        // Two headers and trailers, and the header of a stored block: all else is data, and given.
        assert!(bytes.len() + 50 >= cut, "cut at {cut}: {}", bytes.len());
    }
}

#[test]
fn what_lies_before_corrupt_data_is_given() {
    let text: Vec<u8> = noise(500_000).iter().map(|byte| byte % 16 + b'a').collect();
    let mut object = gzip(&text);
    let middle = object.len() / 2;
    object.truncate(middle);
    object.extend(noise(100_000));
    let (bytes, fault) = read(object.as_slice(), &LIMITS);
    assert!(
        matches!(fault, Some(DecodeFault::Corrupt { .. })),
        "{fault:?}"
    );
    let same = text.iter().zip(&bytes).take_while(|(a, b)| a == b).count();
    assert!(same > 249_000, "{same}");
}

#[test]
fn a_wrong_checksum_comes_behind_the_bytes() {
    let mut object = gzip(b"text");
    let crc = object.len() - 8;
    object[crc] ^= 1;
    let (bytes, fault) = read(object.as_slice(), &LIMITS);
    assert_eq!(bytes, b"text");
    assert!(
        matches!(fault, Some(DecodeFault::Corrupt { .. })),
        "{fault:?}"
    );
}

#[test]
fn an_object_stops_at_its_caps() {
    let text = noise(1000);
    let packed = gzip(&text);
    let mut limits = LIMITS;
    for limit in [0, 1, 999, 1000, 1001] {
        let within = usize::try_from(limit).unwrap().min(1000);
        let fault = |setting| (limit < 1000).then_some(DecodeFault::TooLarge { limit, setting });
        limits = ObjectLimits {
            max_decompressed_bytes: limit,
            ..LIMITS
        };
        let expected = (text[..within].to_vec(), fault("max_decompressed_bytes"));
        assert!(read(text.as_slice(), &limits) == expected, "{limit}");
        assert!(read(packed.as_slice(), &limits) == expected, "{limit}");
        limits = ObjectLimits {
            max_compressed_bytes: limit,
            ..LIMITS
        };
        if limit >= 10 {
            let expected = (text[..within].to_vec(), fault("max_compressed_bytes"));
            assert!(read(text.as_slice(), &limits) == expected, "{limit}");
        }
    }
    limits.max_compressed_bytes = packed.len() as u64;
    assert_eq!(read(packed.as_slice(), &limits).1, None);
}

#[test]
fn a_bomb_stops_at_the_ratio_and_at_the_cap() {
    let member = gzip(&vec![b'a'; 1 << 20]);
    let bomb = member.repeat(80);
    let strict = ObjectLimits {
        max_ratio: 50,
        ..LIMITS
    };
    let (mut total, mut most) = (0_u64, [0; 4096]);
    let mut decoder = decompress(bomb.as_slice(), &strict).unwrap();
    let fault = loop {
        match decoder.read(&mut most) {
            Ok(0) => panic!("a bomb has no end"),
            Ok(count) => total += count as u64,
            Err(error) => break *DecodeFault::of(&error).unwrap(),
        }
    };
    assert_eq!(fault, DecodeFault::RatioTooHigh { limit: 50 });
    assert_eq!(total, (64 << 20) + 4096);
    let limits = ObjectLimits {
        max_decompressed_bytes: 1 << 20,
        ..LIMITS
    };
    let (bytes, fault) = read(bomb.as_slice(), &limits);
    assert_eq!(bytes.len(), 1 << 20);
    assert!(
        matches!(fault, Some(DecodeFault::TooLarge { .. })),
        "{fault:?}"
    );
}

#[test]
fn a_small_object_may_pack_well() {
    let text = vec![b'\n'; 5 << 20];
    check(&gzip(&text), &text, None);
}

#[test]
fn another_compression_is_named() {
    let error = decompress(&b"\xFD7zXZ\x00...."[..], &LIMITS).err().unwrap();
    assert!(matches!(
        error,
        ObjectError::Unsupported { compression: "xz" }
    ));
    assert_eq!(error.class(), ErrorClass::Corrupt);
    let text = error.to_string();
    assert!(text.starts_with("unsupported compression `xz`"), "{text}");
}

#[test]
fn an_error_of_the_reader_is_no_fault_of_the_object() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::UnexpectedEof, "reset"))
        }
    }
    let packed = gzip(&noise(1000));
    for object in [&packed[..500], b"some plain text"] {
        let mut decoder = decompress(object.chain(Broken), &LIMITS).unwrap();
        let mut bytes = Vec::new();
        let error = decoder.read_to_end(&mut bytes).unwrap_err();
        assert_eq!(error.to_string(), "reset");
        assert!(DecodeFault::of(&error).is_none());
        assert!(!bytes.is_empty());
    }
    let error = decompress(Broken, &LIMITS).err().unwrap();
    assert_eq!(error.class(), ErrorClass::Retry);
}

/// Gives the bytes in steps.
struct Steps<'a>(&'a [u8], std::iter::Cycle<std::vec::IntoIter<usize>>);

impl Read for Steps<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let step = self.1.next().unwrap_or(1).min(to.len());
        self.0.read(&mut to[..step])
    }
}

/// Reads in steps of `step`.
fn read_in_steps(object: &[u8], steps: Vec<usize>, step: usize) -> (Vec<u8>, bool) {
    let mut decoder = decompress(Steps(object, steps.into_iter().cycle()), &LIMITS).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; step]);
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return (bytes, true),
            Ok(count) => bytes.extend(&buffer[..count]),
            Err(error) => {
                assert!(DecodeFault::of(&error).is_some());
                return (bytes, false);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunking_gives_the_same_bytes(
        members in vec(vec(any::<u8>(), 0..300), 0..5),
        padding in 0..3_usize,
        tail in vec(any::<u8>(), 0..3),
        cut in 0..2000_usize,
        steps in vec(1..50_usize, 1..20),
        step in 1..100_usize,
    ) {
        let mut object: Vec<u8> = members.iter().flat_map(|member| gzip(member)).collect();
        object.extend(vec![0; padding]);
        object.extend(tail);
        object.truncate(cut);
        prop_assume!(decompress(object.as_slice(), &LIMITS).is_ok());
        let whole = read_in_steps(&object, vec![usize::MAX], 1 << 20);
        prop_assert_eq!(read_in_steps(&object, steps, step), whole);
    }
}
