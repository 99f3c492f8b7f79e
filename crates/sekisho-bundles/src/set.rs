//! [`Set`]: the built-in parsers with the published ones of a pointer.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekisho_parser::{Catalog, Parser};

use crate::pointer::{Pointer, Published};
use crate::store::{BundleStore, Found};
use crate::{Bundle, BundleError};

/// A bundle, or the pointer, that is not in work as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The object in the config bucket.
    pub object: String,
    /// The dataset whose keys are held; none for the pointer.
    pub dataset: Option<String>,
    /// Why, with the remedy.
    pub reason: String,
}

/// The parsers of a pointer.
#[derive(Debug, Clone)]
pub struct Set {
    /// The built-in parsers with the published ones in their places.
    pub catalog: Arc<Catalog>,
    /// What of the pointer cannot be used.
    pub refused: Vec<Refusal>,
    /// The parsers by their digests, so that what stays the same is not read and compiled again.
    pub(crate) parsers: BTreeMap<String, Arc<Parser>>,
}

impl Set {
    /// The built-in parsers alone.
    pub(crate) fn builtin(catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            refused: Vec::new(),
            parsers: BTreeMap::new(),
        }
    }

    /// Reads the bundles that a pointer names and `known` does not hold; what cannot be used holds its keys.
    pub async fn read(
        store: &dyn BundleStore,
        builtin: &Catalog,
        pointer: &Pointer,
        known: &BTreeMap<String, Arc<Parser>>,
    ) -> Self {
        let mut catalog = builtin.clone();
        let mut refused = Vec::new();
        let mut parsers = BTreeMap::new();
        for published in pointer.parsers() {
            let parser = match known.get(&published.digest) {
                Some(parser) => Ok(Arc::clone(parser)),
                None => fetch(store, published).await,
            };
            let added = parser.and_then(|parser| {
                let next = publish(&catalog, published, &parser)?;
                Ok((next, parser))
            });
            match added {
                Ok((next, parser)) => {
                    catalog = next;
                    parsers.insert(published.digest.clone(), parser);
                }
                Err(error) => {
                    let reason = error.chain();
                    catalog = catalog.hold(&published.claim(), reason.clone());
                    refused.push(Refusal {
                        object: published.bundle(),
                        dataset: Some(published.dataset.clone()),
                        reason,
                    });
                }
            }
        }
        for index in pointer.indices() {
            catalog.note_index(index);
        }
        Self {
            catalog: Arc::new(catalog),
            refused,
            parsers,
        }
    }
}

async fn fetch(store: &dyn BundleStore, published: &Published) -> Result<Arc<Parser>, BundleError> {
    let key = published.bundle();
    match store.get(&key, None).await {
        Ok(Found::Object { bytes, .. }) => Bundle::read(&bytes, &published.digest),
        Ok(Found::Nothing | Found::Unchanged) => Err(BundleError::Missing { key }),
        Err(source) => Err(BundleError::Store { key, source }),
    }
}

fn publish(
    catalog: &Catalog,
    published: &Published,
    parser: &Arc<Parser>,
) -> Result<Catalog, BundleError> {
    let key = published.bundle();
    if parser.dataset() != published.dataset {
        return Err(BundleError::Malformed {
            key,
            message: format!(
                "the pointer says that it is `{}`, and it is `{}`",
                published.dataset,
                parser.dataset()
            ),
        });
    }
    catalog
        .publish(Arc::clone(parser))
        .map_err(|source| BundleError::Parser { key, source })
}
