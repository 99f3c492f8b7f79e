//! [`Pointer`]: which bundles are in work, and which were before.

use chrono::{DateTime, Utc};
use sekisho_parser::{Claim, Parser};
use serde::{Deserialize, Serialize};

use crate::{Bundle, BundleError};

/// Where the pointer lies in the config bucket.
pub const POINTER_KEY: &str = "parsers/current.json";
/// The form of the pointer that this version writes and reads.
const FORMAT: u32 = 1;
/// How many versions are kept: the current one and those that a rollback leads to.
const KEPT_VERSIONS: usize = 50;

/// Which bundles are in work, and which were before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    format: u32,
    /// The version in work; 0 is the built-in parsers alone.
    pub current: u64,
    /// The versions, the oldest first.
    pub versions: Vec<Version>,
}

/// A set of bundles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its number.
    pub version: u64,
    /// The version that it came from, to which a rollback returns.
    pub replaces: u64,
    /// When it was published.
    pub published: DateTime<Utc>,
    /// Every published parser of the set, by dataset.
    pub parsers: Vec<Published>,
}

/// One published parser.
///
/// It repeats what the bundle claims, so that the claim is known where the bundle is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Its dataset.
    pub dataset: String,
    /// The digest of its bundle.
    pub digest: String,
    /// Its index, without prefix and day.
    pub index: String,
    /// The patterns of its keys.
    pub keys: Vec<String>,
    /// The patterns of keys that it leaves alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

impl Default for Pointer {
    fn default() -> Self {
        Self {
            format: FORMAT,
            current: 0,
            versions: Vec::new(),
        }
    }
}

impl Published {
    /// Describes the parser of a bundle.
    pub(crate) fn new(parser: &Parser, digest: String) -> Self {
        let Claim {
            dataset,
            keys,
            exclude,
        } = Claim::from(parser);
        Self {
            dataset,
            digest,
            index: parser.index().to_owned(),
            keys,
            exclude,
        }
    }

    /// Gives what it claims.
    pub fn claim(&self) -> Claim {
        Claim {
            dataset: self.dataset.clone(),
            keys: self.keys.clone(),
            exclude: self.exclude.clone(),
        }
    }

    /// Names its bundle.
    pub fn bundle(&self) -> String {
        Bundle::key(&self.digest)
    }
}

impl Pointer {
    /// Reads a pointer.
    ///
    /// # Errors
    /// When the bytes are none, or of a form that this version does not know.
    pub fn read(bytes: &[u8]) -> Result<Self, BundleError> {
        let no_pointer = |message: String| BundleError::Pointer {
            key: POINTER_KEY,
            message,
        };
        let pointer: Self =
            serde_json::from_slice(bytes).map_err(|error| no_pointer(error.to_string()))?;
        if pointer.format != FORMAT {
            return Err(no_pointer(format!(
                "it has form {}, and this version knows form {FORMAT}",
                pointer.format
            )));
        }
        if pointer.current != 0 && pointer.version(pointer.current).is_none() {
            return Err(no_pointer(format!(
                "its current version {} is none of its versions",
                pointer.current
            )));
        }
        Ok(pointer)
    }

    /// Gives the bytes, readable for people.
    pub fn to_bytes(&self) -> bytes::Bytes {
        // Numbers and texts cannot fail to serialize.
        serde_json::to_vec_pretty(self).unwrap_or_default().into()
    }

    /// Finds a version.
    pub fn version(&self, number: u64) -> Option<&Version> {
        self.versions
            .iter()
            .find(|version| version.version == number)
    }

    /// Gives the published parsers in work.
    pub fn parsers(&self) -> &[Published] {
        let current = self.version(self.current);
        current.map_or(&[], |version| version.parsers.as_slice())
    }

    /// Gives the indices that parsers of any kept version write to.
    pub fn indices(&self) -> impl Iterator<Item = &str> {
        let parsers = self.versions.iter().flat_map(|version| &version.parsers);
        parsers.map(|parser| parser.index.as_str())
    }

    /// Adds a version with one parser more, or in the place of its dataset, and makes it the current one.
    #[must_use]
    pub(crate) fn with(&self, parser: Published, now: DateTime<Utc>) -> Self {
        let mut parsers = self.parsers().to_vec();
        parsers.retain(|other| other.dataset != parser.dataset);
        parsers.push(parser);
        parsers.sort_by(|a, b| a.dataset.cmp(&b.dataset));
        self.next(parsers, now)
    }

    /// Adds a version without the parser of a dataset, and makes it the current one.
    ///
    /// # Errors
    /// When none is published.
    pub(crate) fn without(&self, dataset: &str, now: DateTime<Utc>) -> Result<Self, BundleError> {
        let mut parsers = self.parsers().to_vec();
        parsers.retain(|other| other.dataset != dataset);
        if parsers.len() == self.parsers().len() {
            return Err(BundleError::NoVersion {
                what: format!("no parser of `{dataset}` is published"),
            });
        }
        Ok(self.next(parsers, now))
    }

    fn next(&self, parsers: Vec<Published>, now: DateTime<Utc>) -> Self {
        let last = self.versions.iter().map(|version| version.version).max();
        let mut next = self.clone();
        next.current = last.unwrap_or_default() + 1;
        next.versions.push(Version {
            version: next.current,
            replaces: self.current,
            published: now,
            parsers,
        });
        let surplus = next.versions.len().saturating_sub(KEPT_VERSIONS);
        next.versions.drain(..surplus);
        next
    }

    /// Makes the version current that the current one came from, or the one asked for.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn back(&self, to: Option<u64>) -> Result<Self, BundleError> {
        let no_version = |what: &str| BundleError::NoVersion {
            what: what.to_owned(),
        };
        let target = match (to, self.version(self.current)) {
            (Some(to), _) => to,
            (None, Some(current)) => current.replaces,
            (None, None) => {
                return Err(no_version(
                    "there is no version before this one: nothing is published",
                ));
            }
        };
        if target != 0 && self.version(target).is_none() {
            return Err(no_version(&format!("version {target} is not kept")));
        }
        Ok(Self {
            current: target,
            ..self.clone()
        })
    }
}
