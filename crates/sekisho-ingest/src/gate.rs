//! [`Gate`]: no document is written before the cluster is known to be ready for it.

use std::sync::Arc;

use anyhow::Result;
use sekisho_bulk::{ClusterApi, check_version};
use sekisho_cluster::require_templates;
use tokio::sync::OnceCell;

/// Asks the cluster for its version and its templates, until it has once answered well.
pub struct Gate {
    /// `None` where the installation says not to ask.
    cluster: Option<(Arc<dyn ClusterApi>, String)>,
    passed: OnceCell<()>,
}

impl Gate {
    /// Asks the cluster for the templates of indices with this prefix.
    pub fn checked(cluster: Arc<dyn ClusterApi>, prefix: String) -> Self {
        Self {
            cluster: Some((cluster, prefix)),
            passed: OnceCell::new(),
        }
    }

    /// Asks nothing.
    pub fn open() -> Self {
        Self {
            cluster: None,
            passed: OnceCell::new(),
        }
    }

    /// Passes, or says what is to be done; asks again the next time, so that `sekisho apply` needs no new deployment.
    pub(crate) async fn pass(&self) -> Result<()> {
        let Some((cluster, prefix)) = &self.cluster else {
            return Ok(());
        };
        let ask = || async {
            check_version(cluster.as_ref()).await?;
            require_templates(cluster.as_ref(), prefix).await?;
            Ok(())
        };
        self.passed.get_or_try_init(ask).await.copied()
    }
}
