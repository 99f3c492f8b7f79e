//! [`S3Location`]: `s3://bucket/prefix`, as a user writes it.

use std::fmt;
use std::str::FromStr;

/// A bucket and the beginning of the keys in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Location {
    /// The bucket's name.
    pub bucket: String,
    /// What the keys start with; empty for the whole bucket.
    pub prefix: String,
}

/// A text that is no [`S3Location`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no S3 location; write it like `s3://bucket/prefix`")]
pub struct LocationError(String);

impl FromStr for S3Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let wrong = || LocationError(text.to_owned());
        let rest = text.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Display for S3Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, bucket: &str, prefix: &str) {
        let location: S3Location = text.parse().unwrap();
        assert_eq!(
            (location.bucket.as_str(), location.prefix.as_str()),
            (bucket, prefix)
        );
    }

    #[test]
    fn bucket_and_prefix() {
        check("s3://b", "b", "");
        check("s3://b/", "b", "");
        check("s3://b/AWSLogs/日本 +/", "b", "AWSLogs/日本 +/");
        check("s3://b//x", "b", "/x");
    }

    #[test]
    fn other_texts_are_errors() {
        for text in ["", "b/x", "s3://", "s3:///x", "https://b/x"] {
            assert!(text.parse::<S3Location>().is_err(), "{text}");
        }
    }
}
