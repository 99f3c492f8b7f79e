//! [`RoleCredentials`]: what STS gives for a role of another account.

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::error::DisplayErrorContext;
use sekisho_config::BucketRole;
use tokio::sync::OnceCell;

/// What the owner of the role reads in their trail.
const SESSION_NAME: &str = "sekisho";

/// Assumes a role whenever it is asked; the client's identity cache asks once an hour.
#[derive(Debug)]
pub(super) struct RoleCredentials {
    config: SdkConfig,
    bucket: String,
    role: BucketRole,
    provider: OnceCell<AssumeRoleProvider>,
}

impl RoleCredentials {
    pub(super) fn new(config: &SdkConfig, bucket: &str, role: &BucketRole) -> Self {
        Self {
            config: config.clone(),
            bucket: bucket.to_owned(),
            role: role.clone(),
            provider: OnceCell::new(),
        }
    }

    async fn build(&self) -> AssumeRoleProvider {
        let mut builder = AssumeRoleProvider::builder(&self.role.arn)
            .configure(&self.config)
            .session_name(SESSION_NAME);
        if let Some(id) = &self.role.external_id {
            builder = builder.external_id(id);
        }
        builder.build().await
    }

    async fn assume(&self) -> Result<Credentials, CredentialsError> {
        let provider = self.provider.get_or_init(|| self.build()).await;
        provider.provide_credentials().await.map_err(|error| {
            let (role, bucket) = (&self.role.arn, &self.bucket);
            let cause = DisplayErrorContext(&error);
            CredentialsError::provider_error(format!(
                "role `{role}` of bucket `{bucket}` cannot be assumed: {cause}; let its trust policy name this role and the external id of `s3.roles`, and this role's policy `sts:AssumeRole` on it"
            ))
        })
    }
}

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}
