//! [`Target`]: where documents go, by what `--to` says.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Result, bail};
use sekisho_aws::{Session, connect_cluster};
use sekisho_bulk::{BulkDestination, Destination, check_version};
use sekisho_cluster::require_templates;
use sekisho_config::Settings;
use sekisho_pipeline::{Clock as _, NoQuarantine, Quarantine, SystemClock, bulk_settings};

use super::directory::Directory;
use super::discard::Discard;
use super::quarantine::FileQuarantine;

/// What `--to` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A cluster.
    Cluster(String),
    /// Nothing: documents are only counted.
    Discard,
    /// A folder.
    Folder(PathBuf),
}

impl FromStr for Place {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok(Self::Cluster(text.to_owned()));
        }
        match text {
            "discard:" => Ok(Self::Discard),
            "" => bail!("`--to` is empty; give a folder, `http(s)://…` or `discard:`"),
            other if other.contains("://") => {
                bail!("cannot write to `{other}`; give a folder, `http(s)://…` or `discard:`")
            }
            folder => Ok(Self::Folder(PathBuf::from(folder))),
        }
    }
}

/// An open destination with its quarantine.
pub(crate) struct Target {
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) quarantine: Arc<dyn Quarantine>,
    folder: Option<(Arc<Directory>, Arc<FileQuarantine>)>,
}

impl Target {
    /// Opens it, refusing what could not work before anything is read.
    pub(crate) async fn open(place: Place, replace: bool, settings: &Settings) -> Result<Self> {
        match place {
            Place::Discard => Ok(Self {
                destination: Arc::new(Discard),
                quarantine: Arc::new(Discard),
                folder: None,
            }),
            Place::Folder(folder) => {
                let directory = Arc::new(Directory::open(&folder, replace)?);
                let quarantine = Arc::new(FileQuarantine::new(&folder));
                Ok(Self {
                    destination: Arc::clone(&directory) as Arc<dyn Destination>,
                    quarantine: Arc::clone(&quarantine) as Arc<dyn Quarantine>,
                    folder: Some((directory, quarantine)),
                })
            }
            Place::Cluster(url) => Self::cluster(url, settings).await,
        }
    }

    async fn cluster(url: String, settings: &Settings) -> Result<Self> {
        let mut address = settings.opensearch.clone();
        address.url = url;
        let cluster = connect_cluster(&address).await?;
        check_version(&cluster).await?;
        if address.check_templates {
            require_templates(&cluster, &settings.index.prefix).await?;
        }
        let clock = Arc::new(|| SystemClock.now());
        let quarantine: Arc<dyn Quarantine> = if settings.quarantine.bucket.is_empty() {
            Arc::new(NoQuarantine)
        } else {
            Session::connect(settings)
                .await
                .quarantine(&settings.quarantine)
        };
        Ok(Self {
            destination: Arc::new(BulkDestination::new(
                cluster,
                bulk_settings(settings),
                clock,
            )),
            quarantine,
            folder: None,
        })
    }

    /// Gives files their names; says what was written.
    pub(crate) fn close(&self) -> Result<Option<String>> {
        let Some((directory, quarantine)) = &self.folder else {
            return Ok(None);
        };
        let n_files = directory.close()?;
        let kept = quarantine.close()?;
        let folder = directory.folder().display();
        let also = if kept { ", and quarantine.ndjson" } else { "" };
        Ok(Some(format!(
            "{n_files} indices in {folder}/*.ndjson{also}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_places_apart() {
        let place = |text: &str| text.parse::<Place>();
        assert_eq!(place("discard:").unwrap(), Place::Discard);
        assert_eq!(place("out/").unwrap(), Place::Folder("out/".into()));
        assert_eq!(
            place("https://a:b@c").unwrap(),
            Place::Cluster("https://a:b@c".to_owned())
        );
        assert!(place("s3://bucket").is_err());
        assert!(place("").is_err());
    }
}
