//! [`decompress`]: the one way from an object's bytes to readable ones.

use std::io::{self, Read};

use snap::read::FrameDecoder;

use crate::codec::Given;
use crate::error::{DecodeFault, ObjectError};
use crate::input::Input;
use crate::members::{Format, Members};
use crate::sniff::{Compression, SNIFF_BYTES, sniff};
use crate::zip::Zip;

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
    /// Entries of an archive.
    pub max_entries: u64,
}

/// The decompressed bytes of one object.
///
/// Of an archive they end with each entry, and [`CappedDecoder::next_entry`] goes on.
/// A [`DecodeFault`] comes as an [`io::Error`] after every byte before it, and again whenever more is asked for; any other error is the reader's own.
pub struct CappedDecoder<R: Read> {
    stage: Stage<R>,
    limits: ObjectLimits,
    given: u64,
    fault: Option<DecodeFault>,
}

enum Stage<R: Read> {
    Plain(Input<R>),
    Members(Members, Input<R>),
    Snappy(Box<FrameDecoder<Input<R>>>),
    Zip(Zip, Input<R>),
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
    let members = |format, input| match Members::new(format) {
        Ok(members) => Ok(Stage::Members(members, input)),
        Err(source) => Err(ObjectError::Head { source }),
    };
    let stage = match sniff(head) {
        Compression::None => Stage::Plain(input),
        Compression::Gzip => members(Format::Gzip, input)?,
        Compression::Zstd => members(Format::Zstd, input)?,
        Compression::Bzip2 => members(Format::Bzip2, input)?,
        Compression::Snappy => Stage::Snappy(Box::new(FrameDecoder::new(input))),
        Compression::Zip => Stage::Zip(Zip::new(limits.max_entries), input),
        Compression::Unsupported(compression) => {
            return Err(ObjectError::Unsupported { compression });
        }
    };
    Ok(CappedDecoder::new(stage, limits))
}

/// Prepares to read bytes that are known to be plain, like a range of a plain object.
pub fn plain<R: Read>(read: R, limits: &ObjectLimits) -> CappedDecoder<R> {
    let input = Input::new(read, limits.max_compressed_bytes);
    CappedDecoder::new(Stage::Plain(input), limits)
}

impl<R: Read> CappedDecoder<R> {
    fn new(stage: Stage<R>, limits: &ObjectLimits) -> Self {
        Self {
            stage,
            limits: *limits,
            given: 0,
            fault: None,
        }
    }

    /// How the object is packed.
    pub fn compression(&self) -> Compression {
        match &self.stage {
            Stage::Plain(_) => Compression::None,
            Stage::Members(members, _) => members.compression(),
            Stage::Snappy(_) => Compression::Snappy,
            Stage::Zip(..) => Compression::Zip,
        }
    }

    /// The name of the archive's entry under way, known behind its first byte.
    pub fn entry(&self) -> Option<&str> {
        match &self.stage {
            Stage::Zip(zip, _) => zip.name(),
            _ => None,
        }
    }

    /// How many stored bytes were used up.
    pub fn compressed_bytes(&self) -> u64 {
        self.input().consumed()
    }

    /// Goes on to the next entry of an archive, when the one before was read to its end; false where none follows.
    ///
    /// # Errors
    ///
    /// As reading does.
    pub fn next_entry(&mut self) -> io::Result<bool> {
        if let Some(fault) = self.fault {
            return Err(fault.into());
        }
        let Stage::Zip(zip, input) = &mut self.stage else {
            return Ok(false);
        };
        let next = zip.next_entry(input);
        self.fault = next.as_ref().err().and_then(DecodeFault::of).copied();
        next
    }

    fn input(&self) -> &Input<R> {
        match &self.stage {
            Stage::Plain(input) | Stage::Members(_, input) | Stage::Zip(_, input) => input,
            Stage::Snappy(frames) => frames.get_ref(),
        }
    }

    fn read_some(&mut self, to: &mut [u8]) -> io::Result<Given> {
        match &mut self.stage {
            Stage::Plain(input) => Ok(Given {
                count: input.copy_to(to)?,
                fault: None,
            }),
            Stage::Members(members, input) => members.read(input, to),
            Stage::Zip(zip, input) => zip.read(input, to),
            Stage::Snappy(frames) => snappy(frames, to),
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
        let allowed = limit.saturating_mul(self.compressed_bytes());
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
        let given = self
            .read_some(to.get_mut(..ask).unwrap_or_default())
            .inspect_err(|error| self.fault = DecodeFault::of(error).copied())?;
        let given = self.cap(given, room);
        self.given += given.count as u64;
        self.fault = given.fault;
        match given.fault {
            Some(fault) if given.count == 0 => Err(fault.into()),
            _ => Ok(given.count),
        }
    }
}

/// Reads on in framed snappy; a frame is checked before any of it is given.
fn snappy<R: Read>(frames: &mut FrameDecoder<Input<R>>, to: &mut [u8]) -> io::Result<Given> {
    let format = "snappy";
    let result = frames.read(to);
    let offset = frames.get_ref().consumed();
    let fault = match result {
        Ok(count) => {
            let fault = None;
            return Ok(Given { count, fault });
        }
        Err(error)
            if error
                .get_ref()
                .is_some_and(|inner| inner.is::<snap::Error>()) =>
        {
            DecodeFault::Corrupt { format, offset }
        }
        // What the decoder itself says of an early end; an error of the connection carries its own.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && error.get_ref().is_none() => {
            DecodeFault::Truncated { format, offset }
        }
        Err(error) => return Err(error),
    };
    Ok(Given {
        count: 0,
        fault: Some(fault),
    })
}
