//! The dead-letter drill: thousands of messages that failed for different causes, and an outage of three days, by a virtual clock.

mod installation;
mod quarantine;
mod weather;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sekisho_delivery::{CauseClass, FailureNote, NoteKey};
use sekisho_event::{Notifications, ObjectSlice, Reach};
use sekisho_replay::Cause;
use sekisho_tests::fake::{Failure, Place};
use tokio::time::sleep;

use crate::installation::{Installation, SCHEDULE, notification};

/// After how many receives a message is dead-lettered; few, so that the drill is short.
const MAX_RECEIVE_COUNT: u32 = 3;

/// How many messages of each cause: 10,000 together.
const STATE: usize = 3000;
const TRANSIENT: usize = 2500;
const GRANTED: usize = 1000;
const DENIED: usize = 500;
const MISSING: usize = 1000;
const SUPERSEDED: usize = 500;
const CRASHED: usize = 700;
const MESSAGE: usize = 500;
const OBJECT: usize = 300;

fn key(cause: &str, number: usize) -> String {
    format!("app/{cause}/2026/11/23/{number}.log")
}

impl Installation {
    /// Announces so many objects of a cause; each holds one record with the key as its id.
    fn announce(&self, cause: &str, count: usize) {
        for number in 0..count {
            let key = key(cause, number);
            let object = self.put(&key, &key);
            self.queue.put(notification(&object));
        }
    }

    /// Lets everything fail for its own cause until it is dead-lettered.
    async fn dead_letter_all(&self) {
        self.announce("crashed", CRASHED);
        self.kill_all().await;

        self.weather
            .set_objects("/transient/", Some(Failure::Connection));
        self.weather
            .set_objects("/granted/", Some(Failure::Status(403)));
        self.weather
            .set_objects("/denied/", Some(Failure::Status(403)));
        self.announce("transient", TRANSIENT);
        self.announce("granted", GRANTED);
        self.announce("denied", DENIED);
        self.announce("missing", MISSING);
        for number in 0..MISSING {
            self.store.remove("logs", &key("missing", number));
        }
        for number in 0..MESSAGE {
            self.queue.put(format!("no notification {number}"));
        }
        for number in 0..OBJECT {
            let key = key("object", number);
            let slice = ObjectSlice {
                start: 1,
                reach: Reach::Stream,
                rules: Some("of a parser that is no more".to_owned()),
                hops: 1,
                ..ObjectSlice::whole(self.put(&key, &key))
            };
            self.queue.put(slice.to_message());
        }
        self.drain().await;

        self.weather.set_cluster(true);
        self.announce("state", STATE);
        self.announce("superseded", SUPERSEDED);
        self.drain().await;
    }

