//! [`RecordError`]: why the bytes of an object cannot be framed to their end.

use std::io;

/// Why no further record can be read; every record before it was delivered.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The source of the bytes failed; whether a retry helps is what the `io::Error` says (a decode fault of the object, or a broken connection).
    #[error("cannot read the object beyond decompressed byte `{offset}`")]
    Read {
        /// How many decompressed bytes were read before the error.
        offset: u64,
        /// The error of the underlying reader.
        #[source]
        source: io::Error,
    },
}
