//! What a `flat_object` refuses, and that nothing which the neutralizer wrote is refused.

use anyhow::{Context, Result, ensure};
use sekisho_bulk::{BulkBatch, Verdict};
use sekisho_document::json::{FlatWriter, Scanner};
use sekisho_tests::opensearch::{Cluster, add};
use serde_json::json;

crate::cases![
    hostile_subtrees_are_accepted_once_neutralized,
    hostile_subtrees_are_refused_as_they_are
];

const FIELD: &str = "aws.demo.other";

/// Each is refused as it stands, on both versions.
fn refused() -> Vec<String> {
    let long = "x".repeat(40_000);
    vec![
        format!(r#"{{"a":"{long}"}}"#),
        format!(r#"{{"a":["short","{long}"]}}"#),
        format!(r#"{{"{long}":"v"}}"#),
        r#"{"a":1,"a":2}"#.into(),
        r#"{"a":{"b":1,"\u0062":{"c":2}}}"#.into(),
        format!(r#"{{"a":{}}}"#, "9".repeat(1_500)),
    ]
}

/// Each is refused in some place, or cannot be found as it stands.
fn odd() -> Vec<String> {
    let keys = [
        "", ".", "..", ".a", "a.", "a..b", "a. .b", " ", "\\u0000", "\\t", "\\ud800", "_id", "*",
        "日本", "😀",
    ];
    let values = [
        "null",
        "[null]",
        "[null,1,[null]]",
        "{}",
        "[]",
        "[{},{}]",
        "[[1],[2,[3]]]",
        r#"[1,"a",{"b":1},[{"c":2}]]"#,
        "1e400",
        "-1e400",
        "1180591620717411303424",
        "1e-400",
        "true",
        r#""""#,
        r#""x\ud800y""#,
        r#""\udc00\ud800""#,
        r#""a\u0000b""#,
        "\"\u{ffff}\u{2028}\"",
    ];
    let mut all: Vec<_> = keys
        .iter()
        .map(|key| format!(r#"{{"{key}":"v","z":{{"{key}":["v"]}}}}"#))
        .collect();
    all.extend(
        values
            .iter()
            .map(|value| format!(r#"{{"a":{value},"b":{{"c":{value}}}}}"#)),
    );
    for depth in [20, 31, 32, 33, 100, 5_000] {
        all.push(format!(
            "{}1{}",
            r#"{"a":"#.repeat(depth),
            "}".repeat(depth)
        ));
        all.push(format!(
            r#"{{"a":{}1{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        ));
    }
    let many: Vec<_> = (0..20_000).map(|n| format!(r#""key{n}":{n}"#)).collect();
    all.push(format!("{{{}}}", many.join(",")));
    // The longest value behind a long path.
    let key = "k".repeat(250);
    all.push(format!(
        "{}\"{}\"{}",
        format!(r#"{{"{key}":"#).repeat(30),
        "日".repeat(11_000),
        "}".repeat(30)
    ));
    all
}

async fn index(cluster: &Cluster, name: &str) -> Result<()> {
    let mappings = json!({ "dynamic": false, "properties": {
        "message": { "type": "keyword" },
        "aws": { "dynamic": false, "properties": {
            "demo": { "dynamic": false, "properties": { "other": { "type": "flat_object" } } } } } } });
    cluster.create(name, json!({ "mappings": mappings })).await
}

fn document(batch: &mut BulkBatch, index: &str, subtree: &str) -> Result<()> {
    let body = format!(
        r#"{{"event":{{"kind":"event"}},"aws":{{"demo":{{"other":{subtree}}}}},"message":"behind it"}}"#
    );
    add(batch, index, &body)
}

fn neutralized(subtree: &str) -> Result<String> {
    let raw = Scanner::new(subtree, usize::MAX).value()?;
    let mut out = Vec::new();
    FlatWriter::new(&mut out).value(raw, FIELD.len(), 0)?;
    Ok(String::from_utf8(out)?)
}

async fn hostile_subtrees_are_accepted_once_neutralized(cluster: Cluster) -> Result<()> {
    index(&cluster, "test-neutral").await?;
    let mut batch = BulkBatch::default();
    let subtrees: Vec<_> = refused().into_iter().chain(odd()).collect();
    for subtree in &subtrees {
        document(&mut batch, "test-neutral", &neutralized(subtree)?)?;
    }
    for (subtree, verdict) in subtrees.iter().zip(cluster.write(&batch).await?) {
        ensure!(verdict == Verdict::Indexed, "{subtree:.80}: {verdict:?}");
    }
    cluster.refresh().await?;
    // What stands behind the subtree was read too.
    let behind = json!({ "term": { "message": "behind it" } });
    let n_documents = u64::try_from(subtrees.len()).context("many")?;
    ensure!(cluster.count("test-neutral", behind).await? == n_documents);
    Ok(())
}

async fn hostile_subtrees_are_refused_as_they_are(cluster: Cluster) -> Result<()> {
    index(&cluster, "test-refused").await?;
    let mut batch = BulkBatch::default();
    for subtree in &refused() {
        document(&mut batch, "test-refused", subtree)?;
    }
    for (subtree, verdict) in refused().iter().zip(cluster.write(&batch).await?) {
        ensure!(
            matches!(verdict, Verdict::DocumentFault { .. }),
            "{subtree:.80}: {verdict:?}"
        );
    }
    Ok(())
}
