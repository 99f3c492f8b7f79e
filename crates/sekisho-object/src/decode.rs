//! [`decompress`]: the one way from an object's bytes to readable ones.

use std::io::{self, Read};

use crate::error::{DecodeFault, ObjectError};
use crate::gzip::{Given, Gzip};
use crate::input::Input;
use crate::sniff::{Compression, SNIFF_BYTES, sniff};

/// The ratio is judged only behind this many decompressed bytes: a small log of equal lines packs like a bomb.
pub const RATIO_FLOOR_BYTES: u64 = 64 * 1024 * 1024;

/// How large an object may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectLimits {
    /// Bytes as stored.
    pub max_compressed_bytes: u64,
    /// Bytes as unpacked.
    pub max_decompressed_bytes: u64,
    /// Unpacked bytes for each stored one, judged behind [`RATIO_FLOOR_BYTES`].
    pub max_ratio: u64,
}

/// The decompressed bytes of one object.
///
/// A [`DecodeFault`] comes as an [`io::Error`] after every byte before it, and again whenever more is asked for; any other error is the reader's own.
pub struct CappedDecoder<R> {
    input: Input<R>,
    /// None where the object is not compressed.
    gzip: Option<Gzip>,
    limits: ObjectLimits,
    given: u64,
    fault: Option<DecodeFault>,
}

/// Looks at the first bytes of an object and prepares to unpack it.
///
/// # Errors
///
/// Gives [`ObjectError::Unsupported`] for a compression that is known by name only, and [`ObjectError::Head`] where the first bytes do not come.
pub fn decompress<R: Read>(
    read: R,
    limits: &ObjectLimits,
) -> Result<CappedDecoder<R>, ObjectError> {
    let mut input = Input::new(read, limits.max_compressed_bytes);
    let head = input
        .at_least(SNIFF_BYTES)
        .map_err(|source| ObjectError::Head { source })?;
    let gzip = match sniff(head) {
        Compression::None => None,
        Compression::Gzip => Some(Gzip::new()),
        Compression::Unsupported(compression) => {
            return Err(ObjectError::Unsupported { compression });
        }
    };
    Ok(CappedDecoder {
        input,
        gzip,
        limits: *limits,
        given: 0,
        fault: None,
    })
}

/// Prepares to read bytes that are known to be plain, like a range of a plain object.
pub fn plain<R: Read>(read: R, limits: &ObjectLimits) -> CappedDecoder<R> {
    CappedDecoder {
        input: Input::new(read, limits.max_compressed_bytes),
        gzip: None,
        limits: *limits,
        given: 0,
        fault: None,
    }
}

impl<R> CappedDecoder<R> {
    /// How the object is packed.
    pub fn compression(&self) -> Compression {
        match self.gzip {
            Some(_) => Compression::Gzip,
            None => Compression::None,
        }
    }
}

impl<R: Read> CappedDecoder<R> {
    /// How many stored bytes were used up.
    pub fn compressed_bytes(&self) -> u64 {
        self.input.consumed()
    }

    fn read_some(&mut self, to: &mut [u8]) -> io::Result<Given> {
        match &mut self.gzip {
            Some(gzip) => gzip.read(&mut self.input, to),
            None => Ok(Given {
                count: self.input.copy_to(to)?,
                fault: None,
            }),
        }
    }

    /// Cuts what was given at the cap; one byte more is asked for to know that there is more.
    fn cap(&mut self, given: Given, room: usize) -> Given {
        if given.count > room {
            return Given {
                count: room,
                fault: Some(DecodeFault::TooLarge {
                    limit: self.limits.max_decompressed_bytes,
                    setting: "max_decompressed_bytes",
                }),
            };
        }
        let total = self.given + given.count as u64;
        let limit = self.limits.max_ratio;
        let allowed = limit.saturating_mul(self.input.consumed());
        if given.fault.is_none() && total > RATIO_FLOOR_BYTES && total > allowed {
            let fault = Some(DecodeFault::RatioTooHigh { limit });
            return Given { fault, ..given };
        }
        given
    }
}

impl<R: Read> Read for CappedDecoder<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        if let Some(fault) = self.fault {
            return Err(fault.into());
        }
        let left = self.limits.max_decompressed_bytes - self.given;
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(to.len());
        let ask = room.saturating_add(1).min(to.len());
        let given = self.read_some(to.get_mut(..ask).unwrap_or_default())?;
        let given = self.cap(given, room);
        self.given += given.count as u64;
        self.fault = given.fault;
        match given.fault {
            Some(fault) if given.count == 0 => Err(fault.into()),
            _ => Ok(given.count),
        }
    }
}
