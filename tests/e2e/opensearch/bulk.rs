//! What `_bulk` answers, and the verdict that each answer becomes.

use anyhow::{Context, Result, ensure};
use sekisho_bulk::{
    BulkBatch, BulkDestination, BulkSettings, ConnectSettings, Destination as _, Method,
    OpenSearchTransport, Verdict, check_version,
};
use sekisho_tests::opensearch::{Cluster, add, fixed_clock};
use serde_json::{Value, json};

crate::cases![
    create_then_duplicate,
    document_faults_name_their_field,
    dynamic_limits_are_document_faults,
    index_blocks_are_state_faults,
    missing_and_impossible_indices_are_state_faults,
    cluster_read_only_is_a_state_fault,
    shard_limit_is_a_state_fault,
    a_broken_line_costs_only_itself,
    a_body_over_the_limit_is_halved,
    bodies_without_gzip,
    the_version_is_supported,
    no_answer_is_a_rejection,
];

const EVENT: &str = r#"{"event":{"kind":"event"}"#;

fn batch(index: &str, rests: &[&str]) -> Result<BulkBatch> {
    let mut batch = BulkBatch::default();
    for rest in rests {
        add(&mut batch, index, &format!("{EVENT}{rest}}}"))?;
    }
    Ok(batch)
}

async fn typed(cluster: &Cluster, index: &str) -> Result<()> {
    let mappings = json!({ "dynamic": false, "properties": {
        "text": { "type": "text" }, "int": { "type": "integer" }, "byte": { "type": "byte" }, "float": { "type": "float" },
        "strict": { "dynamic": "strict", "properties": { "in": { "properties": { "a": { "type": "keyword" } } } } },
        "ip": { "type": "ip" }, "time": { "type": "date" }, "name": { "type": "keyword" },
        "ns": { "dynamic": false, "properties": { "other": { "type": "flat_object" } } },
    } });
    cluster.create(index, json!({ "mappings": mappings })).await
}

async fn set(cluster: &Cluster, index: &str, settings: Value) -> Result<()> {
    cluster
        .must(Method::Put, &format!("/{index}/_settings"), Some(settings))
        .await
        .map(drop)
}

async fn transient(cluster: &Cluster, settings: Value) -> Result<()> {
    let body = json!({ "transient": settings });
    cluster
        .must(Method::Put, "/_cluster/settings", Some(body))
        .await
        .map(drop)
}

fn is_state(verdicts: &[Verdict], word: &str) -> Result<()> {
    for verdict in verdicts {
        ensure!(
            matches!(verdict, Verdict::StateFault { reason } if reason.contains(word)),
            "not a state fault with `{word}`: {verdict:?}"
        );
    }
    Ok(())
}

