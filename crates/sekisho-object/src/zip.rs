//! [`Zip`]: the entries of a zip archive, one after the other, as they stand in the stream.
//!
//! The directory at the archive's end cannot be read before the entries, so the header before each entry decides (APPNOTE.TXT 6.3.10, 4.3.7).

use std::io::{self, Read};

use flate2::Crc;

use crate::codec::{Codec, Given};
use crate::error::DecodeFault;
use crate::input::Input;

const ENTRY: &[u8] = b"PK\x03\x04";
/// How what stands behind the last entry begins: the directory, its end, or a record about either.
const BEHIND: [&[u8]; 4] = [b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08"];
const DESCRIPTOR: &[u8] = b"PK\x07\x08";

/// Length of an entry's header without name and extra fields.
const HEADER_BYTES: usize = 30;
const ENCRYPTED: u16 = 1;
/// Checksum and sizes stand behind the data.
const DESCRIBED_BEHIND: u16 = 1 << 3;
/// Sizes that stand in the extra field of 64 bits.
const SIZE_IS_ELSEWHERE: u32 = u32::MAX;
const EXTRA_64: u16 = 1;

/// Unpacks the entries of an archive; directories are passed over.
pub(crate) struct Zip {
    max_entries: u64,
    n_entries: u64,
    state: State,
    name: Option<String>,
}

enum State {
    /// An entry's header comes next.
    Header,
    Data(Data),
    /// The entry was given; nothing is given until [`Zip::next_entry`].
    Over,
    /// No entry is left.
    End,
}

/// The data of an entry under way.
struct Data {
    codec: Codec,
    crc: Crc,
    /// The checksum of the header; none where it stands behind the data.
    expected: Option<u32>,
    has_long_sizes: bool,
}

/// What an entry's header says.
struct Header {
    flags: u16,
    method: u16,
    crc: u32,
    stored_bytes: u64,
    has_long_sizes: bool,
    name: String,
}

impl Zip {
    pub(crate) fn new(max_entries: u64) -> Self {
        Self {
            max_entries,
            n_entries: 0,
            state: State::Header,
            name: None,
        }
    }

    /// The name of the entry under way.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Goes on behind the entry that was given to its end; false where none follows.
    pub(crate) fn next_entry<R: Read>(&mut self, input: &mut Input<R>) -> io::Result<bool> {
        if let State::Over = self.state {
            self.state = State::Header;
            self.name = None;
            self.open(input)?;
        }
        Ok(!matches!(self.state, State::End))
    }

    /// Unpacks the entry under way into `to`, which is not empty.
    pub(crate) fn read<R: Read>(
        &mut self,
        input: &mut Input<R>,
        to: &mut [u8],
    ) -> io::Result<Given> {
        if let State::Header = self.state {
            self.open(input)?;
        }
        loop {
            let State::Data(data) = &mut self.state else {
                let (count, fault) = (0, None);
                return Ok(Given { count, fault });
            };
            let (mut given, ended) = data.codec.read(input, to)?;
            data.crc.update(to.get(..given.count).unwrap_or_default());
            if ended {
                let fault = data.end(input);
                given.fault = fault.or_else(|error| match DecodeFault::of(&error) {
                    Some(fault) => Ok(Some(*fault)),
                    None => Err(error),
                })?;
                self.state = State::Over;
            }
            if given.count > 0 || given.fault.is_some() {
                return Ok(given);
            }
        }
    }

    /// Reads headers up to the next entry that is no directory.
    fn open<R: Read>(&mut self, input: &mut Input<R>) -> io::Result<()> {
        loop {
            let bytes = input.at_least(ENTRY.len())?;
            if BEHIND.iter().any(|magic| bytes.starts_with(magic)) {
                self.state = State::End;
                return Ok(());
            }
            let header = Header::read(input)?;
            self.n_entries += 1;
            if self.n_entries > self.max_entries {
                let limit = self.max_entries;
                return Err(DecodeFault::TooManyEntries { limit }.into());
            }
            let data = header.data(input.consumed())?;
            let is_directory = header.name.ends_with('/') && header.stored_bytes == 0;
            match data {
                Some(data) => self.state = State::Data(data),
                // An empty entry has no data, and nothing behind it.
                None if is_directory => continue,
                None => self.state = State::Over,
            }
            self.name = Some(header.name);
            return Ok(());
        }
    }
}

impl Data {
    /// Checks the checksum at the end of the data.
    fn end<R: Read>(&self, input: &mut Input<R>) -> io::Result<Option<DecodeFault>> {
        let expected = match self.expected {
            Some(crc) => crc,
            None => self.descriptor(input)?,
        };
        Ok((self.crc.sum() != expected).then(|| DecodeFault::Corrupt {
            format: "zip",
            offset: input.consumed(),
        }))
    }

    /// Reads the checksum behind the data, and passes over the sizes there.
    fn descriptor<R: Read>(&self, input: &mut Input<R>) -> io::Result<u32> {
        if input.at_least(DESCRIPTOR.len())?.starts_with(DESCRIPTOR) {
            input.consume(DESCRIPTOR.len());
        }
        let length = match self.has_long_sizes {
            true => 20,
            false => 12,
        };
        let crc = u32_at(whole(input, length)?, 0);
        input.consume(length);
        Ok(crc)
    }
}

impl Header {
    fn read<R: Read>(input: &mut Input<R>) -> io::Result<Self> {
        let offset = input.consumed();
        let bytes = whole(input, HEADER_BYTES)?;
        if !bytes.starts_with(ENTRY) {
            let format = "zip";
            return Err(DecodeFault::TrailingGarbage { format, offset }.into());
        }
        let (flags, method, crc) = (u16_at(bytes, 6), u16_at(bytes, 8), u32_at(bytes, 14));
        let (stored, unpacked) = (u32_at(bytes, 18), u32_at(bytes, 22));
        let name_bytes = usize::from(u16_at(bytes, 26));
        let length = HEADER_BYTES + name_bytes + usize::from(u16_at(bytes, 28));
        let rest = whole(input, length)?.get(HEADER_BYTES..length);
        let (name, extra) = rest
            .and_then(|rest| rest.split_at_checked(name_bytes))
            .unwrap_or_default();
        let long = long_stored_bytes(extra, unpacked);
        let header = Self {
            flags,
            method,
            crc,
            stored_bytes: match long {
                Some(long) if stored == SIZE_IS_ELSEWHERE => long,
                _ => u64::from(stored),
            },
            has_long_sizes: long.is_some(),
            name: String::from_utf8_lossy(name).into_owned(),
        };
        input.consume(length);
        Ok(header)
    }

    /// Prepares to unpack the entry's data; nothing where it has none.
    fn data(&self, offset: u64) -> io::Result<Option<Data>> {
        let refused = |how| Err(DecodeFault::Entry { offset, how }.into());
        if self.flags & ENCRYPTED != 0 {
            return refused("encrypted");
        }
        let described_behind = self.flags & DESCRIBED_BEHIND != 0;
        let codec = match self.method {
            0 if described_behind && self.stored_bytes == 0 => {
                return refused("stored without its size");
            }
            0 if self.stored_bytes == 0 => return Ok(None),
            0 => Codec::Stored(self.stored_bytes),
            8 => Codec::deflate(),
            12 => Codec::bzip2(),
            93 => Codec::zstd()?,
            9 => return refused("packed with deflate64"),
            14 => return refused("packed with LZMA"),
            95 => return refused("packed with xz"),
            _ => return refused("packed with a method that is not read here"),
        };
        Ok(Some(Data {
            codec,
            crc: Crc::new(),
            expected: (!described_behind).then_some(self.crc),
            has_long_sizes: self.has_long_sizes,
        }))
    }
}

/// Gives at least so many bytes, or says that the archive ends inside them.
fn whole<R: Read>(input: &mut Input<R>, length: usize) -> io::Result<&[u8]> {
    let offset = input.consumed();
    let bytes = input.at_least(length)?;
    if bytes.len() < length {
        let format = "zip";
        let offset = offset + bytes.len() as u64;
        return Err(DecodeFault::Truncated { format, offset }.into());
    }
    Ok(bytes)
}

/// Finds the stored size in the extra field of 64 bits; the unpacked one stands before it where that is elsewhere too.
fn long_stored_bytes(mut extra: &[u8], unpacked: u32) -> Option<u64> {
    while let Some((head, rest)) = extra.split_at_checked(4) {
        let (id, length) = (u16_at(head, 0), usize::from(u16_at(head, 2)));
        let (field, next) = rest.split_at_checked(length)?;
        if id == EXTRA_64 {
            let at = if unpacked == SIZE_IS_ELSEWHERE { 8 } else { 0 };
            return Some(u64_at(field, at));
        }
        extra = next;
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

/// Gives the bytes at a place; zeros where they are missing.
fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let bytes = bytes.get(at..).and_then(|rest| rest.first_chunk());
    bytes.copied().unwrap_or([0; N])
}
