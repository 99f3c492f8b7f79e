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
        self.check_bundles()?;
        self.check_templates()?;
        self.lifecycle.check()?;
        self.check_access()?;
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

    /// What operators publish is no log, and nothing that Sekisho writes may replace it.
    fn check_bundles(&self) -> Result<(), ConfigError> {
        let bucket = &self.bundles.bucket;
        if bucket.is_empty() {
            return Ok(());
        }
        let other = match bucket {
            _ if self.s3.input_buckets.contains(bucket) => "one of `s3.input_buckets`",
            _ if *bucket == self.quarantine.bucket => "`quarantine.bucket`",
            _ => return Ok(()),
        };
        Err(conflict(
            "bundles.bucket",
            format!("`{bucket}` is {other} too; give what is published a bucket of its own"),
        ))
    }

    fn check_templates(&self) -> Result<(), ConfigError> {
        let template = &self.template;
        let counts = std::iter::once(&template.shards).chain(template.shards_of.values());
        if counts.into_iter().any(|shards| *shards == 0) {
            return Err(conflict(
                "template.shards",
                "must be more than 0".to_owned(),
            ));
        }
        let all = std::iter::once(&template.replicas).chain(template.replicas_of.values());
        for replicas in all {
            let is_number = |text: &str| text.parse::<u8>().is_ok();
            let fits = match replicas.split_once('-') {
                Some((least, most)) => is_number(least) && (is_number(most) || most == "all"),
                None => is_number(replicas),
            };
            if !fits {
                return Err(conflict(
                    "template.replicas",
                    format!(
                        "`{replicas}` is neither a number nor a range; write it like `1` or `0-1`"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// An entry with a blank would match nobody, and nobody would see why.
    fn check_access(&self) -> Result<(), ConfigError> {
        let access = &self.access;
        let lists = [
            ("access.ingest_roles", &access.ingest_roles),
            ("access.replay_roles", &access.replay_roles),
            ("access.reload_roles", &access.reload_roles),
            ("access.apply_roles", &access.apply_roles),
            ("access.reader_roles", &access.reader_roles),
        ];
        for (name, entries) in lists {
            for entry in entries {
                let named = entry.strip_prefix("user:").unwrap_or(entry);
                if named.is_empty() || named.trim() != named || named.contains('*') {
                    return Err(conflict(
                        name,
                        format!(
                            "`{entry}` names nobody; write it like `arn:aws:iam::111122223333:role/ingest` or `user:NAME`"
                        ),
                    ));
                }
            }
        }
        Ok(())
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
            ("limits.archive_entries", limits.archive_entries > 0),
            ("limits.buffered_bytes", limits.buffered_bytes > 0),
            ("limits.objects_in_flight", limits.objects_in_flight > 0),
        ];
        match positive.into_iter().find(|(_, fits)| !fits) {
            Some((name, _)) => Err(conflict(name, "must be more than 0".to_owned())),
            None => Ok(()),
        }
    }
}

pub(crate) fn conflict(name: &'static str, reason: String) -> ConfigError {
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
            |s| {
                s.bundles.bucket = "logs".to_owned();
                s.s3.input_buckets = vec!["logs".to_owned()];
            },
            "bundles.bucket",
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
        check_name(
            |s| s.template.shards_of = [("aws.waf".to_owned(), 0)].into(),
            "template.shards",
        );
        for replicas in ["", "one", "1-", "0-some", "-1"] {
            check_name(
                |s| s.template.replicas = replicas.to_owned(),
                "template.replicas",
            );
        }
        check_name(
            |s| s.lifecycle.read_only_days = 7,
            "lifecycle.read_only_days",
        );
        for entry in ["", "user:", "*", " a"] {
            check_name(
                |s| s.access.reader_roles = vec![entry.to_owned()],
                "access.reader_roles",
            );
        }
    }
}
