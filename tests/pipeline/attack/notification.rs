//! The bodies that announce objects, as AWS writes them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sekisho_event::ObjectRef;
use serde_json::{Value, json};

use crate::case::{Oddity, Wrapper};

/// What S3 leaves as it is in the keys of its notifications.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b' ');

/// Announces objects in one message.
pub(crate) fn body(objects: &[ObjectRef], wrapper: Wrapper) -> String {
    let records: Vec<Value> = objects
        .iter()
        .map(|object| record(object, "ObjectCreated:Put"))
        .collect();
    let notification = json!({ "Records": records });
    match (wrapper, objects) {
        (Wrapper::Sns, _) => {
            json!({ "Type": "Notification", "Message": notification.to_string() }).to_string()
        }
        (Wrapper::EventBridge, [object]) => json!({
            "detail-type": "Object Created", "source": "aws.s3", "time": "2026-11-23T01:00:00Z",
            "detail": { "bucket": { "name": object.bucket }, "object": {
                "key": object.key, "size": object.size, "etag": object.etag,
                "version-id": object.version_id,
            } },
        })
        .to_string(),
        _ => notification.to_string(),
    }
}

fn record(object: &ObjectRef, event: &str) -> Value {
    let key = utf8_percent_encode(&object.key, ENCODED).to_string();
    json!({
        "eventSource": "aws:s3", "eventName": event, "eventTime": "2026-11-23T01:00:00Z",
        "s3": { "bucket": { "name": object.bucket }, "object": {
            "key": key.replace(' ', "+"), "size": object.size, "eTag": object.etag,
            "versionId": object.version_id,
        } },
    })
}

/// A body that announces no object of the case.
pub(crate) fn odd(oddity: Oddity) -> String {
    let object = |key: &str, size| ObjectRef {
        size: Some(size),
        ..ObjectRef::new("logs", key)
    };
    match oddity {
        Oddity::TestEvent => {
            r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"logs"}"#.to_owned()
        }
        Oddity::Deletion => {
            let deleted = record(&object("app/deleted", 1), "ObjectRemoved:Delete");
            json!({ "Records": [deleted] }).to_string()
        }
        Oddity::Folder => body(&[object("app/folder/", 0)], Wrapper::Bare),
        Oddity::NoJson => "no json".to_owned(),
        Oddity::Nowhere => body(&[object("app/nowhere", 1)], Wrapper::Bare),
    }
}