    /// The notes and addresses of those messages that are to end indexed, but for the crashed ones.
    fn to_be_indexed(&self) -> BTreeSet<String> {
        let mut watched = BTreeSet::new();
        for message in self.dead_letters.messages() {
            let words = ["/state/", "/transient/", "/granted/"];
            if !words.iter().any(|word| message.body.contains(word)) {
                continue;
            }
            let object = &Notifications::read(&message.body).unwrap().slices[0].object;
            let note = NoteKey::new(Some(object), &message.id);
            watched.extend([note.as_str().to_owned(), object.to_string()]);
        }
        watched
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_messages_of_many_causes() {
    let drill = Installation::new(MAX_RECEIVE_COUNT);
    drill.dead_letter_all().await;
    assert_eq!(drill.dead_letters.messages().len(), 10_000);
    assert!(drill.documents().is_empty());

    // While the cluster is down nothing is sent back, parked or counted.
    for _ in 0..3 {
        let report = drill.replay().await;
        assert!(report.closed.is_some(), "{report:?}");
        sleep(SCHEDULE).await;
    }
    assert_eq!(drill.queue.next_visible(), None);
    assert_eq!(drill.dead_letters.messages().len(), 10_000);
    assert!(drill.files.keys("parked/").is_empty());

    drill.weather.set_cluster(false);
    drill.weather.set_objects("/transient/", None);
    drill.weather.set_objects("/granted/", None);
    for number in 0..SUPERSEDED {
        let object = drill.put(&key("superseded", number), &format!("newer {number}"));
        drill.queue.put(notification(&object));
    }
    drill.drain().await;
    drill.weather.watch(drill.to_be_indexed());
    drill.recover().await;

    check_documents(&drill);
    check_parked(&drill);
    check_requests(&drill);
}

fn check_documents(drill: &Installation) {
    let mut expected = BTreeMap::new();
    for (cause, count) in [
        ("state", STATE),
        ("transient", TRANSIENT),
        ("granted", GRANTED),
        ("crashed", CRASHED),
    ] {
        expected.extend((0..count).map(|number| (key(cause, number), 1)));
    }
    expected.extend((0..SUPERSEDED).map(|number| (format!("newer {number}"), 1)));
    let documents = drill.documents();
    let differing: Vec<_> = expected
        .iter()
        .filter(|(id, count)| documents.get(*id) != Some(count))
        .collect();
    assert!(differing.is_empty(), "{differing:?}");
    assert_eq!(documents.len(), expected.len());
}

fn check_parked(drill: &Installation) {
    let mut counts: BTreeMap<(Cause, &str), usize> = BTreeMap::new();
    for parked in drill.parked() {
        assert!(!parked.error.is_empty(), "{parked:?}");
        let words = ["/denied/", "/missing/", "/object/", "no notification"];
        let mut word = words.iter().filter(|word| parked.body.contains(**word));
        *counts
            .entry((parked.cause, word.next().expect("parked for nothing")))
            .or_default() += 1;
    }
    let expected = BTreeMap::from([
        ((Cause::Permission, "/denied/"), DENIED),
        ((Cause::Missing, "/missing/"), MISSING),
        ((Cause::Object, "/object/"), OBJECT),
        ((Cause::Message, "no notification"), MESSAGE),
    ]);
    assert_eq!(counts, expected);
    assert!(drill.files.keys("parked/waiting/").is_empty());
    // What ingest notes before it tries a suspect stays when that succeeds: it may not delete.
    for key in drill.files.keys("failures/") {
        let note = FailureNote::read(&drill.files.bytes(&key).unwrap()).unwrap();
        assert_eq!(note.class, CauseClass::Crashed, "{note:?}");
    }
    assert!(drill.files.keys("failures/").len() <= CRASHED);
}

/// The queues' requests are those of all messages, also of those that end parked.
fn check_requests(drill: &Installation) {
    let counts = drill.weather.counts();
    let messages = (STATE + TRANSIENT + GRANTED) as u64;
    let ideal = messages * 3 / 10 + messages * 3;
    let asked: u64 = counts.values().sum();
    println!("{asked} requests, ideal {ideal}: {counts:?}");
    assert_eq!(counts[&(Place::Store, "head")], messages);
    assert_eq!(counts[&(Place::Store, "open")], messages);
    assert_eq!(counts[&(Place::Files, "get")], messages);
    assert!(asked * 10 <= ideal * 15, "{asked} requests, not {ideal}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_three_days_needs_nobody() {
    const OUTAGE: Duration = Duration::from_secs(72 * 3600);
    let drill = Installation::new(10);
    drill.weather.set_cluster(true);
    let rounds = u32::try_from(OUTAGE.as_secs() / SCHEDULE.as_secs()).unwrap();
    let mut dead = 0;
    for round in 0..rounds {
        let key = key("state", round as usize);
        let object = drill.put(&key, &key);
        drill.queue.put(notification(&object));
        drill.invoke_all().await;
        drill.replay().await;
        drill.check_counts();
        sleep(SCHEDULE).await;
        dead = dead.max(drill.dead_letters.messages().len());
    }
    assert!(drill.documents().is_empty());
    assert!(dead > 200, "only {dead} messages were dead-lettered");
    drill.weather.set_cluster(false);
    drill.recover().await;

    let documents = drill.documents();
    assert_eq!(documents.len(), rounds as usize);
    assert!(documents.values().all(|count| *count == 1));
    // The notes of messages that were finished in the end stay: ingest may not delete.
    assert!(drill.files.keys("parked/").is_empty());
    assert!(drill.queue.expired().is_empty() && drill.dead_letters.expired().is_empty());
}
