//! [`S3Files`]: notes, parked messages and quarantine entries, as objects of the quarantine bucket.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use bytes::Bytes;
use sekisho_delivery::{DeliveryError, Files, Page};

use crate::error::{Action, AwsError, from_sdk};

/// The quarantine bucket as a place for small files.
#[derive(Debug, Clone)]
pub struct S3Files {
    client: Client,
    bucket: String,
}

impl S3Files {
    pub(crate) fn new(client: Client, bucket: &str) -> Self {
        Self {
            client,
            bucket: bucket.to_owned(),
        }
    }

    fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    async fn read(&self, key: &str) -> Result<Bytes, AwsError> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = get
            .send()
            .await
            .map_err(|error| from_sdk(&error, self.address(key), Action::Get))?;
        let body = answer.body.collect().await;
        body.map(|bytes| bytes.into_bytes())
            .map_err(|error| AwsError::Unavailable {
                address: self.address(key),
                message: error.to_string(),
            })
    }
}

#[async_trait]
impl Files for S3Files {
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), DeliveryError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        put.content_type("application/json")
            .body(bytes.into())
            .send()
            .await
            .map_err(|error| failed(from_sdk(&error, self.address(key), Action::Put)))?;
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, DeliveryError> {
        match self.read(key).await {
            Ok(bytes) => Ok(Some(bytes)),
            // A bucket that is not there is a wrong setting, and no file that is not there.
            Err(AwsError::NotFound { code, .. }) if code != "NoSuchBucket" => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), DeliveryError> {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        delete
            .send()
            .await
            .map_err(|error| failed(from_sdk(&error, self.address(key), Action::Delete)))?;
        Ok(())
    }

    async fn list(&self, prefix: &str, next: Option<&str>) -> Result<Page, DeliveryError> {
        let list = self.client.list_objects_v2().bucket(&self.bucket);
        let answer = list
            .prefix(prefix)
            .set_continuation_token(next.map(str::to_owned))
            .send()
            .await
            .map_err(|error| failed(from_sdk(&error, self.address(prefix), Action::List)))?;
        let keys = answer.contents().iter();
        Ok(Page {
            keys: keys
                .filter_map(|object| object.key().map(str::to_owned))
                .collect(),
            next: answer.next_continuation_token().map(str::to_owned),
        })
    }
}

fn failed(error: AwsError) -> DeliveryError {
    match error {
        AwsError::Unavailable { address, message } => DeliveryError::Unavailable {
            place: address,
            source: message.into(),
        },
        AwsError::Denied {
            address,
            permission,
            message,
        } => DeliveryError::Denied {
            place: address,
            permission,
            source: message.into(),
        },
        AwsError::NotFound { address, code }
        | AwsError::Refused {
            address,
            code,
            message: _,
        } => DeliveryError::Refused {
            place: address,
            source: code.into(),
        },
        AwsError::Superseded { ref address }
        | AwsError::Archived { ref address }
        | AwsError::Key { ref address, .. } => DeliveryError::Refused {
            place: address.clone(),
            source: Box::new(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_file_and_what_to_grant() {
        let denied = failed(AwsError::Denied {
            address: "s3://q/failures/a.json".to_owned(),
            permission: "`s3:GetObject` on it to this role".to_owned(),
            message: "Access Denied".to_owned(),
        });
        assert_eq!(
            denied.to_string(),
            "no permission for `s3://q/failures/a.json`; grant `s3:GetObject` on it to this role"
        );
        let gone = failed(AwsError::NotFound {
            address: "s3://q/".to_owned(),
            code: "NoSuchBucket".to_owned(),
        });
        assert!(matches!(gone, DeliveryError::Refused { .. }), "{gone}");
    }
}
