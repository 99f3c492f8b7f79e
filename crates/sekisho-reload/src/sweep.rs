//! Deletes what a finished run did not write: the older documents of the same bytes.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use sekisho_bulk::Hit;
use sekisho_event::ObjectRef;

use crate::ReloadError;
use crate::layout::Layout;
use crate::look_up::{Finder, Place, offset};
use crate::patience::delete;

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Swept {
    pub(crate) deleted: u64,
    pub(crate) stayed: u64,
}

/// Which old documents go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broom {
    /// All: every record of the object has its new document, or is excluded.
    All,
    /// Those at whose offset there is a new one: some record has none, and nobody knows which old document was its.
    Replaced,
}

/// Deletes the documents of an object that are older than `start`; those in retired indices stay, and those of other bytes.
pub(crate) async fn sweep(
    finder: &Finder,
    layout: &Layout,
    object: &ObjectRef,
    start: DateTime<Utc>,
    broom: Broom,
) -> Result<Swept, ReloadError> {
    let name = object.to_string();
    let failed = |source| ReloadError::Sweep {
        object: name.clone(),
        source,
    };
    let place = Place::of(object);
    let mut swept = Swept::default();
    let mut pages = finder.before(&place, start);
    while let Some(mut hits) = pages.next(&*finder.api).await.map_err(failed)? {
        hits.retain(|hit| !layout.is_retired(&hit.index));
        if broom == Broom::Replaced {
            let offsets: Vec<_> = hits.iter().filter_map(offset).collect();
            let written = finder.written_at(&place, start, &offsets);
            let written: HashSet<u64> = written.await.map_err(failed)?.into_iter().collect();
            let is_replaced = |hit: &Hit| offset(hit).is_some_and(|at| written.contains(&at));
            let n_found = hits.len();
            hits.retain(is_replaced);
            swept.stayed += u64::try_from(n_found - hits.len()).unwrap_or_default();
        }
        let deleted = delete(&*finder.api, hits).await;
        swept.deleted += deleted.map_err(|undeleted| undeleted.of(&name))?;
    }
    Ok(swept)
}
