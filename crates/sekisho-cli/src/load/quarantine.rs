//! [`FileQuarantine`]: a file of what cannot be indexed.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use async_trait::async_trait;
use sekisho_pipeline::{Quarantine, QuarantineEntry, QuarantineError};

use super::unfinished;

/// One line an entry; the file exists only when there is one.
pub(crate) struct FileQuarantine {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

impl FileQuarantine {
    /// Names the file; it replaces an earlier one only when it is closed.
    pub(crate) fn new(path: PathBuf) -> Result<Self> {
        let unfinished = unfinished(&path);
        if unfinished.exists() {
            std::fs::remove_file(&unfinished)
                .with_context(|| format!("cannot remove `{}`", unfinished.display()))?;
        }
        Ok(Self {
            path,
            file: Mutex::new(None),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name; false where there is none.
    pub(crate) fn close(&self) -> Result<bool> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.take().is_none() {
            return Ok(false);
        }
        std::fs::rename(unfinished(&self.path), &self.path)
            .with_context(|| format!("cannot name `{}`", self.path.display()))?;
        Ok(true)
    }

    fn append(&self, line: &str) -> std::io::Result<()> {
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file = match slot.take() {
            Some(file) => file,
            None => OpenOptions::new()
                .create(true)
                .append(true)
                .open(unfinished(&self.path))?,
        };
        let written = file.write_all(line.as_bytes());
        *slot = Some(file);
        written
    }
}

#[async_trait]
impl Quarantine for FileQuarantine {
    async fn put(&self, entry: QuarantineEntry) -> Result<(), QuarantineError> {
        self.append(&format!("{}\n", entry.to_json()))
            .map_err(|error| QuarantineError::Store(Box::new(error)))
    }
}
