//! [`QuarantineReplay`]: reads quarantined records again from their objects, after a fix, and removes what succeeded.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::join_all;
use sekisho_delivery::Files;
use sekisho_event::ObjectRef;
use sekisho_ledger::NoLedger;
use sekisho_object::{ErrorClass, ObjectLimits};
use sekisho_pipeline::{
    ObjectReport, Pipeline, PipelineSettings, Quarantine, QuarantineEntry, QuarantineError, Stages,
    TimeLimit, Work,
};
use serde::Serialize;
use tokio::time::Instant;

use crate::error::{ReplayError, chain};
use crate::replay::round::file;
use crate::replay::{Mode, ReplayOptions};
use crate::report::End;

mod entry;

use entry::{Entry, Stretch, stretches};

/// How many entries are worked on together.
const TOGETHER: usize = 100;

/// What became of quarantined entries.
#[derive(Debug, Default, Serialize)]
pub struct QuarantineReport {
    /// Entries that were looked at.
    pub entries: u64,
    /// Their records are indexed or were excluded by a rule, and the entries removed.
    pub done: u64,
    /// They failed for a reason again, and stay.
    pub stayed: u64,
    /// Their object is gone; they stay, marked `source_gone`.
    pub source_gone: u64,
    /// Their object could not be read or written now.
    pub failed: u64,
    /// What was in the way of the first of those.
    pub error: Option<String>,
    /// Why the run ended.
    pub end: End,
}

/// Reads quarantined records again.
pub struct QuarantineReplay {
    files: Arc<dyn Files>,
    prefix: String,
    stages: Stages,
    caught: Arc<Caught>,
    pipeline: Pipeline,
}

impl QuarantineReplay {
    /// Wires a pipeline that keeps no books: an entry is not a slice of its object's chain.
    pub fn new(
        files: Arc<dyn Files>,
        prefix: String,
        stages: Stages,
        limits: ObjectLimits,
        settings: PipelineSettings,
    ) -> Self {
        let caught = Arc::new(Caught {
            quarantine: Arc::clone(&stages.quarantine),
            places: Mutex::default(),
        });
        let of_pipeline = Stages {
            quarantine: Arc::clone(&caught) as Arc<dyn Quarantine>,
            ledger: Arc::new(NoLedger),
            continuations: None,
            ..stages.clone()
        };
        // An entry is part of an object already.
        let settings = PipelineSettings {
            split_bytes: 0,
            ..settings
        };
        Self {
            pipeline: Pipeline::new(of_pipeline, limits, settings),
            files,
            prefix,
            stages,
            caught,
        }
    }

    /// Goes through the quarantine; what goes wrong for every entry is the report's `end`.
    pub async fn run(&self, until: Instant, options: &ReplayOptions) -> QuarantineReport {
        let mut report = QuarantineReport::default();
        report.end = match self.pages(until, options, &mut report).await {
            Ok(end) => end,
            Err(error) => End::Failed(error),
        };
        report
    }

    async fn pages(
        &self,
        until: Instant,
        options: &ReplayOptions,
        report: &mut QuarantineReport,
    ) -> Result<End, ReplayError> {
        let mut next: Option<String> = None;
        loop {
            let page = self.files.list(&self.prefix, next.as_deref()).await;
            let page = page.map_err(file("list", self.prefix.clone()))?;
            for keys in page.keys.chunks(TOGETHER) {
                let left = options.limit.unwrap_or(u64::MAX) - report.entries;
                if left == 0 {
                    return Ok(End::Limit);
                }
                if Instant::now() >= until {
                    return Ok(End::TimeUp);
                }
                let most = usize::try_from(left).unwrap_or(usize::MAX);
                let keys = keys.get(..most.min(keys.len())).unwrap_or_default();
                self.some(keys, until, options.mode, report).await?;
            }
            next = page.next;
            if next.is_none() {
                return Ok(End::Empty);
            }
        }
    }

