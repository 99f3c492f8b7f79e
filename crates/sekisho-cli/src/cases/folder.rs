//! [`Case`]: what a case folder holds.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sekisho_document::IndexNaming;
use sekisho_parser::{KeepOriginal, ParserSettings};
use serde::Deserialize;

/// A folder `parsers/<module>/<dataset>/tests/<case>`.
#[derive(Debug, Clone)]
pub struct Case {
    /// The folder.
    pub folder: PathBuf,
    /// `<module>.<dataset>/<case>`.
    pub name: String,
    /// `<module>.<dataset>`.
    pub dataset: String,
}

/// What `case.toml` says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    /// The decoded key of the sample.
    pub(crate) key: String,
    /// When S3 stored it; only a key without a date needs it.
    #[serde(default = "last_modified")]
    pub(crate) last_modified: DateTime<Utc>,
    /// What differs from the default settings.
    #[serde(default)]
    pub(crate) settings: CaseSettings,
}

/// The settings that a case may change.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseSettings {
    pub(crate) default_columns: Option<Vec<String>>,
    /// The zone of times that carry none.
    pub(crate) record_timezone: Option<String>,
    pub(crate) event_original: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) trusted_proxies: Option<Vec<String>>,
    pub(crate) max_record_bytes: Option<usize>,
    pub(crate) max_depth: Option<usize>,
    pub(crate) unknown_lines: Option<u64>,
}

impl CaseSettings {
    /// Gives the settings of the parsers; `dataset` is whose columns `default_columns` are.
    pub(crate) fn parser_settings(&self, dataset: &str) -> Result<ParserSettings> {
        let defaults = ParserSettings::default();
        let columns = self.default_columns.clone();
        let networks = self.trusted_proxies.as_ref().map(|networks| {
            let networks = networks.iter().map(|network| network.parse());
            networks.collect::<Result<Vec<_>, _>>()
        });
        let zone: Option<Tz> = self
            .record_timezone
            .as_deref()
            .map(str::parse)
            .transpose()?;
        Ok(ParserSettings {
            timezones: zone
                .map(|zone| (dataset.to_owned(), zone))
                .into_iter()
                .collect(),
            index: match &self.timezone {
                Some(zone) => IndexNaming::new("", zone, 30, 2)?,
                None => defaults.index,
            },
            default_columns: columns
                .map(|columns| (dataset.to_owned(), columns))
                .into_iter()
                .collect(),
            keep_original: match self.event_original.as_deref() {
                None => defaults.keep_original,
                Some("always") => KeepOriginal::Always,
                Some("never") => KeepOriginal::Never,
                Some("unparsed") => KeepOriginal::Unparsed,
                Some(other) => bail!(
                    "`event_original` is `{other}`; it has to be `always`, `never` or `unparsed`"
                ),
            },
            trusted_proxies: networks.transpose()?.unwrap_or(defaults.trusted_proxies),
            max_record_bytes: self.max_record_bytes.unwrap_or(defaults.max_record_bytes),
            max_depth: self.max_depth.unwrap_or(defaults.max_depth),
            unknown_records: self.unknown_lines.unwrap_or(defaults.unknown_records),
            // A release does not change what a parser gives.
            version: "test".to_owned(),
            ..defaults
        })
    }
}

fn last_modified() -> DateTime<Utc> {
    // 2026-11-23T01:00:00Z
    DateTime::from_timestamp(1_795_395_600, 0).unwrap_or_default()
}

impl Case {
    /// Names the case in a folder.
    ///
    /// # Errors
    /// When the folder does not lie at `<module>/<dataset>/tests/<case>`.
    pub fn new(folder: &Path) -> Result<Self> {
        let names: Vec<&str> = folder.iter().filter_map(|name| name.to_str()).collect();
        let [.., module, dataset, "tests", case] = names.as_slice() else {
            bail!(
                "`{}` is no case folder; it has to be `<module>/<dataset>/tests/<case>`",
                folder.display()
            );
        };
        let dataset = format!("{module}.{dataset}");
        Ok(Self {
            folder: folder.to_owned(),
            name: format!("{dataset}/{case}"),
            dataset,
        })
    }

    /// Finds every case below a folder of parsers, sorted; `filter` is part of the name.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn find(parsers: &Path, filter: &str) -> Result<Vec<Self>> {
        let mut cases = Vec::new();
        for module in folders(parsers)? {
            for dataset in folders(&module)? {
                let tests = dataset.join("tests");
                if tests.is_dir() {
                    for folder in folders(&tests)? {
                        cases.push(Self::new(&folder)?);
                    }
                }
            }
        }
        cases.retain(|case| case.name.contains(filter));
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(cases)
    }

    pub(crate) fn file(&self) -> Result<CaseFile> {
        let path = self.folder.join("case.toml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("`{}` is missing; it has to give `key`", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in `{}`", path.display()))
    }

    /// Gives the sample's bytes as they would be delivered.
    pub(crate) fn sample(&self) -> Result<Vec<u8>> {
        for name in ["sample.log", "sample.log.gz"] {
            let path = self.folder.join(name);
            if path.is_file() {
                return std::fs::read(&path)
                    .with_context(|| format!("cannot read `{}`", path.display()));
            }
        }
        bail!("there is neither `sample.log` nor `sample.log.gz`")
    }
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(parent)
        .with_context(|| format!("cannot read the folder `{}`", parent.display()))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    Ok(folders)
}
