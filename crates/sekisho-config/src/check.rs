//! What settings must satisfy together, or beyond their type.

use crate::error::ConfigError;
use crate::settings::Settings;
use crate::value::Auth;

impl Settings {
    /// Checks what a single value's type cannot say.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.check_prefix()?;
        self.check_opensearch()?;
        self.check_quarantine()?;
        self.check_limits()
    }

    /// OpenSearch takes lower-case index names that do not start with `-`, `_` or `+`.
    fn check_prefix(&self) -> Result<(), ConfigError> {
        let prefix = &self.index.prefix;
        let usable = prefix
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b));
        if usable && !prefix.starts_with(['-', '_', '.']) {
            return Ok(());
        }
        Err(conflict(
            "index.prefix",
            format!(
                "`{prefix}` cannot start an index name; use a-z, 0-9, `-`, `_` and `.`, a letter or digit first"
            ),
        ))
    }

    fn check_opensearch(&self) -> Result<(), ConfigError> {
        let opensearch = &self.opensearch;
        let url = &opensearch.url;
        if !(url.is_empty() || url.starts_with("http://") || url.starts_with("https://")) {
            return Err(conflict(
                "opensearch.url",
                format!("`{url}` is no address; write it like `https://search.example.com`"),
            ));
        }
        if url.contains(".aoss.amazonaws.com") {
            return Err(conflict(
                "opensearch.url",
                "OpenSearch Serverless takes no document ids, so a delivery could double; use an OpenSearch domain of 2.19 or newer".to_owned(),
            ));
        }
        if opensearch.auth == Auth::Basic && opensearch.username.is_empty() {
            return Err(conflict(
                "opensearch.username",
                "`auth = \"basic\"` needs a username and a password".to_owned(),
            ));
        }
        Ok(())
    }

    /// What is quarantined must not come back as input.
    fn check_quarantine(&self) -> Result<(), ConfigError> {
        let bucket = &self.quarantine.bucket;
        if bucket.is_empty() || !self.s3.input_buckets.contains(bucket) {
            return Ok(());
        }
        Err(conflict(
            "quarantine.bucket",
            format!(
                "`{bucket}` is one of `s3.input_buckets`, so what is quarantined would be read again; give the quarantine a bucket of its own"
            ),
        ))
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        let limits = &self.limits;
        let positive = [
            ("bulk.max_bulk_bytes", self.bulk.max_bulk_bytes > 0),
            ("bulk.in_flight", self.bulk.in_flight > 0),
            ("opensearch.timeout_ms", self.opensearch.timeout_ms > 0),
            ("limits.max_record_bytes", limits.max_record_bytes > 0),
            ("limits.max_depth", limits.max_depth > 0),
            (
                "limits.max_compressed_bytes",
                limits.max_compressed_bytes > 0,
            ),
            (
                "limits.max_decompressed_bytes",
                limits.max_decompressed_bytes > 0,
            ),
            ("limits.max_ratio", limits.max_ratio > 0),
            ("limits.buffered_bytes", limits.buffered_bytes > 0),
            ("limits.objects_in_flight", limits.objects_in_flight > 0),
        ];
        match positive.into_iter().find(|(_, fits)| !fits) {
            Some((name, _)) => Err(conflict(name, "must be more than 0".to_owned())),
            None => Ok(()),
        }
    }
}

fn conflict(name: &'static str, reason: String) -> ConfigError {
    ConfigError::Conflict { name, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_name(change: impl FnOnce(&mut Settings), expected: &str) {
        let mut settings = Settings::default();
        change(&mut settings);
        let message = settings.check().unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("setting `{expected}`: ")),
            "{message}"
        );
    }

    #[test]
    fn the_defaults_are_fit() {
        Settings::default().check().unwrap();
    }

    #[test]
    fn unfit_settings_are_named() {
        check_name(|s| s.index.prefix = "Prod-".to_owned(), "index.prefix");
        check_name(|s| s.index.prefix = "-a".to_owned(), "index.prefix");
        check_name(
            |s| {
                s.quarantine.bucket = "logs".to_owned();
                s.s3.input_buckets = vec!["logs".to_owned()];
            },
            "quarantine.bucket",
        );
        check_name(
            |s| s.opensearch.url = "search.example.com".to_owned(),
            "opensearch.url",
        );
        check_name(
            |s| s.opensearch.url = "https://x.eu-west-1.aoss.amazonaws.com".to_owned(),
            "opensearch.url",
        );
        check_name(|s| s.opensearch.auth = Auth::Basic, "opensearch.username");
        check_name(|s| s.bulk.in_flight = 0, "bulk.in_flight");
        check_name(|s| s.limits.max_ratio = 0, "limits.max_ratio");
    }
}
