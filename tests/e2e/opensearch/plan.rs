//! `apply` on clusters without the security and lifecycle plugins, and what the settings say of shards.

use anyhow::{Context, Result, ensure};
use sekisho_bulk::{BulkBatch, Method, Verdict};
use sekisho_cluster::{Change, ThingKind, Wanted, carry_out, plan};
use sekisho_config::Settings;
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_tests::opensearch::{Cluster, add};
use serde_json::json;

crate::cases![
    without_plugins_roles_and_lifecycle_are_skipped_and_named,
    shards_and_replicas_are_those_of_the_source,
    a_template_of_equal_priority_is_named_before_it_is_refused,
    what_the_lifecycle_does_lets_late_records_go_beside,
];

fn wanted(settings: &Settings) -> Result<Wanted> {
    let catalog = Catalog::builtin(ParserSettings::default())?;
    Ok(Wanted::new(settings, &catalog.mappings()?)?)
}

async fn apply(cluster: &Cluster, settings: &Settings) -> Result<sekisho_cluster::Report> {
    let plan = plan(cluster.transport(), &wanted(settings)?).await?;
    Ok(carry_out(cluster.transport(), &plan).await?)
}

async fn without_plugins_roles_and_lifecycle_are_skipped_and_named(cluster: Cluster) -> Result<()> {
    let path = "/_index_template/sekisho-log-aws-waf";
    cluster.call(Method::Delete, path, None).await?;
    // Reading alone: nothing is put.
    let shown = plan(cluster.transport(), &wanted(&Settings::default())?).await?;
    ensure!(cluster.call(Method::Get, path, None).await?.0 == 404);
    let report = carry_out(cluster.transport(), &shown).await?;
    ensure!(report == shown.report(), "{report:#?}");
    ensure!(cluster.call(Method::Get, path, None).await?.0 == 200);
    for (kind, word) in [
        (ThingKind::Role, "fine-grained access control"),
        (ThingKind::Policy, "opensearch-index-management"),
    ] {
        let mut things = report.things.iter().filter(|thing| thing.kind == kind);
        let is_named = |thing: &sekisho_cluster::Thing| {
            let reason = thing.reason.as_deref().unwrap_or_default();
            thing.change == Change::Skipped && reason.contains(word)
        };
        ensure!(
            things.clone().count() >= 5 && things.all(is_named),
            "{report:#?}"
        );
    }
    let again = apply(&cluster, &Settings::default()).await?;
    let changed: Vec<_> = again.changed().chain(again.failed()).collect();
    ensure!(changed.is_empty(), "{changed:#?}");
    Ok(())
}

async fn shards_and_replicas_are_those_of_the_source(cluster: Cluster) -> Result<()> {
    let mut settings = Settings::default();
    settings.template.shards_of = [("aws.waf".into(), 3)].into();
    settings.template.replicas_of = [("aws.waf".into(), "2".into())].into();
    apply(&cluster, &settings).await?;
    for (index, shards, replicas) in [
        ("log-aws-waf-2026.08.01", "3", "2"),
        ("log-aws-cloudtrail-2026.08.01", "1", "0"),
        ("log-anything-2026.08.01", "1", "0"),
    ] {
        cluster.create(index, json!({})).await?;
        let path = format!("/{index}/_settings?flat_settings=true");
        let answer = cluster.must(Method::Get, &path, None).await?;
        let settings = answer.get(index).and_then(|one| one.get("settings"));
        let settings = settings.context("no settings")?;
        ensure!(
            settings.get("index.number_of_shards") == Some(&json!(shards)),
            "{settings}"
        );
        ensure!(
            settings.get("index.number_of_replicas") == Some(&json!(replicas)),
            "{settings}"
        );
        cluster.delete(index).await?;
    }
    let back = apply(&cluster, &Settings::default()).await?;
    let waf = back.changed().next().context("nothing changed")?;
    let paths: Vec<_> = waf
        .differences
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    ensure!(
        paths
            .iter()
            .any(|path| path.ends_with("index.number_of_shards"))
            && paths.len() == 3,
        "{waf:#?}"
    );
    Ok(())
}

async fn a_template_of_equal_priority_is_named_before_it_is_refused(
    cluster: Cluster,
) -> Result<()> {
    let (own, foreign) = (
        "/_index_template/sekisho-log",
        "/_index_template/operator-equal",
    );
    cluster.call(Method::Delete, own, None).await?;
    let body = json!({ "index_patterns": ["log-app-*"], "priority": 50 });
    cluster.must(Method::Put, foreign, Some(body)).await?;
    let report = apply(&cluster, &Settings::default()).await?;
    cluster.must(Method::Delete, foreign, None).await?;
    let failed: Vec<_> = report.failed().map(|thing| thing.name.as_str()).collect();
    ensure!(failed == ["sekisho-log"], "{report:#?}");
    let mut findings = report.findings.iter();
    let finding = findings
        .find(|one| one.name == "operator-equal")
        .context("no finding")?;
    ensure!(
        finding
            .text
            .contains("the same priority as ours, `sekisho-log` (50)"),
        "{}",
        finding.text
    );
    let report = apply(&cluster, &Settings::default()).await?;
    ensure!(report.failed().next().is_none(), "{report:#?}");
    Ok(())
}

/// The calls that the actions `alias` and `read_only` of a policy stand for, in its order, with a write between them.
async fn what_the_lifecycle_does_lets_late_records_go_beside(cluster: Cluster) -> Result<()> {
    let index = "log-aws-waf-2026.07.01";
    cluster.delete("log-aws-waf-2026.07.01*").await?;
    apply(&cluster, &Settings::default()).await?;
    let batch = |n: u64| -> Result<BulkBatch> {
        let mut batch = BulkBatch::default();
        for n in 0..=n {
            let body = format!(
                r#"{{"event":{{"kind":"event"}},"@timestamp":"2026-07-01T00:00:00Z","message":"{n}"}}"#
            );
            add(&mut batch, index, &body)?;
        }
        Ok(batch)
    };
    use Verdict::{Duplicate, Indexed};
    ensure!(cluster.write(&batch(0)?).await? == [Indexed]);
    let mark = json!({ "actions": [{ "add": { "index": index, "alias": "sekisho-retired" } }] });
    cluster.must(Method::Post, "/_aliases", Some(mark)).await?;
    // Marked and still open: it goes where it belongs.
    ensure!(cluster.write(&batch(1)?).await? == [Duplicate, Indexed]);
    let block = json!({ "index": { "blocks.write": true } });
    let path = format!("/{index}/_settings");
    cluster.must(Method::Put, &path, Some(block)).await?;
    ensure!(cluster.write(&batch(2)?).await? == [Duplicate, Duplicate, Indexed]);
    ensure!(cluster.write(&batch(2)?).await? == [Duplicate, Duplicate, Duplicate]);
    cluster.refresh().await?;
    let count = cluster
        .count("log-aws-waf-2026.07.01*", json!({ "match_all": {} }))
        .await?;
    ensure!(count == 3, "{count} documents");
    cluster.delete("log-aws-waf-2026.07.01*").await
}
