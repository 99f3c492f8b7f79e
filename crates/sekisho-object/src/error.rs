//! What can be wrong with an object: it cannot be opened ([`ObjectError`]), or its bytes cannot be unpacked to their end ([`DecodeFault`]).

use std::error::Error;
use std::io;

use sekisho_event::ObjectRef;

/// Why an object gives no bytes at all.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The store does not give it.
    #[error("the store does not give it")]
    Open {
        /// The object.
        object: Box<ObjectRef>,
        /// What to do about it, as the store knows it.
        class: ErrorClass,
        /// What the store says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// Its first bytes do not come.
    #[error("cannot read the first bytes of the object")]
    Head {
        /// What the connection or the disk says.
        #[source]
        source: io::Error,
    },
    /// It is packed in a way that is not read here.
    #[error(
        "unsupported compression `{compression}`; deliver the object as gzip, zstd, bzip2, framed snappy, zip or plain, or exclude its key"
    )]
    Unsupported {
        /// The name of the compression or container.
        compression: &'static str,
    },
}

/// What an error asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Nothing: the same read may succeed later.
    Retry,
    /// Someone grants a permission or changes a setting; then the same read succeeds.
    Permission,
    /// Nothing is left to read: the object is gone.
    Missing,
    /// Nothing is left to do: a newer object took its place, whose own event brings its bytes.
    Superseded,
    /// Someone looks at the object: its own bytes are the fault, and the same read fails again.
    Corrupt,
}

impl ObjectError {
    /// Says what the error asks for.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Open { class, .. } => *class,
            Self::Head { source } => match DecodeFault::of(source) {
                Some(_) => ErrorClass::Corrupt,
                None => ErrorClass::Retry,
            },
            Self::Unsupported { .. } => ErrorClass::Corrupt,
        }
    }
}

/// Why the bytes of an object end before their time; reading them again gives the same.
///
/// It travels inside an [`io::Error`]; [`DecodeFault::of`] finds it there.
/// Offsets count compressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
    /// The object ends inside compressed data.
    #[error("the {format} data ends at byte `{offset}` inside a member (truncated upload?)")]
    Truncated {
        /// How it is packed.
        format: &'static str,
        /// The object's size in bytes, as far as it came.
        offset: u64,
    },
    /// Bytes that are no member follow the last one.
    #[error("bytes that are no {format} member follow at byte `{offset}`")]
    TrailingGarbage {
        /// How the object is packed.
        format: &'static str,
        /// Where they begin.
        offset: u64,
    },
    /// The compressed data contradicts itself or its checksum.
    #[error("the {format} data is corrupt at or before byte `{offset}`")]
    Corrupt {
        /// How it is packed.
        format: &'static str,
        /// Where it was noticed.
        offset: u64,
    },
    /// Zstandard data looks back further than a reader has to support.
    #[error(
        "the zstd data at byte `{offset}` needs a window of more than 8 MiB; compress it without `--long` and `--ultra`"
    )]
    WindowTooLarge {
        /// Where its frame begins.
        offset: u64,
    },
    /// An archive's entry is packed in a way that is not read here.
    #[error(
        "the archive's entry at byte `{offset}` is {how}; pack it with deflate, without a password"
    )]
    Entry {
        /// Where the data of the entry begins.
        offset: u64,
        /// Why it is not read: `encrypted`, `stored without its size`, or its method.
        how: &'static str,
    },
    /// The archive has more entries than its limit.
    #[error("the archive has more than `{limit}` entries; raise `limits.archive_entries`")]
    TooManyEntries {
        /// The limit.
        limit: u64,
    },
    /// The object is larger than its limit.
    #[error("the object holds more than `{limit}` bytes; raise `limits.{setting}`")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
        /// The setting that holds it: `max_compressed_bytes` or `max_decompressed_bytes`.
        setting: &'static str,
    },
    /// The object unpacks to so many times its size that it looks like a bomb.
    #[error("the object unpacks to more than `{limit}` times its size; raise `limits.max_ratio`")]
    RatioTooHigh {
        /// The limit: decompressed bytes for each compressed one.
        limit: u64,
    },
}

impl DecodeFault {
    /// Finds the fault of the object's own bytes in an error of reading them; `None` means that the store or the connection failed.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<DecodeFault> for io::Error {
    fn from(fault: DecodeFault) -> Self {
        Self::new(io::ErrorKind::InvalidData, fault)
    }
}
