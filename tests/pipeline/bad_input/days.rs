//! Times and days: units, the ends of the calendar, ten thousand days in one object, and the same object a month later.

use std::collections::HashSet;

use crate::read::{CLOUDTRAIL, WAF, event, read, read_at, trail};

fn at(n: u32, time: &str) -> String {
    event(n, "").replace("2026-11-23T10:00:00Z", time)
}

#[test]
fn ten_thousand_days_open_at_most_33_indices() {
    let start = "2010-01-01T00:00:00Z"
        .parse::<chrono::DateTime<chrono::Utc>>()
        .unwrap();
    let records: Vec<_> = (0..10_000)
        .map(|n| {
            at(
                n,
                &(start + chrono::TimeDelta::days(i64::from(n))).to_rfc3339(),
            )
        })
        .collect();
    let read = read(CLOUDTRAIL, trail(&records).as_bytes());
    assert_eq!(read.records.len(), 10_000);
    assert!(read.outcomes().iter().all(|outcome| *outcome == "document"));
    let indices: HashSet<_> = read.records.iter().map(|record| &record.index).collect();
    assert!(indices.len() <= 33, "{}", indices.len());
}

#[test]
fn the_ends_of_the_calendar_are_filed_under_the_object_and_keep_their_time() {
    for time in ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        let read = read(CLOUDTRAIL, trail(&[at(1, time)]).as_bytes());
        assert_eq!(read.records[0].document["@timestamp"], time);
        assert_eq!(read.records[0].index, "log-aws-cloudtrail-2026.11.23");
        assert_eq!(read.records[0].document["sekisho"]["day"], "object");
    }
}

#[test]
fn the_same_object_a_month_later_gives_the_same_documents() {
    let records = [
        at(1, "2026-11-22T23:00:00Z"),
        at(2, "no time"),
        at(3, "9999-12-31T23:59:59Z"),
        "{\"broken\":1}".to_owned(),
    ];
    let bytes = trail(&records);
    let places = |last_modified: &str| {
        let read = read_at(CLOUDTRAIL, last_modified, bytes.as_bytes());
        read.records
            .into_iter()
            .map(|record| (record.id, record.index))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        places("2026-11-23T10:20:00Z"),
        places("2026-12-23T10:20:00Z")
    );
}

#[test]
fn epochs_of_every_unit_are_the_same_instant() {
    for time in ["1795428900000", "1795428900000.0"] {
        let line = format!(
            r#"{{"timestamp":{time},"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-1:111122223333:regional/webacl/a/1","action":"ALLOW","httpRequest":{{"clientIp":"192.0.2.1"}}}}"#
        );
        let read = read(WAF, line.as_bytes());
        assert_eq!(
            read.records[0].document["@timestamp"], "2026-11-23T10:15:00Z",
            "{time}"
        );
    }
}

#[test]
fn keys_decide_as_they_stand() {
    let bytes = trail(&[event(1, "").replace("eventID", "noEventID")]);
    let nfc = "ロク\u{30b0}".to_owned();
    let nfd = "ロク\u{30af}\u{3099}".to_owned();
    let mut ids = HashSet::new();
    let prefixes = [
        "plain".to_owned(),
        "with space".to_owned(),
        "with+plus".to_owned(),
        "with%2Fpercent".to_owned(),
        nfc,
        nfd,
    ];
    for prefix in &prefixes {
        let key = format!("{prefix}/{CLOUDTRAIL}");
        let read = read(&key, bytes.as_bytes());
        assert_eq!(read.outcomes(), ["document"], "{key}");
        assert_eq!(
            read.records[0].document["log"]["file"]["path"],
            format!("s3://example-logs/{key}")
        );
        ids.insert(read.records[0].id.clone());
    }
    assert_eq!(
        ids.len(),
        prefixes.len(),
        "keys that differ in a byte are different objects"
    );
}
