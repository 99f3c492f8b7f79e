//! Each cause, as notes and objects show it.

use std::sync::atomic::Ordering;

use sekisho_event::Notifications;

use super::*;
use crate::world::{MAX_RECEIVE_COUNT, World, notification};

async fn inspect(world: &World, id: &str) -> Inspected {
    let received = {
        let messages = world.dead_letters.messages.lock().unwrap();
        let found = messages.iter().find(|(message, _)| message.id == id);
        found.unwrap().0.clone()
    };
    let inspector = Inspector {
        files: world.files.as_ref(),
        store: world.store.as_ref(),
        max_receive_count: MAX_RECEIVE_COUNT,
    };
    inspector.inspect(&Letter::read(received)).await
}

async fn found(world: &World, id: &str) -> Finding {
    match inspect(world, id).await {
        Inspected::Found(finding) => finding,
        Inspected::Unclear { reason, .. } => panic!("{reason}"),
    }
}

async fn cause(note: Option<CauseClass>, head: Option<ErrorClass>) -> Cause {
    let world = World::new();
    let id = world.letter("k");
    if let Some(class) = note {
        world.note(&id, "k", class);
    }
    if let Some(class) = head {
        world.answer("k", class);
    }
    found(&world, &id).await.cause
}

#[tokio::test]
async fn a_note_of_the_last_receive_says_the_cause() {
    for (class, expected) in [
        (CauseClass::Transient, Cause::Transient),
        (CauseClass::Permission, Cause::Permission),
        (CauseClass::State, Cause::State),
        (CauseClass::Object, Cause::Object),
        // The object is there, and the message can be read.
        (CauseClass::Missing, Cause::Unknown),
        (CauseClass::Message, Cause::Unknown),
    ] {
        assert_eq!(cause(Some(class), None).await, expected, "{class:?}");
    }
}

#[tokio::test]
async fn the_object_itself_is_believed_before_the_note() {
    let state = Some(CauseClass::State);
    for (class, expected) in [
        (ErrorClass::Missing, Cause::Missing),
        (ErrorClass::Superseded, Cause::Superseded),
        (ErrorClass::Permission, Cause::Permission),
        (ErrorClass::Corrupt, Cause::Object),
        (ErrorClass::Retry, Cause::State),
    ] {
        assert_eq!(cause(state, Some(class)).await, expected, "{class:?}");
    }
}

#[tokio::test]
async fn a_receive_without_a_note_was_a_crash() {
    assert_eq!(cause(None, None).await, Cause::Crashed);
    let world = World::new();
    let id = world.letter("k");
    world.note_of(&id, "k", CauseClass::State, MAX_RECEIVE_COUNT - 1);
    let finding = found(&world, &id).await;
    assert_eq!(finding.cause, Cause::Crashed);
    // The older note goes with the message.
    assert_eq!(finding.notes.len(), 1);
}

#[tokio::test]
async fn the_worst_of_several_objects_that_failed_decides() {
    let world = World::new();
    let records = ["a", "c", "d"].map(|key| {
        world.letter(key);
        let body: serde_json::Value = serde_json::from_str(&notification(key)).unwrap();
        body["Records"][0].clone()
    });
    let body = serde_json::json!({ "Records": records }).to_string();
    assert_eq!(Notifications::read(&body).unwrap().slices.len(), 3);
    let id = world.dead_letters.add(&body, &[], DateTime::UNIX_EPOCH);
    world.note(&id, "a", CauseClass::State);
    world.note(&id, "c", CauseClass::Object);
    // It was finished, so that it left no note; that it is gone now is no matter.
    world.answer("d", ErrorClass::Missing);
    let finding = found(&world, &id).await;
    assert_eq!(finding.cause, Cause::Object);
    assert_eq!(finding.object.as_deref(), Some("s3://b/c"));
    assert_eq!(finding.error, "Object of c");
    assert_eq!(finding.notes.len(), 2);
}

#[tokio::test]
async fn an_object_whose_note_was_not_written_is_not_deleted_with_an_overwritten_one() {
    let world = World::new();
    let records = ["a", "newer"].map(|key| {
        world.letter(key);
        let body: serde_json::Value = serde_json::from_str(&notification(key)).unwrap();
        body["Records"][0].clone()
    });
    let body = serde_json::json!({ "Records": records }).to_string();
    let id = world.dead_letters.add(&body, &[], DateTime::UNIX_EPOCH);
    world.note(&id, "newer", CauseClass::State);
    world.answer("newer", ErrorClass::Superseded);
    assert_eq!(found(&world, &id).await.cause, Cause::Crashed);
    world.answer("a", ErrorClass::Superseded);
    assert_eq!(found(&world, &id).await.cause, Cause::Superseded);
}

#[tokio::test]
async fn another_etag_is_another_object() {
    let world = World::new();
    let body = notification("k").replace("\"e\"", "\"older\"");
    let id = world.dead_letters.add(&body, &[], DateTime::UNIX_EPOCH);
    world.letter("k");
    assert_eq!(found(&world, &id).await.cause, Cause::Superseded);
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let world = World::new();
    let id = world.dead_letters.add("no json", &[], DateTime::UNIX_EPOCH);
    let finding = found(&world, &id).await;
    assert_eq!(finding.cause, Cause::Message);
    assert!(finding.error.contains("no JSON"), "{}", finding.error);
}

#[tokio::test]
async fn an_asynchronous_event_says_its_cause_itself() {
    for (error, expected) in [
        ("Task timed out after 900.00 seconds", Cause::Crashed),
        ("object failed", Cause::Unknown),
    ] {
        let world = World::new();
        world.letter("k");
        let said = [("RequestID", "r"), ("ErrorMessage", error)];
        let id = world
            .dead_letters
            .add(&notification("k"), &said, DateTime::UNIX_EPOCH);
        let finding = found(&world, &id).await;
        assert_eq!((finding.cause, finding.error.as_str()), (expected, error));
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_not_guessed() {
    let world = World::new();
    let id = world.letter("k");
    world.answer("k", ErrorClass::Retry);
    assert!(matches!(
        inspect(&world, &id).await,
        Inspected::Unclear { .. }
    ));
    world.files.1.store(true, Ordering::Relaxed);
    let Inspected::Unclear { reason, failure } = inspect(&world, &id).await else {
        panic!("found")
    };
    assert_eq!(reason, "`files` could not be reached: down");
    assert!(failure.is_none());
}
