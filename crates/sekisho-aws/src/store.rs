//! [`S3Store`]: opens objects in S3, pinned to the bytes that were named.

use std::io;

use async_trait::async_trait;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use chrono::{DateTime, Utc};
use sekisho_event::ObjectRef;
use sekisho_object::{Body, BodySender, ObjectError, ObjectMeta, ObjectStore, OpenObject};

use crate::buckets::Buckets;
use crate::error::{Action, AwsError, from_sdk};
use crate::list;

/// How many chunks of a download wait for their reader; a chunk is what one read of the connection gave, some 16 KiB.
const CHUNKS_WAITING: usize = 16;

/// Gives the objects of S3.
#[derive(Debug, Clone)]
pub struct S3Store {
    buckets: Buckets,
}

impl S3Store {
    pub(crate) fn new(buckets: Buckets) -> Self {
        Self { buckets }
    }

    async fn get(&self, object: &ObjectRef, from: u64) -> Result<OpenObject, AwsError> {
        let range = (from > 0).then(|| format!("bytes={from}-"));
        let request = self
            .buckets
            .of(&object.bucket)
            .get_object()
            .bucket(&object.bucket)
            .key(&object.key)
            .set_range(range);
        let (request, action) = match (&object.version_id, &object.etag) {
            (Some(version), _) => (request.version_id(version), Action::GetVersion),
            (None, Some(etag)) => (request.if_match(format!("\"{etag}\"")), Action::Get),
            (None, None) => (request, Action::Get),
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if from > 0 && is_behind_the_end(&error) => {
                let meta = self.ask(object).await?;
                let body = Body::from_bytes("");
                return Ok(OpenObject { meta, body });
            }
            Err(error) => return Err(from_sdk(&error, object.to_string(), action)),
        };
        let length = size(answer.content_length());
        let meta = ObjectMeta {
            etag: plain(answer.e_tag()),
            version_id: version(answer.version_id()),
            last_modified: modified(object, answer.last_modified())?,
            size: length.map(|length| length + from),
        };
        complete(object, meta.size)?;
        let (sender, body) = Body::channel(CHUNKS_WAITING);
        let download = Download {
            address: object.to_string(),
            size: length,
        };
        tokio::spawn(download.pump(answer.body, sender));
        Ok(OpenObject { meta, body })
    }

