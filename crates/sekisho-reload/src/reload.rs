//! [`Reload`]: objects in, replaced documents out.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::{join_all, try_join_all};
use sekisho_bulk::{
    BulkDestination, BulkError, BulkSettings, ClusterApi, Destination, Transport, WriteMode,
};
use sekisho_config::Settings;
use sekisho_event::ObjectRef;
use sekisho_ledger::Ledger;
use sekisho_object::{ObjectLimits, ObjectStore};
use sekisho_parser::Catalog;
use sekisho_pipeline::{
    Clock, ObjectReport, Pipeline, PipelineSettings, Progress, Quarantine, Stages, TimeLimit, Work,
    bulk_settings, object_limits,
};

use crate::floor::Floor;
use crate::held::HeldLedger;
use crate::layout::Layout;
use crate::look_up::{Finder, Known, Place};
use crate::replacing::Replacing;
use crate::sweep::{Broom, sweep};
use crate::{ObjectReload, ReloadError};

/// How many objects are looked up or swept at once: a search asks many shards.
const AT_ONCE: usize = 8;

/// What a reload is made of, beside the cluster.
#[derive(Clone)]
pub struct Parts {
    /// Where objects come from.
    pub store: Arc<dyn ObjectStore>,
    /// What parses them now.
    pub catalog: Arc<Catalog>,
    /// Where records go that cannot be indexed.
    pub quarantine: Arc<dyn Quarantine>,
    /// Where the books are kept.
    pub ledger: Arc<dyn Ledger>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// What bounds a reload, and where it looks.
#[derive(Debug, Clone)]
pub struct ReloadSettings {
    /// How documents are written.
    pub bulk: BulkSettings,
    /// The limits of one object.
    pub limits: ObjectLimits,
    /// What bounds the pipeline.
    pub pipeline: PipelineSettings,
    /// The installation's index prefix.
    pub prefix: String,
    /// How many days the documents of one object may spread over.
    pub days: u64,
}

impl From<&Settings> for ReloadSettings {
    fn from(settings: &Settings) -> Self {
        let index = &settings.index;
        Self {
            bulk: bulk_settings(settings),
            limits: object_limits(settings),
            pipeline: PipelineSettings::from(settings),
            prefix: index.prefix.clone(),
            days: u64::from(index.days_before) + u64::from(index.days_after),
        }
    }
}

/// Replaces the documents of objects.
pub struct Reload {
    parts: Parts,
    settings: ReloadSettings,
    destination: Arc<dyn Destination>,
    finder: Arc<Finder>,
    floor: Arc<Floor>,
    progress: Arc<Progress>,
}

/// What is known before the first object of a group is read.
struct Group {
    layout: Arc<Layout>,
    known: Vec<Known>,
    start: DateTime<Utc>,
}

impl Reload {
    /// Takes the cluster, whose documents get times of their own: see [`Reload::objects`].
    pub fn new<C>(cluster: Arc<C>, parts: Parts, mut settings: ReloadSettings) -> Self
    where
        C: Transport + ClusterApi + 'static,
    {
        settings.pipeline.write_mode = WriteMode::Index;
        let floor = Arc::new(Floor::new(Arc::clone(&parts.clock)));
        let clock = Arc::clone(&floor);
        let destination = BulkDestination::new(
            Arc::clone(&cluster),
            settings.bulk.clone(),
            Arc::new(move || clock.now()),
        );
        let bases = bases(&settings.prefix, &parts.catalog);
        Self {
            finder: Arc::new(Finder::new(cluster, bases, settings.days)),
            destination: Arc::new(destination),
            parts,
            settings,
            floor,
            progress: Arc::default(),
        }
    }

    /// Gives the live counters of all objects.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Says why the cluster takes nothing at all, where that is so: there is no use in reading more.
    pub fn refuses_all(&self) -> Option<String> {
        self.destination.refuses_all()
    }

    /// Replaces the documents of one object, see [`Reload::objects`].
    ///
    /// # Errors
    /// When nothing was begun.
    pub async fn object(
        &self,
        object: ObjectRef,
        give_up_at: Option<tokio::time::Instant>,
    ) -> Result<Option<ObjectReload>, ReloadError> {
        Ok(self.objects(vec![object], give_up_at).await?.pop())
    }

    /// Replaces the documents of objects, several at once, and tells how each ended, in their order.
    ///
    /// All of them are looked at before the first is read, so a caller with many gives them in groups.
    /// New documents are told from old ones by `event.ingested`: every new one has a time behind all old ones, however wrong the clock.
    ///
    /// # Errors
    /// When nothing was begun.
    pub async fn objects(
        &self,
        objects: Vec<ObjectRef>,
        give_up_at: Option<tokio::time::Instant>,
    ) -> Result<Vec<ObjectReload>, ReloadError> {
        let objects = try_join_all(objects.into_iter().map(|object| self.pinned(object))).await?;
        let group = self.look(&objects).await?;
        let ledger = Arc::new(HeldLedger::new(Arc::clone(&self.parts.ledger)));
        let replacing = Arc::new(Replacing::new(
            Arc::clone(&self.destination),
            Arc::clone(&self.finder),
            Arc::clone(&group.layout),
            group.known.clone(),
            self.settings.pipeline.max_reasons,
        ));
        let pipeline = self.pipeline(Arc::clone(&replacing), Arc::clone(&ledger));
        let time = TimeLimit {
            stop_at: None,
            give_up_at,
        };
        let work = objects.into_iter().map(Work::from).collect();
        let reports = pipeline.run(work, time).await;
        // What was written over must not be found as it was.
        let visible = self.finder.refresh().await;
        let mut ended: Vec<_> = reports
            .into_iter()
            .enumerate()
            .map(|(ordinal, report)| {
                let tally = replacing.tally(ordinal);
                ObjectReload {
                    report,
                    left: tally.left,
                    deleted: tally.deleted,
                    stayed: 0,
                    error: None,
                }
            })
            .collect();
        for some in ended.chunks_mut(AT_ONCE) {
            let some = some.iter_mut().filter(|one| is_read(&one.report));
            join_all(some.map(|one| self.end(one, &group, &ledger, &visible))).await;
        }
        Ok(ended)
    }

