//! [`Finder`]: finds the documents of before, by their ids and by what they say of the object that they came from.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use sekisho_bulk::{BulkBatch, BulkError, ClusterApi, Hit, Search, refresh, search_page};
use sekisho_event::ObjectRef;
use serde_json::{Value, json};

use crate::days::around;
use crate::layout::Layout;
use crate::patience::patiently;

const PATH: &str = "log.file.path";
const ETAG: &str = "sekisho.etag";
const OFFSET: &str = "sekisho.offset";
const INGESTED: &str = "event.ingested";

/// How many ids or offsets one search names.
const AT_ONCE: usize = 1000;
/// What OpenSearch gives at most in one page.
const PAGE: usize = 10_000;

/// Where the documents of one object are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    path: String,
    etag: Option<String>,
}

/// What is known of an object before it is read.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) place: Place,
    /// Whether documents of it lie in retired indices.
    pub(crate) has_retired: bool,
    /// A closed index that may hold documents of it.
    pub(crate) hidden_in: Option<String>,
}

/// The documents of before that a batch replaces.
#[derive(Debug, Default)]
pub(crate) struct Old {
    by_id: HashMap<String, Vec<Hit>>,
    /// By ordinal and offset; only for objects of which some lies where nobody may replace it.
    by_place: HashMap<(usize, u64), Vec<Hit>>,
}

/// Asks the installation's indices.
pub(crate) struct Finder {
    pub(crate) api: Arc<dyn ClusterApi>,
    /// The starts of the names of indices.
    bases: Vec<String>,
    /// All of them.
    pub(crate) all: String,
    /// How far apart the days of two documents of one record may lie.
    days: u64,
}

impl Place {
    pub(crate) fn of(object: &ObjectRef) -> Self {
        Self {
            path: object.to_string(),
            etag: object.etag.clone(),
        }
    }

    /// Finds the documents of these bytes under this key that fit, too, what else is asked.
    fn query(&self, filters: impl IntoIterator<Item = Value>, not: Vec<Value>) -> Value {
        let mut filter = vec![json!({ "term": { PATH: self.path } })];
        let mut must_not = not;
        match &self.etag {
            Some(etag) => filter.push(json!({ "term": { ETAG: etag } })),
            None => must_not.push(json!({ "exists": { "field": ETAG } })),
        }
        filter.extend(filters);
        json!({ "bool": { "filter": filter, "must_not": must_not } })
    }
}

