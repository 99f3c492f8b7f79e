//! [`Draft`]: a change of what is published, looked at before it is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sekisho_parser::{Catalog, ParserFiles};

use crate::pointer::{POINTER_KEY, Pointer, Published};
use crate::set::Set;
use crate::store::{BundleStore, Found, OnlyIf, Put};
use crate::{Bundle, BundleError};

/// What is published, as it was read.
#[derive(Debug, Clone)]
pub struct History {
    /// The pointer; empty where nothing was ever published.
    pub pointer: Pointer,
    /// What the next write requires.
    only_if: OnlyIf,
}

/// A change of what is published, not made yet.
#[derive(Debug)]
pub struct Draft {
    /// The parsers in work.
    pub before: Set,
    /// The parsers that would be.
    pub after: Set,
    /// The pointer that would be.
    pub pointer: Pointer,
    /// The bundle to write first.
    bundle: Option<Bundle>,
    only_if: OnlyIf,
    /// Whether it changes anything.
    pub changes: bool,
}

impl History {
    /// Reads the pointer.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read(store: &dyn BundleStore) -> Result<Self, BundleError> {
        let found = store.get(POINTER_KEY, None).await;
        let found = found.map_err(|source| unreachable_key(POINTER_KEY, source))?;
        Ok(match found {
            Found::Object { bytes, etag } => Self {
                pointer: Pointer::read(&bytes)?,
                only_if: OnlyIf::Etag(etag),
            },
            Found::Nothing | Found::Unchanged => Self {
                pointer: Pointer::default(),
                only_if: OnlyIf::Absent,
            },
        })
    }
}

impl Draft {
    /// Looks at what publishing a parser would change.
    ///
    /// # Errors
    /// When the parser cannot be used with the others, or the pointer cannot be read.
    pub async fn publish(
        store: &dyn BundleStore,
        builtin: &Catalog,
        files: ParserFiles,
        now: DateTime<Utc>,
    ) -> Result<Self, BundleError> {
        let History { pointer, only_if } = History::read(store).await?;
        let bundle = Bundle::new(files);
        let digest = bundle.digest();
        let parser = Bundle::read(&bundle.to_bytes(), &digest)?;
        let published = Published::new(&parser, digest.clone());
        let before = Set::read(store, builtin, &pointer, &BTreeMap::new()).await;
        before
            .catalog
            .publish(Arc::clone(&parser))
            .map_err(BundleError::Unfit)?;
        let changes = !pointer.parsers().contains(&published);
        let pointer = match changes {
            true => pointer.with(published, now),
            false => pointer,
        };
        let mut known = before.parsers.clone();
        known.insert(digest, parser);
        let after = Set::read(store, builtin, &pointer, &known).await;
        Ok(Self {
            before,
            after,
            pointer,
            bundle: Some(bundle),
            only_if,
            changes,
        })
    }

    /// Looks at what taking one parser back would change, whenever it was published.
    ///
    /// # Errors
    /// When none of that dataset is published, or the pointer cannot be read.
    pub async fn withdraw(
        store: &dyn BundleStore,
        builtin: &Catalog,
        dataset: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, BundleError> {
        let History { pointer, only_if } = History::read(store).await?;
        let target = pointer.without(dataset, now)?;
        Self::between(store, builtin, (&pointer, target), only_if).await
    }

    /// Looks at what going back would change: to the version that the current one came from, or to the one asked for.
    ///
    /// # Errors
    /// When there is no such version, or the pointer cannot be read.
    pub async fn roll_back(
        store: &dyn BundleStore,
        builtin: &Catalog,
        to: Option<u64>,
    ) -> Result<Self, BundleError> {
        let History { pointer, only_if } = History::read(store).await?;
        let target = pointer.back(to)?;
        Self::between(store, builtin, (&pointer, target), only_if).await
    }

    async fn between(
        store: &dyn BundleStore,
        builtin: &Catalog,
        (pointer, target): (&Pointer, Pointer),
        only_if: OnlyIf,
    ) -> Result<Self, BundleError> {
        let before = Set::read(store, builtin, pointer, &BTreeMap::new()).await;
        let after = Set::read(store, builtin, &target, &before.parsers).await;
        Ok(Self {
            before,
            after,
            changes: target.current != pointer.current,
            pointer: target,
            bundle: None,
            only_if,
        })
    }

    /// Makes the change: the bundle first, then the one write that puts it into work.
    ///
    /// # Errors
    /// When somebody else published since, or the store refuses.
    pub async fn commit(&self, store: &dyn BundleStore) -> Result<(), BundleError> {
        if let Some(bundle) = &self.bundle {
            upload(store, bundle).await?;
        }
        if !self.changes {
            return Ok(());
        }
        let bytes = self.pointer.to_bytes();
        let put = store.put(POINTER_KEY, bytes, self.only_if.clone()).await;
        match put.map_err(|source| unreachable_key(POINTER_KEY, source))? {
            Put::Done => Ok(()),
            // A request that S3 took and whose answer was lost is repeated, and refused for itself.
            Put::Refused if History::read(store).await?.pointer == self.pointer => Ok(()),
            Put::Refused => Err(BundleError::Moved),
        }
    }
}

/// Writes a bundle once; one that is there already must be the same.
async fn upload(store: &dyn BundleStore, bundle: &Bundle) -> Result<(), BundleError> {
    let digest = bundle.digest();
    let key = Bundle::key(&digest);
    let put = store.put(&key, bundle.to_bytes(), OnlyIf::Absent).await;
    if put.map_err(|source| unreachable_key(&key, source))? == Put::Done {
        return Ok(());
    }
    match store.get(&key, None).await {
        Ok(Found::Object { bytes, .. }) => Bundle::read(&bytes, &digest).map(|_same| ()),
        Ok(Found::Nothing | Found::Unchanged) => Err(BundleError::Moved),
        Err(source) => Err(unreachable_key(&key, source)),
    }
}

fn unreachable_key(key: &str, source: crate::StoreError) -> BundleError {
    BundleError::Store {
        key: key.to_owned(),
        source,
    }
}
