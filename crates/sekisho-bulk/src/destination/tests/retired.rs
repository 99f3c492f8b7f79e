//! Retired indices: a cluster in memory that knows blocks, closed indices and the mark.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::WriteMode;

const BASE: &str = "log-x-2026.11.23";
const LATE: &str = "log-x-2026.11.23-late";

#[derive(Default)]
struct Index {
    ids: BTreeSet<String>,
    blocked: bool,
    closed: bool,
    marked: bool,
    unreadable: bool,
}

#[derive(Default)]
struct Cluster {
    indices: Mutex<BTreeMap<String, Index>>,
    /// Paths of the calls besides `_bulk`.
    calls: Mutex<Vec<String>>,
    /// How many of the next calls get a 503.
    failing: AtomicUsize,
}

impl Cluster {
    fn with(change: impl FnOnce(&mut Index)) -> Arc<Self> {
        let cluster = Self::default();
        cluster.change(BASE, change);
        Arc::new(cluster)
    }

    fn change(&self, index: &str, change: impl FnOnce(&mut Index)) {
        change(
            self.indices
                .lock()
                .unwrap()
                .entry(index.into())
                .or_default(),
        );
    }

    fn ids(&self, index: &str) -> usize {
        let indices = self.indices.lock().unwrap();
        indices.get(index).map_or(0, |index| index.ids.len())
    }

    fn calls(&self, path: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| call.contains(path)).count()
    }
}

#[async_trait]
impl Transport for Cluster {
    async fn bulk(&self, body: Bytes) -> Answer {
        let text = std::str::from_utf8(&body).unwrap();
        let mut indices = self.indices.lock().unwrap();
        let items = text.lines().step_by(2).map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            let (op, at) = line.as_object().unwrap().iter().next().unwrap();
            let (index, id) = (at["_index"].as_str().unwrap(), at["_id"].as_str().unwrap());
            let found = indices.entry(index.to_owned()).or_default();
            let error = |kind: &str, reason: &str| json!({ "type": kind, "reason": reason });
            let (status, error) = if found.closed {
                (400, error("index_closed_exception", "closed"))
            } else if found.blocked {
                let reason =
                    format!("index [{index}] blocked by: [FORBIDDEN/8/index write (api)];");
                (403, error("cluster_block_exception", &reason))
            } else if !found.ids.insert(id.to_owned()) && op == "create" {
                (409, error("version_conflict_engine_exception", "there"))
            } else {
                (201, Value::Null)
            };
            json!({ op: { "_id": id, "status": status, "error": error } })
        });
        let items: Vec<_> = items.collect();
        whole(200, &json!({ "items": items }).to_string())
    }
}