    async fn end(
        &self,
        one: &mut ObjectReload,
        group: &Group,
        ledger: &HeldLedger,
        visible: &Result<(), BulkError>,
    ) {
        one.error = match visible {
            Ok(()) => self.finish(one, group, ledger).await.err(),
            Err(source) => Some(ReloadError::Unseen {
                object: one.report.object.to_string(),
                reason: source.to_string(),
            }),
        };
    }

    /// Without an ETag the old documents of the same bytes could not be told from others.
    async fn pinned(&self, mut object: ObjectRef) -> Result<ObjectRef, ReloadError> {
        if object.etag.is_none() {
            let meta = self.parts.store.head(&object).await;
            let meta = meta.map_err(|source| ReloadError::Head {
                object: object.to_string(),
                source,
            })?;
            object.etag = meta.etag;
            object.version_id = object.version_id.or(meta.version_id);
            object.event_time.get_or_insert(meta.last_modified);
        }
        Ok(object)
    }

    async fn look(&self, objects: &[ObjectRef]) -> Result<Group, ReloadError> {
        let finder = &self.finder;
        finder.refresh().await.map_err(ReloadError::LookUp)?;
        let mark = &self.settings.bulk.retired_alias;
        let layout = Layout::ask(&*finder.api, &finder.all, mark).await;
        let layout = &Arc::new(layout.map_err(ReloadError::LookUp)?);
        let look = |object| async move {
            let place = Place::of(object);
            let newest = finder.newest(&place).await?;
            let known = Known {
                has_retired: finder.is_in_retired(&place, layout).await?,
                hidden_in: layout.may_hide(object.event_time).map(str::to_owned),
                place,
            };
            Ok((known, newest))
        };
        let mut looked = Vec::with_capacity(objects.len());
        for some in objects.chunks(AT_ONCE) {
            let some = try_join_all(some.iter().map(look)).await;
            looked.extend(some.map_err(ReloadError::LookUp)?);
        }
        let newest = looked.iter().filter_map(|(_, newest)| *newest).max();
        Ok(Group {
            layout: Arc::clone(layout),
            known: looked.into_iter().map(|(known, _)| known).collect(),
            start: self.floor.start(newest),
        })
    }

    fn pipeline(&self, destination: Arc<Replacing>, ledger: Arc<HeldLedger>) -> Pipeline {
        let parts = &self.parts;
        let stages = Stages {
            store: Arc::clone(&parts.store),
            catalog: Arc::clone(&parts.catalog),
            destination,
            quarantine: Arc::clone(&parts.quarantine),
            ledger,
            continuations: None,
            clock: Arc::clone(&parts.clock),
        };
        let limits = self.settings.limits;
        let settings = self.settings.pipeline.clone();
        Pipeline::counting(stages, limits, settings, Arc::clone(&self.progress))
    }

    async fn still_raw(&self, object: &ObjectRef) -> Result<u64, ReloadError> {
        let failed = |source| ReloadError::Sweep {
            object: object.to_string(),
            source,
        };
        // What was deleted a moment ago must not count.
        self.finder.refresh().await.map_err(failed)?;
        let raw = self.finder.raw(&Place::of(object)).await;
        raw.map_err(failed)
    }

    /// Sweeps, then closes the books.
    async fn finish(
        &self,
        one: &mut ObjectReload,
        group: &Group,
        ledger: &HeldLedger,
    ) -> Result<(), ReloadError> {
        let report = &one.report;
        let object = &report.object;
        let all_written =
            one.left.count == 0 && report.books.quarantined == 0 && report.cut.is_none();
        let broom = if all_written {
            Broom::All
        } else {
            Broom::Replaced
        };
        let swept = sweep(&self.finder, &group.layout, object, group.start, broom).await?;
        one.deleted += swept.deleted;
        one.stayed = swept.stayed;
        let Some(mut attempt) = ledger.take(object) else {
            return Ok(());
        };
        if broom == Broom::Replaced {
            // What is raw still, or may be, must be found by the next `--outcome raw`.
            let raw = self.still_raw(object).await?;
            attempt.raw_seen = attempt.raw_seen.max(raw + one.left.hidden);
        }
        let recorded = self.parts.ledger.record(attempt).await;
        recorded.map(drop).map_err(|source| ReloadError::Ledger {
            object: object.to_string(),
            source,
        })
    }
}

/// Tells whether the object was read to its end, so that every record of it had its turn.
fn is_read(report: &ObjectReport) -> bool {
    report.error.is_none() && report.ignored.is_none() && report.eof
}

/// Gives the starts of the names of the installation's indices: those of its sources of now, and all that are named as ours are.
fn bases(prefix: &str, catalog: &Catalog) -> Vec<String> {
    let usual = format!("{prefix}log-*");
    let others = catalog.indices();
    let others: BTreeSet<_> = others.filter(|index| !index.starts_with("log-")).collect();
    let others = others.iter().map(|index| format!("{prefix}{index}"));
    std::iter::once(usual).chain(others).collect()
}
