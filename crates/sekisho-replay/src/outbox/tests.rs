//! Rate, batches and messages that are too long.

use std::sync::Arc;

use super::*;
use crate::world::{MemoryQueue, notification};

fn message(bytes: usize) -> Outgoing {
    Outgoing {
        body: "x".repeat(bytes),
        ..Outgoing::default()
    }
}

/// A notification of two objects that is this long.
fn long(bytes: usize) -> Outgoing {
    let record = |key: &str| {
        let body: serde_json::Value = serde_json::from_str(&notification(key)).unwrap();
        body["Records"][0].clone()
    };
    let records = [record("a"), record("c")];
    let mut body = serde_json::json!({ "Records": records }).to_string();
    body.push_str(&" ".repeat(bytes - body.len()));
    Outgoing {
        body,
        ..Outgoing::default()
    }
}

#[test]
fn a_request_holds_ten_messages_and_a_mebibyte() {
    let sizes = |messages: Vec<Outgoing>| -> Vec<usize> {
        batches(messages).iter().map(Vec::len).collect()
    };
    assert_eq!(sizes(vec![message(1); 25]), [10, 10, 5]);
    let half = <dyn Queue>::MAX_BYTES / 2;
    assert_eq!(sizes(vec![message(half); 5]), [2, 2, 1]);
    assert_eq!(sizes(vec![message(half + 1); 3]), [1, 1, 1]);
    assert!(sizes(Vec::new()).is_empty());
}

#[tokio::test(start_paused = true)]
async fn messages_go_at_the_rate() {
    let queue = Arc::new(MemoryQueue::default());
    let mut outbox = Outbox::new(queue.as_ref(), NonZeroU32::new(20).unwrap());
    let start = Instant::now();
    let sent = outbox.send(vec![message(1); 100]).await.unwrap();
    assert!(sent.iter().all(|sent| matches!(sent, Sent::Done)));
    assert_eq!(queue.requests.lock().unwrap()["send"], 10);
    assert_eq!(start.elapsed().as_millis(), 4_500);
    assert_eq!(outbox.free() - start, Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_message_at_the_limit_goes_as_its_objects() {
    let queue = Arc::new(MemoryQueue::default());
    *queue.most_bytes.lock().unwrap() = Some(FORMER_MAX_BYTES);
    let mut outbox = Outbox::new(queue.as_ref(), NonZeroU32::MAX);
    let messages = vec![message(1), long(FORMER_MAX_BYTES + 1), message(2)];
    let sent = outbox.send(messages).await.unwrap();
    assert!(sent.iter().all(|sent| matches!(sent, Sent::Done)));
    assert_eq!(queue.len(), 4);
    let messages = queue.messages.lock().unwrap();
    let parts = messages
        .iter()
        .filter_map(|(message, _)| Notifications::read(&message.body).ok());
    let keys: Vec<_> = parts
        .map(|part| part.slices[0].object.key.clone())
        .collect();
    assert_eq!(keys, ["a", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_never_taken_says_why() {
    let queue = Arc::new(MemoryQueue::default());
    *queue.most_bytes.lock().unwrap() = Some(5);
    let mut outbox = Outbox::new(queue.as_ref(), NonZeroU32::MAX);
    let sent = outbox.send(vec![message(6), message(5)]).await.unwrap();
    assert!(
        matches!(&sent[0], Sent::Never(why) if why == "too long"),
        "{sent:?}"
    );
    assert!(matches!(sent[1], Sent::Done), "{sent:?}");
}
