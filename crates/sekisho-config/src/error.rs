//! What can be wrong with the settings.

use std::path::PathBuf;

/// A setting that cannot be used; the process must not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The settings file cannot be read.
    #[error("cannot read settings file `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The settings file is not TOML.
    #[error("{place} is no valid TOML: {message}")]
    Toml {
        /// File and line.
        place: String,
        /// What the TOML parser says.
        message: String,
    },
    /// A name that is no setting.
    #[error("unknown setting `{name}` in {place}{}", suggest(nearest.as_deref()))]
    Unknown {
        /// The name as written.
        name: String,
        /// File and line, or `the environment`.
        place: String,
        /// The valid name that looks most like it.
        nearest: Option<String>,
    },
    /// A value that the setting does not take.
    #[error("setting `{name}` in {place}: {reason}")]
    Invalid {
        /// The setting's path, like `index.timezone`.
        name: String,
        /// File and line, or the environment variable.
        place: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Settings that do not go together.
    #[error("setting `{name}`: {reason}")]
    Conflict {
        /// The setting to change.
        name: &'static str,
        /// What is wrong and what would be right.
        reason: String,
    },
}

fn suggest(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}
