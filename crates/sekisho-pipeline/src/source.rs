//! [`Source`]: the decompressed bytes of an object with its head already read, and a note of how they broke off.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sekisho_object::DecodeFault;

/// How many bytes the fallback may look at before it decides what an object is.
const HEAD_BYTES: usize = 4 << 10;

/// Says that the bytes stopped for a reason outside the object, known before framing hears of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Broken(Arc<AtomicBool>);

impl Broken {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Gives the head again, then the rest, then the error that may have come while the head was read.
pub(crate) struct Source<R> {
    head: Vec<u8>,
    given: usize,
    error: Option<io::Error>,
    rest: R,
    broken: Broken,
}

impl<R: Read> Source<R> {
    /// Reads the head; an error behind its first bytes is kept for later, so that they are not lost.
    pub(crate) fn new(mut rest: R) -> Self {
        let broken = Broken::default();
        let mut head = Vec::new();
        let error = (&mut rest)
            .take(HEAD_BYTES as u64)
            .read_to_end(&mut head)
            .err()
            .inspect(|error| note(error, &broken));
        Self {
            head,
            given: 0,
            error,
            rest,
            broken,
        }
    }

    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// What gives the bytes behind the head.
    pub(crate) fn rest(&self) -> &R {
        &self.rest
    }

    /// The same, to make it go on behind an end.
    pub(crate) fn rest_mut(&mut self) -> &mut R {
        &mut self.rest
    }

    pub(crate) fn broken(&self) -> Broken {
        self.broken.clone()
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let left = self.head.get(self.given..).unwrap_or_default();
        if !left.is_empty() {
            let length = left.len().min(to.len());
            for (to, from) in to.iter_mut().zip(left) {
                *to = *from;
            }
            self.given += length;
            return Ok(length);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        self.rest
            .read(to)
            .inspect_err(|error| note(error, &self.broken))
    }
}

fn note(error: &io::Error, broken: &Broken) {
    if error.kind() != io::ErrorKind::Interrupted && DecodeFault::of(error).is_none() {
        broken.0.store(true, Ordering::Relaxed);
    }
}