    async fn some(
        &self,
        keys: &[String],
        until: Instant,
        mode: Mode,
        report: &mut QuarantineReport,
    ) -> Result<(), ReplayError> {
        let reads = join_all(keys.iter().map(|key| self.files.get(key))).await;
        let mut entries = Vec::with_capacity(keys.len());
        for (key, bytes) in keys.iter().zip(reads) {
            let bytes = bytes.map_err(file("read", key.clone()))?;
            let Some(bytes) = bytes else { continue };
            report.entries += 1;
            match Entry::read(key, &bytes) {
                Some(entry) if entry.source_gone => report.source_gone += 1,
                Some(entry) => entries.push(entry),
                None => report.fail(1, || format!("`{key}` is no quarantine entry")),
            }
        }
        if mode == Mode::Look {
            report.stayed += entries.len() as u64;
            return Ok(());
        }
        let stretches = self.there(stretches(entries), report).await?;
        let work = stretches.iter().map(|stretch| Work {
            slice: stretch.slice(),
            ask_ledger: false,
        });
        self.caught.lock().clear();
        let time = TimeLimit {
            stop_at: None,
            give_up_at: Some(until),
        };
        let reports = self.pipeline.run(work.collect(), time).await;
        for (stretch, of_object) in stretches.into_iter().zip(reports) {
            self.settle(stretch, &of_object, report).await?;
        }
        Ok(())
    }

    /// Gives the stretches whose objects are there, and marks the entries of the others.
    async fn there(
        &self,
        stretches: Vec<Stretch>,
        report: &mut QuarantineReport,
    ) -> Result<Vec<Stretch>, ReplayError> {
        let looks = stretches
            .iter()
            .map(|stretch| self.stages.store.head(&stretch.object));
        let looks = join_all(looks).await;
        let mut there = Vec::with_capacity(stretches.len());
        for (stretch, look) in stretches.into_iter().zip(looks) {
            let error = match look {
                Ok(_) => {
                    there.push(stretch);
                    continue;
                }
                Err(error) => error,
            };
            let n_entries = stretch.entries.len() as u64;
            if !matches!(error.class(), ErrorClass::Missing | ErrorClass::Superseded) {
                report.fail(n_entries, || chain(&error));
                continue;
            }
            report.source_gone += n_entries;
            for entry in stretch.entries {
                let put = self.files.put(&entry.file, entry.marked_gone()).await;
                put.map_err(file("mark", entry.file))?;
            }
        }
        Ok(there)
    }

    async fn settle(
        &self,
        stretch: Stretch,
        of_object: &ObjectReport,
        report: &mut QuarantineReport,
    ) -> Result<(), ReplayError> {
        if let Some(error) = &of_object.error {
            report.fail(stretch.entries.len() as u64, || chain(error));
            return Ok(());
        }
        for entry in stretch.entries {
            let is_caught = self
                .caught
                .lock()
                .contains(&place(&stretch.object, entry.offset));
            // A rest that was never read holds no record of its own; a record that nobody found again is not settled.
            let is_read = if entry.is_rest() {
                of_object.cut.is_none()
            } else {
                of_object.books.records > 0
            };
            if is_caught || !is_read {
                report.stayed += 1;
                continue;
            }
            let deleted = self.files.delete(&entry.file).await;
            deleted.map_err(file("delete", entry.file))?;
            report.done += 1;
        }
        Ok(())
    }
}

impl QuarantineReport {
    fn fail(&mut self, entries: u64, error: impl FnOnce() -> String) {
        self.failed += entries;
        if self.error.is_none() {
            self.error = Some(error());
        }
    }
}

/// The table for people.
impl fmt::Display for QuarantineReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "entries      {:>10}", self.entries)?;
        writeln!(f, "done         {:>10}", self.done)?;
        writeln!(f, "stayed       {:>10}", self.stayed)?;
        writeln!(f, "source gone  {:>10}", self.source_gone)?;
        writeln!(f, "failed       {:>10}", self.failed)?;
        match &self.error {
            Some(error) => writeln!(f, "first failure: {error}"),
            None => Ok(()),
        }
    }
}

/// An object's bytes and an offset.
type Place = (String, String, u64);

fn place(object: &ObjectRef, offset: u64) -> Place {
    (object.bucket.clone(), object.key.clone(), offset)
}

/// The quarantine, with what went into it again.
struct Caught {
    quarantine: Arc<dyn Quarantine>,
    places: Mutex<BTreeSet<Place>>,
}

impl Caught {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Quarantine for Caught {
    async fn put(&self, entry: QuarantineEntry) -> Result<(), QuarantineError> {
        let place = place(&entry.object, entry.offset);
        self.quarantine.put(entry).await?;
        self.lock().insert(place);
        Ok(())
    }
}