#[async_trait]
impl ClusterApi for Cluster {
    async fn call(
        &self,
        _method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<ApiAnswer, BulkError> {
        self.calls.lock().unwrap().push(path.to_owned());
        let answer = |status: u16, body: Value| {
            Ok(ApiAnswer {
                status,
                body: body.to_string().into(),
            })
        };
        let failing = self.failing.load(Ordering::SeqCst);
        if failing > 0 {
            self.failing.store(failing - 1, Ordering::SeqCst);
            return answer(503, json!("busy"));
        }
        let indices = self.indices.lock().unwrap();
        if let Some(names) = path.strip_suffix("/_alias/sekisho-retired") {
            let asked: Vec<_> = names.trim_start_matches('/').split(',').collect();
            let marked = indices
                .iter()
                .filter(|(name, index)| index.marked && asked.contains(&name.as_str()));
            let marked: BTreeMap<_, _> = marked.map(|(name, _)| (name, json!({}))).collect();
            let status = if marked.is_empty() { 404 } else { 200 };
            return answer(status, json!(marked));
        }
        assert!(path.starts_with("/_mget"), "{path}");
        let asked: Value = serde_json::from_slice(&body.unwrap()).unwrap();
        let docs = asked["docs"].as_array().unwrap().iter().map(|doc| {
            let index = &indices[doc["_index"].as_str().unwrap()];
            match index.unreadable {
                true => json!({ "_id": doc["_id"], "error": {
                    "type": "cluster_block_exception",
                    "reason": "index [x] blocked by: [FORBIDDEN/7/index read (api)];",
                } }),
                false => {
                    json!({ "_id": doc["_id"], "found": index.ids.contains(doc["_id"].as_str().unwrap()) })
                }
            }
        });
        answer(200, json!({ "docs": docs.collect::<Vec<_>>() }))
    }
}

fn destination(cluster: &Arc<Cluster>) -> BulkDestination<Arc<Cluster>> {
    BulkDestination::new(Arc::clone(cluster), BulkSettings::default(), clock())
}

fn retire(index: &mut Index) {
    index.blocked = true;
    index.marked = true;
}

fn is_retired(verdict: &Verdict, word: &str) {
    assert!(
        matches!(verdict, Verdict::Retired { reason } if reason.starts_with("index_retired: ") && reason.contains(word)),
        "{verdict:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_comes_late_is_written_beside_and_what_is_there_is_a_duplicate() {
    let cluster = Cluster::with(|_| {});
    let destination = destination(&cluster);
    assert_eq!(
        destination.write(&batch(&["a"])).await.unwrap(),
        [Verdict::Indexed]
    );
    cluster.change(BASE, retire);
    let verdicts = destination.write(&batch(&["a", "b"])).await.unwrap();
    assert_eq!(verdicts, [Verdict::Duplicate, Verdict::Indexed]);
    let verdicts = destination.write(&batch(&["a", "b", "c"])).await.unwrap();
    assert_eq!(
        verdicts,
        [Verdict::Duplicate, Verdict::Duplicate, Verdict::Indexed]
    );
    assert_eq!((cluster.ids(BASE), cluster.ids(LATE)), (1, 2));
    assert_eq!(cluster.calls("/_alias"), 1);
    assert!(cluster.calls("_source=false") == 2, "{:?}", cluster.calls);
    tokio::time::advance(Duration::from_secs(61)).await;
    destination.write(&batch(&["a"])).await.unwrap();
    assert_eq!(cluster.calls("/_alias"), 2);
    assert_eq!(destination.refuses_all(), None);
}

#[tokio::test(start_paused = true)]
async fn an_operators_own_block_is_a_state_fault_until_the_mark_is_there() {
    let cluster = Cluster::with(|index| index.blocked = true);
    let destination = destination(&cluster);
    let verdicts = destination.write(&batch(&["a"])).await.unwrap();
    assert!(
        matches!(&verdicts[0], Verdict::StateFault { reason } if reason.contains("FORBIDDEN/8")),
        "{verdicts:?}"
    );
    assert!(destination.refuses_all().is_none());
    cluster.change(BASE, retire);
    tokio::time::advance(Duration::from_secs(6)).await;
    let verdicts = destination.write(&batch(&["a"])).await.unwrap();
    assert_eq!(verdicts, [Verdict::Indexed]);
    assert_eq!((cluster.ids(BASE), cluster.ids(LATE)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn where_the_base_cannot_be_read_the_record_is_refused_for_good() {
    let closed = Cluster::with(|index| index.closed = true);
    let verdicts = destination(&closed).write(&batch(&["a"])).await.unwrap();
    is_retired(&verdicts[0], "it is closed; open it");
    assert_eq!(closed.calls(""), 0);
    let unreadable = Cluster::with(|index| {
        retire(index);
        index.unreadable = true;
    });
    let destination = destination(&unreadable);
    let verdicts = destination.write(&batch(&["a"])).await.unwrap();
    is_retired(&verdicts[0], "lift its read block");
    assert_eq!(unreadable.ids(LATE), 0);
    assert_eq!(destination.refuses_all(), None);
}

#[tokio::test(start_paused = true)]
async fn an_index_beside_that_takes_nothing_either_ends_it() {
    let cluster = Cluster::with(retire);
    let destination = destination(&cluster);
    cluster.change(LATE, retire);
    let verdicts = destination.write(&batch(&["a"])).await.unwrap();
    is_retired(&verdicts[0], LATE);
    cluster.change(LATE, |index| index.closed = true);
    let verdicts = destination.write(&batch(&["a"])).await.unwrap();
    is_retired(&verdicts[0], LATE);
    cluster.change(LATE, |index| {
        *index = Index {
            blocked: true,
            ..Index::default()
        }
    });
    tokio::time::advance(Duration::from_secs(61)).await;
    let verdicts = destination.write(&batch(&["a"])).await.unwrap();
    assert!(
        matches!(&verdicts[0], Verdict::StateFault { .. }),
        "{verdicts:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reload_writes_nothing_of_a_retired_index() {
    let cluster = Cluster::with(retire);
    let mut batch = batch(&["a"]);
    batch.mode = WriteMode::Index;
    let verdicts = destination(&cluster).write(&batch).await.unwrap();
    is_retired(&verdicts[0], "not replaced");
    assert_eq!((cluster.ids(BASE), cluster.ids(LATE)), (0, 0));
    assert_eq!(cluster.calls("/_mget"), 0);
}

#[tokio::test(start_paused = true)]
async fn questions_that_are_not_answered_are_asked_again_and_then_rejected() {
    let cluster = Cluster::with(retire);
    cluster.failing.store(2, Ordering::SeqCst);
    let destination = destination(&cluster);
    let verdicts = destination.write(&batch(&["a"])).await.unwrap();
    assert_eq!(verdicts, [Verdict::Indexed]);
    cluster.failing.store(1_000, Ordering::SeqCst);
    let verdicts = destination.write(&batch(&["b"])).await.unwrap();
    assert!(
        matches!(&verdicts[0], Verdict::Rejected { reason } if reason.contains("/_mget")),
        "{verdicts:?}"
    );
    assert_eq!(cluster.ids(LATE), 1);
}

#[tokio::test(start_paused = true)]
async fn a_name_without_room_for_its_ending_is_refused() {
    let long = "l".repeat(252);
    let cluster = Cluster::with(|_| {});
    cluster.change(&long, retire);
    let mut batch = batch(&["a", "b"]);
    batch.items[0].index = long.into();
    let verdicts = destination(&cluster).write(&batch).await.unwrap();
    is_retired(&verdicts[0], "too long");
    assert_eq!(verdicts[1], Verdict::Indexed);
}
