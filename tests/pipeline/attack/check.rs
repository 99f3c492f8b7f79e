//! What must hold when nothing moves any more.

use std::collections::{BTreeMap, BTreeSet};

use sekisho_ledger::{ClusterLedger, Finding, FindingKind, LedgerEntry, ListedObject, audit};
use sekisho_tests::fake::Document;
use serde_json::Value;

use crate::expect::{Expectation, Identity, Need, Place, Position};
use crate::world::World;

/// Says everything that is wrong.
pub(crate) fn check(world: &World<'_>) -> Vec<String> {
    let expectation = Expectation::of(&world.puts, &world.closed);
    let mut wrong = world.wrong.clone();
    let quarantine = quarantine(world, &expectation, &mut wrong);
    documents(world, &expectation, &quarantine, &mut wrong);
    ledger(world, &expectation, &mut wrong);
    audited(world, &expectation, &mut wrong);
    queues(world, &mut wrong);
    wrong
}

fn documents(
    world: &World<'_>,
    expectation: &Expectation,
    quarantine: &BTreeSet<Position>,
    wrong: &mut Vec<String>,
) {
    let mut found: BTreeMap<Place, Vec<String>> = BTreeMap::new();
    let held = world
        .installation
        .cluster
        .documents(|index| index.starts_with("log-"));
    for ((index, id), document) in &held {
        let base = index.strip_suffix("-late").unwrap_or(index);
        if base != index && !world.read_only.contains(base) {
            wrong.push(format!(
                "a document is in `{index}`, whose base is not retired"
            ));
        }
        let Some((identity, raw)) = identity(document) else {
            wrong.push(format!("`{index}/{id}` has no place: {}", document.source));
            continue;
        };
        let place = (identity, base.to_owned());
        match expectation.documents.get(&place) {
            None => wrong.push(format!("nobody expects {place:?}: {}", document.source)),
            Some(expected) if expected.raw != raw => {
                wrong.push(format!("{place:?} is raw: {raw}; {}", document.source));
            }
            Some(_) => {}
        }
        let address = format!("{index}/{id} {}", document.source);
        found.entry(place).or_default().push(address);
    }
    for (place, addresses) in found.iter().filter(|(_, found)| found.len() > 1) {
        let count = addresses.len();
        wrong.push(format!("{place:?} is there {count} times: {addresses:#?}"));
    }
    for (place, expected) in &expectation.documents {
        if expected.need == Need::Must && !found.contains_key(place) {
            wrong.push(format!("{place:?} is not there"));
        }
    }
    for (place, position) in &expectation.either {
        if !found.contains_key(place) && !quarantine.contains(position) {
            wrong.push(format!("{place:?} is neither there nor quarantined"));
        }
    }
}

/// Reads off a document what makes it one, and whether it is raw.
fn identity(document: &Document) -> Option<(Identity, bool)> {
    let text = |pointer: &str| document.source.pointer(pointer).and_then(Value::as_str);
    let raw = text("/event/kind") == Some("pipeline_error");
    let dataset = text("/event/dataset")?;
    let by_content = !raw && ["test.unique", "test.envelope"].contains(&dataset);
    if let (true, Some(id)) = (by_content, text("/event/id")) {
        return Some((Identity::Content(dataset.to_owned(), id.to_owned()), raw));
    }
    let path = text("/log/file/path")?.to_owned();
    let offset = document.source.pointer("/sekisho/offset")?.as_u64()?;
    let token = text(if raw { "/event/original" } else { "/event/id" })?.to_owned();
    Some((Identity::Position(path, offset, token), raw))
}

fn quarantine(
    world: &World<'_>,
    expectation: &Expectation,
    wrong: &mut Vec<String>,
) -> BTreeSet<Position> {
    let files = &world.installation.files;
    let mut found = BTreeSet::new();
    for key in files.keys("quarantine/") {
        let bytes = files.bytes(&key).unwrap_or_default();
        let entry: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        let offset = entry["offset"].as_u64().unwrap_or(u64::MAX);
        let position = (text("address"), text("etag"), offset);
        if !expectation.quarantine.contains_key(&position) {
            wrong.push(format!("{position:?} is quarantined: {}", entry["reason"]));
        }
        found.insert(position);
    }
    for (position, need) in &expectation.quarantine {
        if *need == Need::Must && !found.contains(position) {
            wrong.push(format!("{position:?} is not quarantined"));
        }
    }
    found
}

