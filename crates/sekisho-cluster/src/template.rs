//! The templates that an installation needs, as data.

use std::collections::BTreeMap;
use std::fmt;

use sekisho_document::{FieldType, SourceMapping, ecs};
use serde_json::{Value, json};

use crate::families::{OVERLAY_PRIORITY, source_priority};
use crate::fields::Tree;
use crate::ledger::ledger;
use crate::{ClusterError, TemplateSettings, core, mark};

/// Major and minor version of what the templates promise: a new major needs `sekisho apply` before anything is written.
pub const TEMPLATE_VERSION: (u32, u32) = (1, 1);

/// OpenSearch's own default for the fields of an index.
const FIELD_LIMIT: usize = 1000;

/// The two kinds of templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateKind {
    /// A part that index templates are composed of.
    Component,
    /// What a new index is made by.
    Index,
}

impl TemplateKind {
    pub(crate) fn api(self) -> &'static str {
        match self {
            Self::Component => "_component_template",
            Self::Index => "_index_template",
        }
    }
}

impl fmt::Display for TemplateKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Component => "component template",
            Self::Index => "index template",
        })
    }
}

/// One template as it should be in the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Its kind.
    pub kind: TemplateKind,
    /// Its name.
    pub name: String,
    /// Its body; `_meta.sekisho` carries version and hash.
    pub body: Value,
}

/// Gives every template, in the order in which they must be put.
///
/// # Errors
/// When two sources of one index, or a source and ECS, type a field differently.
pub fn templates(
    settings: &TemplateSettings,
    sources: &[SourceMapping],
) -> Result<Vec<Template>, ClusterError> {
    let mut all = vec![
        shared_settings(settings),
        shared_fields(settings)?,
        overlay(settings)?,
        ledger(settings),
    ];
    for (index, fields) in by_index(sources)? {
        let of_index = sources.iter().filter(|source| source.index == index);
        let datasets: Vec<&str> = of_index.map(|source| source.dataset.as_str()).collect();
        all.push(source(settings, &index, &fields, &datasets)?);
    }
    Ok(all)
}

pub(crate) fn settings_name(prefix: &str) -> String {
    format!("{prefix}sekisho-settings")
}

pub(crate) fn core_name(prefix: &str) -> String {
    format!("{prefix}sekisho-core")
}

pub(crate) fn overlay_name(prefix: &str) -> String {
    format!("{prefix}sekisho-log")
}

fn shared_settings(settings: &TemplateSettings) -> Template {
    let mut body = json!({ "template": { "settings": { "index": {
        "number_of_shards": settings.shards,
        "refresh_interval": settings.refresh_interval,
        "codec": "best_compression",
    } } } });
    copies(&mut body, &settings.replicas);
    seal(
        TemplateKind::Component,
        settings_name(&settings.prefix),
        body,
    )
}

fn shared_fields(settings: &TemplateSettings) -> Result<Template, ClusterError> {
    let mut tree = Tree::default();
    for (name, kind) in core::fields() {
        tree.add("log-*", name, kind)?;
    }
    let body = json!({ "template": { "mappings": mappings(&tree, "log-*")? } });
    Ok(seal(
        TemplateKind::Component,
        core_name(&settings.prefix),
        body,
    ))
}

/// Holds all of ECS, for sources that are added at run time and have no template of their own.
fn overlay(settings: &TemplateSettings) -> Result<Template, ClusterError> {
    let mut tree = core_tree()?;
    for field in ecs::fields() {
        tree.add("log-*", field.name, field.kind)?;
    }
    let mut body = index_template(settings, "log", OVERLAY_PRIORITY, &tree)?;
    // The default, all fields, is refused where there are more than 1,024 of them.
    set(
        &mut body,
        "query.default_field",
        json!([
            "message",
            "error.message",
            "event.action",
            "related.user",
            "related.hosts",
            "url.original",
            "user_agent.original",
            "rule.name",
            "process.command_line",
        ]),
    );
    Ok(seal(
        TemplateKind::Index,
        overlay_name(&settings.prefix),
        body,
    ))
}

