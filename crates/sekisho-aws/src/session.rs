//! [`Session`]: the clients of one process, built once.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use sekisho_bundles::BundleStore;
use sekisho_config::{BundleSettings, QuarantineSettings, QueueSettings, S3Settings, Settings};
use sekisho_delivery::{Files, NoFiles, Queue};
use sekisho_event::S3Location;
use sekisho_pipeline::{NoQuarantine, Quarantine};

use crate::buckets::Buckets;
use crate::bundles::S3Bundles;
use crate::files::S3Files;
use crate::list::ObjectList;
use crate::quarantine::S3Quarantine;
use crate::queue::SqsQueue;
use crate::store::S3Store;

/// S3 asks for patience with `SlowDown`; five attempts with the SDK's jitter are about ten seconds.
const MAX_ATTEMPTS: u32 = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Until the first byte of an answer; the bytes after it have the SDK's own stall detection.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The AWS clients and credentials of this process.
#[derive(Debug, Clone)]
pub struct Session {
    buckets: Buckets,
    /// What the clients of queues are built from.
    config: SdkConfig,
}

impl Session {
    /// Finds region and credentials as every AWS tool does (environment, profile, role) and builds the clients.
    pub async fn connect(settings: &Settings) -> Self {
        let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
        Self::new(&config, &settings.s3)
    }

    /// Builds the clients from an AWS configuration.
    pub fn new(config: &SdkConfig, settings: &S3Settings) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT);
        let mut s3 = aws_sdk_s3::config::Builder::from(config)
            .retry_config(RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS))
            .timeout_config(timeouts.build())
            .force_path_style(settings.force_path_style);
        if !settings.endpoint_url.is_empty() {
            s3 = s3.endpoint_url(&settings.endpoint_url);
        }
        Self {
            buckets: Buckets::new(config, &s3, &settings.roles),
            config: config.clone(),
        }
    }

    /// Lists the objects of a bucket whose keys start with a prefix.
    pub fn list(&self, location: S3Location) -> ObjectList {
        let client = self.buckets.of(&location.bucket);
        ObjectList::new(client, location)
    }

    /// The store of S3's objects.
    pub fn store(&self) -> S3Store {
        S3Store::new(self.buckets.clone())
    }

    /// The quarantine bucket, or none where the installation has none.
    pub fn quarantine(&self, settings: &QuarantineSettings) -> Arc<dyn Quarantine> {
        if settings.bucket.is_empty() {
            return Arc::new(NoQuarantine);
        }
        Arc::new(S3Quarantine::new(self.buckets.own().clone(), settings))
    }

    /// The notes and parked messages in the quarantine bucket, or none where the installation has none.
    pub fn files(&self, settings: &QuarantineSettings) -> Arc<dyn Files> {
        if settings.bucket.is_empty() {
            return Arc::new(NoFiles);
        }
        Arc::new(S3Files::new(self.buckets.own().clone(), &settings.bucket))
    }

    /// The published parsers in the config bucket; `None` where the installation has none.
    pub fn bundles(&self, settings: &BundleSettings) -> Option<Arc<dyn BundleStore>> {
        let bucket = &settings.bucket;
        let store = || S3Bundles::new(self.buckets.own().clone(), bucket);
        (!bucket.is_empty()).then(|| Arc::new(store()) as Arc<dyn BundleStore>)
    }

    /// A queue by its URL.
    pub fn queue_at(&self, url: &str) -> Arc<dyn Queue> {
        Arc::new(SqsQueue::new(&self.config, url))
    }

    /// The queue that feeds ingest; `None` where `queue.url` is empty.
    pub fn queue(&self, settings: &QueueSettings) -> Option<Arc<dyn Queue>> {
        (!settings.url.is_empty()).then(|| self.queue_at(&settings.url))
    }

    /// Its dead-letter queue; `None` where `queue.dead_letter_url` is empty.
    pub fn dead_letter_queue(&self, settings: &QueueSettings) -> Option<Arc<dyn Queue>> {
        let url = &settings.dead_letter_url;
        (!url.is_empty()).then(|| self.queue_at(url))
    }
}
