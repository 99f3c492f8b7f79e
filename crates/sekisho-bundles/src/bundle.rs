//! [`Bundle`]: one parser folder as one immutable object, named by its digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use sekisho_parser::{ENGINE, Parser, ParserFiles};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::BundleError;

const SPEC: &str = "parser.toml";
const SCRIPT: &str = "transform.vrl";
/// How much of the digest stands behind the version in `sekisho.parser`.
const SHOWN_DIGITS: usize = 8;

/// One parser folder as it is published: its text without cases and pages.
///
/// Its bytes are canonical JSON (sorted keys, no blanks), so equal folders have equal digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    // In the order of their names: serde writes them as they stand.
    engine: u32,
    files: BTreeMap<String, String>,
    folder: String,
}

impl Bundle {
    /// Packs a folder.
    pub fn new(files: ParserFiles) -> Self {
        let ParserFiles {
            folder,
            spec,
            script,
            tables,
        } = files;
        let mut files = tables;
        files.insert(SPEC.to_owned(), spec);
        files.extend(script.map(|script| (SCRIPT.to_owned(), script)));
        Self {
            engine: ENGINE,
            files,
            folder,
        }
    }

    /// Gives the bytes.
    pub fn to_bytes(&self) -> Bytes {
        // Numbers and texts cannot fail to serialize.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Gives the SHA-256 of the bytes in hexadecimal digits.
    pub fn digest(&self) -> String {
        digest(&self.to_bytes())
    }

    /// Names the object of a digest.
    pub fn key(digest: &str) -> String {
        format!("parsers/bundles/{digest}.json")
    }

    /// Reads the bundle of a digest and the parser in it.
    ///
    /// # Errors
    /// When the bytes have another digest, are no bundle, need a newer engine, or hold no parser.
    pub fn read(bytes: &[u8], expected: &str) -> Result<Arc<Parser>, BundleError> {
        let key = Self::key(expected);
        let found = digest(bytes);
        if found != expected {
            return Err(BundleError::Digest { key, found });
        }
        let malformed = |error: serde_json::Error| BundleError::Malformed {
            key: key.clone(),
            message: error.to_string(),
        };
        // First of all the engine: the rest of a newer bundle may look otherwise.
        let Head { engine } = serde_json::from_slice(bytes).map_err(malformed)?;
        if engine > ENGINE {
            let own = ENGINE;
            return Err(BundleError::Engine { key, engine, own });
        }
        let bundle: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        let parser = Parser::read(bundle.into_files())
            .map_err(|source| BundleError::Parser { key, source })?;
        let shown = expected.get(..SHOWN_DIGITS).unwrap_or(expected);
        Ok(Arc::new(parser.with_revision(shown.to_owned())))
    }

    fn into_files(mut self) -> ParserFiles {
        ParserFiles {
            folder: self.folder,
            spec: self.files.remove(SPEC).unwrap_or_default(),
            script: self.files.remove(SCRIPT),
            tables: self.files,
        }
    }
}

#[derive(Deserialize)]
struct Head {
    engine: u32,
}

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
