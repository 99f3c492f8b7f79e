//! Asks a cluster what a user would ask, and writes to it as Sekisho does.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sekisho_bulk::{
    BulkBatch, BulkDestination, BulkSettings, Clock, ClusterApi, ConnectSettings, Destination,
    Method, OpenSearchTransport, Verdict,
};
use sekisho_cluster::{Applied, TemplateSettings, apply, templates};
use sekisho_document::{DocumentHead, ObjectIdentity, SourceMapping};
use serde_json::{Value, json};

/// A cluster under test.
#[derive(Debug, Clone)]
pub struct Cluster {
    transport: OpenSearchTransport,
}

impl Cluster {
    /// Connects to an address without a login.
    ///
    /// # Errors
    /// When the address cannot be one.
    pub fn connect(url: &str) -> Result<Self> {
        let transport = OpenSearchTransport::new(ConnectSettings::new(url))?;
        Ok(Self::over(transport))
    }

    /// Uses a connection of any kind.
    pub fn over(transport: OpenSearchTransport) -> Self {
        Self { transport }
    }

    /// What the product itself connects with.
    pub fn transport(&self) -> &OpenSearchTransport {
        &self.transport
    }

    /// Makes a call and gives status and body; an answer that is no JSON is an error.
    ///
    /// # Errors
    /// When no answer comes, or none that is JSON.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(u16, Value)> {
        let body = body.map(|body| body.to_string().into());
        let answer = self.transport.call(method, path, body).await?;
        let value = serde_json::from_slice(&answer.body)
            .with_context(|| format!("{method:?} {path} answered {}", answer.excerpt()))?;
        Ok((answer.status, value))
    }

    /// Makes a call that must succeed.
    ///
    /// # Errors
    /// When it does not.
    pub async fn must(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        match self.call(method, path, body).await? {
            (200 | 201, value) => Ok(value),
            (status, value) => bail!("{method:?} {path} gave {status}: {value}"),
        }
    }

    /// Creates an index anew.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn create(&self, index: &str, body: Value) -> Result<()> {
        self.delete(index).await?;
        self.must(Method::Put, &format!("/{index}"), Some(body))
            .await?;
        Ok(())
    }

    /// Removes indices by pattern; it is fine if there are none.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn delete(&self, pattern: &str) -> Result<()> {
        match self
            .call(
                Method::Delete,
                &format!("/{pattern}?expand_wildcards=all"),
                None,
            )
            .await?
        {
            (200 | 404, _) => Ok(()),
            (status, value) => bail!("DELETE {pattern} gave {status}: {value}"),
        }
    }

    /// Makes what was written visible to searches.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn refresh(&self) -> Result<()> {
        self.must(Method::Post, "/_refresh", None).await.map(drop)
    }

    /// Searches an index pattern.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn search(&self, pattern: &str, body: Value) -> Result<Value> {
        let path = format!("/{pattern}/_search?ignore_unavailable=true");
        self.must(Method::Post, &path, Some(body)).await
    }

    /// Counts the documents that a query finds.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn count(&self, pattern: &str, query: Value) -> Result<u64> {
        let path = format!("/{pattern}/_count?ignore_unavailable=true");
        let answer = self
            .must(Method::Post, &path, Some(json!({ "query": query })))
            .await?;
        answer
            .pointer("/count")
            .and_then(Value::as_u64)
            .context("a count without a number")
    }

    /// Gives the buckets of a terms aggregation as text.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn terms(&self, pattern: &str, field: &str) -> Result<Vec<String>> {
        let body =
            json!({ "size": 0, "aggs": { "a": { "terms": { "field": field, "size": 100 } } } });
        let answer = self.search(pattern, body).await?;
        let buckets = answer
            .pointer("/aggregations/a/buckets")
            .and_then(Value::as_array);
        let key = |bucket: &Value| {
            bucket
                .get("key")
                .map(|key| key.as_str().map_or_else(|| key.to_string(), Into::into))
        };
        Ok(buckets
            .context("no buckets")?
            .iter()
            .filter_map(key)
            .collect())
    }

    /// Puts the templates of these sources.
    ///
    /// # Errors
    /// When the cluster refuses one.
    pub async fn apply(&self, sources: &[SourceMapping]) -> Result<Vec<Applied>> {
        let templates = templates(&TemplateSettings::default(), sources)?;
        Ok(apply(&self.transport, &templates).await?)
    }

    /// Writes a batch as the product does, with a retry budget that suits tests.
    ///
    /// # Errors
    /// When no verdicts can be had.
    pub async fn write(&self, batch: &BulkBatch) -> Result<Vec<Verdict>> {
        let settings = BulkSettings {
            retry_budget: Duration::from_millis(500),
            ..BulkSettings::default()
        };
        Ok(self.destination(settings).write(batch).await?)
    }

    /// Makes a destination with a fixed clock.
    pub fn destination(&self, settings: BulkSettings) -> BulkDestination<OpenSearchTransport> {
        BulkDestination::new(self.transport.clone(), settings, fixed_clock())
    }
}

/// A clock that stands still.
pub fn fixed_clock() -> Clock {
    let time = chrono::DateTime::UNIX_EPOCH + Duration::from_secs(1_795_392_000);
    Arc::new(move || time)
}

/// Adds one document to a batch; `body` is JSON text whose first member is a non-empty `event` without nested objects.
///
/// # Errors
/// When `body` does not start with such an `event`.
pub fn add(batch: &mut BulkBatch, index: &str, body: &str) -> Result<()> {
    let ingested_at = body
        .starts_with("{\"event\":{")
        .then(|| body.find('}'))
        .flatten()
        .with_context(|| format!("`{body:.60}` does not start with `event`"))?;
    let position = u64::try_from(batch.items.len())?;
    let head = DocumentHead {
        id: ObjectIdentity::new("bucket", index, None).by_position(position, body.as_bytes()),
        index: index.into(),
        ingested_at,
    };
    let start = batch.bytes.len();
    batch.bytes.extend_from_slice(body.as_bytes());
    batch.push(head, start, position, 0, false);
    Ok(())
}
