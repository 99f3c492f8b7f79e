//! The index template of the ledger.

use serde_json::{Map, Value, json};

use crate::template::{copies, seal};
use crate::{Template, TemplateKind, TemplateSettings};

/// Nobody else's templates should reach the ledger.
const PRIORITY: usize = 500;

/// Lucene refuses terms over 32,766 bytes, and a character has up to four.
const LONGEST_TERM: usize = 8191;

const KEYWORDS: [&str; 9] = [
    "bucket",
    "key",
    "etag",
    "version_id",
    "next",
    "dataset",
    "parser",
    "rules",
    "cut",
];
const DATES: [&str; 2] = ["@timestamp", "last_modified"];
const FLAGS: [&str; 2] = ["eof", "closed"];
const NUMBERS: [&str; 7] = [
    "start",
    "end",
    "divided_at",
    "attempts",
    "raw_seen",
    "bytes",
    "duration_ms",
];
const OUTCOMES: [&str; 6] = [
    "records",
    "indexed",
    "raw",
    "duplicate",
    "excluded",
    "quarantined",
];

pub(crate) fn ledger_name(prefix: &str) -> String {
    format!("{prefix}sekisho-ledger")
}

/// One small document a slice: one shard is enough for a day.
pub(crate) fn ledger(settings: &TemplateSettings) -> Template {
    let prefix = &settings.prefix;
    let mut body = json!({
        "index_patterns": [format!("{prefix}sekisho-ledger-*")],
        "priority": PRIORITY,
        "template": {
            "settings": { "index": {
                "number_of_shards": 1,
                "refresh_interval": settings.refresh_interval,
                "codec": "best_compression",
            } },
            // A newer version may note more: kept, though not searchable until its template is applied.
            "mappings": { "dynamic": false, "date_detection": false, "properties": properties() },
        },
    });
    copies(&mut body, &settings.replicas);
    seal(TemplateKind::Index, ledger_name(prefix), body)
}

fn properties() -> Map<String, Value> {
    let counts: Map<String, Value> = OUTCOMES
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "type": "long" })))
        .collect();
    let mut last = counts.clone();
    last.insert("skipped".to_owned(), json!({ "type": "long" }));
    let keyword = json!({ "type": "keyword", "ignore_above": LONGEST_TERM });
    let mut fields = Map::new();
    let groups: [(&[&str], Value); 4] = [
        (&KEYWORDS, keyword),
        (&DATES, json!({ "type": "date" })),
        (&FLAGS, json!({ "type": "boolean" })),
        (&NUMBERS, json!({ "type": "long" })),
    ];
    for (names, mapping) in groups {
        for name in names {
            fields.insert((*name).to_owned(), mapping.clone());
        }
    }
    // Sentences: found by their words.
    fields.insert("error".to_owned(), json!({ "type": "text" }));
    fields.insert("last".to_owned(), json!({ "properties": last }));
    fields.insert("highest".to_owned(), json!({ "properties": counts }));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_one_of_the_templates_and_bears_the_prefix() {
        let settings = TemplateSettings {
            prefix: "team-".into(),
            ..TemplateSettings::default()
        };
        let template = ledger(&settings);
        assert_eq!(template.name, "team-sekisho-ledger");
        assert_eq!(
            template.body["index_patterns"],
            json!(["team-sekisho-ledger-*"])
        );
        let all = crate::templates(&settings, &[]).unwrap();
        assert!(all.contains(&template));
    }
}
