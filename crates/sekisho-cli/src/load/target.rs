//! [`Target`]: where documents go, by what `--to` says.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use sekisho_aws::{Session, connect_cluster};
use sekisho_bulk::{BulkDestination, Destination, OpenSearchTransport, check_version};
use sekisho_cluster::require_templates;
use sekisho_config::Settings;
use sekisho_ledger::{ClusterLedger, Ledger, NoLedger};
use sekisho_pipeline::{Clock as _, NoQuarantine, Quarantine, SystemClock, bulk_settings};

use super::directory::Directory;
use super::discard::Discard;
use super::quarantine::FileQuarantine;

/// What `--to` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A cluster.
    Cluster(String),
    /// Nothing: documents are only counted, and each request takes so long.
    Discard(Duration),
    /// A folder.
    Folder(PathBuf),
}

impl FromStr for Place {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return Ok(Self::Cluster(text.to_owned()));
        }
        if let Some(latency) = text.strip_prefix("discard:") {
            return discard(latency);
        }
        match text {
            "" => bail!("`--to` is empty; give a folder, `http(s)://…` or `discard:`"),
            other if other.contains("://") => {
                bail!("cannot write to `{other}`; give a folder, `http(s)://…` or `discard:`")
            }
            folder => Ok(Self::Folder(PathBuf::from(folder))),
        }
    }
}

/// Reads what stands behind `discard:`: nothing, or how many milliseconds each request takes.
fn discard(latency: &str) -> Result<Place> {
    if latency.is_empty() {
        return Ok(Place::Discard(Duration::ZERO));
    }
    let number = latency.strip_suffix("ms").and_then(|n| n.parse().ok());
    let Some(milliseconds) = number else {
        bail!("`discard:{latency}` is no latency; write it like `discard:300ms`")
    };
    Ok(Place::Discard(Duration::from_millis(milliseconds)))
}

/// An open destination with its quarantine.
pub(crate) struct Target {
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) quarantine: Arc<dyn Quarantine>,
    pub(crate) ledger: Arc<dyn Ledger>,
    /// Whether the ledger keeps anything.
    pub(crate) has_ledger: bool,
    folder: Option<Arc<Directory>>,
    file: Option<Arc<FileQuarantine>>,
}

impl Target {
    /// Opens it, refusing what could not work before anything is read.
    pub(crate) async fn open(
        place: Place,
        replace: bool,
        file: Option<PathBuf>,
        settings: &Settings,
    ) -> Result<Self> {
        let mut folder = None;
        let mut ledger: Arc<dyn Ledger> = Arc::new(NoLedger);
        let mut has_ledger = false;
        let destination: Arc<dyn Destination> = match &place {
            Place::Discard(latency) => Arc::new(Discard { latency: *latency }),
            Place::Folder(path) => {
                let directory = Arc::new(Directory::open(path, replace)?);
                folder = Some(Arc::clone(&directory));
                directory
            }
            Place::Cluster(url) => {
                let cluster = cluster(url, settings).await?;
                if settings.ledger.enabled {
                    let prefix = settings.index.prefix.clone();
                    ledger = Arc::new(ClusterLedger::new(Arc::new(cluster.clone()), prefix));
                    has_ledger = true;
                }
                let clock = Arc::new(|| SystemClock.now());
                Arc::new(BulkDestination::new(
                    cluster,
                    bulk_settings(settings),
                    clock,
                ))
            }
        };
        let file = match (file, &place) {
            (None, Place::Folder(folder)) => Some(folder.join("quarantine.ndjson")),
            (file, _) => file,
        };
        let file = file.map(FileQuarantine::new).transpose()?.map(Arc::new);
        let quarantine: Arc<dyn Quarantine> = match (&file, place) {
            (Some(file), _) => Arc::clone(file) as Arc<dyn Quarantine>,
            (None, Place::Discard(_)) => Arc::new(Discard::default()),
            (None, _) if settings.quarantine.bucket.is_empty() => Arc::new(NoQuarantine),
            (None, _) => Session::connect(settings)
                .await
                .quarantine(&settings.quarantine),
        };
        Ok(Self {
            destination,
            quarantine,
            ledger,
            has_ledger,
            folder,
            file,
        })
    }

    /// Gives files their names; says what was written.
    pub(crate) fn close(&self) -> Result<Vec<String>> {
        let mut written = Vec::new();
        if let Some(directory) = &self.folder {
            let n_files = directory.close()?;
            let folder = directory.folder().display();
            written.push(format!("{n_files} indices: {folder}/*.ndjson"));
        }
        if let Some(file) = &self.file
            && file.close()?
        {
            written.push(format!("quarantine: {}", file.path().display()));
        }
        Ok(written)
    }
}

/// Connects to a cluster that can be written to.
pub(crate) async fn cluster(url: &str, settings: &Settings) -> Result<OpenSearchTransport> {
    let mut address = settings.opensearch.clone();
    url.clone_into(&mut address.url);
    let cluster = connect_cluster(&address).await?;
    check_version(&cluster).await?;
    if address.check_templates {
        require_templates(&cluster, &settings.index.prefix).await?;
    }
    Ok(cluster)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_places_apart() {
        let place = |text: &str| text.parse::<Place>();
        assert_eq!(place("discard:").unwrap(), Place::Discard(Duration::ZERO));
        assert_eq!(
            place("discard:300ms").unwrap(),
            Place::Discard(Duration::from_millis(300))
        );
        assert!(place("discard:fast").is_err());
        assert_eq!(place("out/").unwrap(), Place::Folder("out/".into()));
        assert_eq!(
            place("https://a:b@c").unwrap(),
            Place::Cluster("https://a:b@c".to_owned())
        );
        assert!(place("s3://bucket").is_err());
        assert!(place("").is_err());
    }
}
