//! The index templates on a real cluster: accepted, put once, and typed as searches need them.

use anyhow::{Result, ensure};
use sekisho_bulk::{BulkBatch, Method, Verdict};
use sekisho_cluster::{Change, TemplateState, check_templates};
use sekisho_document::{FieldType, SourceMapping, ecs};
use sekisho_tests::opensearch::{Cluster, add};
use serde_json::{Value, json};

crate::cases![
    apply_is_idempotent,
    every_ecs_field_has_a_mapping,
    a_source_of_its_own_index,
    an_overlay_source_gets_all_of_ecs,
    shapes_that_flip_do_no_harm,
    long_urls_stay_searchable,
];

fn source() -> SourceMapping {
    let own = [
        ("aws.demo.kind", FieldType::Keyword),
        ("aws.demo.bytes", FieldType::Long),
        ("aws.demo.parameters", FieldType::FlatObject),
        ("aws.demo.other", FieldType::FlatObject),
    ];
    let of_ecs = [
        "source.ip",
        "url.original",
        "url.path",
        "user_agent.original",
        "user.name",
    ];
    let of_ecs = of_ecs
        .into_iter()
        .filter_map(ecs::field)
        .map(|field| (field.name, field.kind));
    SourceMapping {
        dataset: "aws.demo".into(),
        index: "log-aws-demo".into(),
        fields: own
            .into_iter()
            .chain(of_ecs)
            .map(|(name, kind)| (name.to_owned(), kind))
            .collect(),
    }
}

async fn fresh(cluster: &Cluster) -> Result<()> {
    cluster.delete("log-aws-demo-*,log-demo-*").await?;
    cluster.apply(&[source()]).await.map(drop)
}

async fn remove(cluster: &Cluster) -> Result<()> {
    cluster
        .call(Method::Delete, "/_index_template/sekisho-*", None)
        .await?;
    cluster
        .call(Method::Delete, "/_component_template/sekisho-*", None)
        .await?;
    Ok(())
}

async fn write(cluster: &Cluster, index: &str, rests: &[&str]) -> Result<()> {
    let mut batch = BulkBatch::default();
    for rest in rests {
        add(
            &mut batch,
            index,
            &format!(
                r#"{{"event":{{"kind":"event","action":"Act"}},"@timestamp":"2026-11-23T01:02:03.000Z"{rest}}}"#
            ),
        )?;
    }
    let verdicts = cluster.write(&batch).await?;
    for (rest, verdict) in rests.iter().zip(verdicts) {
        ensure!(verdict == Verdict::Indexed, "{rest:.80}: {verdict:?}");
    }
    cluster.refresh().await
}

async fn found(cluster: &Cluster, index: &str, query: Value) -> Result<()> {
    let count = cluster.count(index, query.clone()).await?;
    ensure!(
        count == 1,
        "{count} documents by {:.200}",
        query.to_string()
    );
    Ok(())
}

async fn apply_is_idempotent(cluster: Cluster) -> Result<()> {
    remove(&cluster).await?;
    ensure!(check_templates(cluster.transport(), "").await? == TemplateState::Missing);
    let first = cluster.apply(&[source()]).await?;
    ensure!(
        first
            .iter()
            .all(|applied| applied.change == Change::Created),
        "{first:?}"
    );
    let second = cluster.apply(&[source()]).await?;
    ensure!(
        second
            .iter()
            .all(|applied| applied.change == Change::Unchanged),
        "{second:?}"
    );
    ensure!(check_templates(cluster.transport(), "").await? == TemplateState::Current);
    Ok(())
}

async fn every_ecs_field_has_a_mapping(cluster: Cluster) -> Result<()> {
    fresh(&cluster).await?;
    write(&cluster, "log-demo-2026.11.23", &[""]).await?;
    let answer = cluster
        .must(
            Method::Get,
            "/log-demo-2026.11.23/_field_caps?fields=*",
            None,
        )
        .await?;
    for field in ecs::fields() {
        let caps = answer
            .get("fields")
            .and_then(|fields| fields.get(field.name));
        let is_typed = caps.is_some_and(|caps| {
            caps.get(searched_as(field.kind)).is_some()
                || caps.get("object").is_some()
                || caps.get("nested").is_some()
        });
        // A container, with or without listed fields, may have no capability of its own.
        ensure!(
            is_typed || matches!(field.kind, FieldType::FlatObject | FieldType::Nested),
            "{} is {caps:?}",
            field.name
        );
    }
    Ok(())
}

/// A wildcard field is a keyword with a `.wildcard` below it.
fn searched_as(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Wildcard => FieldType::Keyword.name(),
        kind => kind.name(),
    }
}

