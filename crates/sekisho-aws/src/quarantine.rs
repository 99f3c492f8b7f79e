//! [`S3Quarantine`]: keeps what cannot be indexed, one object in a bucket of its own for each entry.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use sekisho_config::QuarantineSettings;
use sekisho_pipeline::{Quarantine, QuarantineEntry, QuarantineError};

use crate::error::{Action, from_sdk};

/// The quarantine bucket.
#[derive(Debug, Clone)]
pub struct S3Quarantine {
    client: Client,
    bucket: String,
    prefix: String,
}

impl S3Quarantine {
    pub(crate) fn new(client: Client, settings: &QuarantineSettings) -> Self {
        Self {
            client,
            bucket: settings.bucket.clone(),
            prefix: settings.prefix.clone(),
        }
    }
}

#[async_trait]
impl Quarantine for S3Quarantine {
    async fn put(&self, entry: QuarantineEntry) -> Result<(), QuarantineError> {
        let key = format!("{}{}", self.prefix, entry.name());
        let address = format!("s3://{}/{key}", self.bucket);
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        put.content_type("application/json")
            .body(entry.to_json().into_bytes().into())
            .send()
            .await
            .map_err(|error| {
                QuarantineError::Store(Box::new(from_sdk(&error, address, Action::Put)))
            })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sekisho_event::ObjectRef;
    use sekisho_pipeline::Digest;

    use super::*;

    fn entry(bytes: &[u8]) -> QuarantineEntry {
        QuarantineEntry {
            object: ObjectRef {
                etag: Some("e".to_owned()),
                ..ObjectRef::new("b", "a/日本.gz")
            },
            offset: 7,
            length: bytes.len() as u64,
            reason: "too long".to_owned(),
            parser: "aws.waf".to_owned(),
            bytes: bytes.to_vec(),
            digest: Digest::of(bytes),
        }
    }

    #[test]
    fn bytes_are_text_where_they_can_be() {
        let text: serde_json::Value =
            serde_json::from_str(&entry("日本".as_bytes()).to_json()).unwrap();
        assert_eq!(text["text"], "日本");
        assert!(text["base64"].is_null());
        let binary: serde_json::Value =
            serde_json::from_str(&entry(b"\xff\x00").to_json()).unwrap();
        assert_eq!(binary["base64"], "/wA=");
        assert_eq!(binary["address"], "s3://b/a/日本.gz");
    }
}
