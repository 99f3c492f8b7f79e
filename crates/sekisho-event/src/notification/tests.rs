//! One body of each shape, and what is none.

use super::*;

fn object(key: &str) -> ObjectRef {
    ObjectRef::new("b", key)
}

#[track_caller]
fn check_objects(body: &str, expected: &[ObjectRef]) {
    let read = Notifications::read(body).unwrap();
    let slices: Vec<_> = expected.iter().cloned().map(ObjectSlice::whole).collect();
    assert_eq!(read.slices, slices);
    assert_eq!(read.ignored, []);
}

#[track_caller]
fn check_ignored(body: &str, expected: IgnoreReason) {
    let read = Notifications::read(body).unwrap();
    assert_eq!(read.slices, []);
    assert_eq!(read.ignored.len(), 1);
    assert_eq!(read.ignored[0].reason, expected);
}

#[track_caller]
fn check_error(body: &str, expected: &str) {
    let message = Notifications::read(body).unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
}

const FULL: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-east-1","eventTime":"2026-11-23T00:55:10.526Z","eventName":"ObjectCreated:Put",
    "userIdentity":{"principalId":"E"},"requestParameters":{"sourceIPAddress":"192.0.2.1"},"responseElements":{},
    "s3":{"s3SchemaVersion":"1.0","configurationId":"n1","bucket":{"name":"b","ownerIdentity":{"principalId":"E"},"arn":"arn:aws:s3:::b"},
    "object":{"key":"AWSLogs/a+b%2Bc/%E6%97%A5%E6%9C%AC.gz","size":3,"eTag":"abc-2","versionId":"v1","sequencer":"0055AED6DCD90281E5"}}}]}"#;

fn full() -> ObjectRef {
    ObjectRef {
        size: Some(3),
        etag: Some("abc-2".to_owned()),
        version_id: Some("v1".to_owned()),
        event_time: time("2026-11-23T00:55:10.526Z"),
        ..object("AWSLogs/a b+c/日本.gz")
    }
}

fn wrapped(body: &str) -> String {
    let quoted = serde_json::to_string(body).unwrap();
    format!(
        r#"{{"Type":"Notification","MessageId":"m","TopicArn":"arn:aws:sns:us-east-1:111122223333:t","Message":{quoted}}}"#
    )
}

#[test]
fn a_full_notification() {
    check_objects(FULL, &[full()]);
}

#[test]
fn everything_but_bucket_and_key_may_be_missing() {
    check_objects(
        r#"{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}"#,
        &[object("k")],
    );
    check_objects(
        r#"{"Records":[{"eventTime":"?","userIdentity":null,"s3":{"bucket":{"name":"b"},"object":{"key":"k","size":null,"eTag":""}}}]}"#,
        &[object("k")],
    );
}

