//! Roles and mappings are put once, found again, taken on from an older version, and what others own stays.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use sekisho_bulk::Method;
use sekisho_cluster::{Change, FindingKind, Report, Thing, ThingKind, carry_out, plan};
use sekisho_parser::{Catalog, ParserSettings};
use serde_json::json;

use crate::{World, settings, wanted};

crate::cases![
    a_second_apply_changes_nothing,
    an_older_mark_and_a_widened_role_are_put_anew,
    what_others_own_stays_and_is_named,
    without_its_plugin_the_lifecycle_is_skipped_and_named,
    who_may_not_put_roles_is_told_so,
];

const SECURITY: &str = "/_plugins/_security/api";

fn of(report: &Report, kinds: [ThingKind; 2]) -> Vec<&Thing> {
    let things = report.things.iter();
    things.filter(|thing| kinds.contains(&thing.kind)).collect()
}

fn thing<'a>(report: &'a Report, kind: ThingKind, name: &str) -> Result<&'a Thing> {
    let mut things = report.things.iter();
    let found = things.find(|thing| thing.kind == kind && thing.name == name);
    found.with_context(|| format!("no {kind} `{name}` in {report:#?}"))
}

async fn a_second_apply_changes_nothing(world: World) -> Result<()> {
    world.make_users().await?;
    let admin = world.admin().await?;
    for name in ["ingest", "replay", "reload", "apply", "reader"] {
        for kind in ["roles", "rolesmapping"] {
            let path = format!("{SECURITY}/{kind}/sekisho-{name}");
            admin.call(Method::Delete, &path, None).await?;
        }
    }
    // Without names, who holds a role is left alone.
    let first = world.apply(&sekisho_config::Settings::default()).await?;
    let roles = of(&first, [ThingKind::Role; 2]);
    ensure!(roles.len() == 5, "{roles:#?}");
    ensure!(
        roles.iter().all(|role| role.change == Change::Created),
        "{roles:#?}"
    );
    let mappings = of(&first, [ThingKind::RoleMapping; 2]);
    ensure!(
        mappings.iter().all(|one| one.change == Change::Skipped),
        "{mappings:#?}"
    );
    let second = world.apply(&settings()).await?;
    let mappings = of(&second, [ThingKind::RoleMapping; 2]);
    ensure!(
        mappings.iter().all(|one| one.change == Change::Created),
        "{mappings:#?}"
    );
    let third = world.apply(&settings()).await?;
    let changed: Vec<_> = third.changed().collect();
    ensure!(changed.is_empty(), "{changed:#?}");
    ensure!(third.things.len() > 15, "{third:#?}");
    Ok(())
}

async fn an_older_mark_and_a_widened_role_are_put_anew(world: World) -> Result<()> {
    world.set_up().await?;
    let admin = world.admin().await?;
    let path = format!("{SECURITY}/roles/sekisho-ingest");
    let stored = admin.must(Method::Get, &path, None).await?;
    let mut older = json!({
        "cluster_permissions": ["cluster_monitor"],
        "index_permissions": [],
        "description": "Sekisho 0.9 0123: writes logs",
    });
    admin.must(Method::Put, &path, Some(older.clone())).await?;
    let report = world.apply(&settings()).await?;
    let ingest = thing(&report, ThingKind::Role, "sekisho-ingest")?;
    ensure!(ingest.change == Change::Updated, "{ingest:?}");
    let names: Vec<_> = ingest
        .differences
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    ensure!(names.contains(&"cluster_permissions"), "{names:?}");
    // By hand, under our mark.
    older["description"] = stored["sekisho-ingest"]["description"].clone();
    ensure!(
        older["description"]
            .as_str()
            .is_some_and(|text| text.starts_with("Sekisho ")),
        "{stored}"
    );
    admin.must(Method::Put, &path, Some(older)).await?;
    let report = world.apply(&settings()).await?;
    let changed: Vec<_> = report.changed().collect();
    ensure!(changed.len() == 1, "{changed:#?}");
    ensure!(admin.must(Method::Get, &path, None).await? == stored);
    Ok(())
}

