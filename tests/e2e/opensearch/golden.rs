//! Every golden document of every parser, through the templates into its index, and found again.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sekisho_bulk::{BulkBatch, Verdict};
use sekisho_cluster::IGNORE_ABOVE;
use sekisho_document::{DocumentHead, FieldType, ObjectIdentity, SourceMapping};
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_tests::opensearch::Cluster;
use serde_json::{Value, json};

crate::cases![every_golden_document_is_accepted_and_found];

const PARSERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../parsers");
const ALL: &str = "log-*";

/// One line of an `expected.ndjson` that is a document.
struct Golden {
    place: String,
    index: String,
    source: Value,
    is_raw: bool,
}

async fn every_golden_document_is_accepted_and_found(cluster: Cluster) -> Result<()> {
    let catalog = Catalog::builtin(ParserSettings::default())?;
    cluster.delete(ALL).await?;
    let mappings = catalog.mappings()?;
    cluster.apply(&mappings).await?;
    let golden = read()?;
    ensure!(!golden.is_empty(), "no golden documents");
    write(&cluster, &golden).await?;
    cluster.refresh().await?;
    ensure!(cluster.count(ALL, json!({ "match_all": {} })).await? == number(golden.len())?);
    addresses(&cluster, &golden).await?;
    days(&cluster, &golden).await?;
    actions(&cluster, &golden).await?;
    for mapping in &mappings {
        typed(&cluster, &golden, mapping).await?;
    }
    for document in &golden {
        open_ended(&cluster, document).await?;
        raw(&cluster, document).await?;
        paths(&cluster, document).await?;
    }
    Ok(())
}

fn read() -> Result<Vec<Golden>> {
    let mut files = Vec::new();
    expectations(Path::new(PARSERS), &mut files)?;
    files.sort();
    let mut golden = Vec::new();
    for file in files {
        for (at, line) in fs::read_to_string(&file)?.lines().enumerate() {
            let place = format!("{}:{}", file.display(), at + 1);
            let mut line: Value = serde_json::from_str(line).with_context(|| place.clone())?;
            let Some(source) = line.get_mut("_source").map(Value::take) else {
                continue;
            };
            let text = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or_default();
            golden.push(Golden {
                place,
                index: text("_index").to_owned(),
                is_raw: text("outcome") == "raw",
                source,
            });
        }
    }
    Ok(golden)
}

fn expectations(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            expectations(&path, files)?;
        } else if path.ends_with("expected.ndjson") {
            files.push(path);
        }
    }
    Ok(())
}

async fn write(cluster: &Cluster, golden: &[Golden]) -> Result<()> {
    let mut batch = BulkBatch::default();
    for document in golden {
        let start = batch.bytes.len();
        // The bulk splices behind the last member of `event`.
        let mut source = document.source.clone();
        let event = source
            .as_object_mut()
            .and_then(|source| source.remove("event"));
        let event = event.with_context(|| format!("{} has no `event`", document.place))?;
        let head = format!("{{\"event\":{event}");
        let rest = source.to_string();
        let body = format!("{head},{}", rest.trim_start_matches('{'));
        batch.bytes.extend_from_slice(body.as_bytes());
        // Two cases may show one record: here each is a document of its own.
        let id = ObjectIdentity::new("golden", &document.place, None).by_position(0, b"");
        let head = DocumentHead {
            id,
            index: document.index.as_str().into(),
            ingested_at: head.len() - 1,
        };
        batch.push(head, start, 0, 0, document.is_raw);
    }
    for (document, verdict) in golden.iter().zip(cluster.write(&batch).await?) {
        ensure!(
            verdict == Verdict::Indexed,
            "{}: {verdict:?}",
            document.place
        );
    }
    Ok(())
}

/// Every peer address lies in the range of all addresses, and those of version 4 in theirs.
async fn addresses(cluster: &Cluster, golden: &[Golden]) -> Result<()> {
    let peers = golden
        .iter()
        .filter_map(|document| at(document, "/source/ip")?.as_str());
    let peers = peers.filter_map(|peer| peer.parse::<IpAddr>().ok());
    let peers: Vec<_> = peers.map(|peer| peer.to_canonical()).collect();
    let with_v4 = peers.iter().filter(|peer| peer.is_ipv4()).count();
    let range = |from, to| json!({ "range": { "source.ip": { "gte": from, "lte": to } } });
    let (first, last) = ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    let n_all = cluster.count(ALL, range(first, last)).await?;
    let n_v4 = cluster
        .count(ALL, range("0.0.0.0", "255.255.255.255"))
        .await?;
    let expected = (number(peers.len())?, number(with_v4)?);
    ensure!(
        (n_all, n_v4) == expected,
        "{n_all} addresses, {n_v4} of version 4; expected {expected:?}"
    );
    let term = json!({ "term": { "source.ip": "192.0.2.0/24" } });
    ensure!(
        cluster.count(ALL, term).await? > 0,
        "no documentation address"
    );
    Ok(())
}

async fn days(cluster: &Cluster, golden: &[Golden]) -> Result<()> {
    let histogram = json!({ "size": 0, "aggs": { "a": { "date_histogram": {
        "field": "@timestamp", "calendar_interval": "year", "min_doc_count": 1 } } } });
    let answer = cluster.search(ALL, histogram).await?;
    let buckets = answer
        .pointer("/aggregations/a/buckets")
        .and_then(Value::as_array);
    let counted = buckets
        .into_iter()
        .flatten()
        .filter_map(|bucket| bucket.get("doc_count")?.as_u64());
    let with = golden
        .iter()
        .filter(|document| document.source.get("@timestamp").is_some())
        .count();
    let counted: u64 = counted.sum();
    ensure!(counted == number(with)?, "{counted} of {with} times");
    Ok(())
}

