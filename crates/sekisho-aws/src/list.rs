//! [`ObjectList`]: the objects under a prefix, page by page.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{EncodingType, Object};
use chrono::{DateTime, Utc};
use sekisho_event::{ObjectRef, S3Location, decode_key};

use crate::error::{Action, AwsError, from_sdk};

/// The objects under a prefix; holds one page (at most 1,000 keys) at a time.
#[derive(Debug)]
pub struct ObjectList {
    client: Client,
    location: S3Location,
    next: Next,
}

#[derive(Debug)]
enum Next {
    First,
    After(String),
    End,
}

impl ObjectList {
    pub(crate) fn new(client: &Client, location: S3Location) -> Self {
        Self {
            client: client.clone(),
            location,
            next: Next::First,
        }
    }

    /// Gives the next page in the order of the keys; `None` at the end. Folders are left out.
    ///
    /// # Errors
    /// When S3 does not list.
    pub async fn next_page(&mut self) -> Result<Option<Vec<ObjectRef>>, AwsError> {
        let after = match &self.next {
            Next::First => None,
            Next::After(token) => Some(token.clone()),
            Next::End => return Ok(None),
        };
        let page = self
            .client
            .list_objects_v2()
            .bucket(&self.location.bucket)
            .prefix(&self.location.prefix)
            .set_continuation_token(after)
            // XML cannot carry every character that a key may hold.
            .encoding_type(EncodingType::Url)
            .send()
            .await
            .map_err(|error| from_sdk(&error, self.location.to_string(), Action::List))?;
        self.next = match page.next_continuation_token() {
            Some(token) if page.is_truncated() == Some(true) => Next::After(token.to_owned()),
            _ => Next::End,
        };
        // Some stand-ins ignore the wish and answer with keys as they are.
        let encoded = page.encoding_type() == Some(&EncodingType::Url);
        let objects = page
            .contents()
            .iter()
            .map(|object| self.object_ref(object, encoded));
        let objects: Vec<ObjectRef> = objects.collect::<Result<_, _>>()?;
        Ok(Some(
            objects
                .into_iter()
                .filter(|object| !object.is_folder())
                .collect(),
        ))
    }

    fn object_ref(&self, object: &Object, encoded: bool) -> Result<ObjectRef, AwsError> {
        let key = object.key().unwrap_or_default();
        let decoded = if encoded {
            decode_key(key).map_err(|_not_utf8| AwsError::Key {
                address: self.location.to_string(),
                key: key.to_owned(),
            })?
        } else {
            key.to_owned()
        };
        Ok(ObjectRef {
            size: object.size().and_then(|size| u64::try_from(size).ok()),
            etag: object.e_tag().map(|etag| etag.trim_matches('"').to_owned()),
            event_time: object.last_modified().and_then(time),
            ..ObjectRef::new(&self.location.bucket, decoded)
        })
    }
}

pub(crate) fn time(time: &aws_sdk_s3::primitives::DateTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(time.secs(), time.subsec_nanos())
}
