//! Runs over an installation in memory, under paused time.

use std::sync::atomic::Ordering;

use sekisho_delivery::CauseClass;
use sekisho_object::ErrorClass;

use super::*;
use crate::error::ReplayError;
use crate::report::Row;
use crate::world::{World, notification};

const NOBODY: OnParked<'_> = &|_| {};

fn later() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

async fn run(world: &World) -> ReplayReport {
    let options = ReplayOptions::default();
    world.replay().run(later(), &options, NOBODY).await
}

fn set(flag: &std::sync::atomic::AtomicBool, value: bool) {
    flag.store(value, Ordering::Relaxed);
}

#[tokio::test(start_paused = true)]
async fn each_cause_has_its_way() {
    let world = World::new();
    for (key, class) in [
        ("t", CauseClass::Transient),
        ("s", CauseClass::State),
        ("o", CauseClass::Object),
    ] {
        let id = world.letter(key);
        world.note(&id, key, class);
    }
    world.letter("crashed");
    let id = world.letter("gone");
    world.note(&id, "gone", CauseClass::Missing);
    world.answer("gone", ErrorClass::Missing);
    let id = world.letter("newer");
    world.note(&id, "newer", CauseClass::Transient);
    world.answer("newer", ErrorClass::Superseded);
    world.dead_letters.add("garbage", &[], world.clock.now());
    let report = run(&world).await;
    assert!(matches!(report.end, End::Empty), "{report:?}");
    assert_eq!(world.dead_letters.len(), 0);
    assert!(world.files.keys("failures/").is_empty());
    let sent = world.sent();
    let keys: Vec<&str> = sent.keys().map(String::as_str).collect();
    assert_eq!(keys, ["crashed", "o", "s", "t"]);
    // An outage is no fault, yet a replay is told from a live message.
    assert_eq!(sent["t"]["sekisho.replays"], "0");
    assert_eq!(sent["s"]["sekisho.replays"], "0");
    assert_eq!(sent["o"]["sekisho.replays"], "1");
    assert_eq!(sent["crashed"]["sekisho.alone"], "1");
    let parked = world.files.keys("parked/");
    assert_eq!(parked.len(), 2);
    assert!(parked.iter().all(|key| key.starts_with("parked/kept/")));
    assert_eq!(
        report.causes[&Cause::Superseded],
        Row {
            deleted: 1,
            ..Row::default()
        }
    );
    assert_eq!(report.total(|row| row.sent_back), 4);
    assert_eq!(report.total(|row| row.parked), 2);
}

