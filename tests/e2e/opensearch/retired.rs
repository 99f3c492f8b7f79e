//! Retired indices on real nodes: the mark, the index beside, and what is refused for good.

use anyhow::{Result, ensure};
use sekisho_bulk::{BulkBatch, Method, Verdict, WriteMode};
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_tests::opensearch::{Cluster, add};
use serde_json::json;

crate::cases![
    what_comes_late_is_written_beside_the_retired_index,
    a_read_only_index_with_the_mark_is_retired_too,
    without_the_mark_it_is_an_operators_block,
    a_closed_index_is_retired_and_cannot_be_read,
    a_reload_writes_nothing_of_a_retired_index,
    the_index_beside_gets_the_mapping_of_its_source,
];

fn batch(index: &str, names: &[&str]) -> Result<BulkBatch> {
    let mut batch = BulkBatch::default();
    for name in names {
        let body = format!(r#"{{"event":{{"kind":"event"}},"name":"{name}"}}"#);
        add(&mut batch, index, &body)?;
    }
    Ok(batch)
}

/// Makes an index with one document in it.
async fn index(cluster: &Cluster, index: &str) -> Result<()> {
    // A node that another run has used: a read-only index cannot be deleted.
    let lifted = json!({ "index.blocks.read_only": null });
    let path = format!("/{index}*/_settings?expand_wildcards=all");
    cluster.call(Method::Put, &path, Some(lifted)).await?;
    cluster.delete(&format!("{index}*")).await?;
    cluster.create(index, json!({})).await?;
    ensure!(cluster.write(&batch(index, &["a"])?).await? == [Verdict::Indexed]);
    Ok(())
}

async fn block(cluster: &Cluster, index: &str, block: &str) -> Result<()> {
    let settings = json!({ block: true });
    cluster
        .must(Method::Put, &format!("/{index}/_settings"), Some(settings))
        .await
        .map(drop)
}

/// As the `alias` action of a lifecycle does.
async fn mark(cluster: &Cluster, index: &str) -> Result<()> {
    let actions = json!({ "actions": [{ "add": { "index": index, "alias": "sekisho-retired" } }] });
    cluster
        .must(Method::Post, "/_aliases", Some(actions))
        .await
        .map(drop)
}

async fn count(cluster: &Cluster, index: &str) -> Result<u64> {
    cluster.refresh().await?;
    cluster.count(index, json!({ "match_all": {} })).await
}

fn is_retired(verdicts: &[Verdict], word: &str) -> Result<()> {
    for verdict in verdicts {
        ensure!(
            matches!(verdict, Verdict::Retired { reason } if reason.contains(word)),
            "not retired with `{word}`: {verdict:?}"
        );
    }
    Ok(())
}

async fn what_comes_late_is_written_beside_the_retired_index(cluster: Cluster) -> Result<()> {
    index(&cluster, "test-retired").await?;
    mark(&cluster, "test-retired").await?;
    block(&cluster, "test-retired", "index.blocks.write").await?;
    let batch = batch("test-retired", &["a", "b"])?;
    let verdicts = cluster.write(&batch).await?;
    ensure!(
        verdicts == [Verdict::Duplicate, Verdict::Indexed],
        "{verdicts:?}"
    );
    let verdicts = cluster.write(&batch).await?;
    ensure!(
        verdicts == [Verdict::Duplicate, Verdict::Duplicate],
        "{verdicts:?}"
    );
    ensure!(count(&cluster, "test-retired").await? == 1);
    ensure!(count(&cluster, "test-retired-late").await? == 1);
    // The index beside is retired in its turn.
    mark(&cluster, "test-retired-late").await?;
    block(&cluster, "test-retired-late", "index.blocks.write").await?;
    let mut later = batch.clone();
    add(
        &mut later,
        "test-retired",
        r#"{"event":{"kind":"event"},"name":"c"}"#,
    )?;
    let verdicts = cluster.write(&later).await?;
    ensure!(
        verdicts.first() == Some(&Verdict::Duplicate),
        "{verdicts:?}"
    );
    is_retired(verdicts.get(1..).unwrap_or_default(), "test-retired-late")
}

async fn a_read_only_index_with_the_mark_is_retired_too(cluster: Cluster) -> Result<()> {
    index(&cluster, "test-readonly").await?;
    mark(&cluster, "test-readonly").await?;
    block(&cluster, "test-readonly", "index.blocks.read_only").await?;
    let verdicts = cluster.write(&batch("test-readonly", &["a", "b"])?).await?;
    ensure!(
        verdicts == [Verdict::Duplicate, Verdict::Indexed],
        "{verdicts:?}"
    );
    ensure!(count(&cluster, "test-readonly-late").await? == 1);
    Ok(())
}

async fn without_the_mark_it_is_an_operators_block(cluster: Cluster) -> Result<()> {
    index(&cluster, "test-blocked").await?;
    for (name, word) in [
        ("index.blocks.write", "FORBIDDEN/8"),
        ("index.blocks.read_only", "FORBIDDEN/5"),
    ] {
        block(&cluster, "test-blocked", name).await?;
        let verdicts = cluster.write(&batch("test-blocked", &["a", "b"])?).await?;
        for verdict in verdicts {
            ensure!(
                matches!(&verdict, Verdict::StateFault { reason } if reason.contains(word)),
                "{verdict:?}"
            );
        }
    }
    let (status, _) = cluster
        .call(Method::Get, "/test-blocked-late", None)
        .await?;
    ensure!(status == 404, "{status}");
    Ok(())
}

async fn a_closed_index_is_retired_and_cannot_be_read(cluster: Cluster) -> Result<()> {
    index(&cluster, "test-closed").await?;
    let batch = batch("test-closed", &["a", "b"])?;
    cluster
        .must(Method::Post, "/test-closed/_close", None)
        .await?;
    is_retired(&cluster.write(&batch).await?, "it is closed")?;
    // A closed index keeps its mark, and one beside a retired one may be closed.
    mark(&cluster, "test-closed").await?;
    is_retired(&cluster.write(&batch).await?, "it is closed")?;
    // An index that is blocked for readers cannot be looked into.
    index(&cluster, "test-dark").await?;
    mark(&cluster, "test-dark").await?;
    block(&cluster, "test-dark", "index.blocks.read").await?;
    block(&cluster, "test-dark", "index.blocks.write").await?;
    let dark = self::batch("test-dark", &["a"])?;
    is_retired(&cluster.write(&dark).await?, "FORBIDDEN/7")
}

async fn a_reload_writes_nothing_of_a_retired_index(cluster: Cluster) -> Result<()> {
    index(&cluster, "test-reload").await?;
    let mut batch = batch("test-reload", &["a", "b"])?;
    batch.mode = WriteMode::Index;
    let verdicts = cluster.write(&batch).await?;
    ensure!(
        verdicts == [Verdict::Indexed, Verdict::Indexed],
        "{verdicts:?}"
    );
    mark(&cluster, "test-reload").await?;
    block(&cluster, "test-reload", "index.blocks.write").await?;
    is_retired(&cluster.write(&batch).await?, "not replaced")?;
    ensure!(count(&cluster, "test-reload*").await? == 2);
    Ok(())
}

async fn the_index_beside_gets_the_mapping_of_its_source(cluster: Cluster) -> Result<()> {
    let catalog = Catalog::builtin(ParserSettings::default())?;
    cluster.apply(&catalog.mappings()?).await?;
    let mapping = async |index: &str| {
        cluster.delete(index).await?;
        cluster
            .must(Method::Put, &format!("/{index}"), None)
            .await?;
        let path = format!("/{index}/_mapping");
        let found = cluster.must(Method::Get, &path, None).await?;
        cluster.delete(index).await?;
        anyhow::Ok(found.get(index).cloned())
    };
    let base = mapping("log-aws-cloudtrail-2026.11.23").await?;
    ensure!(base.is_some() && base == mapping("log-aws-cloudtrail-2026.11.23-late").await?);
    Ok(())
}