#[test]
fn several_records_keep_their_order() {
    let record = |key: &str| {
        format!(
            r#"{{"eventName":"s3:ObjectCreated:Copy","s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}"}}}}}}"#
        )
    };
    let body = format!(r#"{{"Records":[{},{}]}}"#, record("z"), record("a"));
    check_objects(&body, &[object("z"), object("a")]);
    check_objects(r#"{"Records":[]}"#, &[]);
}

#[test]
fn a_null_version_pins_nothing() {
    let body = r#"{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"k","versionId":"null","eTag":"\"e\""}}}]}"#;
    check_objects(
        body,
        &[ObjectRef {
            etag: Some("e".to_owned()),
            ..object("k")
        }],
    );
}

#[test]
fn sns_wraps_or_delivers_raw() {
    check_objects(&wrapped(FULL), &[full()]);
    let direct = format!(
        r#"{{"Records":[{{"EventSource":"aws:sns","Sns":{}}}]}}"#,
        wrapped(FULL)
    );
    check_objects(&direct, &[full()]);
    check_ignored(
        &wrapped(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#),
        IgnoreReason::TestEvent,
    );
}

#[test]
fn event_bridge_writes_keys_as_they_are() {
    let body = r#"{"version":"0","id":"i","detail-type":"Object Created","source":"aws.s3","account":"111122223333","time":"2026-11-23T00:55:10Z","region":"us-east-1","resources":["arn:aws:s3:::b"],
        "detail":{"version":"0","bucket":{"name":"b"},"object":{"key":"a+b %2F日本.gz","size":5,"etag":"e","version-id":"v","sequencer":"00"},"reason":"PutObject"}}"#;
    let expected = ObjectRef {
        size: Some(5),
        etag: Some("e".to_owned()),
        version_id: Some("v".to_owned()),
        event_time: time("2026-11-23T00:55:10Z"),
        ..object("a+b %2F日本.gz")
    };
    check_objects(body, std::slice::from_ref(&expected));
    check_objects(&wrapped(body), &[expected]);
    check_ignored(
        &body.replace("Object Created", "Object Deleted"),
        IgnoreReason::NotCreated("Object Deleted".to_owned()),
    );
}

#[test]
fn test_events_deletions_and_folders_are_acknowledged() {
    check_ignored(
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-11-23T00:00:00Z","Bucket":"b","RequestId":"r","HostId":"h"}"#,
        IgnoreReason::TestEvent,
    );
    check_ignored(
        &FULL.replace("ObjectCreated:Put", "ObjectRemoved:Delete"),
        IgnoreReason::NotCreated("ObjectRemoved:Delete".to_owned()),
    );
    check_ignored(
        r#"{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"a/b%2F","size":0}}}]}"#,
        IgnoreReason::Folder,
    );
}

#[test]
fn a_key_with_a_last_slash_that_holds_bytes_is_an_object() {
    let body = r#"{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"a/","size":9}}}]}"#;
    check_objects(
        body,
        &[ObjectRef {
            size: Some(9),
            ..object("a/")
        }],
    );
}

#[test]
fn what_is_no_notification_is_an_error_with_a_reason() {
    check_error("hello", "no JSON");
    check_error("", "no JSON");
    check_error("{\"Records\":", "no JSON");
    check_error("{}", "neither `Records` nor `Message` nor `detail`");
    check_error("[]", "no S3 notification");
    check_error("\"x\"", "no S3 notification");
    check_error(r#"{"Records":5}"#, "no S3 notification");
    check_error(r#"{"Records":[{"eventSource":"aws:sqs"}]}"#, "lacks `s3`");
    check_error(
        r#"{"Records":[{"s3":{"bucket":{"name":"b"}}}]}"#,
        "lacks `object`",
    );
    check_error(
        r#"{"Records":[{"s3":{"bucket":{"name":"b"},"object":{}}}]}"#,
        "lacks `object.key`",
    );
    check_error(
        r#"{"Records":[{"s3":{"bucket":{},"object":{"key":"k"}}}]}"#,
        "lacks `bucket.name`",
    );
    check_error(
        r#"{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"%FF"}}}]}"#,
        "not UTF-8",
    );
}

#[test]
fn endless_wrapping_is_refused() {
    let body = (0..6).fold(FULL.to_owned(), |body, _| wrapped(&body));
    check_error(&body, "wrapped more than");
}

#[test]
fn a_continuation_names_its_slice_and_no_envelope_hides_it() {
    let slice = ObjectSlice {
        start: 7,
        hops: 1,
        ..ObjectSlice::whole(full())
    };
    let mut read = Notifications::read(&slice.to_message()).unwrap();
    read.slices[0].object.event_time = slice.object.event_time;
    assert_eq!(read.slices, [slice]);
}

#[test]
fn an_event_that_lambda_gave_up_on_is_read_in_its_wrapper() {
    let body = format!(
        r#"{{"version":"1.0","requestContext":{{"condition":"RetriesExhausted","approximateInvokeCount":3}},"requestPayload":{FULL},"responsePayload":{{"errorMessage":"x"}}}}"#
    );
    check_objects(&body, &[full()]);
}