impl Old {
    pub(crate) fn of_id(&self, id: &str) -> &[Hit] {
        self.by_id.get(id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn of_place(&self, object: usize, offset: u64) -> &[Hit] {
        self.by_place
            .get(&(object, offset))
            .map_or(&[], Vec::as_slice)
    }
}

impl Finder {
    /// Asks below the bases: one that ends with `*` stands for many sources.
    pub(crate) fn new(api: Arc<dyn ClusterApi>, bases: Vec<String>, days: u64) -> Self {
        let whole = bases.iter().map(|base| match base.ends_with('*') {
            true => base.clone(),
            false => format!("{base}-*"),
        });
        let all = whole.collect::<Vec<_>>().join(",");
        Self {
            api,
            bases,
            all,
            days,
        }
    }

    /// Shows searches everything that was written so far.
    pub(crate) async fn refresh(&self) -> Result<(), BulkError> {
        patiently(|| refresh(&*self.api, &self.all)).await
    }

    /// Gives the newest `event.ingested` of an object's documents.
    pub(crate) async fn newest(&self, place: &Place) -> Result<Option<DateTime<Utc>>, BulkError> {
        let search = Search {
            pattern: &self.all,
            query: place.query([], Vec::new()),
            source: &[INGESTED],
            sort: json!([{ INGESTED: { "order": "desc", "unmapped_type": "date" } }]),
            size: 1,
            search_after: None,
        };
        let hits = patiently(|| search_page(&*self.api, &search)).await?;
        let text = hits.first().and_then(|hit| field(&hit.source, INGESTED));
        let text = text.and_then(Value::as_str);
        Ok(text.and_then(|text| text.parse().ok()))
    }

    /// Tells whether documents of an object lie in retired indices.
    pub(crate) async fn is_in_retired(
        &self,
        place: &Place,
        layout: &Layout,
    ) -> Result<bool, BulkError> {
        if !layout.has_retired() {
            return Ok(false);
        }
        let names: Vec<_> = layout.retired().collect();
        let search = Search {
            pattern: &self.all,
            query: place.query([json!({ "terms": { "_index": names } })], Vec::new()),
            source: &[],
            sort: by_offset(),
            size: 1,
            search_after: None,
        };
        let hits = patiently(|| search_page(&*self.api, &search)).await?;
        Ok(!hits.is_empty())
    }

    /// Finds what a batch replaces.
    pub(crate) async fn old(&self, batch: &BulkBatch, known: &[Known]) -> Result<Old, BulkError> {
        let mut old = Old::default();
        let indices = batch.items.iter().map(|item| &*item.index);
        let near = around(&self.bases, indices, self.days);
        let pattern = near.as_deref().unwrap_or(&self.all);
        let ids: Vec<_> = batch.items.iter().map(|item| item.id.to_string()).collect();
        for ids in ids.chunks(AT_ONCE) {
            let query = json!({ "ids": { "values": ids } });
            let mut pages = Pages::new(pattern, query, &[], by_state());
            while let Some(hits) = pages.next(&*self.api).await? {
                for hit in hits {
                    old.by_id.entry(hit.id.clone()).or_default().push(hit);
                }
            }
        }
        let mut offsets: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
        for item in &batch.items {
            offsets.entry(item.object).or_default().push(item.offset);
        }
        for (object, offsets) in offsets {
            let Some(known) = known.get(object) else {
                continue;
            };
            if known.has_retired || known.hidden_in.is_some() {
                self.at_offsets(object, &known.place, &offsets, &mut old)
                    .await?;
            }
        }
        Ok(old)
    }

    async fn at_offsets(
        &self,
        object: usize,
        place: &Place,
        offsets: &[u64],
        old: &mut Old,
    ) -> Result<(), BulkError> {
        for offsets in offsets.chunks(AT_ONCE) {
            let wanted = json!({ "terms": { OFFSET: offsets } });
            let query = place.query([wanted], Vec::new());
            let mut pages = Pages::new(&self.all, query, &[OFFSET], by_offset());
            while let Some(hits) = pages.next(&*self.api).await? {
                for hit in hits {
                    if let Some(offset) = offset(&hit) {
                        old.by_place.entry((object, offset)).or_default().push(hit);
                    }
                }
            }
        }
        Ok(())
    }

    /// Goes through the documents of an object that are older than a run.
    pub(crate) fn before(&self, place: &Place, start: DateTime<Utc>) -> Pages<'_> {
        let query = place.query([], vec![since(start)]);
        Pages::new(&self.all, query, &[OFFSET], by_offset()).of(AT_ONCE)
    }

    /// Counts the raw documents of an object.
    pub(crate) async fn raw(&self, place: &Place) -> Result<u64, BulkError> {
        let raw = json!({ "term": { "event.kind": "pipeline_error" } });
        let query = place.query([raw], Vec::new());
        let mut pages = Pages::new(&self.all, query, &[], by_offset());
        let mut count = 0;
        while let Some(hits) = pages.next(&*self.api).await? {
            count += u64::try_from(hits.len()).unwrap_or_default();
        }
        Ok(count)
    }

    /// Gives those of the offsets at which a run has written documents.
    pub(crate) async fn written_at(
        &self,
        place: &Place,
        start: DateTime<Utc>,
        offsets: &[u64],
    ) -> Result<Vec<u64>, BulkError> {
        let wanted = [json!({ "terms": { OFFSET: offsets } }), since(start)];
        let query = place.query(wanted, Vec::new());
        let mut pages = Pages::new(&self.all, query, &[OFFSET], by_offset());
        let mut found = Vec::new();
        while let Some(hits) = pages.next(&*self.api).await? {
            found.extend(hits.iter().filter_map(offset));
        }
        Ok(found)
    }
}

/// The pages of a search.
pub(crate) struct Pages<'f> {
    pattern: String,
    query: Value,
    source: &'f [&'f str],
    sort: Value,
    size: usize,
    /// `None` when the last page was given.
    after: Option<Option<Value>>,
}

impl<'f> Pages<'f> {
    fn new(pattern: &str, query: Value, source: &'f [&'f str], sort: Value) -> Self {
        Self {
            pattern: pattern.to_owned(),
            query,
            source,
            sort,
            size: PAGE,
            after: Some(None),
        }
    }

    fn of(mut self, size: usize) -> Self {
        self.size = size;
        self
    }

    pub(crate) async fn next(
        &mut self,
        api: &dyn ClusterApi,
    ) -> Result<Option<Vec<Hit>>, BulkError> {
        let Some(after) = self.after.take() else {
            return Ok(None);
        };
        let search = Search {
            pattern: &self.pattern,
            query: self.query.clone(),
            source: self.source,
            sort: self.sort.clone(),
            size: self.size,
            search_after: after,
        };
        let hits = patiently(|| search_page(api, &search)).await?;
        if hits.len() == self.size {
            self.after = hits.last().map(|hit| Some(hit.sort.clone()));
        }
        Ok(Some(hits))
    }
}

/// Orders by what names one state of a document in a shard; sorting by `_id` would load every id of an index into memory.
fn by_state() -> Value {
    json!([{ "_seq_no": "asc" }, { "_index": "asc" }])
}

fn by_offset() -> Value {
    let offset = json!({ "order": "asc", "unmapped_type": "long" });
    json!([{ OFFSET: offset }, { "_seq_no": "asc" }, { "_index": "asc" }])
}

fn since(start: DateTime<Utc>) -> Value {
    let start = start.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({ "range": { INGESTED: { "gte": start } } })
}

/// Reads the record's offset of a document.
pub(crate) fn offset(hit: &Hit) -> Option<u64> {
    field(&hit.source, OFFSET)?.as_u64()
}

/// Reads a field whether its name is written as objects or with dots.
fn field<'v>(source: &'v Value, name: &str) -> Option<&'v Value> {
    let nested = || {
        let (first, rest) = name.split_once('.')?;
        source.get(first)?.get(rest)
    };
    source.get(name).or_else(nested)
}
