//! [`Parsers`]: the set in work of a process that lives on.

use std::sync::Arc;
use std::time::Duration;

use sekisho_parser::Catalog;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::BundleError;
use crate::pointer::{POINTER_KEY, Pointer};
use crate::set::{Refusal, Set};
use crate::store::{BundleStore, Found};

/// How long the store may take to answer: what is known stays in work meanwhile.
const LOOK_SECONDS: u64 = 10;

/// The built-in parsers with the published ones, looked at again at most once in an interval.
pub struct Parsers {
    store: Arc<dyn BundleStore>,
    builtin: Arc<Catalog>,
    every: Duration,
    state: Mutex<State>,
}

/// The parsers of one batch.
#[derive(Debug, Clone)]
pub struct Current {
    /// What routes and parses.
    pub catalog: Arc<Catalog>,
    /// What of the published is not in work.
    pub refused: Vec<Refusal>,
    /// The version in work; 0 where nothing is published.
    pub version: u64,
    /// Whether the store was asked just now, so that a refusal is news.
    pub looked: bool,
}

#[derive(Default)]
struct State {
    work: Option<Work>,
    looked: Option<Instant>,
}

struct Work {
    pointer: Pointer,
    etag: Option<String>,
    set: Set,
    /// Why the pointer could not be looked at the last time.
    stale: Option<String>,
}

impl Parsers {
    /// The built-in parsers and what is published, asked for at most once in `every`.
    pub fn new(builtin: Arc<Catalog>, store: Arc<dyn BundleStore>, every: Duration) -> Self {
        Self {
            store,
            builtin,
            every,
            state: Mutex::default(),
        }
    }

    /// Gives the parsers for what begins now; asks the store if it was not asked for an interval.
    ///
    /// # Errors
    /// When it is not known what is published: the first look failed, and no record may be read by an older parser.
    pub async fn current(&self) -> Result<Current, BundleError> {
        let mut state = self.state.lock().await;
        let is_due = state
            .looked
            .is_none_or(|looked| looked.elapsed() >= self.every);
        let looked = is_due || state.work.is_none();
        if looked {
            state.looked = Some(Instant::now());
            let limit = Duration::from_secs(LOOK_SECONDS);
            let look = self.look(state.work.as_ref());
            let seen = timeout(limit, look).await.unwrap_or_else(|_elapsed| {
                Err(BundleError::Slow {
                    key: POINTER_KEY.to_owned(),
                    seconds: LOOK_SECONDS,
                })
            });
            match (seen, &mut state.work) {
                (Ok(Some(work)), _) => state.work = Some(work),
                (Ok(None), Some(work)) => work.stale = None,
                (Err(error), Some(work)) => work.stale = Some(error.chain()),
                (Err(error), None) => return Err(error),
                (Ok(None), None) => state.work = Some(self.nothing()),
            }
        }
        match &state.work {
            Some(work) => Ok(work.current(looked)),
            None => Ok(self.nothing().current(looked)),
        }
    }

    /// Looks whether another set is published; `None` where it is the same, and wholly in work.
    async fn look(&self, work: Option<&Work>) -> Result<Option<Work>, BundleError> {
        let store = self.store.as_ref();
        let etag = work.and_then(|work| work.etag.as_deref());
        let found = store.get(POINTER_KEY, etag).await;
        let found = found.map_err(|source| BundleError::Store {
            key: POINTER_KEY.to_owned(),
            source,
        })?;
        let (pointer, etag) = match (found, work) {
            // What was refused may be mended: a permission, a bundle put back.
            (Found::Unchanged, Some(work)) if !work.set.refused.is_empty() => {
                (work.pointer.clone(), work.etag.clone())
            }
            (Found::Unchanged, _) => return Ok(None),
            (Found::Nothing, Some(work)) if work.etag.is_some() => {
                return Err(BundleError::Pointer {
                    key: POINTER_KEY,
                    message: "it is gone".to_owned(),
                });
            }
            (Found::Nothing, _) => return Ok(None),
            (Found::Object { bytes, etag }, _) => (Pointer::read(&bytes)?, Some(etag)),
        };
        let nothing = std::collections::BTreeMap::new();
        let known = work.map_or(&nothing, |work| &work.set.parsers);
        let set = Set::read(store, &self.builtin, &pointer, known).await;
        Ok(Some(Work {
            pointer,
            etag,
            set,
            stale: None,
        }))
    }

    fn nothing(&self) -> Work {
        Work {
            pointer: Pointer::default(),
            etag: None,
            set: Set::builtin(Arc::clone(&self.builtin)),
            stale: None,
        }
    }
}

impl Work {
    fn current(&self, looked: bool) -> Current {
        let pointer = self.stale.iter().map(|reason| Refusal {
            object: POINTER_KEY.to_owned(),
            dataset: None,
            reason: format!("{reason}; the parsers known so far stay in work"),
        });
        Current {
            catalog: Arc::clone(&self.set.catalog),
            refused: self.set.refused.iter().cloned().chain(pointer).collect(),
            version: self.pointer.current,
            looked,
        }
    }
}