fn source(
    settings: &TemplateSettings,
    index: &str,
    fields: &BTreeMap<String, FieldType>,
    datasets: &[&str],
) -> Result<Template, ClusterError> {
    let mut tree = core_tree()?;
    for (name, kind) in fields {
        tree.add(index, name, *kind)?;
    }
    let mut body = index_template(settings, index, source_priority(index), &tree)?;
    let of = &settings.shards_of;
    if let Some(shards) = datasets.iter().filter_map(|name| of.get(*name)).max() {
        set(&mut body, "number_of_shards", json!(shards));
    }
    let of = &settings.replicas_of;
    if let Some(replicas) = datasets.iter().filter_map(|name| of.get(*name)).max() {
        copies(&mut body, replicas);
    }
    let name = format!("{}sekisho-{index}", settings.prefix);
    Ok(seal(TemplateKind::Index, name, body))
}

/// Merges the sources that share an index.
fn by_index(
    sources: &[SourceMapping],
) -> Result<BTreeMap<String, BTreeMap<String, FieldType>>, ClusterError> {
    let mut indices: BTreeMap<String, BTreeMap<String, FieldType>> = BTreeMap::new();
    for source in sources {
        let fields = indices.entry(source.index.clone()).or_default();
        for (name, kind) in &source.fields {
            match fields.insert(name.clone(), *kind) {
                Some(first) if first != *kind => {
                    return Err(ClusterError::Conflict {
                        index: source.index.clone(),
                        field: name.clone(),
                        first: first.name(),
                        second: kind.name(),
                    });
                }
                _ => {}
            }
        }
    }
    Ok(indices)
}

fn core_tree() -> Result<Tree, ClusterError> {
    let mut tree = Tree::default();
    for (name, kind) in core::fields() {
        tree.add("log-*", name, kind)?;
    }
    Ok(tree)
}

fn index_template(
    settings: &TemplateSettings,
    index: &str,
    priority: usize,
    tree: &Tree,
) -> Result<Value, ClusterError> {
    let prefix = &settings.prefix;
    let mut body = json!({
        "index_patterns": [format!("{prefix}{index}-*")],
        "priority": priority,
        "composed_of": [settings_name(prefix), core_name(prefix)],
        "template": { "settings": { "index": {} }, "mappings": mappings(tree, index)? },
    });
    set(
        &mut body,
        "mapping.total_fields.limit",
        json!(limit(tree.count())),
    );
    Ok(body)
}

fn set(body: &mut Value, setting: &str, value: Value) {
    if let Some(Value::Object(settings)) = body.pointer_mut("/template/settings/index") {
        settings.insert(setting.to_owned(), value);
    }
}

/// A number, or a range that the cluster fills as it has nodes; the one undoes the other of a part.
pub(crate) fn copies(body: &mut Value, replicas: &str) {
    if replicas.contains('-') {
        set(body, "auto_expand_replicas", json!(replicas));
    } else {
        set(body, "auto_expand_replicas", json!("false"));
        set(body, "number_of_replicas", json!(replicas));
    }
}

/// Leaves room for fields that a newer template adds, in steps that do not move with each field.
fn limit(fields: usize) -> usize {
    (fields + fields / 4)
        .div_ceil(500)
        .saturating_mul(500)
        .max(FIELD_LIMIT)
}

/// An API that invents fields, or flips a text into an object, can hit neither the field limit nor a conflict.
fn mappings(tree: &Tree, index: &str) -> Result<Value, ClusterError> {
    Ok(json!({
        "dynamic": false,
        "date_detection": false,
        "properties": tree.properties(index)?,
    }))
}

