//! What surrounds the reading: notes, the brake, suspects.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use sekisho_delivery::{DeliveryError, FailureNote, NoteKey, Outgoing, Page, Received};

use super::*;

/// Store, queue, bucket and cluster in one, which notes what is asked of it.
#[derive(Default)]
struct World {
    calls: Mutex<Vec<String>>,
    files: Mutex<BTreeMap<String, bytes::Bytes>>,
    refuses: AtomicBool,
    /// What the last request was told: a cluster that is well again says so only when it is asked.
    refused: AtomicBool,
}

impl World {
    fn note(&self, call: String) {
        self.calls.lock().unwrap().push(call);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    fn ingest(self: &Arc<Self>) -> Ingest {
        let (store, destination) = (Arc::clone(self) as _, Arc::clone(self) as _);
        let (queue, files) = (Arc::clone(self) as _, Arc::clone(self) as _);
        installation(Gate::open(), store, destination, Some(queue), files)
    }

    fn noted(&self, key: &str, message: &str) -> Option<FailureNote> {
        let object = ObjectRef::new("b", key);
        let files = self.files.lock().unwrap();
        FailureNote::read(files.get(NoteKey::new(Some(&object), message).as_str())?)
    }
}

#[async_trait]
impl ObjectStore for World {
    async fn open(&self, object: &ObjectRef) -> Result<OpenObject, ObjectError> {
        self.note(format!("open {}", object.key));
        Store.open(object).await
    }

    async fn open_from(&self, object: &ObjectRef, _: u64) -> Result<OpenObject, ObjectError> {
        self.open(object).await
    }

    async fn head(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError> {
        Store.head(object).await
    }
}

#[async_trait]
impl Destination for World {
    async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>, BulkError> {
        let refuses = self.refuses.load(Ordering::SeqCst);
        self.refused.store(refuses, Ordering::SeqCst);
        let verdict = if refuses {
            Verdict::StateFault {
                reason: "full".to_owned(),
            }
        } else {
            Verdict::Indexed
        };
        Ok(vec![verdict; batch.items.len()])
    }

