//! How bytes reach a cluster: [`Transport`] for `_bulk`, [`ClusterApi`] for everything else.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::BulkError;

/// What a cluster said to one `_bulk` request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
    /// How long the cluster asks to be left alone.
    pub retry_after: Option<Duration>,
}

/// Sends `_bulk` requests.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one body and gives the answer, whatever its status.
    ///
    /// # Errors
    /// When no whole answer came: the items may or may not have been written.
    async fn bulk(&self, body: Bytes) -> Result<BulkAnswer, BulkError>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn bulk(&self, body: Bytes) -> Result<BulkAnswer, BulkError> {
        (**self).bulk(body).await
    }
}

/// The method of an API call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

/// What a cluster said to an API call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

impl ApiAnswer {
    /// Gives the body as text, cut to what a message can carry.
    pub fn excerpt(&self) -> String {
        const LONGEST: usize = 500;
        let text = String::from_utf8_lossy(&self.body);
        text.chars().take(LONGEST).collect()
    }
}

/// Calls the other APIs of a cluster.
#[async_trait]
pub trait ClusterApi: Send + Sync {
    /// Makes one call and gives the answer, whatever its status; the path starts with a slash.
    ///
    /// # Errors
    /// When no whole answer came.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<ApiAnswer, BulkError>;
}

#[async_trait]
impl<T: ClusterApi + ?Sized> ClusterApi for Arc<T> {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<ApiAnswer, BulkError> {
        (**self).call(method, path, body).await
    }
}
