//! Documents by a query, page by page.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{accepted, unreadable};
use crate::{ApiAnswer, BulkError, ClusterApi, Method};

/// One page of a search; indices that are not there, or closed, are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Search<'a> {
    /// Which indices, with wildcards, separated by commas.
    pub pattern: &'a str,
    /// The query, such as `{"term": {…}}`.
    pub query: Value,
    /// Which fields of the source are wanted; none for ids alone.
    pub source: &'a [&'a str],
    /// The order; it must not tie, or documents between two pages are lost: end it with `_id` or another unique field.
    pub sort: Value,
    /// How many hits a page has at most; OpenSearch takes up to 10,000.
    pub size: usize,
    /// The [`Hit::sort`] of the last hit of the page before.
    pub search_after: Option<Value>,
}

/// One document that a search found.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Hit {
    /// The `_index`.
    #[serde(rename = "_index")]
    pub index: String,
    /// The `_id`.
    #[serde(rename = "_id")]
    pub id: String,
    /// The wanted fields of the source; `null` where none is.
    #[serde(rename = "_source", default)]
    pub source: Value,
    /// With the primary term, names this state of the document for [`WriteOp::DeleteIf`](super::WriteOp::DeleteIf).
    #[serde(rename = "_seq_no", default)]
    pub seq_no: u64,
    /// See `seq_no`.
    #[serde(rename = "_primary_term", default)]
    pub primary_term: u64,
    /// What it was sorted by.
    #[serde(default)]
    pub sort: Value,
}

#[derive(Deserialize)]
struct Answer {
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
}

/// Gives one page; an empty one is the end.
///
/// # Errors
/// When no answer came, or a shard could not be asked: a part is never given for the whole.
pub async fn search_page(api: &dyn ClusterApi, search: &Search<'_>) -> Result<Vec<Hit>, BulkError> {
    let call = format!("POST /{}/_search", search.pattern);
    let path = format!(
        "/{}/_search?ignore_unavailable=true&allow_no_indices=true&allow_partial_search_results=false",
        search.pattern
    );
    let source = match search.source {
        [] => json!(false),
        fields => json!(fields),
    };
    let mut body = json!({
        "query": search.query,
        "_source": source,
        "sort": search.sort,
        "size": search.size,
        "track_total_hits": false,
        "seq_no_primary_term": true,
    });
    if let (Some(after), Some(body)) = (&search.search_after, body.as_object_mut()) {
        body.insert("search_after".to_owned(), after.clone());
    }
    let body = body.to_string().into();
    let answer: ApiAnswer = api.call(Method::Post, &path, Some(body)).await?;
    let answer = accepted(&call, answer)?;
    let answer: Answer =
        serde_json::from_slice(&answer.body).map_err(|error| unreadable(&call, error))?;
    Ok(answer.hits.hits)
}

/// Makes what was written to these indices visible to searches.
///
/// # Errors
/// When no answer came, or the cluster refuses.
pub async fn refresh(api: &dyn ClusterApi, pattern: &str) -> Result<(), BulkError> {
    let path = format!("/{pattern}/_refresh?ignore_unavailable=true&allow_no_indices=true");
    let answer = api.call(Method::Post, &path, None).await?;
    accepted(&format!("POST /{pattern}/_refresh"), answer).map(drop)
}