    fn refuses_all(&self) -> Option<String> {
        let refused = self.refused.load(Ordering::SeqCst);
        refused.then(|| "full".to_owned())
    }
}

#[async_trait]
impl Queue for World {
    async fn send(
        &self,
        messages: &[Outgoing],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError> {
        Ok(messages.iter().map(|_| Ok(())).collect())
    }

    async fn receive(&self, _: Duration) -> Result<Vec<Received>, DeliveryError> {
        Ok(Vec::new())
    }

    async fn delete(
        &self,
        handles: &[String],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError> {
        self.note(format!("delete {}", handles.join(" ")));
        Ok(handles.iter().map(|_| Ok(())).collect())
    }

    async fn hide(
        &self,
        handles: &[(String, Duration)],
    ) -> Result<Vec<Result<(), DeliveryError>>, DeliveryError> {
        for (handle, pause) in handles {
            assert!(*pause >= Duration::from_secs(30), "{pause:?}");
            self.note(format!("hide {handle}"));
        }
        Ok(handles.iter().map(|_| Ok(())).collect())
    }
}

#[async_trait]
impl Files for World {
    async fn put(&self, key: &str, bytes: bytes::Bytes) -> Result<(), DeliveryError> {
        self.files.lock().unwrap().insert(key.to_owned(), bytes);
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<bytes::Bytes>, DeliveryError> {
        Ok(self.files.lock().unwrap().get(key).cloned())
    }

    async fn delete(&self, _: &str) -> Result<(), DeliveryError> {
        Ok(())
    }

    async fn list(&self, _: &str, _: Option<&str>) -> Result<Page, DeliveryError> {
        Ok(Page::default())
    }
}

/// Messages by id, key and how often they were received; the handle is the id.
fn received(messages: &[(&str, &str, u32)]) -> String {
    let record = |(id, key, count): &(&str, &str, u32)| {
        json!({"messageId": id, "receiptHandle": id, "eventSource": "aws:sqs",
            "attributes": {"ApproximateReceiveCount": count.to_string()},
            "body": notification(&[key]).to_string()})
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() }).to_string()
}

async fn answer(ingest: &Ingest, payload: &str) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(300);
    let response = ingest.answer(payload, deadline).await.unwrap();
    let failures = response.batch_item_failures.into_iter();
    failures.map(|failure| failure.item_identifier).collect()
}

#[tokio::test(start_paused = true)]
async fn a_failed_message_leaves_a_note_and_comes_back_later() {
    let world = Arc::new(World::default());
    let payload = received(&[("1", "a.log", 1), ("2", "missing", 2)]);
    assert_eq!(answer(&world.ingest(), &payload).await, ["2"]);
    let note = world.noted("missing", "2").unwrap();
    assert_eq!((note.class, note.receive_count), (CauseClass::Missing, 2));
    assert!(
        note.error.contains("cannot open `s3://b/missing`"),
        "{}",
        note.error
    );
    assert!(world.noted("a.log", "1").is_none());
    assert!(world.take().contains(&"hide 2".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_takes_nothing_is_left_alone_and_then_asked_by_one_message() {
    let world = Arc::new(World::default());
    world.refuses.store(true, Ordering::SeqCst);
    let ingest = world.ingest();
    let payload = received(&[("1", "a.log", 1), ("2", "b.log", 1), ("3", "c.log", 1)]);
    assert_eq!(answer(&ingest, &payload).await, ["1", "2", "3"]);
    world.take();
    assert_eq!(answer(&ingest, &payload).await, ["1", "2", "3"]);
    assert_eq!(world.take(), ["hide 1", "hide 2", "hide 3"]);
    assert_eq!(world.noted("b.log", "2").unwrap().class, CauseClass::State);
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(answer(&ingest, &payload).await, ["1", "2", "3"]);
    assert_eq!(world.take(), ["open a.log", "hide 1", "hide 2", "hide 3"]);
    world.refuses.store(false, Ordering::SeqCst);
    tokio::time::advance(Duration::from_secs(61)).await;
    // Also where there is but one to try it with.
    let one = received(&[("1", "a.log", 1)]);
    assert_eq!(answer(&ingest, &one).await, [""; 0]);
    assert_eq!(answer(&ingest, &payload).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_suspect_runs_alone_when_the_others_are_deleted() {
    let world = Arc::new(World::default());
    let payload = received(&[("1", "a.log", 1), ("2", "b.log", 3), ("3", "c.log", 2)]);
    assert_eq!(answer(&world.ingest(), &payload).await, [""; 0]);
    let mut calls = world.take();
    calls[..2].sort();
    assert_eq!(
        calls,
        ["open a.log", "open c.log", "delete 1 3", "open b.log"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_ended_a_process_alone_is_tried_last_when_the_others_are_deleted() {
    let world = Arc::new(World::default());
    let ingest = world.ingest();
    let waiting = Event::read(&received(&[("1", "killer", 3)])).unwrap();
    let batch = Batch::new(waiting, &IgnoredKeys::new(&[]).unwrap(), "");
    ingest.notes.trying(&batch.messages[0]).await;
    let payload = received(&[("1", "killer", 4), ("2", "a.log", 4), ("3", "b.log", 4)]);
    answer(&ingest, &payload).await;
    let expected = [
        "open a.log",
        "delete 2",
        "open b.log",
        "delete 3",
        "open killer",
    ];
    assert_eq!(world.take(), expected);
    assert_eq!(
        world.noted("killer", "1").unwrap().class,
        CauseClass::Crashed
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_last_receive_was_noted_is_no_suspect() {
    let world = Arc::new(World::default());
    let ingest = world.ingest();
    answer(&ingest, &received(&[("1", "missing", 2)])).await;
    world.take();
    let payload = received(&[("1", "missing", 3), ("2", "a.log", 1)]);
    assert_eq!(answer(&ingest, &payload).await, ["1"]);
    assert!(!world.take().iter().any(|call| call.starts_with("delete")));
}

#[tokio::test]
async fn a_thousand_messages_are_one_batch() {
    let world = Arc::new(World::default());
    let keys: Vec<_> = (0..1_000)
        .map(|n| (n.to_string(), format!("{n}.log")))
        .collect();
    let messages: Vec<_> = keys.iter().map(|(id, key)| (&**id, &**key, 1)).collect();
    assert_eq!(answer(&world.ingest(), &received(&messages)).await, [""; 0]);
    assert_eq!(world.take().len(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_new_process_learns_from_the_notes_since_when_the_brake_is_closed() {
    let world = Arc::new(World::default());
    world.refuses.store(true, Ordering::SeqCst);
    answer(&world.ingest(), &received(&[("1", "a.log", 1)])).await;
    let since = world.noted("a.log", "1").unwrap().braked_since.unwrap();
    // The process is gone; the next one finds the same.
    let ingest = world.ingest();
    answer(&ingest, &received(&[("1", "a.log", 2), ("2", "b.log", 1)])).await;
    assert_eq!(world.noted("a.log", "1").unwrap().braked_since, Some(since));
    let of_new = world.noted("b.log", "2").unwrap().braked_since.unwrap();
    assert!(of_new >= since);
    // What fails for another reason ends the chain.
    world.refuses.store(false, Ordering::SeqCst);
    tokio::time::advance(Duration::from_secs(1000)).await;
    answer(&ingest, &received(&[("3", "missing", 1)])).await;
    assert_eq!(world.noted("missing", "3").unwrap().braked_since, None);
}

#[tokio::test]
async fn the_earliest_note_says_since_when_the_brake_is_closed() {
    let world = Arc::new(World::default());
    let notes = world.ingest().notes;
    let closed = |payload: &str| {
        let mut batch = Batch::new(Event::read(payload).unwrap(), &IgnoredKeys::default(), "");
        let failure = Failure {
            class: CauseClass::State,
            error: "not read".to_owned(),
        };
        let messages = batch.messages.iter_mut();
        messages.for_each(|message| message.give_back(&failure));
        batch
    };
    let at = |seconds: i64| DateTime::from_timestamp(1_780_000_000 + seconds, 0);
    let first = closed(&received(&[("1", "a.log", 1)]));
    assert_eq!(notes.write(&first, at(0)).await, at(0));
    let both = closed(&received(&[("1", "a.log", 2), ("2", "b.log", 1)]));
    assert_eq!(notes.write(&both, at(3600)).await, at(0));
    // While the brake is open a refused message says nothing of it, and ends what was known.
    assert_eq!(notes.write(&both, None).await, None);
    assert_eq!(notes.write(&both, at(7200)).await, at(7200));
}
