//! [`LocalFiles`]: a directory that stands for a place in S3.

use std::fs::{self, FileType};
use std::io;
use std::path::{Component, Path, PathBuf};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sekisho_event::ObjectRef;
use tokio::io::AsyncSeekExt as _;

use crate::body::Body;
use crate::error::{ErrorClass, ObjectError};
use crate::store::{ObjectMeta, ObjectStore, OpenObject};

/// Gives the files under a directory as the objects under `s3://bucket/prefix`, so that both have the same names and ids.
///
/// A file's path below the directory, with `/`, behind the prefix is its key; its modification time is the object's `last_modified`.
#[derive(Debug, Clone)]
pub struct LocalFiles {
    root: PathBuf,
    bucket: String,
    prefix: String,
}

impl LocalFiles {
    /// Lets `root`, a directory or a single file, stand for `s3://bucket/prefix`; a prefix without its last `/` gets it.
    pub fn new(
        root: impl Into<PathBuf>,
        bucket: impl Into<String>,
        prefix: impl Into<String>,
    ) -> Self {
        let mut prefix = prefix.into();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        Self {
            root: root.into(),
            bucket: bucket.into(),
            prefix,
        }
    }

    /// Lists every file below the root, sorted by key as S3 sorts.
    ///
    /// Linked directories are not entered, so that a circle of them ends.
    ///
    /// # Errors
    ///
    /// Names the file or directory that cannot be read, or whose name is no UTF-8.
    pub fn list(&self) -> Result<Vec<ObjectRef>, ObjectError> {
        let mut objects = Vec::new();
        if self.root.is_file() {
            let name = self.root.file_name().map(PathBuf::from);
            objects.push(self.describe(&self.root, &name.unwrap_or_default())?);
            return Ok(objects);
        }
        let mut directories = vec![PathBuf::new()];
        while let Some(below) = directories.pop() {
            let directory = self.root.join(&below);
            let entries =
                fs::read_dir(&directory).map_err(|error| self.failed(&below, error.into()))?;
            for entry in entries {
                let entry = entry.map_err(|error| self.failed(&below, error.into()))?;
                let below = below.join(entry.file_name());
                let kind = entry
                    .file_type()
                    .map_err(|error| self.failed(&below, error.into()))?;
                if kind.is_dir() {
                    directories.push(below);
                } else if is_file(kind, &entry.path()) {
                    objects.push(self.describe(&entry.path(), &below)?);
                }
            }
        }
        objects.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(objects)
    }

    fn describe(&self, path: &Path, below: &Path) -> Result<ObjectRef, ObjectError> {
        let failed = |error: io::Error| self.failed(below, error.into());
        let meta = fs::metadata(path).map_err(failed)?;
        let mut object = ObjectRef::new(&self.bucket, self.key(below)?);
        object.size = Some(meta.len());
        object.event_time = Some(meta.modified().map_err(failed)?.into());
        Ok(object)
    }

    fn key(&self, below: &Path) -> Result<String, ObjectError> {
        let mut key = self.prefix.clone();
        for (depth, part) in below.iter().enumerate() {
            if depth > 0 {
                key.push('/');
            }
            let part = part.to_str().ok_or_else(|| {
                self.failed(below, "the file's name is no UTF-8; rename it".into())
            })?;
            key.push_str(part);
        }
        Ok(key)
    }

    fn failed(
        &self,
        below: &Path,
        source: Box<dyn std::error::Error + Send + Sync>,
    ) -> ObjectError {
        let key = format!("{}{}", self.prefix, below.display());
        let class = source
            .downcast_ref()
            .map_or(ErrorClass::Permission, class_of);
        ObjectError::Open {
            object: Box::new(ObjectRef::new(&self.bucket, key)),
            class,
            source,
        }
    }

    /// The file of an object; none for a name outside the root.
    fn path(&self, object: &ObjectRef) -> Option<PathBuf> {
        if object.bucket != self.bucket {
            return None;
        }
        let below = Path::new(object.key.strip_prefix(&self.prefix)?);
        // A key may hold `..` or begin with `/`, and must not lead out of the root.
        let inside = below
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        if !inside {
            return None;
        }
        if self.root.is_file() {
            let same = self.root.file_name() == Some(below.as_os_str());
            return same.then(|| self.root.clone());
        }
        Some(self.root.join(below))
    }

