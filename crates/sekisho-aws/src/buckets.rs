//! [`Buckets`]: which client reads which bucket.

mod role;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, IdentityCache};
use sekisho_config::BucketRole;

use self::role::RoleCredentials;

/// Assumed credentials last an hour; new ones are asked for so long before their end, as STS may be out of reach for some minutes.
/// The SDK draws the moment from the first half of it, so that processes do not all ask at once.
const EARLY: Duration = Duration::from_secs(5 * 60);

/// The clients of S3: the process's own, and one for each bucket of another account.
#[derive(Debug, Clone)]
pub(crate) struct Buckets {
    own: Client,
    foreign: Arc<BTreeMap<String, Client>>,
}

impl Buckets {
    /// `s3` is what all clients share; a bucket of `roles` gets the credentials of its role.
    pub(crate) fn new(
        config: &SdkConfig,
        s3: &Builder,
        roles: &BTreeMap<String, BucketRole>,
    ) -> Self {
        let client = |(bucket, role): (&String, &BucketRole)| {
            let credentials = RoleCredentials::new(config, bucket, role);
            let s3 = s3
                .clone()
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .identity_cache(IdentityCache::lazy().buffer_time(EARLY).build());
            (bucket.clone(), Client::from_conf(s3.build()))
        };
        Self {
            own: Client::from_conf(s3.clone().build()),
            foreign: Arc::new(roles.iter().map(client).collect()),
        }
    }

    /// The client with the credentials of the process.
    pub(crate) fn own(&self) -> &Client {
        &self.own
    }

    /// The client that may read a bucket.
    pub(crate) fn of(&self, bucket: &str) -> &Client {
        self.foreign.get(bucket).unwrap_or(&self.own)
    }
}