async fn create_then_duplicate(cluster: Cluster) -> Result<()> {
    typed(&cluster, "test-create").await?;
    let batch = batch("test-create", &[r#","name":"a""#, r#","name":"b""#])?;
    ensure!(cluster.write(&batch).await? == [Verdict::Indexed, Verdict::Indexed]);
    ensure!(cluster.write(&batch).await? == [Verdict::Duplicate, Verdict::Duplicate]);
    cluster.refresh().await?;
    ensure!(
        cluster
            .count("test-create", json!({ "match_all": {} }))
            .await?
            == 2
    );
    let found = cluster
        .search(
            "test-create",
            json!({ "query": { "term": { "name": "a" } } }),
        )
        .await?;
    let source = found.pointer("/hits/hits/0/_source").context("a hit")?;
    ensure!(
        *source
            == json!({ "event": { "kind": "event", "ingested": "2026-11-23T00:00:00.000Z" }, "name": "a" }),
        "{source}"
    );
    Ok(())
}

async fn document_faults_name_their_field(cluster: Cluster) -> Result<()> {
    typed(&cluster, "test-faults").await?;
    let immense = format!(r#","ns":{{"other":{{"a":"{}"}}}}"#, "x".repeat(40_000));
    let long = format!(r#","name":"{}""#, "x".repeat(40_000));
    let cases = [
        (r#","text":{"a":1}"#, Some("text")),
        (r#","int":3000000000"#, Some("int")),
        (r#","byte":300"#, Some("byte")),
        (r#","float":1e60"#, Some("float")),
        (r#","strict":{"b":1}"#, Some("strict.b")),
        (r#","strict":{"in":{"b":1}}"#, Some("strict.in.b")),
        (r#","strict.in":{"b":{"c":1}}"#, Some("strict.in.b")),
        (r#","strict":{"in":"text"}"#, Some("strict.in")),
        (r#","strict":{"in":["text"]}"#, Some("strict.in")),
        (r#","time":{"a":1}"#, Some("time")),
        (long.as_str(), Some("name")),
        (r#","a..b":1"#, None),
        (r#","ip":"nowhere""#, Some("ip")),
        (r#","time":"yesterday""#, Some("time")),
        (r#","name":{"a":1}"#, Some("name")),
        (r#","ns":"text""#, Some("ns")),
        (r#","ns":{"other":"text"}"#, Some("ns.other")),
        (immense.as_str(), Some("ns.other")),
        (r#","name":"a","name":"b""#, None),
        (r#","":"empty key""#, None),
    ];
    let mut rests: Vec<_> = cases.iter().map(|(rest, _)| *rest).collect();
    rests.push(r#","name":"good""#);
    let verdicts = cluster.write(&batch("test-faults", &rests)?).await?;
    for ((rest, named), verdict) in cases.iter().zip(&verdicts) {
        ensure!(
            matches!(verdict, Verdict::DocumentFault { field, .. } if field.as_deref() == *named),
            "{rest:.60}: {verdict:?}"
        );
    }
    ensure!(verdicts.last() == Some(&Verdict::Indexed));
    Ok(())
}

async fn dynamic_limits_are_document_faults(cluster: Cluster) -> Result<()> {
    let strict = json!({ "mappings": { "dynamic": "strict", "properties": { "event": { "type": "object", "dynamic": true } } } });
    cluster.create("test-strict", strict).await?;
    let full = json!({ "settings": { "index.mapping.total_fields.limit": 4 } });
    cluster.create("test-full", full).await?;
    let shallow = json!({ "settings": { "index.mapping.depth.limit": 3 } });
    cluster.create("test-shallow", shallow).await?;
    let mut batch = BulkBatch::default();
    let cases = [
        ("test-strict", r#","a":1"#, Some("a")),
        ("test-strict", r#","a":{"b":1}"#, Some("a")),
        ("test-full", r#","a":1,"b":1,"c":1,"d":1,"e":1"#, None),
        ("test-shallow", r#","a":{"b":{"c":{"d":1}}}"#, None),
    ];
    for (index, rest, _) in cases {
        add(&mut batch, index, &format!("{EVENT}{rest}}}"))?;
    }
    for ((_, rest, named), verdict) in cases.iter().zip(cluster.write(&batch).await?) {
        ensure!(
            matches!(&verdict, Verdict::DocumentFault { field, .. } if field.as_deref() == *named),
            "{rest}: {verdict:?}"
        );
    }
    Ok(())
}

async fn index_blocks_are_state_faults(cluster: Cluster) -> Result<()> {
    typed(&cluster, "test-block").await?;
    let batch = batch("test-block", &[r#","name":"a""#])?;
    for (block, word) in [
        ("index.blocks.write", "FORBIDDEN/8"),
        (
            "index.blocks.read_only_allow_delete",
            "TOO_MANY_REQUESTS/12",
        ),
    ] {
        set(&cluster, "test-block", json!({ block: true })).await?;
        is_state(&cluster.write(&batch).await?, word)?;
        set(&cluster, "test-block", json!({ block: null })).await?;
    }
    ensure!(cluster.write(&batch).await? == [Verdict::Indexed]);
    Ok(())
}

async fn missing_and_impossible_indices_are_state_faults(cluster: Cluster) -> Result<()> {
    transient(
        &cluster,
        json!({ "action.auto_create_index": "-test-none*,+*" }),
    )
    .await?;
    let verdicts = cluster.write(&batch("test-none", &[""])?).await;
    transient(&cluster, json!({ "action.auto_create_index": null })).await?;
    is_state(&verdicts?, "index_not_found_exception")?;
    is_state(
        &cluster.write(&batch("Test", &[""])?).await?,
        "invalid_index_name_exception",
    )
}

async fn cluster_read_only_is_a_state_fault(cluster: Cluster) -> Result<()> {
    typed(&cluster, "test-read-only").await?;
    transient(&cluster, json!({ "cluster.blocks.read_only": true })).await?;
    let verdicts = cluster
        .write(&batch("test-read-only", &["", r#","name":"b""#])?)
        .await;
    transient(&cluster, json!({ "cluster.blocks.read_only": null })).await?;
    is_state(&verdicts?, "FORBIDDEN/6")
}

async fn shard_limit_is_a_state_fault(cluster: Cluster) -> Result<()> {
    cluster.delete("test-shards*").await?;
    cluster.create("test-shards-0", json!({})).await?;
    transient(&cluster, json!({ "cluster.max_shards_per_node": 1 })).await?;
    let verdicts = cluster.write(&batch("test-shards-1", &[""])?).await;
    transient(&cluster, json!({ "cluster.max_shards_per_node": null })).await?;
    is_state(&verdicts?, "validation_exception")
}

async fn a_broken_line_costs_only_itself(cluster: Cluster) -> Result<()> {
    typed(&cluster, "test-lines").await?;
    // A raw newline breaks the whole request: every item of it is answered by one 400.
    let rests = [
        "",
        r#","name":"b""#,
        ",\"name\":\"two\nlines\"",
        r#","name":"d""#,
    ];
    let verdicts = cluster.write(&batch("test-lines", &rests)?).await?;
    for (at, verdict) in verdicts.iter().enumerate() {
        match at {
            2 => ensure!(
                matches!(verdict, Verdict::DocumentFault { .. }),
                "{verdict:?}"
            ),
            _ => ensure!(*verdict == Verdict::Indexed, "{at}: {verdict:?}"),
        }
    }
    Ok(())
}

async fn a_body_over_the_limit_is_halved(cluster: Cluster) -> Result<()> {
    typed(&cluster, "test-long").await?;
    // Random-looking text, so that the limit is reached compressed as well.
    let text = |seed: u64| -> String {
        let mut state = seed;
        (0..8_000_000)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap_or_default())
            })
            .collect()
    };
    let rests: Vec<_> = (1..4)
        .map(|seed| format!(r#","text":"{}""#, text(seed)))
        .collect();
    let rests: Vec<_> = rests.iter().map(String::as_str).collect();
    let settings = BulkSettings {
        max_bulk_bytes: 100 << 20,
        ..BulkSettings::default()
    };
    let transport = OpenSearchTransport::new(ConnectSettings {
        gzip: false,
        ..ConnectSettings::new(cluster.transport().url())
    })?;
    let destination = BulkDestination::new(transport, settings, fixed_clock());
    let verdicts = destination.write(&batch("test-long", &rests)?).await?;
    ensure!(verdicts == vec![Verdict::Indexed; 3], "{verdicts:?}");
    Ok(())
}

async fn bodies_without_gzip(cluster: Cluster) -> Result<()> {
    typed(&cluster, "test-plain").await?;
    let transport = OpenSearchTransport::new(ConnectSettings {
        gzip: false,
        ..ConnectSettings::new(cluster.transport().url())
    })?;
    let destination = BulkDestination::new(transport, BulkSettings::default(), fixed_clock());
    let batch = batch("test-plain", &["", r#","name":"日本語""#])?;
    ensure!(destination.write(&batch).await? == [Verdict::Indexed, Verdict::Indexed]);
    ensure!(cluster.write(&batch).await? == [Verdict::Duplicate, Verdict::Duplicate]);
    Ok(())
}

async fn the_version_is_supported(cluster: Cluster) -> Result<()> {
    let version = check_version(cluster.transport()).await?;
    ensure!(version.number.starts_with(['2', '3']), "{}", version.number);
    Ok(())
}

async fn no_answer_is_a_rejection(_cluster: Cluster) -> Result<()> {
    // Port 9 is the discard service, which nothing here runs.
    let nowhere = Cluster::connect("http://127.0.0.1:9")?;
    let verdicts = nowhere.write(&batch("test-nowhere", &[""])?).await?;
    ensure!(
        matches!(verdicts.as_slice(), [Verdict::Rejected { reason }]
            if reason.starts_with("no answer from `http://127.0.0.1:9`: ") && reason.matches("no answer").count() == 1),
        "{verdicts:?}"
    );
    Ok(())
}
