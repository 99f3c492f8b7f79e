//! [`Finder`]: look-ups of many callers in one request.

use std::sync::Arc;

use async_trait::async_trait;
use sekisho_bulk::ErrorClass;

use crate::group::{Group, Work};
use crate::{LedgerEntry, LedgerError, SliceKey};

use super::patience::Patience;
use super::shelf::{Looked, Shelf};

/// Looks up what callers ask for.
pub(super) struct Finder(Arc<Shelf>);

impl Finder {
    pub(super) fn new(shelf: Arc<Shelf>) -> Self {
        Self(shelf)
    }

    /// Reads until everything can be read or patience ends.
    async fn read(&self, slices: &[SliceKey]) -> Result<Vec<Looked>, LedgerError> {
        let mut patience = Patience::new();
        loop {
            let looked = self.0.read(slices).await;
            let retry = |error: &LedgerError| error.class() == ErrorClass::Retry;
            let again = match &looked {
                Ok(looked) => looked.iter().any(|one| one.as_ref().is_err_and(retry)),
                Err(error) => retry(error),
            };
            if !again || !patience.wait().await {
                return looked;
            }
        }
    }
}

#[async_trait]
impl Work for Finder {
    type Job = Vec<SliceKey>;
    type Answer = Result<Vec<Option<LedgerEntry>>, LedgerError>;

    async fn work(&self, group: &mut Group<'_, Self>) {
        let jobs = group.open();
        let slices: Vec<_> = jobs
            .iter()
            .flat_map(|waiting| waiting.job.clone())
            .collect();
        match self.read(&slices).await {
            Ok(looked) => {
                let mut entries = looked
                    .into_iter()
                    .map(|one| one.map(|held| held.map(|held| held.entry)));
                for waiting in jobs {
                    let n_keys = waiting.job.len();
                    waiting.answer(entries.by_ref().take(n_keys).collect());
                }
            }
            Err(error) => {
                for waiting in jobs {
                    waiting.answer(Err(error.clone()));
                }
            }
        }
    }
}
