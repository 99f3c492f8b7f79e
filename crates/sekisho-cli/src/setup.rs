//! [`Setup`]: settings and parsers, read when a command first needs them.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use sekisho_aws::Session;
use sekisho_bundles::{BundleStore, History, Refusal, Set};
use sekisho_config::Settings;
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_pipeline::parser_settings;

use crate::args::Global;

/// Settings and parsers of a command.
#[derive(Debug)]
pub(crate) struct Setup {
    config: Option<PathBuf>,
    parsers: Option<PathBuf>,
    pub(crate) json: bool,
}

impl Setup {
    pub(crate) fn new(global: Global) -> Self {
        let Global {
            config,
            parsers,
            json,
        } = global;
        Self {
            config,
            parsers,
            json,
        }
    }

    pub(crate) fn settings(&self) -> Result<Settings> {
        Settings::read(self.config.as_deref()).context("cannot use the settings")
    }

    /// Gives the parsers of `--parsers`, else those that the binary was built with and, where `bundles.bucket` is set, the published ones.
    ///
    /// A published parser that cannot be used is told, and holds its keys as it does in the functions.
    ///
    /// Not to be called inside a runtime.
    pub(crate) fn catalog(&self, all: &Settings) -> Result<Catalog> {
        let settings = parser_settings(all)?;
        match &self.parsers {
            Some(folder) => Catalog::from_dir(folder, settings)
                .with_context(|| format!("cannot use the parsers in `{}`", folder.display())),
            None => {
                let builtin = builtin(settings)?;
                match all.bundles.bucket.is_empty() {
                    true => Ok(builtin),
                    false => runtime()?.block_on(published(&builtin, all)),
                }
            }
        }
    }

    /// Gives the folder of `--parsers`, else `./parsers`.
    pub(crate) fn parsers_folder(&self) -> &Path {
        self.parsers.as_deref().unwrap_or(Path::new("parsers"))
    }
}

pub(crate) fn builtin(settings: ParserSettings) -> Result<Catalog> {
    Catalog::builtin(settings).context("cannot use the built-in parsers")
}

/// Opens the config bucket.
pub(crate) async fn bundles(settings: &Settings) -> Result<Arc<dyn BundleStore>> {
    let session = Session::connect(settings).await;
    session.bundles(&settings.bundles).context(
        "there is no config bucket; set `bundles.bucket` (the stack's output `ConfigBucket`)",
    )
}

async fn published(builtin: &Catalog, settings: &Settings) -> Result<Catalog> {
    let store = bundles(settings).await?;
    let pointer = History::read(&*store).await?.pointer;
    let set = Set::read(&*store, builtin, &pointer, &BTreeMap::new()).await;
    for Refusal { object, reason, .. } in &set.refused {
        writeln!(io::stderr(), "`{object}` is not in work: {reason}")?;
    }
    Ok(Catalog::clone(&set.catalog))
}

/// Makes the runtime of a command that talks to others.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}
