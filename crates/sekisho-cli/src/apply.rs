//! `sekisho apply`: the index templates that documents need.

use std::io::Write;

use anyhow::{Context, Result};
use async_trait::async_trait;
use sekisho_aws::connect_cluster;
use sekisho_bulk::{ApiAnswer, BulkError, ClusterApi, Method, check_version};
use sekisho_cluster::{Applied, Change, TemplateSettings, templates};
use serde_json::json;

use crate::Finish;
use crate::args::ApplyArgs;
use crate::setup::{Setup, runtime};

/// Applies the templates, or shows what would change.
pub(crate) fn apply(args: &ApplyArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let mut settings = setup.settings()?;
    if let Some(url) = &args.to {
        settings.opensearch.url.clone_from(url);
    }
    let sources = setup.catalog(&settings)?.mappings()?;
    let templates = templates(
        &TemplateSettings {
            prefix: settings.index.prefix.clone(),
            ..TemplateSettings::default()
        },
        &sources,
    )?;
    let applied = runtime()?.block_on(async {
        let cluster = connect_cluster(&settings.opensearch).await?;
        check_version(&cluster).await?;
        let dry_run = DryRun(&cluster);
        let api: &dyn ClusterApi = if args.dry_run { &dry_run } else { &cluster };
        sekisho_cluster::apply(api, &templates)
            .await
            .with_context(|| format!("cannot apply the templates to `{}`", cluster.url()))
    })?;
    for one in &applied {
        show(one, args.dry_run, setup.json, out)?;
    }
    Ok(Finish::Clean)
}

fn show(applied: &Applied, dry_run: bool, as_json: bool, out: &mut dyn Write) -> Result<()> {
    let word = match (applied.change, dry_run) {
        (Change::Created, false) => "created",
        (Change::Created, true) => "would create",
        (Change::Updated, false) => "updated",
        (Change::Updated, true) => "would update",
        (Change::Unchanged, _) => "unchanged",
    };
    let (kind, name) = (applied.kind, &applied.name);
    if as_json {
        let kind = format!("{kind:?}").to_lowercase();
        let line = json!({ "kind": kind, "name": name, "change": word });
        writeln!(out, "{line}")?;
    } else {
        writeln!(out, "{word:<12} {kind:?} template {name}")?;
    }
    Ok(())
}

/// A cluster that is read but never changed: what would be written is acknowledged.
struct DryRun<'a>(&'a dyn ClusterApi);

#[async_trait]
impl ClusterApi for DryRun<'_> {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<bytes::Bytes>,
    ) -> Result<ApiAnswer, BulkError> {
        match method {
            Method::Get => self.0.call(method, path, body).await,
            Method::Put | Method::Post | Method::Delete => Ok(ApiAnswer {
                status: 200,
                body: bytes::Bytes::from_static(br#"{"acknowledged":true}"#),
            }),
        }
    }
}
