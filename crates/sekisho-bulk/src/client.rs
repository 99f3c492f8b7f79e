//! [`OpenSearchTransport`]: a cluster over HTTP, through the `opensearch` crate.

use std::fmt;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use opensearch::auth::Credentials;
use opensearch::cert::{Certificate, CertificateValidation};
use opensearch::http::headers::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use opensearch::http::response::Response;
use opensearch::http::transport::{
    SingleNodeConnectionPool, Transport as HttpTransport, TransportBuilder,
};
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::answer::{FILTER_PATH, refusal};
use crate::error::root_cause;
use crate::verdict::says_expired;
use crate::{ApiAnswer, BulkAnswer, BulkError, ClusterApi, Method, Transport};

/// What `_bulk` takes; everything else is `application/json`.
const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");

/// How requests are signed.
#[derive(Debug, Clone, Default)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// By user name and password.
    Basic {
        /// The user.
        username: String,
        /// The password.
        password: String,
    },
    /// By AWS credentials for the service `es`.
    SigV4(Credentials),
}

/// Makes the next request be signed with new credentials; called when the cluster says that those of the last one had expired.
#[derive(Clone, Default)]
pub struct Renewal(Option<Arc<dyn Fn() + Send + Sync>>);

impl Renewal {
    /// Names what is called.
    pub fn new(renew: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(renew)))
    }

    fn after(&self, status: u16, body: &[u8]) {
        let is_expired = matches!(status, 400 | 401 | 403)
            && refusal(body, |complaint| {
                complaint.kind.is_empty() && says_expired(complaint.reason)
            });
        if let (true, Some(renew)) = (is_expired, &self.0) {
            renew();
        }
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Renewal").field(&self.0.is_some()).finish()
    }
}

/// What it takes to reach a cluster.
#[derive(Debug, Clone)]
pub struct ConnectSettings {
    /// The address, `http://` or `https://`.
    pub url: String,
    /// How requests are signed.
    pub auth: Auth,
    /// What renews the credentials before they expire by themselves.
    pub renewal: Renewal,
    /// Sends `_bulk` bodies compressed.
    pub gzip: bool,
    /// How long one request may take.
    pub timeout: Duration,
    /// PEM certificates of authorities to trust besides the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// Accepts any certificate; only for an address of this machine.
    pub insecure: bool,
}

impl ConnectSettings {
    /// Names a cluster that takes unsigned requests.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            auth: Auth::None,
            renewal: Renewal::default(),
            gzip: true,
            timeout: Duration::from_secs(30),
            ca_pem: None,
            insecure: false,
        }
    }
}

/// A cluster over HTTP.
#[derive(Debug, Clone)]
pub struct OpenSearchTransport {
    url: String,
    http: HttpTransport,
    renewal: Renewal,
    gzip: bool,
}

impl OpenSearchTransport {
    /// Checks the settings and builds the client; nothing is sent yet.
    ///
    /// # Errors
    /// When the address cannot be one of a supported cluster, or the certificates cannot be read.
    pub fn new(settings: ConnectSettings) -> Result<Self, BulkError> {
        let mut url = Url::parse(&settings.url)
            .map_err(|error| refuse("opensearch.url", &error.to_string()))?;
        let auth = take_login(&mut url, settings.auth);
        let shown = url.to_string();
        let shown = shown.trim_end_matches('/').to_owned();
        check(&url, &shown, settings.insecure)?;
        let client = |source| BulkError::Client {
            url: shown.clone(),
            source,
        };
        let is_local = is_loopback(&url);
        let mut builder =
            TransportBuilder::new(SingleNodeConnectionPool::new(url)).timeout(settings.timeout);
        // A proxy of the environment is for the world outside.
        if is_local {
            builder = builder.disable_proxy();
        }
        builder = match auth {
            Auth::None => builder,
            Auth::Basic { username, password } => {
                builder.auth(Credentials::Basic(username, password))
            }
            Auth::SigV4(credentials) => builder.auth(credentials).service_name("es"),
        };
        if let Some(pem) = &settings.ca_pem {
            let authorities = Certificate::from_pem(pem).map_err(client)?;
            builder = builder.cert_validation(CertificateValidation::Full(authorities));
        } else if settings.insecure {
            builder = builder.cert_validation(CertificateValidation::None);
        }
        let http = builder.build().map_err(|error| client(error.into()))?;
        Ok(Self {
            url: shown,
            http,
            renewal: settings.renewal,
            gzip: settings.gzip,
        })
    }

    /// The address, without credentials.
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn send(
        &self,
        method: opensearch::http::Method,
        path: &str,
        headers: HeaderMap,
        query: &[(&str, &str)],
        body: Option<Bytes>,
    ) -> Result<Response, BulkError> {
        self.http
            .send(method, path, headers, Some(query), body, None)
            .await
            .map_err(|source| self.cut(source))
    }

    fn cut(&self, source: opensearch::Error) -> BulkError {
        let reason = root_cause(&source);
        // How the TLS library starts every complaint of this kind; its type is hidden in an I/O error.
        if reason.starts_with("invalid peer certificate") {
            return BulkError::Certificate {
                url: self.url.clone(),
                reason,
            };
        }
        BulkError::Connection {
            url: self.url.clone(),
            timeout: source.is_timeout(),
            source,
        }
    }
}

