//! The calls beside `_bulk`: look-ups, searches, templates, aliases, health.

use sekisho_bulk::Method;
use serde_json::{Map, Value, json};

use super::{Answer, Condition, Index, State, search};
use crate::fake::chaos::Failure;

impl State {
    pub(super) fn api(
        &mut self,
        method: Method,
        path: &str,
        body: &[u8],
        failure: Option<&Failure>,
    ) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let read = || serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
        match (method, parts.as_slice()) {
            (Method::Get, []) => {
                let version = json!({ "distribution": "opensearch", "number": "3.4.0" });
                Answer::new(200, json!({ "version": version }))
            }
            (_, ["_bulk"]) => self.bulk(body, failure),
            (_, ["_mget"]) => self.look_up(None, &read()),
            (_, [index, "_mget"]) => self.look_up(Some(index), &read()),
            (Method::Get, [index, "_doc", id]) => {
                let found = self.document(index, id);
                let status = if found["found"] == true { 200 } else { 404 };
                Answer::new(status, found)
            }
            (_, ["_search"]) => self.search("*", query, &read()),
            (_, [pattern, "_search"]) => self.search(pattern, query, &read()),
            (_, [pattern, "_count"]) => {
                let found = self.search(pattern, query, &read());
                let count = found.body.pointer("/hits/total/value").cloned();
                Answer::new(found.status, json!({ "count": count }))
            }
            (Method::Get, ["_resolve", "index", pattern]) => self.resolve(pattern),
            (_, ["_refresh"]) => self.refresh("*"),
            (_, [pattern, "_refresh"]) => self.refresh(pattern),
            (_, ["_alias", alias] | ["*", "_alias", alias]) => self.aliased("*", alias),
            (_, [pattern, "_alias", alias]) => self.aliased(pattern, alias),
            (_, ["_alias"]) => self.aliased("*", "*"),
            (_, ["_cluster", "health", ..]) => Answer::new(
                200,
                json!({ "status": "green", "timed_out": false, "number_of_data_nodes": 1 }),
            ),
            (_, ["_cluster", "state", "blocks"]) => self.blocks(),
            (_, ["_cluster", "settings"]) => Answer::new(
                200,
                json!({ "persistent": {}, "transient": {}, "defaults": {} }),
            ),
            (_, ["_nodes", "stats", ..] | ["_nodes", "_all", "stats", ..]) => self.storage(),
            (Method::Put, ["_component_template" | "_index_template", _]) => {
                self.templates.insert(path.to_owned(), read());
                Answer::new(200, json!({ "acknowledged": true }))
            }
            (Method::Get, [kind @ ("_component_template" | "_index_template"), name]) => {
                self.template(path, kind, name)
            }
            (Method::Put, [index]) if !index.starts_with('_') => {
                self.indices.entry((*index).to_owned()).or_default();
                Answer::new(200, json!({ "acknowledged": true, "index": index }))
            }
            (Method::Get, [pattern, "_settings", ..]) => self.settings(pattern),
            _ => {
                let reason = format!("no handler found for uri [{path}] and method [{method:?}]");
                Answer::new(400, json!({ "error": reason, "status": 400 }))
            }
        }
    }

    fn template(&self, path: &str, kind: &str, name: &str) -> Answer {
        let Some(held) = self.templates.get(path) else {
            let reason = format!("template matching [{name}] not found");
            return Answer::error(404, "resource_not_found_exception", reason);
        };
        let one = kind.trim_start_matches('_');
        let entry = json!({ "name": name, one: held });
        Answer::new(200, json!({ format!("{one}s"): [entry] }))
    }

    /// Documents by id, in real time.
    fn look_up(&self, index: Option<&str>, body: &Value) -> Answer {
        let pairs: Option<Vec<(String, String)>> = match (&body["ids"], &body["docs"]) {
            (Value::Array(ids), _) => ids
                .iter()
                .map(|id| Some((index?.to_owned(), id.as_str()?.to_owned())))
                .collect(),
            (_, Value::Array(docs)) => docs
                .iter()
                .map(|doc| {
                    let of = doc["_index"].as_str().or(index)?;
                    Some((of.to_owned(), doc["_id"].as_str()?.to_owned()))
                })
                .collect(),
            _ => None,
        };
        let Some(pairs) = pairs else {
            let reason = "Validation Failed: 1: no documents to get;";
            return Answer::error(400, "action_request_validation_exception", reason);
        };
        let docs: Vec<Value> = pairs
            .iter()
            .map(|(index, id)| self.document(index, id))
            .collect();
        Answer::new(200, json!({ "docs": docs }))
    }

    fn document(&self, name: &str, id: &str) -> Value {
        let error = |kind: &str, reason: String| {
            json!({ "_index": name, "_id": id, "error": {
                "type": kind, "reason": reason, "index": name,
                "root_cause": [{ "type": kind, "reason": reason }],
            } })
        };
        let Some(index) = self.indices.get(name) else {
            let reason = format!("no such index [{name}]");
            return error("index_not_found_exception", reason);
        };
        if index.condition == Condition::Closed {
            return error("index_closed_exception", "closed".to_owned());
        }
        match index.documents.get(id) {
            Some(document) => json!({
                "_index": name, "_id": id, "found": true, "_source": document.source,
                "_version": document.version, "_seq_no": document.seq_no, "_primary_term": 1,
            }),
            None => json!({ "_index": name, "_id": id, "found": false }),
        }
    }

    fn matching<'s>(
        &'s self,
        pattern: &'s str,
    ) -> impl Iterator<Item = (&'s String, &'s Index)> + use<'s> {
        self.indices
            .iter()
            .filter(move |(name, _)| fits(pattern, name))
    }

    fn search(&self, pattern: &str, query: &str, body: &Value) -> Answer {
        let closed = |(_, index): &(&String, &Index)| index.condition == Condition::Closed;
        let named = |name: &str| pattern.split(',').any(|part| part == name);
        let mut chosen: Vec<_> = self.matching(pattern).collect();
        let lenient = query.contains("ignore_unavailable=true");
        if !lenient {
            if chosen.iter().any(|one| closed(one) && named(one.0)) {
                return Answer::error(400, "index_closed_exception", "closed");
            }
            let missing = pattern
                .split(',')
                .find(|part| !part.contains('*') && !self.indices.contains_key(*part));
            if let Some(missing) = missing {
                let reason = format!("no such index [{missing}]");
                return Answer::error(404, "index_not_found_exception", reason);
            }
        }
        chosen.retain(|one| !closed(one));
        match search::run(&chosen, body) {
            Ok(found) => Answer::new(200, found),
            Err(reason) => Answer::error(400, "parsing_exception", reason),
        }
    }

    fn refresh(&mut self, pattern: &str) -> Answer {
        for (name, index) in &mut self.indices {
            if fits(pattern, name) {
                index.searchable = index.documents.clone();
            }
        }
        Answer::new(
            200,
            json!({ "_shards": { "total": 1, "successful": 1, "failed": 0 } }),
        )
    }

    fn aliased(&self, pattern: &str, alias: &str) -> Answer {
        let mut found = Map::new();
        for (name, index) in self.matching(pattern) {
            let names = index.aliases.iter().filter(|name| fits(alias, name));
            let aliases: Map<String, Value> = names.map(|name| (name.clone(), json!({}))).collect();
            if !aliases.is_empty() {
                found.insert(name.clone(), json!({ "aliases": aliases }));
            }
        }
        if found.is_empty() && !alias.contains('*') {
            let error = format!("alias [{alias}] missing");
            return Answer::new(404, json!({ "error": error, "status": 404 }));
        }
        Answer::new(200, Value::Object(found))
    }

    fn resolve(&self, pattern: &str) -> Answer {
        let indices: Vec<Value> = self
            .matching(pattern)
            .map(|(name, index)| {
                let is_closed = index.condition == Condition::Closed;
                let state = if is_closed { "closed" } else { "open" };
                json!({ "name": name, "aliases": index.aliases, "attributes": [state] })
            })
            .collect();
        let found = json!({ "indices": indices, "aliases": [], "data_streams": [] });
        Answer::new(200, found)
    }

    fn settings(&self, pattern: &str) -> Answer {
        let mut found = Map::new();
        for (name, index) in self.matching(pattern) {
            let blocked = index.condition == Condition::WriteBlock;
            let blocks = if blocked {
                json!({ "write": "true" })
            } else {
                json!({})
            };
            found.insert(
                name.clone(),
                json!({ "settings": { "index": { "blocks": blocks } } }),
            );
        }
        Answer::new(200, Value::Object(found))
    }

    fn blocks(&self) -> Answer {
        let blocked = |(_, index): &(&String, &Index)| index.condition != Condition::Open;
        let block =
            json!({ "description": "index write (api)", "retryable": false, "levels": ["write"] });
        let blocks: Map<String, Value> = self
            .indices
            .iter()
            .filter(blocked)
            .map(|(name, _)| (name.clone(), json!({ "8": block })))
            .collect();
        Answer::new(200, json!({ "blocks": { "indices": blocks } }))
    }

    fn storage(&self) -> Answer {
        const TOTAL: u64 = 1_000_000_000;
        let free = TOTAL / 100 * self.free_percent;
        let bytes =
            json!({ "total_in_bytes": TOTAL, "free_in_bytes": free, "available_in_bytes": free });
        let node = json!({ "name": "n1", "roles": ["data", "ingest"], "fs": { "total": bytes, "data": [bytes] } });
        Answer::new(200, json!({ "nodes": { "n1": node } }))
    }
}

/// Tells whether one of the comma-separated patterns fits; `-` and date math are not known here.
fn fits(patterns: &str, name: &str) -> bool {
    patterns.split(',').any(|pattern| {
        if pattern == "_all" {
            return true;
        }
        let mut parts = pattern.split('*');
        let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else {
            return false;
        };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else {
            return rest.is_empty();
        };
        for part in parts {
            match rest.split_once(part) {
                Some((_, behind)) => rest = behind,
                None => return false,
            }
        }
        rest.ends_with(last)
    })
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*", "x", true),
            ("*-late", "log-x-late", true),
            ("log-*-late", "log-x", false),
            ("b,log-*", "log-x", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
