//! Queue, store and quarantine bucket.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sekisho_delivery::{Files as _, Outgoing, Queue as _};
use sekisho_object::{ErrorClass, ObjectStore as _};
use sekisho_tests::fake::{
    Calm, Failure, FakeClock, FakeFiles, FakeQueue, FakeStore, Moment, Place, QueueSettings,
};
use serde_json::Value;

use super::{Once, clock};

const MINUTE: Duration = Duration::from_secs(60);

fn queues() -> (FakeQueue, Arc<FakeQueue>, Arc<FakeClock>) {
    let clock = clock();
    let settings = |name, max_receive_count| QueueSettings {
        name,
        max_receive_count,
        ..QueueSettings::default()
    };
    let new = |settings| FakeQueue::new(settings, Arc::clone(&clock), Arc::new(Calm));
    let dead_letters = Arc::new(new(settings("dlq", 1000)));
    let queue = new(settings("queue", 2)).dead_lettering_to(Arc::clone(&dead_letters));
    (queue, dead_letters, clock)
}

#[tokio::test(start_paused = true)]
async fn a_message_is_hidden_returns_and_is_dead_lettered_with_its_first_time() {
    let (queue, dead_letters, clock) = queues();
    clock.enter();
    queue.put("a");
    let sent = clock.time();
    for count in 1..=2 {
        let batch = queue.take_batch(10, MINUTE).unwrap();
        let event: Value = serde_json::from_str(&batch.payload).unwrap();
        let attributes = &event["Records"][0]["attributes"];
        assert_eq!(attributes["ApproximateReceiveCount"], count.to_string());
        assert!(queue.take_batch(10, MINUTE).is_none());
        queue.settle(&batch, &["queue-1".to_owned()]);
        tokio::time::sleep(MINUTE).await;
    }
    assert!(queue.take_batch(10, MINUTE).is_none());
    assert!(queue.messages().is_empty());
    let received = dead_letters.receive(MINUTE).await.unwrap();
    let (count, first, id) = (
        received[0].receive_count,
        received[0].sent,
        &*received[0].id,
    );
    assert_eq!((count, first, id), (3, sent, "queue-1"));
    // Sent again it is a new message.
    let again = Outgoing {
        body: received[0].body.clone(),
        ..Outgoing::default()
    };
    queue.send(&[again]).await.unwrap();
    assert_eq!(queue.messages()[0].receive_count, 0);
    tokio::time::sleep(14 * 24 * 60 * MINUTE).await;
    assert!(dead_letters.messages().is_empty());
    assert_eq!(dead_letters.expired().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_old_handle_deletes_nothing_and_hides_nothing() {
    let (queue, _, clock) = queues();
    clock.enter();
    queue.put("a");
    let first = queue.receive(MINUTE).await.unwrap();
    tokio::time::sleep(MINUTE).await;
    let second = queue.receive(MINUTE).await.unwrap();
    let handle = |received: &[sekisho_delivery::Received]| vec![received[0].handle.clone()];
    assert!(queue.delete(&handle(&first)).await.unwrap()[0].is_ok());
    let hidden = queue.hide(&[(first[0].handle.clone(), MINUTE)]).await;
    assert!(hidden.unwrap()[0].is_err());
    assert_eq!(queue.messages().len(), 1);
    let shown = queue
        .hide(&[(second[0].handle.clone(), Duration::ZERO)])
        .await;
    assert!(shown.unwrap()[0].is_ok());
    assert_eq!(queue.next_visible(), Some(clock.time()));
    queue.delete(&handle(&second)).await.unwrap();
    assert!(queue.messages().is_empty());
}

#[tokio::test]
async fn a_store_pins_by_version_or_etag() {
    let clock = clock();
    for versioned in [false, true] {
        let store = FakeStore::new(Arc::new(Calm), versioned);
        let first = store.put("logs", "k", "one", clock.time());
        assert!(store.open(&first).await.is_ok());
        store.put("logs", "k", "two!", clock.time());
        let opened = store.open(&first).await;
        if versioned {
            assert_eq!(opened.unwrap().meta.size, Some(3));
        } else {
            assert_eq!(opened.unwrap_err().class(), ErrorClass::Superseded);
        }
        store.remove("logs", "k");
        let class = store.head(&first).await.unwrap_err().class();
        assert_eq!(class, ErrorClass::Missing);
    }
}

#[tokio::test]
async fn a_body_breaks_in_the_middle() {
    let chaos = Once::at(Place::Store, Moment::Before, Failure::Break(2));
    let store = FakeStore::new(chaos, false);
    let object = store.put("logs", "k", "12345", clock().time());
    let read = |body: sekisho_object::Body| std::io::read_to_string(body.into_read());
    let broken = store.open_from(&object, 1).await.unwrap();
    assert!(read(broken.body).is_err());
    let whole = store.open_from(&object, 1).await.unwrap();
    assert_eq!(
        (read(whole.body).unwrap().as_str(), whole.meta.size),
        ("2345", Some(5))
    );
}

#[tokio::test]
async fn files_are_listed_in_pages() {
    let files = FakeFiles::new(Arc::new(Calm));
    for number in 0..20 {
        let key = format!("parked/{number:02}");
        files.put(&key, Bytes::from_static(b"x")).await.unwrap();
    }
    files.put("z", Bytes::new()).await.unwrap();
    let (mut keys, mut next) = (Vec::new(), None);
    loop {
        let page = files.list("parked/", next.as_deref()).await.unwrap();
        keys.extend(page.keys);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(keys, files.keys("parked/"));
    assert_eq!(keys.len(), 20);
}
