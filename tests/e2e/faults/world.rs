//! What every case shares: the stand-ins, a node with templates, and the proxies between them and the function.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Result;
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_tests::aws::{Aws, function_binary};
use sekisho_tests::node::{End, Node, Version};
use sekisho_tests::opensearch::Cluster;
use sekisho_tests::proxy::Proxy;

/// Everything that runs.
pub(crate) struct World {
    pub(crate) aws: Aws,
    /// The function's way to S3 and SQS.
    pub(crate) to_aws: Proxy,
    /// The function's way to the cluster.
    pub(crate) to_cluster: Proxy,
    /// The test's own way to the cluster, which no rule breaks.
    aside: Proxy,
    pub(crate) cluster: Cluster,
    pub(crate) binary: PathBuf,
    logs: Mutex<tempfile::TempDir>,
    node: Mutex<Node>,
}

impl World {
    /// Builds the binary, starts all parts and applies the templates.
    pub(crate) async fn start() -> Result<Self> {
        let binary = function_binary("sekisho-ingest")?;
        let aws = Aws::start()?;
        let node = Node::start(Version::Newest)?;
        let aside = Proxy::start(node.url())?;
        let cluster = Cluster::connect(&aside.url())?;
        let catalog = Catalog::builtin(ParserSettings::default())?;
        cluster.apply(&catalog.mappings()?).await?;
        Ok(Self {
            to_aws: Proxy::start(aws.url())?,
            to_cluster: Proxy::start(node.url())?,
            aside,
            cluster,
            binary,
            logs: Mutex::new(tempfile::tempdir()?),
            node: Mutex::new(node),
            aws,
        })
    }

    /// Ends the node.
    pub(crate) fn stop_node(&self, end: End) -> Result<()> {
        let began = Instant::now();
        self.node().stop(end)?;
        println!("node: {end:?} took {} ms", began.elapsed().as_millis());
        Ok(())
    }

    /// Starts the node over its data, and leads the proxies there.
    pub(crate) fn start_node(&self, settings: &[(&str, &str)]) -> Result<()> {
        let began = Instant::now();
        let mut node = self.node();
        node.start_again(settings)?;
        self.aside.lead_to(node.url())?;
        self.to_cluster.lead_to(node.url())?;
        println!("node: back after {} ms", began.elapsed().as_millis());
        Ok(())
    }

    /// Where the function of an installation logs.
    pub(crate) fn log_of(&self, name: &str) -> PathBuf {
        lock(&self.logs).path().join(format!("{name}.log"))
    }

    /// Keeps the logs for whoever looks for the reason of a failure.
    pub(crate) fn keep_logs(&self) -> PathBuf {
        let mut logs = lock(&self.logs);
        logs.disable_cleanup(true);
        logs.path().to_owned()
    }

    fn node(&self) -> MutexGuard<'_, Node> {
        lock(&self.node)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
