//! Connects to the cluster that the settings name; SigV4 signs with the credentials of the process.

mod credentials;

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use sekisho_bulk::{Auth, BulkError, ConnectSettings, Credentials, OpenSearchTransport, Renewal};
use sekisho_config::OpenSearchSettings;

use self::credentials::HeldCredentials;

/// Why the cluster of the settings cannot be used; nothing was sent yet.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No address is set.
    #[error("no cluster is set; set `opensearch.url` or `SEKISHO_OPENSEARCH_URL`")]
    NoUrl,
    /// The file with the authority cannot be read.
    #[error("cannot read `{path}` of `opensearch.ca_file`")]
    CaFile {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The process lacks what signing needs.
    #[error(
        "`auth = \"sigv4\"` cannot sign: {0}; set `opensearch.region` and give the process AWS credentials"
    )]
    NoCredentials(String),
    /// The settings name no usable cluster.
    #[error(transparent)]
    Settings(#[from] BulkError),
}

/// Builds the connection to a cluster from the settings.
///
/// The AWS configuration is only loaded where it signs: without a region it asks the instance's metadata service, which a laptop waits for in vain.
///
/// # Errors
/// When a setting is missing or wrong.
pub async fn connect_cluster(
    settings: &OpenSearchSettings,
) -> Result<OpenSearchTransport, ConnectError> {
    if settings.url.is_empty() {
        return Err(ConnectError::NoUrl);
    }
    let (auth, renewal) = match settings.auth {
        sekisho_config::Auth::None => (Auth::None, Renewal::default()),
        sekisho_config::Auth::Basic => {
            let auth = Auth::Basic {
                username: settings.username.clone(),
                password: settings.password.reveal().to_owned(),
            };
            (auth, Renewal::default())
        }
        sekisho_config::Auth::Sigv4 => credentials(&settings.region).await?,
    };
    let transport = OpenSearchTransport::new(ConnectSettings {
        url: settings.url.clone(),
        auth,
        renewal,
        gzip: settings.gzip,
        timeout: Duration::from_millis(settings.timeout_ms),
        ca_pem: ca_pem(&settings.ca_file)?,
        insecure: settings.insecure,
    })?;
    Ok(transport)
}

fn ca_pem(path: &str) -> Result<Option<Vec<u8>>, ConnectError> {
    if path.is_empty() {
        return Ok(None);
    }
    let read = std::fs::read(path);
    read.map(Some).map_err(|source| ConnectError::CaFile {
        path: path.to_owned(),
        source,
    })
}

/// The client asks for credentials with every request, so they are held until shortly before they expire.
async fn credentials(region: &str) -> Result<(Auth, Renewal), ConnectError> {
    let loader = aws_config::defaults(BehaviorVersion::latest());
    let loader = match region {
        "" => loader,
        region => loader.region(Region::new(region.to_owned())),
    };
    let config = loader.load().await;
    let missing = |what: &str| ConnectError::NoCredentials(format!("no {what} is known"));
    let source = config.credentials_provider();
    let source = source.ok_or_else(|| missing("source of credentials"))?;
    let region = config.region().ok_or_else(|| missing("region"))?;
    let clock = config.time_source().ok_or_else(|| missing("clock"))?;
    let held = Arc::new(HeldCredentials::new(source, move || clock.now()));
    let renewal = {
        let held = Arc::clone(&held);
        Renewal::new(move || held.renew())
    };
    let provider: Arc<dyn ProvideCredentials> = held;
    let provider = SharedCredentialsProvider::new(provider);
    let credentials = Credentials::AwsSigV4(provider, region.clone());
    Ok((Auth::SigV4(credentials), renewal))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn connect(
        change: impl FnOnce(&mut OpenSearchSettings),
    ) -> Result<OpenSearchTransport, ConnectError> {
        let mut settings = OpenSearchSettings {
            url: "http://127.0.0.1:9200".to_owned(),
            ..OpenSearchSettings::default()
        };
        change(&mut settings);
        connect_cluster(&settings).await
    }

    #[tokio::test]
    async fn an_address_is_enough() {
        assert_eq!(
            connect(|_| {}).await.unwrap().url(),
            "http://127.0.0.1:9200"
        );
    }

    #[tokio::test]
    async fn what_is_missing_is_named() {
        let message = connect(|settings| settings.url.clear())
            .await
            .unwrap_err()
            .to_string();
        assert!(message.contains("set `opensearch.url`"), "{message}");
        let message = connect(|settings| settings.ca_file = "/nowhere.pem".to_owned())
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "cannot read `/nowhere.pem` of `opensearch.ca_file`"
        );
    }

    #[tokio::test]
    async fn sigv4_signs_for_the_region_of_the_domain() {
        let signing = |settings: &mut OpenSearchSettings| {
            settings.auth = sekisho_config::Auth::Sigv4;
            settings.region = "ap-northeast-1".to_owned();
        };
        connect(signing).await.unwrap();
    }
}
