//! [`Window`]: the part of the decompressed stream that is in memory.

use std::io::{self, Read};

/// Bytes asked from the reader at a time; 16 KiB costs a fifth of the speed, 1 MiB gains nothing (measured).
const READ_BYTES: usize = 256 * 1024;

/// One reused buffer over a stream, addressed by offsets in the stream.
pub(crate) struct Window<R> {
    read: R,
    buffer: Vec<u8>,
    /// Index of the first byte that is still held.
    first: usize,
    /// Index behind the last byte read.
    filled: usize,
    /// Stream offset of `buffer[0]`.
    base: u64,
    ended: bool,
    error: Option<io::Error>,
}

impl<R: Read> Window<R> {
    pub(crate) fn new(read: R) -> Self {
        Self {
            read,
            buffer: Vec::new(),
            first: 0,
            filled: 0,
            base: 0,
            ended: false,
            error: None,
        }
    }

    /// Forgets what lies before `keep` and reads on; false at the end of the stream and after an error, which is kept for [`Window::take_error`].
    pub(crate) fn fill(&mut self, keep: u64) -> bool {
        if self.ended {
            return false;
        }
        self.first = self.index(keep).clamp(self.first, self.filled);
        self.make_room();
        match self.read_some() {
            Ok(0) => self.ended = true,
            Ok(read) => self.filled += read,
            Err(error) => {
                self.error = Some(error);
                self.ended = true;
            }
        }
        !self.ended
    }

    fn make_room(&mut self) {
        if self.first == self.filled || self.buffer.len() - self.filled < READ_BYTES {
            self.buffer.copy_within(self.first..self.filled, 0);
            self.base += self.first as u64;
            self.filled -= self.first;
            self.first = 0;
        }
        if self.buffer.len() - self.filled < READ_BYTES {
            // Doubling keeps the copying of a growing record linear.
            let room = (self.filled + READ_BYTES).max(self.filled * 2);
            self.buffer.reserve_exact(room - self.buffer.len());
            self.buffer.resize(room, 0);
        }
    }

    fn read_some(&mut self) -> io::Result<usize> {
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let room = match room.split_at_mut_checked(READ_BYTES) {
            Some((step, _)) => step,
            None => room,
        };
        loop {
            match self.read.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }
}

impl<R> Window<R> {
    /// The bytes read so far from `offset` on.
    pub(crate) fn from(&self, offset: u64) -> &[u8] {
        self.buffer
            .get(self.index(offset)..self.filled)
            .unwrap_or_default()
    }

    /// The bytes of `[start, end)` that are held.
    pub(crate) fn slice(&self, start: u64, end: u64) -> &[u8] {
        let end = self.index(end).min(self.filled);
        self.buffer
            .get(self.index(start).max(self.first).min(end)..end)
            .unwrap_or_default()
    }

    /// The offset behind the last byte read.
    pub(crate) fn end(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// Says that nothing more will come.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Says that the stream broke off with an error that was not yet taken.
    pub(crate) fn torn(&self) -> bool {
        self.error.is_some()
    }

    /// Begins again at offset 0 with what the reader gives next.
    pub(crate) fn restart(&mut self) {
        self.first = 0;
        self.filled = 0;
        self.base = 0;
        self.ended = false;
        self.error = None;
    }

    /// The reader.
    pub(crate) fn get_mut(&mut self) -> &mut R {
        &mut self.read
    }

    pub(crate) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }

    /// How much memory the buffer takes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX)
    }
}
