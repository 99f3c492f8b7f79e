//! [`S3Bundles`]: published parsers, as objects of the config bucket.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::SdkError;
use bytes::Bytes;
use sekisho_bundles::{BundleStore, Found, OnlyIf, Put, StoreError};

use crate::error::{Action, AwsError, from_sdk};

const NOT_MODIFIED: u16 = 304;

/// The config bucket as a place for published parsers.
#[derive(Debug, Clone)]
pub struct S3Bundles {
    client: Client,
    bucket: String,
}

impl S3Bundles {
    pub(crate) fn new(client: Client, bucket: &str) -> Self {
        Self {
            client,
            bucket: bucket.to_owned(),
        }
    }

    fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }
}

#[async_trait]
impl BundleStore for S3Bundles {
    async fn get(&self, key: &str, unless: Option<&str>) -> Result<Found, StoreError> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = match get
            .set_if_none_match(unless.map(str::to_owned))
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) if status(&error) == Some(NOT_MODIFIED) => return Ok(Found::Unchanged),
            Err(error) => {
                return match from_sdk(&error, self.address(key), Action::Get) {
                    // A bucket that is not there is a wrong setting, and no object that is not there.
                    AwsError::NotFound { code, .. } if code != "NoSuchBucket" => Ok(Found::Nothing),
                    error => Err(error.into()),
                };
            }
        };
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        let body = answer.body.collect().await;
        let bytes = body.map_err(|error| AwsError::Unavailable {
            address: self.address(key),
            message: error.to_string(),
        })?;
        Ok(Found::Object {
            bytes: bytes.into_bytes(),
            etag,
        })
    }

    async fn put(&self, key: &str, bytes: Bytes, only_if: OnlyIf) -> Result<Put, StoreError> {
        let put = self.client.put_object().bucket(&self.bucket).key(key);
        let put = match &only_if {
            OnlyIf::Absent => put.if_none_match("*"),
            OnlyIf::Etag(etag) => put.if_match(etag),
        };
        let put = put.content_type("application/json").body(bytes.into());
        let Err(error) = put.send().await else {
            return Ok(Put::Done);
        };
        match (from_sdk(&error, self.address(key), Action::Put), &only_if) {
            (AwsError::Superseded { .. }, _) => Ok(Put::Refused),
            // Two wrote at once, and S3 took the other: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
            (AwsError::Refused { code, .. }, _) if code == "ConditionalRequestConflict" => {
                Ok(Put::Refused)
            }
            // What was there is gone.
            (AwsError::NotFound { code, .. }, OnlyIf::Etag(_)) if code != "NoSuchBucket" => {
                Ok(Put::Refused)
            }
            (error, _) => Err(error.into()),
        }
    }
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    let answer = error.raw_response()?;
    Some(answer.status().as_u16())
}
