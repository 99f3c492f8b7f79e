//! Tells the compression of an object by its first bytes.

/// How an object is packed.
///
/// A further compression becomes a variant here, a codec or a stage of `decode`, and loses its line in the table below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// Gzip, with any number of members.
    Gzip,
    /// Zstandard, with any number of frames.
    Zstd,
    /// Bzip2, with any number of streams.
    Bzip2,
    /// Snappy in its framing format.
    Snappy,
    /// A zip archive, with any number of entries.
    Zip,
    /// Something known by name that is not read here.
    Unsupported(&'static str),
}

/// How many first bytes [`sniff`] looks at.
pub(crate) const SNIFF_BYTES: usize = 10;

const KNOWN: &[(&[u8], Compression)] = &[
    (b"PK\x03\x04", Compression::Zip),
    (b"PK\x05\x06", Compression::Zip),
    (b"\x28\xB5\x2F\xFD", Compression::Zstd),
    (b"\xFF\x06\x00\x00sNaPpY", Compression::Snappy),
];

const UNSUPPORTED: &[(&[u8], &str)] = &[
    (b"\xFD7zXZ\x00", "xz"),
    (b"\x04\x22\x4D\x18", "lz4"),
    (b"PAR1", "parquet"),
];

/// What stands behind `BZh` and a digit: the digits of pi before a block, of its root before the end.
const BZIP2_BLOCKS: [&[u8]; 2] = [b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90"];

/// Tells the compression by the first bytes, of which it needs ten, or all if there are fewer.
pub fn sniff(head: &[u8]) -> Compression {
    // One or two bytes of a gzip header are a truncated gzip object, no text.
    if head.starts_with(b"\x1F\x8B\x08") || matches!(head, b"\x1F" | b"\x1F\x8B") {
        return Compression::Gzip;
    }
    if is_bzip2(head) {
        return Compression::Bzip2;
    }
    let known = KNOWN.iter().find(|(magic, _)| head.starts_with(magic));
    if let Some((_, compression)) = known {
        return *compression;
    }
    let named = UNSUPPORTED
        .iter()
        .find(|(magic, _)| head.starts_with(magic));
    named.map_or(Compression::None, |(_, name)| {
        Compression::Unsupported(name)
    })
}

/// `BZh9` alone could begin a line of text.
fn is_bzip2(head: &[u8]) -> bool {
    let block = head
        .strip_prefix(b"BZh")
        .and_then(|rest| rest.split_first());
    block.is_some_and(|(level, block)| {
        level.is_ascii_digit() && BZIP2_BLOCKS.iter().any(|magic| block.starts_with(magic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &[u8], expected: Compression) {
        assert_eq!(sniff(head), expected);
    }

    #[test]
    fn magic_bytes_name_the_compression() {
        check(b"", Compression::None);
        check(b"{\"Records\":", Compression::None);
        check(b"BZh9 is no magic", Compression::None);
        check(b"\x1F\x8B\x08\x00", Compression::Gzip);
        check(b"\x1F", Compression::Gzip);
        check(b"\x1F\x8B\x07\x00", Compression::None);
        check(b"BZh91AY&SY..", Compression::Bzip2);
        check(b"BZh9\x17\x72\x45\x38\x50\x90", Compression::Bzip2);
        check(b"\x28\xB5\x2F\xFD\x24", Compression::Zstd);
        check(b"\xFD7zXZ\x00\x00", Compression::Unsupported("xz"));
        check(b"\xFF\x06\x00\x00sNaPpY", Compression::Snappy);
        check(b"PK\x03\x04\x14", Compression::Zip);
        check(b"PAR1\x15", Compression::Unsupported("parquet"));
    }
}