    async fn read(&self, object: &ObjectRef, from: u64) -> Result<OpenObject, ObjectError> {
        let opened = match self.path(object) {
            Some(path) => open(&path, from).await,
            None => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("it lies outside of `{}`", self.root.display()),
            )),
        };
        opened.map_err(|error| ObjectError::Open {
            object: Box::new(object.clone()),
            class: class_of(&error),
            source: error.into(),
        })
    }
}

async fn open(path: &Path, from: u64) -> io::Result<OpenObject> {
    let mut file = tokio::fs::File::open(path).await?;
    let meta = file.metadata().await?;
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no regular file"));
    }
    let last_modified: DateTime<Utc> = meta.modified()?.into();
    if from > 0 {
        file.seek(io::SeekFrom::Start(from)).await?;
    }
    Ok(OpenObject {
        meta: ObjectMeta {
            etag: None,
            version_id: None,
            last_modified,
            size: Some(meta.len()),
        },
        // The decoder reads in steps that are large enough without a buffer here.
        body: Body::from_read(file.into_std().await),
    })
}

#[async_trait]
impl ObjectStore for LocalFiles {
    async fn open(&self, object: &ObjectRef) -> Result<OpenObject, ObjectError> {
        self.read(object, 0).await
    }

    async fn open_from(&self, object: &ObjectRef, from: u64) -> Result<OpenObject, ObjectError> {
        self.read(object, from).await
    }

    async fn head(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError> {
        Ok(self.read(object, 0).await?.meta)
    }
}

fn is_file(kind: FileType, path: &Path) -> bool {
    kind.is_file() || (kind.is_symlink() && path.is_file())
}

fn class_of(error: &io::Error) -> ErrorClass {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ErrorClass::Missing,
        io::ErrorKind::PermissionDenied => ErrorClass::Permission,
        _ => ErrorClass::Retry,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn store(files: &[&str], prefix: &str) -> (tempfile::TempDir, LocalFiles) {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let store = LocalFiles::new(root.path(), "logs", prefix);
        (root, store)
    }

    #[track_caller]
    fn check_list(files: &[&str], prefix: &str, expected: &[&str]) {
        let (_root, store) = store(files, prefix);
        let keys: Vec<String> = store.list().unwrap().into_iter().map(|o| o.key).collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn files_are_listed_as_keys_in_the_order_of_s3() {
        check_list(&[], "", &[]);
        check_list(
            &["b", "a/z", "a.x", "a/b/c"],
            "",
            &["a.x", "a/b/c", "a/z", "b"],
        );
        check_list(&["日本 +%2F/a"], "AWSLogs/1", &["AWSLogs/1/日本 +%2F/a"]);
    }

    #[test]
    fn a_single_file_is_an_object() {
        let (root, _) = store(&["a/b.gz"], "");
        let store = LocalFiles::new(root.path().join("a/b.gz"), "logs", "p/");
        let objects = store.list().unwrap();
        assert_eq!(objects.len(), 1);
        assert_eq!(objects[0].key, "p/b.gz");
        assert!(store.path(&objects[0]).is_some());
    }

    #[tokio::test]
    async fn a_listed_object_opens() {
        let (_root, store) = store(&["a/b c"], "p");
        let object = store.list().unwrap().remove(0);
        let opened = store.open(&object).await.unwrap();
        assert_eq!(opened.meta.size, Some(5));
        assert_eq!(Some(opened.meta.last_modified), object.event_time);
        let mut text = String::new();
        opened.body.into_read().read_to_string(&mut text).unwrap();
        assert_eq!(text, "a/b c");
    }

    #[tokio::test]
    async fn a_name_outside_the_root_is_missing() {
        let (_root, store) = store(&["a"], "p");
        for (bucket, key) in [
            ("logs", "p/b"),
            ("logs", "a"),
            ("other", "p/a"),
            ("logs", "p/../a"),
            ("logs", "p//etc/passwd"),
        ] {
            let error = store.open(&ObjectRef::new(bucket, key)).await.unwrap_err();
            assert_eq!(error.class(), ErrorClass::Missing, "{key}");
            assert_eq!(error.to_string(), "the store does not give it");
        }
    }
}
