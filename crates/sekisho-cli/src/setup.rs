//! [`Setup`]: settings and parsers, read when a command first needs them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sekisho_config::Settings;
use sekisho_parser::Catalog;
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

    /// Gives the parsers of `--parsers`, else those that the binary was built with.
    pub(crate) fn catalog(&self, settings: &Settings) -> Result<Catalog> {
        let settings = parser_settings(settings)?;
        match &self.parsers {
            Some(folder) => Catalog::from_dir(folder, settings)
                .with_context(|| format!("cannot use the parsers in `{}`", folder.display())),
            None => Catalog::builtin(settings).context("cannot use the built-in parsers"),
        }
    }

    /// Gives the folder of `--parsers`, else `./parsers`.
    pub(crate) fn parsers_folder(&self) -> &Path {
        self.parsers.as_deref().unwrap_or(Path::new("parsers"))
    }
}

/// Makes the runtime of a command that talks to others.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}
