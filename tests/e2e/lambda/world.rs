//! What every case shares: the stand-ins, a node with templates, and the deployed function.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use sekisho_aws::Session;
use sekisho_config::{S3Settings, Settings};
use sekisho_parser::{Catalog, ParserSettings};
use sekisho_tests::aws::{Aws, Deployment, Function, function_binary};
use sekisho_tests::node::{Node, Version};
use sekisho_tests::opensearch::Cluster;
use serde_json::json;

/// How long written documents may take to be found.
const SEARCH_LIMIT: Duration = Duration::from_secs(20);

/// Everything that runs.
pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) node: Node,
    pub(crate) cluster: Cluster,
    pub(crate) binary: PathBuf,
    pub(crate) function: Function,
}

impl World {
    /// Builds the binary, starts all parts, applies the templates and deploys the function.
    pub(crate) async fn start() -> Result<Self> {
        let binary = function_binary("sekisho-ingest")?;
        let aws = Aws::start()?;
        let node = Node::start(Version::Newest)?;
        let cluster = Cluster::connect(node.url())?;
        cluster.apply(&catalog()?.mappings()?).await?;
        let mut environment = aws.environment();
        environment.push(("SEKISHO_OPENSEARCH_URL", node.url().to_owned()));
        let function = aws
            .deploy_function("sekisho-ingest", &binary, &environment)
            .await?;
        Ok(Self {
            aws,
            node,
            cluster,
            binary,
            function,
        })
    }

    /// A bucket that notifies the function through a queue.
    pub(crate) async fn deploy(&self, name: &str) -> Result<Deployment> {
        self.aws.deploy(name, &self.function).await
    }

    /// The environment of the function, with changes.
    pub(crate) fn environment(
        &self,
        changes: &[(&'static str, &str)],
    ) -> Vec<(&'static str, String)> {
        let mut environment = self.aws.environment();
        environment.push(("SEKISHO_OPENSEARCH_URL", self.node.url().to_owned()));
        environment.extend(
            changes
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        environment
    }

    /// The product's own AWS clients, on the stand-ins.
    pub(crate) fn session(&self) -> Session {
        let credentials = Credentials::new("test", "test", None, None, "stand-in");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let settings = S3Settings {
            endpoint_url: self.aws.url().to_owned(),
            force_path_style: true,
            ..S3Settings::default()
        };
        Session::new(&config, &settings)
    }

    /// Loads every object under a bucket by listing it, as `sekisho load s3://…` does.
    pub(crate) async fn load(&self, bucket: &str) -> Result<Vec<sekisho_pipeline::ObjectReport>> {
        let session = self.session();
        let settings = Settings::default();
        let destination = self
            .cluster
            .destination(sekisho_pipeline::bulk_settings(&settings));
        let pipeline = sekisho_pipeline::Pipeline::new(
            sekisho_pipeline::Stages {
                store: Arc::new(session.store()),
                catalog: Arc::new(catalog()?),
                destination: Arc::new(destination),
                quarantine: Arc::new(sekisho_pipeline::NoQuarantine),
                ledger: Arc::new(sekisho_ledger::NoLedger),
                continuations: None,
                clock: Arc::new(sekisho_pipeline::SystemClock),
            },
            sekisho_pipeline::object_limits(&settings),
            sekisho_pipeline::PipelineSettings::from(&settings),
        );
        let mut list = session.list(format!("s3://{bucket}").parse()?);
        let mut reports = Vec::new();
        while let Some(page) = list.next_page().await? {
            let work = page.into_iter().map(sekisho_pipeline::Work::from).collect();
            let time = sekisho_pipeline::TimeLimit::default();
            reports.extend(pipeline.run(work, time).await);
        }
        Ok(reports)
    }

    /// Counts the documents of a bucket.
    pub(crate) async fn documents(&self, bucket: &str) -> Result<u64> {
        self.count(json!({ "prefix": { "log.file.path": format!("s3://{bucket}/") } }))
            .await
    }

    /// Counts documents over all log indices.
    pub(crate) async fn count(&self, query: serde_json::Value) -> Result<u64> {
        self.cluster.refresh().await?;
        self.cluster.count("log-*", query).await
    }

    /// Waits until a bucket has so many documents, and no more.
    pub(crate) async fn expect(&self, bucket: &str, documents: u64) -> Result<()> {
        let started = std::time::Instant::now();
        let mut found = self.documents(bucket).await?;
        while found < documents && started.elapsed() < SEARCH_LIMIT {
            tokio::time::sleep(Duration::from_millis(200)).await;
            found = self.documents(bucket).await?;
        }
        ensure!(
            found == documents,
            "{found} documents of `{bucket}`, expected {documents}"
        );
        Ok(())
    }
}

/// The parsers of the repository.
pub(crate) fn catalog() -> Result<Catalog> {
    Ok(Catalog::builtin(ParserSettings::default())?)
}

/// The key of a VPC flow log.
pub(crate) const FLOW_KEY: &str = "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/11/23/111122223333_vpcflowlogs_us-east-1_fl-0a1b2c3d_20261123T0000Z_0f1e2d3c.log.gz";

/// A VPC flow log of so many flows, packed as AWS packs it.
pub(crate) fn flow_log(flows: u32) -> Result<Vec<u8>> {
    let mut text = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n".to_owned();
    for flow in 0..flows {
        let port = 40_000 + flow;
        text.push_str(&format!(
            "2 111122223333 eni-0a1b2c3d 192.0.2.10 198.51.100.7 {port} 443 6 10 840 1795392000 1795392060 ACCEPT OK\n"
        ));
    }
    gzip(text.as_bytes())
}

pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}
