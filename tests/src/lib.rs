//! What the integration tests share: nodes and stand-ins that they start themselves.

pub mod aws;
pub mod fake;
pub mod node;
pub mod opensearch;
pub mod proxy;
mod run_folder;
pub mod trials;
