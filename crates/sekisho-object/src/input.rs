//! [`Input`]: the compressed bytes, buffered, counted and capped.

use std::io::{self, Read};

use crate::error::DecodeFault;

/// Bytes asked from the reader at a time; 16 KiB costs a fifth of the speed, 1 MiB gains nothing (measured).
pub(crate) const READ_BYTES: usize = 256 * 1024;

/// A buffer over the object's own bytes.
pub(crate) struct Input<R> {
    read: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes read and used up.
    consumed: u64,
    /// Bytes that may still be read.
    left: u64,
    limit: u64,
    /// More than the limit was there.
    overrun: bool,
    ended: bool,
}

impl<R: Read> Input<R> {
    pub(crate) fn new(read: R, max_bytes: u64) -> Self {
        Self {
            read,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            consumed: 0,
            left: max_bytes,
            limit: max_bytes,
            overrun: false,
            ended: false,
        }
    }

    /// The bytes at hand, at least one unless the object ends.
    pub(crate) fn some(&mut self) -> io::Result<&[u8]> {
        self.at_least(1)
    }

    /// The bytes at hand, at least `count` unless the object ends.
    pub(crate) fn at_least(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.end - self.start < count && !self.ended {
            self.read_on()?;
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    /// Takes note that the first `count` bytes at hand are used up.
    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.consumed += count as u64;
    }

    /// How many bytes were used up.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Copies plain bytes out.
    pub(crate) fn copy_to(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.end == self.start && !self.ended && to.len() >= READ_BYTES {
            // A large enough target spares the copy.
            let count = self.read_into(to)?;
            self.consumed += count as u64;
            return Ok(count);
        }
        let count = self.some()?.read(to)?;
        self.consume(count);
        Ok(count)
    }

    fn read_on(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.buffer.resize(self.end + READ_BYTES, 0);
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = self.read_into(buffer.get_mut(self.end..).unwrap_or_default());
        self.buffer = buffer;
        self.end += read?;
        Ok(())
    }

    /// Reads once, up to one byte over the limit: only that byte proves that the object is larger.
    fn read_into(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.overrun {
            return Err(self.too_large());
        }
        let room = usize::try_from(self.left.saturating_add(1)).unwrap_or(usize::MAX);
        let room = room.min(to.len());
        let to = to.get_mut(..room).unwrap_or_default();
        let count = loop {
            match self.read.read(to) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                count => break count?,
            }
        };
        self.ended = count == 0;
        if let Some(left) = self.left.checked_sub(count as u64) {
            self.left = left;
            return Ok(count);
        }
        // What lies within the limit is given first, then the fault.
        self.overrun = true;
        match usize::try_from(std::mem::take(&mut self.left)) {
            Ok(within) if within > 0 => Ok(within),
            _ => Err(self.too_large()),
        }
    }

    fn too_large(&self) -> io::Error {
        let limit = self.limit;
        let setting = "max_compressed_bytes";
        DecodeFault::TooLarge { limit, setting }.into()
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.copy_to(to)
    }
}
