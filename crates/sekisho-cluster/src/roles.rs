//! The five roles, as data: what each part of an installation may do in the cluster, and nothing else.

use sekisho_config::{AccessSettings, Settings};
use sekisho_document::SourceMapping;
use serde_json::{Value, json};

use crate::mark::describe;

/// One role and who holds it, as they should be in the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What its holder may do.
    pub body: Value,
    /// Who holds it; `None` where the settings name nobody.
    pub mapping: Option<Value>,
    /// The setting that names who holds it.
    pub setting: &'static str,
}

/// Looks at the versions of cluster and templates, then writes and asks what is there already.
const WRITE_CLUSTER: [&str; 5] = [
    "cluster:monitor/main",
    "cluster:admin/component_template/get",
    "indices:admin/index_template/get",
    "indices:data/write/bulk",
    "indices:data/read/mget",
];
/// The security plugin does not tell `create` from `index`; nothing here deletes.
const WRITE: [&str; 5] = [
    "indices:admin/create",
    "indices:admin/auto_create",
    "indices:data/write/index",
    "indices:data/write/bulk*",
    "indices:data/read/mget*",
];
/// The mark of retired indices is an alias.
const READ_MARK: &str = "indices:admin/aliases/get";

/// What `sekisho-replay` asks before it sends anything back.
const MONITOR: [&str; 3] = [
    "cluster:monitor/health",
    "cluster:monitor/state",
    "cluster:monitor/nodes/stats",
];

/// What finds older documents of the same bytes, and removes them.
const RELOAD: [&str; 4] = [
    "indices:data/read/search",
    "indices:admin/refresh*",
    "indices:data/write/delete",
    "indices:admin/resolve/index",
];

/// ISM acts with the rights of who put the policy, so these are also what a policy may do.
const APPLY: [&str; 3] = [
    "indices:admin/*",
    "indices:monitor/*",
    "indices:data/read/field_caps*",
];
/// Roles are left out: a role that may put roles is refused to everyone but the plugin's own administrator (measured), so the master user puts them.
const APPLY_CLUSTER: [&str; 5] = [
    "cluster:monitor/main",
    "cluster:admin/component_template/*",
    "indices:admin/index_template/*",
    "indices:admin/template/get",
    "cluster:admin/opendistro/ism/*",
];

const READ_CLUSTER: [&str; 4] = [
    "indices:data/read/msearch",
    "indices:data/read/mget",
    "indices:data/read/scroll",
    "indices:data/read/scroll/clear",
];
const READ: [&str; 5] = [
    "indices:data/read/*",
    "indices:admin/get",
    "indices:admin/mappings/get",
    "indices:admin/mappings/fields/get*",
    "indices:admin/resolve/index",
];

/// Gives every role.
pub(crate) fn roles(settings: &Settings, sources: &[SourceMapping]) -> Vec<Role> {
    let access = &settings.access;
    let prefix = &settings.index.prefix;
    let logs = vec![format!("{prefix}log-*")];
    let ledger = vec![format!("{prefix}sekisho-ledger-*")];
    let write_logs = on(&logs, [&WRITE[..], &[READ_MARK]].concat());
    let write_ledger = on(&ledger, WRITE.to_vec());
    let reload = [&WRITE[..], &[READ_MARK], &RELOAD].concat();
    let all = [logs.clone(), ledger].concat();
    let ingest = body(
        &WRITE_CLUSTER,
        vec![write_logs.clone(), write_ledger.clone()],
    );
    let replay = body(
        &[&WRITE_CLUSTER[..], &MONITOR].concat(),
        vec![write_logs, write_ledger.clone()],
    );
    let reload = body(&WRITE_CLUSTER, vec![on(&logs, reload), write_ledger]);
    let apply = body(&APPLY_CLUSTER, vec![on(&all, APPLY.to_vec())]);
    let reader = body(&READ_CLUSTER, reader(access, prefix, sources));
    let role = |name: &str, body, what: &str, setting, held_by: &[String]| Role {
        name: format!("{prefix}sekisho-{name}"),
        body: describe(body, what),
        mapping: mapping(held_by),
        setting,
    };
    vec![
        role(
            "ingest",
            ingest,
            "writes logs and the ledger",
            "access.ingest_roles",
            &access.ingest_roles,
        ),
        role(
            "replay",
            replay,
            "looks at the cluster, writes logs and the ledger",
            "access.replay_roles",
            &access.replay_roles,
        ),
        role(
            "reload",
            reload,
            "replaces logs, writes the ledger",
            "access.reload_roles",
            &access.reload_roles,
        ),
        role(
            "apply",
            apply,
            "puts templates and policies",
            "access.apply_roles",
            &access.apply_roles,
        ),
        role(
            "reader",
            reader,
            "searches logs",
            "access.reader_roles",
            &access.reader_roles,
        ),
    ]
}

fn body(cluster: &[&str], index: Vec<Value>) -> Value {
    json!({ "cluster_permissions": cluster, "index_permissions": index })
}

fn on(patterns: &[String], actions: Vec<&str>) -> Value {
    json!({ "index_patterns": patterns, "allowed_actions": actions })
}