#[async_trait]
impl Transport for OpenSearchTransport {
    async fn bulk(&self, body: Bytes) -> Result<BulkAnswer, BulkError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, NDJSON);
        let compressed = self.gzip.then(|| compress(&body)).flatten();
        if compressed.is_some() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let body = compressed.unwrap_or(body);
        let query = [("filter_path", FILTER_PATH)];
        let method = opensearch::http::Method::Post;
        let response = self
            .send(method, "/_bulk", headers, &query, Some(body))
            .await?;
        let status = response.status_code().as_u16();
        let retry_after = retry_after(response.headers());
        let body = response.bytes().await.map_err(|error| self.cut(error))?;
        self.renewal.after(status, &body);
        Ok(BulkAnswer {
            status,
            body,
            retry_after,
        })
    }
}

#[async_trait]
impl ClusterApi for OpenSearchTransport {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<ApiAnswer, BulkError> {
        let method = match method {
            Method::Get => opensearch::http::Method::Get,
            Method::Put => opensearch::http::Method::Put,
            Method::Post => opensearch::http::Method::Post,
            Method::Delete => opensearch::http::Method::Delete,
        };
        let mut headers = HeaderMap::new();
        if path.starts_with("/_bulk") {
            headers.insert(CONTENT_TYPE, NDJSON);
        }
        let response = self.send(method, path, headers, &[], body).await?;
        let status = response.status_code().as_u16();
        let body = response.bytes().await.map_err(|error| self.cut(error))?;
        self.renewal.after(status, &body);
        Ok(ApiAnswer { status, body })
    }
}

fn refuse(url: &str, reason: &str) -> BulkError {
    BulkError::Settings {
        url: url.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Moves a login out of the address, so that no message ever shows it.
fn take_login(url: &mut Url, auth: Auth) -> Auth {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let username = decode(url.username());
    let password = decode(url.password().unwrap_or_default());
    if url.set_username("").is_err() || url.set_password(None).is_err() {
        // An address without a host carries no login.
        return auth;
    }
    match auth {
        Auth::None if !username.is_empty() => Auth::Basic { username, password },
        other => other,
    }
}

fn check(url: &Url, shown: &str, insecure: bool) -> Result<(), BulkError> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(refuse(
            shown,
            "give an address that starts with `https://` or `http://`",
        ));
    }
    // A time-series collection takes no `_id`, and without one a second delivery is a second document.
    if url
        .host_str()
        .is_some_and(|host| host.ends_with(".aoss.amazonaws.com"))
    {
        return Err(refuse(
            shown,
            "OpenSearch Serverless takes no document ids in time-series collections; use an OpenSearch Service domain",
        ));
    }
    if insecure && !is_loopback(url) {
        return Err(refuse(
            shown,
            "`opensearch.insecure` is only for an address of this machine; name the authority in `opensearch.ca_file`",
        ));
    }
    Ok(())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn compress(body: &[u8]) -> Option<Bytes> {
    // Level 1: the wire is fast, and a Lambda pays for its CPU.
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn refused(url: &str, insecure: bool) -> String {
        let settings = ConnectSettings {
            insecure,
            ..ConnectSettings::new(url)
        };
        OpenSearchTransport::new(settings).unwrap_err().to_string()
    }

    #[test]
    fn refuses_addresses_that_cannot_work() {
        assert!(refused("", false).contains("opensearch.url"));
        assert!(refused("ftp://example.com", false).contains("https://"));
        assert!(
            refused("https://x.us-east-1.aoss.amazonaws.com", false)
                .contains("Serverless takes no")
        );
        assert!(refused("https://example.com", true).contains("opensearch.ca_file"));
    }

    #[test]
    fn shows_no_login() {
        let settings = ConnectSettings::new("http://admin:secret@127.0.0.1:9200");
        let transport = OpenSearchTransport::new(settings).unwrap();
        assert_eq!(transport.url(), "http://127.0.0.1:9200");
        assert!(!refused("https://admin:secret@example.com", true).contains("secret"));
    }

    #[test]
    fn credentials_are_renewed_after_an_answer_that_calls_them_expired() {
        let renewed = Arc::new(AtomicUsize::new(0));
        let renewal = {
            let renewed = Arc::clone(&renewed);
            Renewal::new(move || {
                renewed.fetch_add(1, Ordering::SeqCst);
            })
        };
        let expired = br#"{"message":"The security token included in the request is expired"}"#;
        renewal.after(200, expired);
        renewal.after(403, br#"{"message":"not authorized"}"#);
        renewal.after(
            403,
            br#"{"error":{"type":"cluster_block_exception","reason":"request expired"}}"#,
        );
        assert_eq!(renewed.load(Ordering::SeqCst), 0);
        renewal.after(403, expired);
        assert_eq!(renewed.load(Ordering::SeqCst), 1);
        Renewal::default().after(403, expired);
    }

    #[test]
    fn reads_retry_after_in_seconds() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert("retry-after", HeaderValue::from_static("3"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(3)));
    }
}
