//! The ledger on a real node: attempts of many processes all count, and what was recorded is found at once.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use sekisho_bulk::Method;
use sekisho_ledger::{
    Attempt, Books, ClusterLedger, FindingKind, Ledger, ListedObject, Next, SliceKey, audit,
};
use sekisho_tests::opensearch::Cluster;
use serde_json::json;

crate::cases![
    what_is_recorded_is_found_at_once,
    attempts_of_many_processes_all_count,
    a_thousand_slices_share_requests,
    entries_can_be_searched_by_their_fields,
    audit_names_what_is_wrong,
    a_blocked_ledger_says_what_to_do,
];

const DAY: &str = "2026.11.22";

fn put_at() -> Result<DateTime<Utc>> {
    Ok("2026-11-22T23:59:59Z".parse()?)
}

fn slice(key: &str, start: u64) -> Result<SliceKey> {
    Ok(SliceKey {
        bucket: "logs".into(),
        key: key.into(),
        etag: Some("e".into()),
        start,
        last_modified: put_at()?,
    })
}

fn attempt(key: &str, start: u64, end: Option<u64>) -> Result<Attempt> {
    Ok(Attempt {
        slice: slice(key, start)?,
        version_id: None,
        end: end.unwrap_or(1_000_000),
        eof: end.is_none(),
        next: end.map(|_| Next::Pending),
        books: Books {
            records: 3,
            skipped: 1,
            indexed: 2,
            raw: 1,
            ..Books::default()
        },
        raw_seen: 1,
        bytes: 99,
        duration_ms: 7,
        dataset: Some("aws.elb".into()),
        parser: "aws.elb@1".into(),
        rules: "r".into(),
        cut: None,
        error: None,
        at: "2026-11-23T02:00:00.123456789Z".parse()?,
        replaced: false,
    })
}

async fn fresh(cluster: &Cluster) -> Result<ClusterLedger> {
    cluster.apply(&[]).await?;
    cluster.delete("sekisho-ledger-*").await?;
    Ok(ledger(cluster))
}

fn ledger(cluster: &Cluster) -> ClusterLedger {
    ClusterLedger::new(Arc::new(cluster.transport().clone()), "")
}

async fn what_is_recorded_is_found_at_once(cluster: Cluster) -> Result<()> {
    let ledger = fresh(&cluster).await?;
    let keys = [slice("a", 0)?, slice("b", 0)?];
    // Not even the index is there.
    ensure!(ledger.find(&keys).await? == [None, None]);
    let entry = ledger.record(attempt("a", 0, Some(10))?).await?;
    ensure!(ledger.find(&keys).await? == [Some(entry), None]);
    ledger.sent(&keys[0], 10).await?;
    let found = ledger.find(&keys).await?.remove(0).context("an entry")?;
    ensure!(
        found.attempts == 1 && found.next == Some(Next::Sent),
        "{found:?}"
    );
    Ok(())
}

async fn attempts_of_many_processes_all_count(cluster: Cluster) -> Result<()> {
    fresh(&cluster).await?;
    // Each has its own queue, as a process has.
    let ledgers: Vec<_> = (0..8).map(|_| Arc::new(ledger(&cluster))).collect();
    let mut tasks = Vec::new();
    for n in 0..80 {
        let ledger = Arc::clone(&ledgers[n % ledgers.len()]);
        let attempt = attempt("contended", 0, None)?;
        tasks.push(tokio::spawn(async move { ledger.record(attempt).await }));
    }
    for task in tasks {
        task.await??;
    }
    let found = ledgers[0].find(&[slice("contended", 0)?]).await?;
    let entry = found.into_iter().next().flatten().context("an entry")?;
    ensure!(entry.attempts == 80, "{} attempts", entry.attempts);
    Ok(())
}