/// Adds version and hash; the hash is over everything else, keys sorted.
pub(crate) fn seal(kind: TemplateKind, name: String, mut body: Value) -> Template {
    let meta = json!({ "sekisho": { "version": mark::version(), "hash": mark::hash(&body) } });
    if let Value::Object(fields) = &mut body {
        fields.insert("_meta".to_owned(), meta);
    }
    Template { kind, name, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(dataset: &str, index: &str, fields: &[(&str, FieldType)]) -> SourceMapping {
        SourceMapping {
            dataset: dataset.into(),
            index: index.into(),
            fields: fields
                .iter()
                .map(|(name, kind)| ((*name).into(), *kind))
                .collect(),
        }
    }

    fn named<'a>(templates: &'a [Template], name: &str) -> &'a Value {
        &templates
            .iter()
            .find(|template| template.name == name)
            .unwrap()
            .body
    }

    #[test]
    fn gives_one_template_for_each_index_and_one_for_the_rest() {
        let sources = [
            mapping(
                "aws.waf",
                "log-aws-waf",
                &[("aws.waf.action", FieldType::Keyword)],
            ),
            mapping("aws.elb", "log-aws", &[("aws.elb.a", FieldType::Long)]),
            mapping("aws.nlb", "log-aws", &[("aws.nlb.a", FieldType::Long)]),
        ];
        let settings = TemplateSettings {
            prefix: "team-".into(),
            ..TemplateSettings::default()
        };
        let templates = templates(&settings, &sources).unwrap();
        let names: Vec<_> = templates
            .iter()
            .map(|template| template.name.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "team-sekisho-settings",
                "team-sekisho-core",
                "team-sekisho-log",
                "team-sekisho-ledger",
                "team-sekisho-log-aws",
                "team-sekisho-log-aws-waf",
            ]
        );
        let waf = named(&templates, "team-sekisho-log-aws-waf");
        assert_eq!(waf["index_patterns"], json!(["team-log-aws-waf-*"]));
        let priority = |name| named(&templates, name)["priority"].as_u64().unwrap();
        assert!(priority("team-sekisho-log-aws-waf") > priority("team-sekisho-log-aws"));
        assert!(priority("team-sekisho-log-aws") > priority("team-sekisho-log"));
        let both =
            &named(&templates, "team-sekisho-log-aws")["template"]["mappings"]["properties"]["aws"];
        assert_eq!(both["properties"]["elb"]["properties"]["a"]["type"], "long");
        assert_eq!(both["properties"]["nlb"]["properties"]["a"]["type"], "long");
    }

    #[test]
    fn a_source_stays_below_the_default_field_limit_and_ecs_gets_its_own() {
        let sources = [mapping(
            "aws.waf",
            "log-aws-waf",
            &[("aws.waf.action", FieldType::Keyword)],
        )];
        let templates = templates(&TemplateSettings::default(), &sources).unwrap();
        let limit = |name| {
            named(&templates, name)["template"]["settings"]["index"]["mapping.total_fields.limit"]
                .as_u64()
                .unwrap()
        };
        assert_eq!(limit("sekisho-log-aws-waf"), 1000);
        assert!(limit("sekisho-log") > 3000);
    }

    #[test]
    fn the_hash_follows_the_content() {
        let hash = |fields: &[(&str, FieldType)]| {
            let sources = [mapping("a.b", "log-a", fields)];
            let templates = templates(&TemplateSettings::default(), &sources).unwrap();
            named(&templates, "sekisho-log-a")["_meta"]["sekisho"]["hash"].clone()
        };
        let one = [("a.b.c", FieldType::Long)];
        assert_eq!(hash(&one), hash(&one));
        assert_ne!(hash(&one), hash(&[("a.b.c", FieldType::Keyword)]));
    }

    #[test]
    fn two_sources_of_one_index_must_agree() {
        let sources = [
            mapping("a.b", "log-a", &[("a.x", FieldType::Long)]),
            mapping("a.c", "log-a", &[("a.x", FieldType::Ip)]),
        ];
        let error = templates(&TemplateSettings::default(), &sources).unwrap_err();
        assert!(
            error.to_string().contains("`a.x` of index `log-a`"),
            "{error}"
        );
    }
}
