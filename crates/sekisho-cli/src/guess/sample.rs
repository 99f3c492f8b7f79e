//! [`Sample`]: the first bytes of a log, decompressed.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use sekisho_object::{Compression, ObjectLimits, decompress};

/// How many decompressed bytes of a sample are looked at.
const MAX_BYTES: usize = 8 << 20;

/// The first bytes of a log.
#[derive(Debug)]
pub(crate) struct Sample {
    /// The file's name, without folders.
    pub(crate) name: String,
    /// How the file is packed.
    pub(crate) compression: Compression,
    /// Its text; bytes that are no UTF-8 are replaced.
    pub(crate) text: String,
    /// Whether the file goes on behind the text.
    pub(crate) is_cut: bool,
    /// Whether bytes had to be replaced.
    pub(crate) is_lossy: bool,
}

impl Sample {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let file = File::open(path).context("cannot open the sample")?;
        let limits = ObjectLimits {
            max_compressed_bytes: 1 << 40,
            max_decompressed_bytes: 1 << 40,
            max_ratio: 500,
            max_entries: 1_000,
        };
        let decoder = decompress(file, &limits).context("cannot decompress the sample")?;
        let compression = decoder.compression();
        let mut bytes = Vec::new();
        let limit = u64::try_from(MAX_BYTES + 1).unwrap_or(u64::MAX);
        decoder
            .take(limit)
            .read_to_end(&mut bytes)
            .context("cannot read the sample")?;
        let is_cut = bytes.len() > MAX_BYTES;
        bytes.truncate(MAX_BYTES);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Self::new(&name, compression, &bytes, is_cut)
    }

    /// How the file is packed, in words.
    pub(crate) fn packing(&self) -> &'static str {
        match self.compression {
            Compression::None => "not compressed",
            Compression::Unsupported(name) => name,
            _ => "compressed",
        }
    }

    fn new(name: &str, compression: Compression, bytes: &[u8], is_cut: bool) -> Result<Self> {
        if bytes.contains(&0) {
            bail!("`{name}` is no text; give a log of text or JSON");
        }
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        if is_cut {
            // What follows the last whole line is no record.
            text.truncate(text.rfind('\n').map_or(text.len(), |at| at + 1));
        }
        if text.trim().is_empty() {
            bail!("`{name}` is empty; give a log with some records");
        }
        Ok(Self {
            name: name.to_owned(),
            compression,
            is_lossy: std::str::from_utf8(bytes).is_err(),
            text,
            is_cut,
        })
    }

    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self::new("sample.log", Compression::None, text.as_bytes(), false).unwrap()
    }
}