#[tokio::test(start_paused = true)]
async fn an_own_fault_ends_parked_with_its_cause_in_words() {
    let world = World::new();
    world.store.0.lock().unwrap().insert("o".to_owned(), None);
    let id = world.dead_letters.add(
        &notification("o"),
        &[("sekisho.replays", "3")],
        world.clock.now(),
    );
    world.note(&id, "o", CauseClass::Object);
    let heard = std::sync::Mutex::new(Vec::new());
    let on_parked = |parked: &ParkedMessage| heard.lock().unwrap().push(parked.clone());
    let options = ReplayOptions::default();
    world.replay().run(later(), &options, &on_parked).await;
    let heard = heard.into_inner().unwrap();
    assert_eq!(heard[0].cause, Cause::Object);
    assert_eq!(heard[0].error, "Object of o");
    assert_eq!(heard[0].replays, 3);
    let file = world.files.0.lock().unwrap()[&heard[0].key()].clone();
    assert_eq!(ParkedMessage::read(&file).as_ref(), Some(&heard[0]));
    // What is parked stays, until somebody asks for it.
    run(&world).await;
    assert_eq!(world.queue.len(), 0);
    let other = [Cause::Missing];
    let report = world.replay().run_parked(later(), &options, &other).await;
    assert_eq!(report.returned, 0);
    let report = world
        .replay()
        .run_parked(later(), &options, &[Cause::Object])
        .await;
    assert_eq!(report.returned, 1);
    assert_eq!(world.sent()["o"]["sekisho.replays"], "0");
    assert!(world.files.keys("parked/").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_down_gets_nothing_and_costs_no_try() {
    let world = World::new();
    set(&world.cluster.0, true);
    for at in 0..25 {
        let key = format!("k{at}");
        let id = world.letter(&key);
        world.note(&id, &key, CauseClass::State);
    }
    let report = run(&world).await;
    assert_eq!(report.left, 25);
    assert_eq!(
        report.closed.as_deref(),
        Some("the cluster's health is `red`")
    );
    assert_eq!((world.queue.len(), world.dead_letters.visible()), (0, 25));
    // Eleven days on they are about to expire.
    tokio::time::advance(Duration::from_secs(11 * 86_400)).await;
    let report = run(&world).await;
    assert_eq!(
        report.causes[&Cause::State],
        Row {
            waiting: 25,
            ..Row::default()
        }
    );
    assert_eq!(world.dead_letters.len(), 0);
    assert_eq!(world.files.keys("parked/waiting/").len(), 25);
    // They return by themselves.
    set(&world.cluster.0, false);
    let report = run(&world).await;
    assert_eq!(report.returned, 25);
    assert!(world.files.keys("parked/").is_empty());
    let sent = world.sent();
    assert_eq!(sent.len(), 25);
    let mut counts = sent
        .values()
        .map(|attributes| &attributes["sekisho.replays"]);
    assert!(counts.all(|count| count == "0"), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_told_is_left_and_parked_before_it_expires() {
    let world = World::new();
    world.letter("k");
    world.answer("k", ErrorClass::Retry);
    let report = run(&world).await;
    assert!(
        matches!(
            report.end,
            End::Failed(ReplayError::Unclear { messages: 1, .. })
        ),
        "{report:?}"
    );
    assert_eq!((report.left, world.dead_letters.visible()), (1, 1));
    tokio::time::advance(Duration::from_secs(12 * 86_400)).await;
    set(&world.cluster.0, true);
    let report = run(&world).await;
    assert_eq!(report.causes[&Cause::Transient].waiting, 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_changes_nothing_and_shows_everything_again() {
    let world = World::new();
    for at in 0..12 {
        let key = format!("k{at}");
        let id = world.letter(&key);
        world.note(&id, &key, CauseClass::State);
    }
    let options = ReplayOptions {
        mode: Mode::Look,
        limit: Some(11),
        rate: None,
    };
    let report = world.replay().run(later(), &options, NOBODY).await;
    assert!(matches!(report.end, End::Limit));
    assert_eq!(report.causes[&Cause::State].sent_back, 11);
    assert_eq!((world.queue.len(), world.dead_letters.visible()), (0, 12));
    assert_eq!(world.files.keys("failures/").len(), 12);
}

#[tokio::test(start_paused = true)]
async fn a_run_stops_before_its_time_is_up() {
    let world = World::new();
    for at in 0..100 {
        let key = format!("k{at}");
        let id = world.letter(&key);
        world.note(&id, &key, CauseClass::Transient);
    }
    // 50 a second.
    let until = Instant::now() + Duration::from_secs(1);
    let options = ReplayOptions::default();
    let report = world.replay().run(until, &options, NOBODY).await;
    assert!(matches!(report.end, End::TimeUp));
    assert!(Instant::now() < until);
    assert_eq!((world.queue.len(), world.dead_letters.visible()), (50, 50));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_down_loses_nothing() {
    let world = World::new();
    let id = world.letter("k");
    world.note(&id, "k", CauseClass::Object);
    set(&world.queue.is_down, true);
    let report = run(&world).await;
    let End::Failed(error) = &report.end else {
        panic!("{report:?}")
    };
    assert_eq!(error.to_string(), "cannot send messages back");
    assert_eq!(world.dead_letters.visible(), 1);
    assert_eq!(world.files.keys("failures/").len(), 1);
    set(&world.queue.is_down, false);
    run(&world).await;
    assert_eq!(world.sent()["k"]["sekisho.replays"], "1");
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_do_no_harm() {
    let world = World::new();
    for at in 0..40 {
        let key = format!("k{at}");
        let id = world.letter(&key);
        world.note(&id, &key, CauseClass::Object);
    }
    let (one, other) = tokio::join!(run(&world), run(&world));
    let sent = |report: &ReplayReport| report.total(|row| row.sent_back);
    assert_eq!(sent(&one) + sent(&other), 40);
    assert!(
        world
            .sent()
            .values()
            .all(|attributes| attributes["sekisho.replays"] == "1")
    );
    assert_eq!(world.dead_letters.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_asks_little() {
    let world = World::new();
    for at in 0..100 {
        let key = format!("k{at}");
        let id = world.letter(&key);
        world.note(&id, &key, CauseClass::Transient);
    }
    run(&world).await;
    let requests = world.dead_letters.requests.lock().unwrap().clone();
    // One receive more finds out that nothing is left.
    assert_eq!((requests["receive"], requests["delete"]), (11, 10));
    assert_eq!(world.queue.requests.lock().unwrap()["send"], 10);
}