async fn a_source_of_its_own_index(cluster: Cluster) -> Result<()> {
    fresh(&cluster).await?;
    let index = "log-aws-demo-2026.11.23";
    let rests = [
        r#","source":{"ip":"192.0.2.7"},"related":{"ip":["192.0.2.7"]},"aws":{"demo":{"kind":"A","bytes":5,"parameters":{"bucket":{"name":"日本語 b"}},"other":{"new.field":[1,{"x":true}]}}}"#,
        r#","source":{"ip":"198.51.100.1"},"aws":{"demo":{"kind":"B"}},"message":"denied from 203.0.113.9 port 22""#,
    ];
    write(&cluster, index, &rests).await?;
    let one = "log-aws-demo-*";
    for query in [
        json!({ "term": { "source.ip": "192.0.2.0/24" } }),
        json!({ "range": { "source.ip": { "gte": "192.0.2.0", "lte": "192.0.2.255" } } }),
        json!({ "term": { "aws.demo.parameters.bucket.name": "日本語 b" } }),
        json!({ "term": { "aws.demo.other.new.field": "1" } }),
        json!({ "term": { "aws.demo.other.new.field.x": "true" } }),
        json!({ "match_phrase": { "message": "203.0.113.9" } }),
        json!({ "query_string": { "query": "\"203.0.113.9\"" } }),
        json!({ "query_string": { "query": "192.0.2.7" } }),
    ] {
        found(&cluster, one, query).await?;
    }
    ensure!(cluster.terms(one, "aws.demo.kind").await? == ["A", "B"]);
    ensure!(cluster.terms(one, "event.action").await? == ["Act"]);
    let histogram = json!({ "size": 0, "aggs": { "a": { "date_histogram": { "field": "@timestamp", "calendar_interval": "day" } } } });
    let answer = cluster.search(one, histogram).await?;
    ensure!(
        answer.pointer("/aggregations/a/buckets/0/doc_count") == Some(&json!(2)),
        "{answer}"
    );
    let settings = cluster
        .must(
            Method::Get,
            &format!("/{index}/_settings?flat_settings=true"),
            None,
        )
        .await?;
    let settings = settings
        .pointer(&format!("/{index}/settings"))
        .cloned()
        .unwrap_or_default();
    ensure!(
        settings.get("index.refresh_interval") == Some(&json!("30s")),
        "{settings}"
    );
    Ok(())
}

async fn an_overlay_source_gets_all_of_ecs(cluster: Cluster) -> Result<()> {
    fresh(&cluster).await?;
    let rests = [
        r#","dns":{"question":{"name":"example.com"},"answers":[{"data":"192.0.2.1"}]},"tls":{"version":"1.2"}"#,
    ];
    write(&cluster, "log-demo-overlay-2026.11.23", &rests).await?;
    let one = "log-demo-overlay-*";
    found(
        &cluster,
        one,
        json!({ "term": { "dns.answers.data": "192.0.2.1" } }),
    )
    .await?;
    found(&cluster, one, json!({ "term": { "tls.version": "1.2" } })).await?;
    found(&cluster, one, json!({ "query_string": { "query": "Act" } })).await?;
    Ok(())
}

async fn shapes_that_flip_do_no_harm(cluster: Cluster) -> Result<()> {
    fresh(&cluster).await?;
    let rests = [
        r#","aws":{"demo":{"other":{"a":"text"},"undeclared":"text"}}"#,
        r#","aws":{"demo":{"other":{"a":{"b":"object"}},"undeclared":{"b":1}}}"#,
        r#","aws":{"demo":{"other":{"a":[1,[2]]},"undeclared":[[1],{"c":2}]}},"invented":{"x":1}"#,
    ];
    write(&cluster, "log-aws-demo-2026.11.22", &rests).await
}

async fn long_urls_stay_searchable(cluster: Cluster) -> Result<()> {
    fresh(&cluster).await?;
    let attack = format!("/search?q=<script>alert('{}')</script>", "x".repeat(6_000));
    let long = "y".repeat(8_000);
    let text =
        json!({ "url": { "original": attack, "path": long }, "user_agent": { "original": long } })
            .to_string();
    let rest = format!(
        ",{}",
        text.trim_start_matches('{')
            .trim_end_matches('}')
            .to_owned()
            + "}"
    );
    write(&cluster, "log-aws-demo-2026.11.21", &[&rest]).await?;
    let one = "log-aws-demo-2026.11.21";
    found(
        &cluster,
        one,
        json!({ "wildcard": { "url.original": "*<script>alert*" } }),
    )
    .await?;
    // 2.19 refuses a pattern of over 1,000 characters; an exact value may have 8,191.
    found(&cluster, one, json!({ "term": { "url.original": attack } })).await?;
    ensure!(cluster.terms(one, "url.path").await? == [long.as_str()]);
    found(
        &cluster,
        one,
        json!({ "wildcard": { "url.original.wildcard": "*x')</script>" } }),
    )
    .await?;
    found(&cluster, one, json!({ "term": { "url.path": long } })).await?;
    found(
        &cluster,
        one,
        json!({ "wildcard": { "user_agent.original": "yyy*" } }),
    )
    .await
}
