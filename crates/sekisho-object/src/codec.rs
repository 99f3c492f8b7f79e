//! [`Codec`]: one compressed stream, driven by hand.
//!
//! The readers of the libraries drop what they unpacked in the call that meets corrupt data; here it is given before the fault.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use crate::error::DecodeFault;
use crate::input::Input;

/// The largest window of the deflate format, in bits.
const WINDOW_BITS: u8 = 15;

/// The largest window of zstd data, in bits: 8 MiB, what RFC 8878 asks every reader to support.
const ZSTD_WINDOW_BITS: u32 = 23;

/// How zstd names the error of a larger window.
const ZSTD_WINDOW_ERROR: &str = "Frame requires too much memory for decoding";

/// With how many bytes a zstd frame begins; after them it says how many it needs next.
const ZSTD_FIRST_BYTES: usize = 5;

/// Unpacks one stream: a gzip member, a zstd frame, a bzip2 stream, the data of an archive's entry.
pub(crate) enum Codec {
    /// Gzip or bare deflate.
    Deflate(Decompress),
    Zstd(Box<Zstd>),
    Bzip2(Box<bzip2::Decompress>),
    /// So many bytes as they are.
    Stored(u64),
}

/// A zstd frame, fed one block at a time: of a call that fails nothing is known.
pub(crate) struct Zstd {
    context: DCtx<'static>,
    wanted: usize,
}

/// What one read gives: bytes, and what ends the object behind them.
pub(crate) struct Given {
    pub(crate) count: usize,
    pub(crate) fault: Option<DecodeFault>,
}

/// What one call moved.
struct Moved {
    read: usize,
    written: usize,
    then: Then,
}

enum Then {
    More,
    Ended,
    Corrupt,
    WindowTooLarge,
}

impl Codec {
    pub(crate) fn gzip() -> Self {
        Self::Deflate(Decompress::new_gzip(WINDOW_BITS))
    }

    pub(crate) fn deflate() -> Self {
        Self::Deflate(Decompress::new(false))
    }

    pub(crate) fn bzip2() -> Self {
        Self::Bzip2(Box::new(bzip2::Decompress::new(false)))
    }

    pub(crate) fn zstd() -> io::Result<Self> {
        let failed = |code| io::Error::other(get_error_name(code));
        let mut context = DCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
        context
            .set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_BITS))
            .map_err(failed)?;
        let wanted = ZSTD_FIRST_BYTES;
        Ok(Self::Zstd(Box::new(Zstd { context, wanted })))
    }

    /// How the data is packed, for people.
    fn name(&self) -> &'static str {
        match self {
            Self::Deflate(_) => "gzip",
            Self::Zstd(_) => "zstd",
            Self::Bzip2(_) => "bzip2",
            Self::Stored(_) => "stored",
        }
    }

    /// Unpacks until there are bytes or the stream ends, which the flag says.
    pub(crate) fn read<R: Read>(
        &mut self,
        input: &mut Input<R>,
        to: &mut [u8],
    ) -> io::Result<(Given, bool)> {
        loop {
            let bytes = input.some()?;
            let at_end = bytes.is_empty();
            let Moved {
                read,
                written,
                then,
            } = self.step(bytes, to);
            input.consume(read);
            let offset = input.consumed();
            let format = self.name();
            let stuck = read == 0 && written == 0;
            let fault = match then {
                Then::Ended => {
                    let count = written;
                    return Ok((Given { count, fault: None }, true));
                }
                Then::Corrupt => Some(DecodeFault::Corrupt { format, offset }),
                Then::WindowTooLarge => Some(DecodeFault::WindowTooLarge { offset }),
                Then::More if stuck && at_end => Some(DecodeFault::Truncated { format, offset }),
                Then::More if stuck => Some(DecodeFault::Corrupt { format, offset }),
                Then::More => None,
            };
            if written > 0 || fault.is_some() {
                let count = written;
                return Ok((Given { count, fault }, false));
            }
        }
    }

    fn step(&mut self, from: &[u8], to: &mut [u8]) -> Moved {
        match self {
            Self::Deflate(stream) => deflate(stream, from, to),
            Self::Zstd(stream) => stream.step(from, to),
            Self::Bzip2(stream) => bzip2(stream, from, to),
            Self::Stored(left) => stored(left, from, to),
        }
    }
}

impl Zstd {
    fn step(&mut self, from: &[u8], to: &mut [u8]) -> Moved {
        let mut from = InBuffer::around(from.get(..self.wanted).unwrap_or(from));
        let mut to = OutBuffer::around(to);
        let then = match self.context.decompress_stream(&mut to, &mut from) {
            Ok(0) => Then::Ended,
            Ok(wanted) => {
                self.wanted = wanted;
                Then::More
            }
            Err(code) if get_error_name(code) == ZSTD_WINDOW_ERROR => Then::WindowTooLarge,
            Err(_) => Then::Corrupt,
        };
        Moved {
            read: from.pos(),
            written: to.pos(),
            then,
        }
    }
}

fn deflate(stream: &mut Decompress, from: &[u8], to: &mut [u8]) -> Moved {
    let (read, written) = (stream.total_in(), stream.total_out());
    let then = match stream.decompress(from, to, FlushDecompress::None) {
        Ok(Status::StreamEnd) => Then::Ended,
        Ok(_) => Then::More,
        Err(_) => Then::Corrupt,
    };
    Moved {
        read: difference(stream.total_in(), read),
        written: difference(stream.total_out(), written),
        then,
    }
}

fn bzip2(stream: &mut bzip2::Decompress, from: &[u8], to: &mut [u8]) -> Moved {
    let (read, written) = (stream.total_in(), stream.total_out());
    let then = match stream.decompress(from, to) {
        Ok(bzip2::Status::StreamEnd) => Then::Ended,
        Ok(_) => Then::More,
        Err(_) => Then::Corrupt,
    };
    Moved {
        read: difference(stream.total_in(), read),
        written: difference(stream.total_out(), written),
        then,
    }
}

fn stored(left: &mut u64, from: &[u8], to: &mut [u8]) -> Moved {
    let length = from.len().min(to.len());
    let length = usize::try_from(*left).map_or(length, |left| left.min(length));
    if let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) {
        to.copy_from_slice(from);
    }
    *left -= length as u64;
    Moved {
        read: length,
        written: length,
        then: match *left {
            0 => Then::Ended,
            _ => Then::More,
        },
    }
}

/// How many bytes one call moved; never more than a slice holds.
fn difference(after: u64, before: u64) -> usize {
    usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX)
}