    async fn ask(&self, object: &ObjectRef) -> Result<ObjectMeta, AwsError> {
        let request = self
            .buckets
            .of(&object.bucket)
            .head_object()
            .bucket(&object.bucket)
            .key(&object.key);
        let (request, action) = match (&object.version_id, &object.etag) {
            (Some(version), _) => (request.version_id(version), Action::GetVersion),
            (None, Some(etag)) => (request.if_match(format!("\"{etag}\"")), Action::Get),
            (None, None) => (request, Action::Get),
        };
        let answer = request
            .send()
            .await
            .map_err(|error| from_sdk(&error, object.to_string(), action))?;
        Ok(ObjectMeta {
            etag: plain(answer.e_tag()),
            version_id: version(answer.version_id()),
            last_modified: modified(object, answer.last_modified())?,
            size: size(answer.content_length()),
        })
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn open(&self, object: &ObjectRef) -> Result<OpenObject, ObjectError> {
        let opened = self.get(object, 0).await;
        opened.map_err(|error| not_opened(object, error))
    }

    async fn open_from(&self, object: &ObjectRef, from: u64) -> Result<OpenObject, ObjectError> {
        let opened = self.get(object, from).await;
        opened.map_err(|error| not_opened(object, error))
    }

    async fn head(&self, object: &ObjectRef) -> Result<ObjectMeta, ObjectError> {
        let meta = self.ask(object).await;
        meta.map_err(|error| not_opened(object, error))
    }
}

fn not_opened(object: &ObjectRef, error: AwsError) -> ObjectError {
    ObjectError::Open {
        object: Box::new(object.clone()),
        class: error.class(),
        source: Box::new(error),
    }
}

/// Refuses an answer that is shorter or longer than the very bytes that were named: it would pass for the whole object.
fn complete(object: &ObjectRef, size: Option<u64>) -> Result<(), AwsError> {
    let is_pinned = object.version_id.is_some() || object.etag.is_some();
    match (object.size, size) {
        (Some(named), Some(size)) if is_pinned && named != size => Err(AwsError::Unavailable {
            address: object.to_string(),
            message: format!("the answer has {size} bytes, the object {named}"),
        }),
        _ => Ok(()),
    }
}

/// Tells the answer to a range that begins behind the object's last byte.
fn is_behind_the_end<E>(error: &SdkError<E, HttpResponse>) -> bool {
    const RANGE_NOT_SATISFIABLE: u16 = 416;
    error
        .raw_response()
        .is_some_and(|answer| answer.status().as_u16() == RANGE_NOT_SATISFIABLE)
}

/// Reads when an object was put: days and identities depend on it, so it is not made up.
fn modified(
    object: &ObjectRef,
    time: Option<&aws_sdk_s3::primitives::DateTime>,
) -> Result<DateTime<Utc>, AwsError> {
    time.and_then(list::time).ok_or_else(|| AwsError::Refused {
        address: object.to_string(),
        code: "no Last-Modified".to_owned(),
        message: "the answer says no time; this store is no S3".to_owned(),
    })
}

fn plain(etag: Option<&str>) -> Option<String> {
    etag.map(|etag| etag.trim_matches('"').to_owned())
}

fn version(id: Option<&str>) -> Option<String> {
    id.filter(|id| *id != "null").map(str::to_owned)
}

fn size(length: Option<i64>) -> Option<u64> {
    length.and_then(|length| u64::try_from(length).ok())
}

/// One download under way.
struct Download {
    address: String,
    size: Option<u64>,
}

impl Download {
    /// Moves the bytes to the reader, at the reader's pace.
    ///
    /// A download that ends early is an error of the connection: only a whole object can be a truncated one.
    async fn pump(self, mut bytes: ByteStream, sender: BodySender) {
        let mut received = 0_u64;
        while let Some(chunk) = bytes.next().await {
            match chunk {
                Ok(chunk) => {
                    received += chunk.len() as u64;
                    if !sender.send(chunk).await {
                        return;
                    }
                }
                Err(error) => {
                    let cause = DisplayErrorContext(&error).to_string();
                    return sender.fail(self.broken(received, &cause)).await;
                }
            }
        }
        match self.size {
            Some(size) if size != received => {
                sender.fail(self.broken(received, "the answer ended")).await
            }
            _ => sender.finish().await,
        }
    }

    fn broken(&self, received: u64, cause: &str) -> io::Error {
        let size = self
            .size
            .map_or_else(|| "unknown".to_owned(), |size| size.to_string());
        let message = format!(
            "the download of `{}` broke off after {received} of {size} bytes: {cause}",
            self.address
        );
        io::Error::new(io::ErrorKind::UnexpectedEof, message)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn download(size: Option<u64>) -> io::Result<String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let (sender, body) = Body::channel(1);
        let reader = std::thread::spawn(|| {
            let mut text = String::new();
            body.into_read().read_to_string(&mut text).map(|_| text)
        });
        let download = Download {
            address: "s3://b/k".to_owned(),
            size,
        };
        runtime.block_on(download.pump(ByteStream::from_static(b"abc"), sender));
        reader.join().unwrap()
    }

    #[test]
    fn an_answer_of_another_length_is_not_the_object() {
        let named = |etag: Option<&str>, size| ObjectRef {
            etag: etag.map(str::to_owned),
            size,
            ..ObjectRef::new("b", "k")
        };
        let ends = |etag, named_size, size| complete(&named(etag, named_size), size).is_ok();
        assert!(ends(Some("e"), Some(4), Some(4)));
        assert!(!ends(Some("e"), Some(4), Some(2)));
        assert!(ends(Some("e"), None, Some(2)));
        assert!(ends(Some("e"), Some(4), None));
        // It may have been overwritten since.
        assert!(ends(None, Some(4), Some(2)));
    }

    #[test]
    fn a_whole_download_ends() {
        assert_eq!(download(Some(3)).unwrap(), "abc");
        assert_eq!(download(None).unwrap(), "abc");
    }

    #[test]
    fn a_short_download_is_an_error_not_a_short_object() {
        let error = download(Some(4)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the download of `s3://b/k` broke off after 3 of 4 bytes: the answer ended"
        );
    }
}
