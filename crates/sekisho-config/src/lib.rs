//! Takes `sekisho.toml` and the environment and gives checked [`Settings`], read once at the start.
//!
//! Every setting, its default and its description are declared once, in [`settings`](Settings); `config/sekisho.toml` is written from there.
//!
//! **Invariant:** this is the only crate that reads the environment, and only in [`Settings::read`].

#[macro_use]
mod declare;
mod bucket_role;
mod check;
mod error;
mod lifecycle;
mod read;
mod render;
mod settings;
mod value;

pub use bucket_role::BucketRole;
pub use error::ConfigError;
pub use lifecycle::Ages;
pub use settings::{
    AccessSettings, BulkSettings, BundleSettings, DeliverySettings, DocumentSettings,
    IgnoreSettings, IndexSettings, LedgerSettings, LifecycleSettings, LimitSettings,
    OpenSearchSettings, QuarantineSettings, QueueSettings, ReplaySettings, S3Settings, Settings,
    TemplateSettings,
};
pub use value::{Auth, Cidr, EventOriginal, Rotation, Secret};
