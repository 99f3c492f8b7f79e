//! Objects whose slices are told in a few words.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::{Attempt, Books};

/// Keeps entries by id.
#[derive(Default)]
struct Memory(Mutex<HashMap<String, LedgerEntry>>);

#[async_trait]
impl Ledger for Memory {
    async fn find(&self, keys: &[SliceKey]) -> Result<Vec<Option<LedgerEntry>>, LedgerError> {
        let entries = self.0.lock().unwrap();
        Ok(keys
            .iter()
            .map(|key| entries.get(&key.id()).cloned())
            .collect())
    }

    async fn record(&self, attempt: Attempt) -> Result<LedgerEntry, LedgerError> {
        let mut entries = self.0.lock().unwrap();
        let entry = entries.entry(attempt.slice.id()).or_default();
        *entry = std::mem::take(entry).with(attempt);
        Ok(entry.clone())
    }

    async fn sent(&self, slice: &SliceKey, end: u64) -> Result<(), LedgerError> {
        let mut entries = self.0.lock().unwrap();
        if let Some(entry) = entries.get_mut(&slice.id())
            && let Some(sent) = entry.clone().sent(end)
        {
            *entry = sent;
        }
        Ok(())
    }

    async fn divided(&self, first: &SliceKey, at: u64) -> Result<(), LedgerError> {
        let mut entries = self.0.lock().unwrap();
        let entry = entries.entry(first.id()).or_default();
        *entry = std::mem::take(entry).divided(first, at);
        Ok(())
    }
}

fn object(key: &str) -> ListedObject {
    ListedObject {
        bucket: "logs".into(),
        key: key.into(),
        etag: Some("e".into()),
        last_modified: "2026-11-23T01:00:00Z".parse().unwrap(),
    }
}

/// An attempt that indexed three records, up to `end` or to the object's end.
fn attempt(key: &str, start: u64, end: Option<u64>) -> Attempt {
    Attempt {
        slice: object(key).slice(start),
        version_id: None,
        end: end.unwrap_or(1000),
        eof: end.is_none(),
        next: end.map(|_| Next::Pending),
        books: Books {
            records: 3,
            indexed: 3,
            ..Books::default()
        },
        raw_seen: 0,
        bytes: 9,
        duration_ms: 1,
        dataset: None,
        parser: "p".into(),
        rules: "r".into(),
        cut: None,
        error: None,
        at: "2026-11-23T02:00:00Z".parse().unwrap(),
        replaced: false,
    }
}

async fn check(attempts: Vec<Attempt>, expected: &[(FindingKind, &str)]) {
    let ledger = Memory::default();
    for attempt in attempts {
        ledger.record(attempt).await.unwrap();
    }
    let found = audit(&ledger, &[object("k")]).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|finding| (finding.kind, finding.detail.as_str()))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_chain_up_to_eof_is_clean_and_may_overlap() {
    check(
        vec![
            attempt("k", 0, Some(100)),
            attempt("k", 0, Some(150)),
            attempt("k", 100, Some(200)),
            attempt("k", 150, Some(300)),
            attempt("k", 200, None),
            attempt("k", 300, None),
        ],
        &[],
    )
    .await;
}

#[tokio::test]
async fn what_is_not_there_is_missing_or_a_gap() {
    let missing = "the ledger has no entry of this object and ETag";
    check(
        vec![attempt("other", 0, None)],
        &[(FindingKind::Missing, missing)],
    )
    .await;
    let gap = "nothing starts at byte 100: the message for it was not sent";
    check(
        vec![attempt("k", 0, Some(100))],
        &[(FindingKind::Gapped, gap)],
    )
    .await;
    let still = "the slice at byte 0 ends where it starts";
    check(
        vec![attempt("k", 0, Some(0))],
        &[(FindingKind::Gapped, still)],
    )
    .await;
}

#[tokio::test]
async fn a_failed_attempt_is_a_finding_until_one_finishes() {
    let failed = Attempt {
        error: Some("no route".into()),
        ..attempt("k", 0, Some(50))
    };
    let detail = "the slice at byte 0 is not finished after 1 attempts: no route";
    check(vec![failed.clone()], &[(FindingKind::Unbalanced, detail)]).await;
    check(vec![failed.clone(), attempt("k", 0, None)], &[]).await;
    // A message that came twice and failed the second time takes nothing away.
    check(vec![attempt("k", 0, None), failed], &[]).await;
}

#[tokio::test]
async fn books_that_do_not_balance_close_nothing() {
    let mut odd = attempt("k", 0, None);
    odd.books.records = 4;
    let detail = "the books of the slice at byte 0 do not balance: 4 records ≠ 3 indexed + 0 raw + 0 duplicate + 0 excluded + 0 quarantined";
    check(vec![odd], &[(FindingKind::Unbalanced, detail)]).await;
}

#[tokio::test]
async fn raw_and_quarantined_records_are_told_even_when_seen_as_duplicates() {
    let again = Attempt {
        raw_seen: 2,
        cut: Some("cut short".into()),
        ..attempt("k", 100, None)
    };
    check(
        vec![attempt("k", 0, Some(100)), again],
        &[
            (FindingKind::Raw, "2 records did not parse"),
            (
                FindingKind::Quarantined,
                "0 records; the rest of the object: cut short",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_chain_follows_the_attempt_whose_messages_were_sent() {
    let ledger = Memory::default();
    ledger.record(attempt("k", 0, Some(100))).await.unwrap();
    // It takes its process with it before it sends anything.
    ledger.record(attempt("k", 0, Some(150))).await.unwrap();
    ledger.sent(&object("k").slice(0), 100).await.unwrap();
    ledger.record(attempt("k", 100, None)).await.unwrap();
    assert_eq!(audit(&ledger, &[object("k")]).await.unwrap(), []);
}

#[tokio::test]
async fn an_object_is_finished_when_its_chain_is() {
    let ledger = Memory::default();
    let raw = Attempt {
        raw_seen: 1,
        ..attempt("raw", 0, None)
    };
    for attempt in [attempt("whole", 0, None), attempt("gap", 0, Some(9)), raw] {
        ledger.record(attempt).await.unwrap();
    }
    let objects = ["whole", "gap", "raw", "missing"].map(object);
    let finished = finished(&ledger, &objects).await.unwrap();
    assert_eq!(finished, ["whole", "raw"].map(object).into());
}

#[tokio::test]
async fn a_file_that_changed_on_the_same_day_is_another() {
    let ledger = Memory::default();
    let mut file = object("k");
    file.etag = None;
    let read = Attempt {
        slice: file.slice(0),
        ..attempt("k", 0, None)
    };
    ledger.record(read).await.unwrap();
    assert_eq!(finished(&ledger, &[file.clone()]).await.unwrap().len(), 1);
    file.last_modified += chrono::TimeDelta::seconds(1);
    assert_eq!(finished(&ledger, &[file]).await.unwrap().len(), 0);
}