async fn actions(cluster: &Cluster, golden: &[Golden]) -> Result<()> {
    let mut wanted: BTreeMap<&str, u64> = BTreeMap::new();
    for action in golden
        .iter()
        .filter_map(|document| at(document, "/event/action")?.as_str())
    {
        *wanted.entry(action).or_default() += 1;
    }
    let terms = json!({ "size": 0, "aggs": { "a": { "terms": { "field": "event.action", "size": 5_000 } } } });
    let answer = cluster.search(ALL, terms).await?;
    let buckets = answer
        .pointer("/aggregations/a/buckets")
        .and_then(Value::as_array)
        .context("buckets")?;
    let found: BTreeMap<&str, u64> = buckets
        .iter()
        .filter_map(|bucket| {
            Some((
                bucket.get("key")?.as_str()?,
                bucket.get("doc_count")?.as_u64()?,
            ))
        })
        .collect();
    ensure!(found == wanted, "{found:?} instead of {wanted:?}");
    Ok(())
}

/// The source's own typed fields exist where the documents have them, and aggregate.
async fn typed(cluster: &Cluster, golden: &[Golden], mapping: &SourceMapping) -> Result<()> {
    let own = mapping.fields.iter().filter(|(name, kind)| {
        name.starts_with(&mapping.dataset) && *kind != FieldType::FlatObject
    });
    for (name, _) in own {
        let pointer = format!("/{}", name.replace('.', "/"));
        let is_set = |document: &&Golden| at(document, &pointer).is_some_and(is_searchable);
        let with = golden.iter().filter(is_set).count();
        let exists = cluster
            .count(ALL, json!({ "exists": { "field": name } }))
            .await?;
        ensure!(
            exists == number(with)?,
            "`{name}` exists in {exists} of {with} documents"
        );
        ensure!(
            with == 0 || !cluster.terms(ALL, name).await?.is_empty(),
            "`{name}` does not aggregate"
        );
    }
    Ok(())
}

/// Tells whether a value has a term: a longer text than `ignore_above` is kept in the document only.
fn is_searchable(value: &Value) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(is_searchable),
        Value::String(text) => {
            u32::try_from(text.encode_utf16().count()).is_ok_and(|units| units <= IGNORE_ABOVE)
        }
        _ => true,
    }
}

/// What a parser did not declare is found by its path.
async fn open_ended(cluster: &Cluster, document: &Golden) -> Result<()> {
    let Some(dataset) = at(document, "/event/dataset").and_then(Value::as_str) else {
        return Ok(());
    };
    let pointer = format!("/{}/other", dataset.replace('.', "/"));
    let Some((path, value)) =
        at(document, &pointer).and_then(|other| leaf(other, format!("{dataset}.other")))
    else {
        return Ok(());
    };
    let term = json!({ "bool": { "filter": [
        { "term": { path.as_str(): { "value": value } } },
        { "term": { "event.dataset": dataset } },
    ] } });
    let count = cluster.count(&document.index, term).await?;
    ensure!(
        count > 0,
        "{}: `{path}` is not found by `{value:.80}`",
        document.place
    );
    Ok(())
}

/// Gives the first text in a subtree and the path that leads to it.
fn leaf(value: &Value, path: String) -> Option<(String, String)> {
    match value {
        Value::Object(members) => members
            .iter()
            .find_map(|(key, value)| leaf(value, format!("{path}.{key}"))),
        Value::Array(elements) => elements.iter().find_map(|value| leaf(value, path.clone())),
        Value::String(text) => Some((path, text.clone())),
        Value::Bool(_) | Value::Number(_) => Some((path, value.to_string())),
        Value::Null => None,
    }
}

/// A record that did not parse is found by the addresses in it.
async fn raw(cluster: &Cluster, document: &Golden) -> Result<()> {
    let addresses = at(document, "/related/ip").and_then(Value::as_array);
    for address in addresses.into_iter().flatten().filter(|_| document.is_raw) {
        let query = json!({ "bool": { "filter": [
            { "term": { "related.ip": address } },
            { "term": { "event.kind": "pipeline_error" } },
        ] } });
        ensure!(
            cluster.count(&document.index, query).await? > 0,
            "{}: {address}",
            document.place
        );
    }
    Ok(())
}

/// Long and Japanese paths are found whole, and by a part from their middle.
async fn paths(cluster: &Cluster, document: &Golden) -> Result<()> {
    for (pointer, field) in [("/url/path", "url.path"), ("/url/original", "url.original")] {
        let text = at(document, pointer).filter(|text| is_searchable(text));
        let Some(text) = text.and_then(Value::as_str) else {
            continue;
        };
        let is_special = text.chars().count() > 1_000 || !text.is_ascii();
        let middle = text.chars().count() / 2;
        let part: String = text.chars().skip(middle).take(12).collect();
        if !is_special || part.contains(['*', '?', '\\']) {
            continue;
        }
        let query = json!({ "wildcard": { field: format!("*{part}*") } });
        ensure!(
            cluster.count(&document.index, query).await? > 0,
            "{}: {field}",
            document.place
        );
    }
    Ok(())
}

fn at<'a>(document: &'a Golden, pointer: &str) -> Option<&'a Value> {
    document.source.pointer(pointer)
}

fn number(count: usize) -> Result<u64> {
    Ok(u64::try_from(count)?)
}