async fn what_others_own_stays_and_is_named(world: World) -> Result<()> {
    world.set_up().await?;
    let admin = world.admin().await?;
    let foreign = [
        (
            "operator-all",
            json!({ "index_patterns": ["log-*"], "priority": 600 }),
        ),
        (
            "operator-none",
            json!({ "index_patterns": ["metrics-*"], "priority": 600 }),
        ),
    ];
    for (name, body) in &foreign {
        let path = format!("/_index_template/{name}");
        admin.must(Method::Put, &path, Some(body.clone())).await?;
    }
    let role = json!({ "cluster_permissions": ["cluster_monitor"], "index_permissions": [] });
    let path = format!("{SECURITY}/roles/operator");
    admin.must(Method::Put, &path, Some(role)).await?;
    let before = admin.must(Method::Get, &path, None).await?;
    let index = "log-aws-waf-2020.01.01";
    // Made before the template of today.
    admin
        .must(Method::Delete, "/_index_template/sekisho-log-aws-waf", None)
        .await?;
    admin.create(index, json!({ "mappings": { "properties": { "source": { "properties": { "ip": { "type": "keyword" } } } } } })).await?;
    let plan = plan(admin.transport(), &wanted(&settings())?).await?;
    let found = plan.report().findings;
    let names: Vec<_> = found
        .iter()
        .map(|one| (one.kind, one.name.as_str()))
        .collect();
    ensure!(
        names.contains(&(FindingKind::ForeignTemplate, "operator-all")),
        "{found:#?}"
    );
    ensure!(
        !names.contains(&(FindingKind::ForeignTemplate, "operator-none")),
        "{found:#?}"
    );
    ensure!(
        names.contains(&(FindingKind::FieldType, "source.ip")),
        "{found:#?}"
    );
    let all = found
        .iter()
        .find(|one| one.name == "operator-all")
        .context("no finding")?;
    ensure!(
        all.text.contains("it wins over ours, `sekisho-log` (50)"),
        "{}",
        all.text
    );
    carry_out(admin.transport(), &plan).await?;
    ensure!(admin.must(Method::Get, &path, None).await? == before);
    for (name, _) in &foreign {
        let path = format!("/_index_template/{name}");
        admin.must(Method::Delete, &path, None).await?;
    }
    admin.delete(index).await?;
    Ok(())
}

async fn without_its_plugin_the_lifecycle_is_skipped_and_named(world: World) -> Result<()> {
    let report = world.apply(&settings()).await?;
    let policies = of(&report, [ThingKind::Policy, ThingKind::PolicyAttachment]);
    // One for the indices of each name, one for every other log, one for the ledger.
    let sources = Catalog::builtin(ParserSettings::default())?.mappings()?;
    let indices: BTreeSet<_> = sources.iter().map(|source| &source.index).collect();
    ensure!(policies.len() == indices.len() + 2, "{policies:#?}");
    for policy in policies {
        let reason = policy.reason.as_deref().unwrap_or_default();
        ensure!(
            policy.change == Change::Skipped && reason.contains("opensearch-index-management"),
            "{policy:?}"
        );
    }
    Ok(())
}

/// The role `apply` does everything but roles, unless the domain lets it.
async fn who_may_not_put_roles_is_told_so(world: World) -> Result<()> {
    world.set_up().await?;
    let user = world.user("apply").await?;
    let admin = world.admin().await?;
    admin
        .must(Method::Delete, "/_index_template/sekisho-log-aws-waf", None)
        .await?;
    let plan = plan(user.transport(), &wanted(&settings())?).await?;
    let report = carry_out(user.transport(), &plan).await?;
    let template = thing(&report, ThingKind::IndexTemplate, "sekisho-log-aws-waf")?;
    ensure!(template.change == Change::Created, "{template:?}");
    let failed: Vec<_> = report.failed().collect();
    ensure!(failed.len() == 10, "{failed:#?}");
    for thing in failed {
        let reason = thing.reason.as_deref().unwrap_or_default();
        ensure!(reason.contains("master user"), "{thing:?}");
    }
    let unanswered = report
        .findings
        .iter()
        .filter(|one| one.kind == FindingKind::Unanswered);
    let unanswered: Vec<_> = unanswered.collect();
    ensure!(unanswered.is_empty(), "{unanswered:#?}");
    Ok(())
}
