//! [`Body`]: carries an object's bytes from the async side to the one thread that reads them.

use std::fmt;
use std::io::{self, Read};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use bytes::Bytes;
use tokio::sync::mpsc;

/// The stored bytes of an open object.
pub struct Body(BodyReader);

/// Reads a [`Body`] on a blocking thread.
pub struct BodyReader {
    source: Source,
    /// What is left of the last chunk.
    chunk: Bytes,
}

/// Sends the chunks of a body; the reader holds back a sender that is too fast.
///
/// A sender that is dropped without [`BodySender::finish`] breaks the body off: the reader gets an error, never a silent end.
#[derive(Debug)]
pub struct BodySender(mpsc::Sender<Chunk>);

enum Source {
    Chunks(mpsc::Receiver<Chunk>),
    Read(Box<dyn Read + Send>),
    Done,
}

#[derive(Debug)]
enum Chunk {
    Data(Bytes),
    Error(io::Error),
    End,
}

impl Body {
    /// Makes a body of which at most `capacity` chunks wait to be read.
    pub fn channel(capacity: usize) -> (BodySender, Self) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let body = Self::new(Source::Chunks(receiver), Bytes::new());
        (BodySender(sender), body)
    }

    /// Makes a body of bytes in memory.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        Self::new(Source::Done, bytes.into())
    }

    /// Makes a body of a blocking reader.
    pub fn from_read(read: impl Read + Send + 'static) -> Self {
        Self::new(Source::Read(Box::new(read)), Bytes::new())
    }

    /// Gives the reader, for a thread that may block.
    ///
    /// Waiting for a chunk blocks the thread, also one that drives a future of its own between two chunks; a thread that other tasks need must not read.
    pub fn into_read(self) -> BodyReader {
        self.0
    }

    fn new(source: Source, chunk: Bytes) -> Self {
        Self(BodyReader { source, chunk })
    }
}

impl BodySender {
    /// Sends a chunk when there is room; false where nobody reads any more.
    pub async fn send(&self, chunk: Bytes) -> bool {
        self.0.send(Chunk::Data(chunk)).await.is_ok()
    }

    /// Says that the body is whole.
    pub async fn finish(self) {
        self.tell(Chunk::End).await;
    }

    /// Breaks the body off with an error.
    pub async fn fail(self, error: io::Error) {
        self.tell(Chunk::Error(error)).await;
    }

    async fn tell(self, chunk: Chunk) {
        // A reader that is gone needs no word about the end.
        self.0.send(chunk).await.ok();
    }
}

impl Read for BodyReader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match &mut self.source {
                Source::Done => return Ok(0),
                Source::Read(read) => return read.read(to),
                Source::Chunks(chunks) => match wait(chunks.recv()) {
                    Some(Chunk::Data(chunk)) => self.chunk = chunk,
                    Some(Chunk::End) => self.source = Source::Done,
                    Some(Chunk::Error(error)) => return Err(error),
                    None => return Err(io::Error::new(io::ErrorKind::ConnectionAborted, BROKEN)),
                },
            }
        }
        let count = (&*self.chunk).read(to)?;
        bytes::Buf::advance(&mut self.chunk, count);
        Ok(count)
    }
}

/// Blocks until the future is ready.
///
/// `blocking_recv` panics on a thread inside `Handle::block_on`, which is where an object is read that records its books in between.
/// Its budget for cooperation is of no use here: nobody would give it back while the thread waits.
fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(tokio::task::unconstrained(future));
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

const BROKEN: &str = "the download stopped before the object's end";

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Body").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(body: Body) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        body.into_read().read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn bytes_and_readers_are_bodies() {
        assert_eq!(read_all(Body::from_bytes("abc")).unwrap(), b"abc");
        assert_eq!(read_all(Body::from_read(&b"abc"[..])).unwrap(), b"abc");
    }

    async fn send(
        chunks: &'static [&'static str],
    ) -> (BodySender, std::thread::JoinHandle<io::Result<Vec<u8>>>) {
        let (sender, body) = Body::channel(1);
        let reader = std::thread::spawn(|| read_all(body));
        for chunk in chunks {
            assert!(sender.send(Bytes::from_static(chunk.as_bytes())).await);
        }
        (sender, reader)
    }

    #[tokio::test]
    async fn chunks_flow_through_a_bounded_channel() {
        let (sender, reader) = send(&["ab", "", "c"]).await;
        sender.finish().await;
        assert_eq!(reader.join().unwrap().unwrap(), b"abc");
    }

    #[tokio::test]
    async fn a_sender_that_vanishes_is_an_error() {
        let (sender, reader) = send(&["ab"]).await;
        drop(sender);
        let error = reader.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    }

    #[tokio::test]
    async fn an_error_comes_behind_the_bytes() {
        let (sender, reader) = send(&["ab"]).await;
        sender.fail(io::Error::other("reset")).await;
        assert_eq!(reader.join().unwrap().unwrap_err().to_string(), "reset");
    }

    #[tokio::test]
    async fn a_reader_that_vanishes_stops_the_sender() {
        let (sender, body) = Body::channel(1);
        drop(body);
        assert!(!sender.send(Bytes::from_static(b"a")).await);
    }

    #[tokio::test]
    async fn a_thread_that_drives_a_future_may_read() {
        let (sender, body) = Body::channel(1);
        let handle = tokio::runtime::Handle::current();
        let reader = tokio::task::spawn_blocking(move || handle.block_on(async { read_all(body) }));
        // More chunks than the budget of one task.
        for _ in 0..1000 {
            assert!(sender.send(Bytes::from_static(b"a")).await);
        }
        sender.finish().await;
        assert_eq!(reader.await.unwrap().unwrap().len(), 1000);
    }
}