async fn a_thousand_slices_share_requests(cluster: Cluster) -> Result<()> {
    let ledger = Arc::new(fresh(&cluster).await?);
    let began = std::time::Instant::now();
    let mut tasks = Vec::new();
    for n in 0..1000 {
        let ledger = Arc::clone(&ledger);
        let attempt = attempt(&format!("k{n}"), 0, None)?;
        tasks.push(tokio::spawn(async move { ledger.record(attempt).await }));
    }
    for task in tasks {
        ensure!(task.await??.attempts == 1);
    }
    let took = began.elapsed();
    // One by one they are a thousand look-ups and a thousand writes.
    ensure!(took.as_secs() < 10, "1,000 entries took {took:?}");
    cluster.refresh().await?;
    let count = cluster
        .count("sekisho-ledger-*", json!({ "match_all": {} }))
        .await?;
    ensure!(count == 1000, "{count} entries");
    Ok(())
}

async fn entries_can_be_searched_by_their_fields(cluster: Cluster) -> Result<()> {
    let ledger = fresh(&cluster).await?;
    let failed = Attempt {
        error: Some("no answer from `s3://logs/k`".into()),
        ..attempt("dir/日本 k", 0, Some(5))?
    };
    ledger.record(failed).await?;
    cluster.refresh().await?;
    for query in [
        json!({ "term": { "bucket": "logs" } }),
        json!({ "prefix": { "key": "dir/日" } }),
        json!({ "term": { "closed": false } }),
        json!({ "term": { "next": "pending" } }),
        json!({ "range": { "last.raw": { "gte": 1 } } }),
        json!({ "range": { "highest.indexed": { "gte": 2 } } }),
        json!({ "range": { "raw_seen": { "gte": 1 } } }),
        json!({ "match": { "error": "answer" } }),
        json!({ "range": { "@timestamp": { "gte": "2026-11-23T02:00:00Z", "lt": "2026-11-23T02:00:01Z" } } }),
        json!({ "range": { "last_modified": { "lt": "2026-11-23" } } }),
    ] {
        let count = cluster.count("sekisho-ledger-*", query.clone()).await?;
        ensure!(count == 1, "{count} entries by {query}");
    }
    Ok(())
}

async fn audit_names_what_is_wrong(cluster: Cluster) -> Result<()> {
    let ledger = fresh(&cluster).await?;
    let clean = |attempt: Attempt| Attempt {
        books: Books {
            records: 2,
            indexed: 2,
            ..Books::default()
        },
        raw_seen: 0,
        ..attempt
    };
    for attempt in [
        clean(attempt("whole", 0, Some(10))?),
        clean(attempt("whole", 10, None)?),
        clean(attempt("gap", 0, Some(10))?),
        attempt("raw", 0, None)?,
    ] {
        ledger.record(attempt).await?;
    }
    let mut objects = Vec::new();
    for key in ["whole", "gap", "raw", "missing"] {
        objects.push(ListedObject {
            bucket: "logs".into(),
            key: key.into(),
            etag: Some("e".into()),
            last_modified: put_at()?,
        });
    }
    let findings = audit(&ledger, &objects).await?;
    let found: Vec<_> = findings
        .iter()
        .map(|finding| (finding.object.key.as_str(), finding.kind))
        .collect();
    ensure!(
        found
            == [
                ("gap", FindingKind::Gapped),
                ("raw", FindingKind::Raw),
                ("missing", FindingKind::Missing),
            ],
        "{findings:?}"
    );
    Ok(())
}

async fn a_blocked_ledger_says_what_to_do(cluster: Cluster) -> Result<()> {
    let ledger = fresh(&cluster).await?;
    ledger.record(attempt("a", 0, None)?).await?;
    let settings = format!("/sekisho-ledger-{DAY}/_settings");
    for (call, body, word) in [
        (
            settings.as_str(),
            json!({ "index.blocks.write": true }),
            "lift the write block",
        ),
        (
            &format!("/sekisho-ledger-{DAY}/_close"),
            json!({}),
            "open `sekisho-ledger-2026.11.22`",
        ),
    ] {
        let method = if call == settings {
            Method::Put
        } else {
            Method::Post
        };
        cluster.must(method, call, Some(body)).await?;
        let error = ledger.record(attempt("a", 0, None)?).await;
        let error = error.err().context("it was written")?.to_string();
        ensure!(error.contains(word), "{error}");
    }
    cluster.delete("sekisho-ledger-*").await
}
