//! [`Continuations`]: where the rest of an object goes when the time is up.

use std::error::Error;

use async_trait::async_trait;
use sekisho_event::ObjectSlice;

/// Sends slices to whoever reads them.
#[async_trait]
pub trait Continuations: Send + Sync {
    /// Sends one message for each slice; when it answers, they are durable.
    ///
    /// # Errors
    /// When one of them may not have been sent: then all are sent again later.
    async fn send(&self, slices: &[ObjectSlice]) -> Result<(), Box<dyn Error + Send + Sync>>;
}