/// One permission for all that readers see; without a source that is there, none.
fn reader(access: &AccessSettings, prefix: &str, sources: &[SourceMapping]) -> Vec<Value> {
    let mut patterns: Vec<String> = match access.reader_sources.is_empty() {
        true => vec![format!("{prefix}log-*")],
        false => {
            let seen = |source: &&SourceMapping| {
                let module = source.dataset.split('.').next().unwrap_or_default();
                let mut names = access.reader_sources.iter();
                names.any(|name| *name == source.dataset || name == module)
            };
            let seen = sources.iter().filter(seen);
            seen.map(|source| format!("{prefix}{}-*", source.index))
                .collect()
        }
    };
    patterns.sort();
    patterns.dedup();
    if patterns.is_empty() {
        return Vec::new();
    }
    let mut permission = on(&patterns, READ.to_vec());
    if let (false, Value::Object(fields)) = (access.reader_raw, &mut permission) {
        let parsed =
            json!({ "bool": { "must_not": [{ "term": { "event.kind": "pipeline_error" } }] } });
        fields.insert("dls".to_owned(), Value::String(parsed.to_string()));
    }
    vec![permission]
}

/// IAM users and `user:NAME` are users; IAM roles, and groups of other kinds, are backend roles.
fn mapping(held_by: &[String]) -> Option<Value> {
    let (mut users, mut backend_roles) = (Vec::new(), Vec::new());
    for entry in held_by {
        match entry.strip_prefix("user:") {
            Some(user) => users.push(user),
            None if entry.starts_with("arn:") && entry.contains(":user/") => users.push(entry),
            None => backend_roles.push(entry.as_str()),
        }
    }
    let body = json!({ "backend_roles": backend_roles, "users": users, "hosts": [] });
    (!held_by.is_empty()).then(|| describe(body, "who holds this role"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(dataset: &str, index: &str) -> SourceMapping {
        SourceMapping {
            dataset: dataset.into(),
            index: index.into(),
            fields: Vec::new(),
        }
    }

    fn named(settings: &Settings, name: &str) -> Role {
        let sources = [
            source("aws.waf", "log-aws-waf"),
            source("linux.secure", "log-linux-secure"),
        ];
        let all = roles(settings, &sources);
        all.into_iter().find(|role| role.name == name).unwrap()
    }

    fn patterns(role: &Role) -> Vec<String> {
        let all = role.body["index_permissions"].as_array().unwrap().iter();
        let of = |permission: &Value| permission["index_patterns"].as_array().cloned().unwrap();
        let all = all.flat_map(of);
        all.map(|pattern| pattern.as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn names_and_patterns_bear_the_prefix() {
        let mut settings = Settings::default();
        settings.index.prefix = "team-".into();
        for name in ["ingest", "replay", "reload", "apply"] {
            let role = named(&settings, &format!("team-sekisho-{name}"));
            assert_eq!(
                patterns(&role),
                ["team-log-*", "team-sekisho-ledger-*"],
                "{name}"
            );
        }
        assert_eq!(
            patterns(&named(&settings, "team-sekisho-reader")),
            ["team-log-*"]
        );
    }

    #[test]
    fn nothing_but_reload_deletes_and_nothing_but_apply_administers() {
        let settings = Settings::default();
        for name in ["ingest", "replay", "reader"] {
            let body = named(&settings, &format!("sekisho-{name}"))
                .body
                .to_string();
            assert!(
                !body.contains("write/delete") && !body.contains("restapi"),
                "{name}"
            );
        }
        let apply = named(&settings, "sekisho-apply").body.to_string();
        assert!(!apply.contains("data/read/search") && !apply.contains("data/write"));
        assert!(!apply.contains("data/read/*"));
    }

    #[test]
    fn readers_may_be_kept_to_sources_and_from_raw_records() {
        let mut settings = Settings::default();
        settings.access.reader_sources = vec!["aws".into()];
        settings.access.reader_raw = false;
        let reader = named(&settings, "sekisho-reader");
        assert_eq!(patterns(&reader), ["log-aws-waf-*"]);
        let filter = reader.body["index_permissions"][0]["dls"].as_str().unwrap();
        assert!(filter.contains("pipeline_error"), "{filter}");
        settings.access.reader_sources = vec!["nobody".into()];
        assert!(patterns(&named(&settings, "sekisho-reader")).is_empty());
    }

    #[test]
    fn roles_of_iam_are_backend_roles_and_users_are_users() {
        let mut settings = Settings::default();
        assert_eq!(named(&settings, "sekisho-ingest").mapping, None);
        settings.access.ingest_roles = vec![
            "arn:aws:iam::111122223333:role/ingest".into(),
            "arn:aws-cn:iam::111122223333:user/anna".into(),
            "user:bob".into(),
            "group".into(),
        ];
        let mapping = named(&settings, "sekisho-ingest").mapping.unwrap();
        assert_eq!(
            mapping["backend_roles"],
            json!(["arn:aws:iam::111122223333:role/ingest", "group"])
        );
        assert_eq!(
            mapping["users"],
            json!(["arn:aws-cn:iam::111122223333:user/anna", "bob"])
        );
    }
}