fn ledger(world: &World<'_>, expectation: &Expectation, wrong: &mut Vec<String>) {
    let is_ledger = |index: &str| index.starts_with("sekisho-ledger-");
    let held = world.installation.cluster.documents(is_ledger);
    let needed: BTreeMap<_, _> = world
        .puts
        .iter()
        .filter(|put| put.need == Need::Must)
        .map(|put| (put.object.to_string(), put))
        .collect();
    let mut slices: BTreeMap<String, BTreeMap<u64, LedgerEntry>> = BTreeMap::new();
    for ((index, id), document) in &held {
        let entry: LedgerEntry = match serde_json::from_value(document.source.clone()) {
            Ok(entry) => entry,
            Err(error) => {
                wrong.push(format!("`{index}/{id}` is no entry: {error}"));
                continue;
            }
        };
        let address = format!("s3://{}/{}", entry.bucket, entry.key);
        let Some(put) = needed.get(&address) else {
            continue;
        };
        // The same bytes put twice on one day have one entry.
        let day = entry.last_modified.date_naive();
        if entry.etag != put.object.etag || day != put.at.date_naive() {
            continue;
        }
        if !entry.is_done() {
            wrong.push(format!("the ledger is not done with {address}: {entry:?}"));
        }
        let once = entry.attempts == 1;
        if once && !entry.last.balanced() {
            wrong.push(format!("{address} does not balance: {}", entry.last));
        }
        slices
            .entry(address)
            .or_default()
            .insert(entry.start, entry);
    }
    for (address, records) in &expectation.records {
        match slices.get(address).and_then(untroubled) {
            Some(counted) if counted != *records => wrong.push(format!(
                "the ledger counted {counted} records of {address}, which has {records}"
            )),
            _ => {}
        }
    }
}

/// The records of an object by its chain, where no slice of it was tried twice: a chain of an earlier delivery may lie across it.
fn untroubled(slices: &BTreeMap<u64, LedgerEntry>) -> Option<u64> {
    let (mut start, mut records) = (0, 0);
    loop {
        let entry = slices.get(&start).filter(|entry| entry.attempts == 1)?;
        records += entry.last.records;
        if entry.eof {
            return Some(records);
        }
        // A slice that ends where it starts would be walked for ever.
        start = Some(entry.end).filter(|end| *end > start)?;
    }
}

fn audited(world: &World<'_>, expectation: &Expectation, wrong: &mut Vec<String>) {
    let installation = &world.installation;
    let objects: Vec<ListedObject> = installation
        .store
        .list()
        .into_iter()
        .map(|(object, put)| ListedObject {
            bucket: object.bucket,
            key: object.key,
            etag: object.etag,
            last_modified: put,
        })
        .collect();
    let findings = find(world, &objects);
    let of_kind = |kind: FindingKind| -> BTreeSet<String> {
        let found = findings.iter().filter(|finding| finding.kind == kind);
        found.map(|finding| finding.object.to_string()).collect()
    };
    for finding in findings
        .iter()
        .filter(|finding| finding.kind.is_incomplete())
    {
        let Finding { object, detail, .. } = finding;
        wrong.push(format!("audit says of {object}: {detail}"));
    }
    let exactly = |found: &BTreeSet<String>, must: &BTreeSet<String>, may: &BTreeSet<String>| {
        found.is_superset(must)
            && found
                .iter()
                .all(|one| must.contains(one) || may.contains(one))
    };
    let raw = of_kind(FindingKind::Raw);
    if !exactly(&raw, &expectation.raw, &expectation.perhaps_raw) {
        wrong.push(format!("audit: raw are {raw:?}, not {:?}", expectation.raw));
    }
    let quarantined = of_kind(FindingKind::Quarantined);
    let must = &expectation.quarantined;
    if !exactly(&quarantined, must, &expectation.perhaps_quarantined) {
        wrong.push(format!(
            "audit: quarantined are {quarantined:?}, not {must:?}"
        ));
    }
}

fn find(world: &World<'_>, objects: &[ListedObject]) -> Vec<Finding> {
    let ledger = ClusterLedger::new(std::sync::Arc::new(world.installation.cluster.clone()), "");
    world.installation.storm.revive();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(audit(&ledger, objects)).unwrap()
}

fn queues(world: &World<'_>, wrong: &mut Vec<String>) {
    let installation = &world.installation;
    for (name, queue) in [
        ("queue", &installation.queue),
        ("dlq", &*installation.dead_letters),
    ] {
        for message in queue.messages() {
            wrong.push(format!("the {name} still holds {message:?}"));
        }
        for message in queue.expired() {
            wrong.push(format!("the {name} forgot {message:?}"));
        }
    }
    let files = &installation.files;
    let parked: Vec<String> = files
        .keys("parked/")
        .iter()
        .map(|key| {
            let bytes = files.bytes(key).unwrap_or_default();
            let parked: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            format!(
                "{} {}",
                parked["object"].as_str().unwrap_or_default(),
                parked["body"]
            )
        })
        .collect();
    let hopeless = world.hopeless_oddities();
    for word in &hopeless {
        if !parked.iter().any(|parked| parked.contains(word)) {
            wrong.push(format!("`{word}` is not parked"));
        }
    }
    let gone: Vec<_> = world.puts.iter().filter(|put| put.removed).collect();
    for parked in &parked {
        let is_gone = gone
            .iter()
            .any(|put| parked.contains(&put.object.to_string()));
        if !is_gone && !hopeless.iter().any(|word| parked.contains(word)) {
            wrong.push(format!("parked: {parked}"));
        }
    }
}
