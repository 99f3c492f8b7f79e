//! Searches: the few queries that Sekisho asks, over what was refreshed.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::Index;
use super::rules::values;

struct Hit<'i> {
    index: &'i str,
    id: &'i str,
    source: &'i Value,
    seq_no: u64,
}

/// Runs a search; an error names what is not known here.
pub(super) fn run(indices: &[(&String, &Index)], body: &Value) -> Result<Value, String> {
    let mut hits = Vec::new();
    for (name, index) in indices {
        for (id, document) in &index.searchable {
            let hit = Hit {
                index: name,
                id,
                source: &document.source,
                seq_no: document.seq_no,
            };
            if body["query"].is_null() || fits(&body["query"], &hit)? {
                hits.push(hit);
            }
        }
    }
    let order = order(&body["sort"])?;
    hits.sort_by(|a, b| compare(a, b, &order));
    let total = hits.len();
    if let Some(after) = body["search_after"].as_array() {
        hits.retain(|hit| is_behind(hit, after, &order));
    }
    let size = body["size"].as_u64().unwrap_or(10);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let shown: Vec<Value> = hits
        .iter()
        .take(size)
        .map(|hit| {
            let sort: Vec<Value> = order.iter().map(|(field, _)| key(hit, field)).collect();
            let mut shown = json!({ "_index": hit.index, "_id": hit.id, "sort": sort });
            if body["seq_no_primary_term"] == Value::Bool(true) {
                shown["_seq_no"] = json!(hit.seq_no);
                shown["_primary_term"] = json!(1);
            }
            if body["_source"] != Value::Bool(false) {
                shown["_source"] = hit.source.clone();
            }
            shown
        })
        .collect();
    Ok(json!({
        "timed_out": false,
        "_shards": { "total": 1, "successful": 1, "failed": 0 },
        "hits": { "total": { "value": total, "relation": "eq" }, "hits": shown },
    }))
}

fn fits(query: &Value, hit: &Hit<'_>) -> Result<bool, String> {
    let unknown = || format!("unknown query [{query}]");
    let (kind, body) = query
        .as_object()
        .and_then(|query| query.iter().next())
        .ok_or_else(unknown)?;
    match kind.as_str() {
        "match_all" => Ok(true),
        "ids" => {
            let wanted = body["values"].as_array().ok_or_else(unknown)?;
            Ok(wanted.iter().any(|id| id == hit.id))
        }
        "exists" => {
            let field = body["field"].as_str().ok_or_else(unknown)?;
            Ok(!found(hit, field).is_empty())
        }
        "bool" => all(body, hit),
        "term" | "terms" | "prefix" | "range" => {
            let (field, wanted) = body
                .as_object()
                .and_then(|body| body.iter().next())
                .ok_or_else(unknown)?;
            let found = found(hit, field);
            Ok(found.iter().any(|value| match kind.as_str() {
                "term" => same(value, wanted.get("value").unwrap_or(wanted)),
                "terms" => wanted
                    .as_array()
                    .is_some_and(|wanted| wanted.iter().any(|one| same(value, one))),
                "prefix" => {
                    let start = wanted.get("value").unwrap_or(wanted).as_str();
                    let text = value.as_str();
                    text.zip(start)
                        .is_some_and(|(text, start)| text.starts_with(start))
                }
                _ => in_range(value, wanted),
            }))
        }
        _ => Err(unknown()),
    }
}

fn all(body: &Value, hit: &Hit<'_>) -> Result<bool, String> {
    let clauses = |name: &str| match &body[name] {
        Value::Array(clauses) => clauses.clone(),
        Value::Null => Vec::new(),
        clause => vec![clause.clone()],
    };
    for clause in clauses("filter").iter().chain(&clauses("must")) {
        if !fits(clause, hit)? {
            return Ok(false);
        }
    }
    for clause in clauses("must_not") {
        if fits(&clause, hit)? {
            return Ok(false);
        }
    }
    let should = clauses("should");
    let mut any = should.is_empty();
    for clause in &should {
        any |= fits(clause, hit)?;
    }
    Ok(any)
}

fn found(hit: &Hit<'_>, field: &str) -> Vec<Value> {
    match field {
        "_id" => vec![json!(hit.id)],
        "_index" => vec![json!(hit.index)],
        "_seq_no" => vec![json!(hit.seq_no)],
        field => values(hit.source, field).into_iter().cloned().collect(),
    }
}

/// Texts and numbers are equal by what they say: `10` is `"10"`.
fn same(value: &Value, wanted: &Value) -> bool {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    text(value) == text(wanted)
}

fn in_range(value: &Value, range: &Value) -> bool {
    let Some(range) = range.as_object() else {
        return false;
    };
    range.iter().all(|(bound, limit)| {
        let order = ordered(value, limit);
        match bound.as_str() {
            "gt" => order == Ordering::Greater,
            "gte" => order != Ordering::Less,
            "lt" => order == Ordering::Less,
            "lte" => order != Ordering::Greater,
            _ => true,
        }
    })
}

fn ordered(a: &Value, b: &Value) -> Ordering {
    let number = |value: &Value| {
        value
            .as_f64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            text(a).cmp(&text(b))
        }
    }
}

/// Reads `sort`: names with whether they descend.
fn order(sort: &Value) -> Result<Vec<(String, bool)>, String> {
    let parts = match sort {
        Value::Null => return Ok(Vec::new()),
        Value::Array(parts) => parts.clone(),
        part => vec![part.clone()],
    };
    parts
        .iter()
        .map(|part| match part {
            Value::String(name) => Ok((name.clone(), false)),
            Value::Object(part) => {
                let (name, how) = part.iter().next().ok_or("empty sort")?;
                let how = how.get("order").unwrap_or(how);
                Ok((name.clone(), how == "desc"))
            }
            other => Err(format!("unknown sort [{other}]")),
        })
        .collect()
}

fn key(hit: &Hit<'_>, field: &str) -> Value {
    match field {
        "_doc" | "_shard_doc" => json!(format!("{}/{}", hit.index, hit.id)),
        field => found(hit, field).into_iter().next().unwrap_or(Value::Null),
    }
}

fn compare(a: &Hit<'_>, b: &Hit<'_>, order: &[(String, bool)]) -> Ordering {
    for (field, descends) in order {
        let found = ordered(&key(a, field), &key(b, field));
        let found = if *descends { found.reverse() } else { found };
        if found != Ordering::Equal {
            return found;
        }
    }
    Ordering::Equal
}

fn is_behind(hit: &Hit<'_>, after: &[Value], order: &[(String, bool)]) -> bool {
    for ((field, descends), last) in order.iter().zip(after) {
        let found = ordered(&key(hit, field), last);
        let found = if *descends { found.reverse() } else { found };
        if found != Ordering::Equal {
            return found == Ordering::Greater;
        }
    }
    false
}
