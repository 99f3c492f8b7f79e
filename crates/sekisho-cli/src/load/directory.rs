//! [`Directory`]: a folder as destination, one NDJSON file per index.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use async_trait::async_trait;
use sekisho_bulk::{BulkBatch, BulkError, Destination, Verdict};
use sekisho_document::DocumentId;

use super::unfinished;

/// A folder with one NDJSON file per index; the files get their names when everything is written.
pub(crate) struct Directory {
    folder: PathBuf,
    /// The ids that each index has, since a second document of an id is a duplicate there.
    indices: Mutex<BTreeMap<Arc<str>, HashSet<DocumentId>>>,
}

impl Directory {
    /// Makes the folder, or checks that it may be filled.
    pub(crate) fn open(folder: &Path, replace: bool) -> Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        let old = old_files(folder)?;
        let is_empty = fs::read_dir(folder)?.next().is_none();
        if !is_empty && !replace {
            bail!(
                "the folder `{}` is not empty; `--replace` replaces its NDJSON files",
                folder.display()
            );
        }
        // What an aborted run left; whole files stay until their successors are whole.
        for path in old.iter().filter(|path| has_suffix(path, ".ndjson.tmp")) {
            fs::remove_file(path)?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            indices: Mutex::default(),
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes the files of an earlier run and gives those of this one their names.
    pub(crate) fn close(&self) -> Result<usize> {
        let indices = self.indices.lock().unwrap_or_else(PoisonError::into_inner);
        for path in old_files(&self.folder)? {
            if has_suffix(&path, ".ndjson") {
                fs::remove_file(path)?;
            }
        }
        for index in indices.keys() {
            let path = self.path(index);
            fs::rename(unfinished(&path), &path)
                .with_context(|| format!("cannot name `{}`", path.display()))?;
        }
        Ok(indices.len())
    }

    fn path(&self, index: &str) -> PathBuf {
        self.folder.join(format!("{index}.ndjson"))
    }

    fn append(&self, batch: &BulkBatch) -> io::Result<Vec<Verdict>> {
        let mut indices = self.indices.lock().unwrap_or_else(PoisonError::into_inner);
        let mut verdicts = Vec::with_capacity(batch.items.len());
        let mut lines: BTreeMap<Arc<str>, Vec<u8>> = BTreeMap::new();
        for item in &batch.items {
            let ids = indices.entry(Arc::clone(&item.index)).or_default();
            if !ids.insert(item.id) {
                verdicts.push(Verdict::Duplicate);
                continue;
            }
            let lines = lines.entry(Arc::clone(&item.index)).or_default();
            lines.extend_from_slice(batch.body(item).unwrap_or_default());
            lines.push(b'\n');
            verdicts.push(Verdict::Indexed);
        }
        // Opened for each batch: thousands of indices must not hold thousands of files open.
        for (index, lines) in lines {
            self.file(&index)?.write_all(&lines)?;
        }
        Ok(verdicts)
    }

    fn file(&self, index: &str) -> io::Result<File> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(unfinished(&self.path(index)))
    }
}

#[async_trait]
impl Destination for Directory {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        Ok(self.append(batch).unwrap_or_else(|error| {
            let folder = self.folder.display();
            let reason = format!("cannot write to `{folder}`: {error}");
            vec![Verdict::StateFault { reason }; batch.items.len()]
        }))
    }
}

fn old_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if has_suffix(&path, ".ndjson") || has_suffix(&path, ".ndjson.tmp") {
            files.push(path);
        }
    }
    Ok(files)
}

fn has_suffix(path: &Path, suffix: &str) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use sekisho_document::{DocumentHead, ObjectIdentity};

    use super::*;

    fn batch(records: &[&str]) -> BulkBatch {
        let mut batch = BulkBatch::default();
        for record in records {
            let start = batch.bytes.len();
            batch
                .bytes
                .extend_from_slice(format!(r#"{{"event":{{}},"message":"{record}"}}"#).as_bytes());
            let head = DocumentHead {
                id: ObjectIdentity::by_content("x", record.as_bytes()),
                index: Arc::from("log-x-2026.11.23"),
                ingested_at: 10,
            };
            batch.push(head, start, 0, 0, false);
        }
        batch
    }

    #[tokio::test]
    async fn writes_each_id_once_and_names_files_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::open(folder.path(), false).unwrap();
        let verdicts = directory.write(&batch(&["a", "b", "a"])).await.unwrap();
        assert_eq!(
            verdicts,
            [Verdict::Indexed, Verdict::Indexed, Verdict::Duplicate]
        );
        let path = folder.path().join("log-x-2026.11.23.ndjson");
        assert!(!path.exists());
        assert_eq!(directory.close().unwrap(), 1);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 2);
        assert!(Directory::open(folder.path(), false).is_err());
    }

    #[tokio::test]
    async fn replaces_only_ndjson_and_only_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["old.ndjson", "left.ndjson.tmp", "notes.txt"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let directory = Directory::open(folder.path(), true).unwrap();
        assert!(folder.path().join("old.ndjson").exists());
        assert!(!folder.path().join("left.ndjson.tmp").exists());
        directory.write(&batch(&["a"])).await.unwrap();
        directory.close().unwrap();
        assert!(!folder.path().join("old.ndjson").exists());
        assert!(folder.path().join("notes.txt").exists());
    }
}
