//! [`Members`]: unpacks every member of a gzip, zstd or bzip2 object.

use std::io::{self, Read};

use crate::codec::{Codec, Given};
use crate::error::DecodeFault;
use crate::input::Input;
use crate::sniff::Compression;

const GZIP: &[u8] = b"\x1F\x8B";
const ZSTD: &[u8] = b"\x28\xB5\x2F\xFD";
const BZIP2: &[u8] = b"BZh";

/// How frames begin that zstd passes over, behind a first byte from `0x50` to `0x5F`.
const ZSTD_SKIPPED: &[u8] = b"\x2A\x4D\x18";

/// Unpacks one member after the other.
pub(crate) struct Members {
    format: Format,
    /// The member under way.
    member: Option<Codec>,
    /// Zeros stand behind a member.
    padded: bool,
}

/// A format that has members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Zstd,
    Bzip2,
}

enum Next {
    Member,
    End,
    Fault(DecodeFault),
}

impl Members {
    pub(crate) fn new(format: Format) -> io::Result<Self> {
        Ok(Self {
            format,
            member: Some(format.codec()?),
            padded: false,
        })
    }

    pub(crate) fn compression(&self) -> Compression {
        match self.format {
            Format::Gzip => Compression::Gzip,
            Format::Zstd => Compression::Zstd,
            Format::Bzip2 => Compression::Bzip2,
        }
    }

    /// Unpacks into `to`, which is not empty.
    pub(crate) fn read<R: Read>(
        &mut self,
        input: &mut Input<R>,
        to: &mut [u8],
    ) -> io::Result<Given> {
        loop {
            if let Some(member) = &mut self.member {
                let (given, ended) = member.read(input, to)?;
                if ended {
                    self.member = None;
                }
                if given.count > 0 || given.fault.is_some() {
                    return Ok(given);
                }
                continue;
            }
            let (count, fault) = match self.next_member(input)? {
                Next::Member => {
                    self.member = Some(self.format.codec()?);
                    continue;
                }
                Next::End => (0, None),
                Next::Fault(fault) => (0, Some(fault)),
            };
            return Ok(Given { count, fault });
        }
    }

    /// Looks at what follows a member. Zeros are padding, as from tapes and block devices; gzip ignores them too.
    fn next_member<R: Read>(&mut self, input: &mut Input<R>) -> io::Result<Next> {
        let (format, magic) = (self.format.name(), self.format.magic());
        loop {
            let bytes = input.at_least(magic.len())?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            if zeros > 0 {
                self.padded = true;
                input.consume(zeros);
                continue;
            }
            if bytes.is_empty() {
                return Ok(Next::End);
            }
            if bytes.starts_with(magic) || self.format.is_skipped(bytes) {
                return Ok(Next::Member);
            }
            let cut_magic = !self.padded && magic.starts_with(bytes);
            let left = bytes.len() as u64;
            let offset = input.consumed();
            return Ok(Next::Fault(match cut_magic {
                true => DecodeFault::Truncated {
                    format,
                    offset: offset + left,
                },
                false => DecodeFault::TrailingGarbage { format, offset },
            }));
        }
    }
}

impl Format {
    fn codec(self) -> io::Result<Codec> {
        match self {
            Self::Gzip => Ok(Codec::gzip()),
            Self::Zstd => Codec::zstd(),
            Self::Bzip2 => Ok(Codec::bzip2()),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
        }
    }

    fn magic(self) -> &'static [u8] {
        match self {
            Self::Gzip => GZIP,
            Self::Zstd => ZSTD,
            Self::Bzip2 => BZIP2,
        }
    }

    /// Tells whether a frame begins that holds no data.
    fn is_skipped(self, bytes: &[u8]) -> bool {
        self == Self::Zstd
            && bytes
                .split_first()
                .is_some_and(|(first, rest)| first >> 4 == 5 && rest.starts_with(ZSTD_SKIPPED))
    }
}
