//! What S3 answers when it does not answer with bytes, and what to do about it.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use sekisho_object::ErrorClass;

/// Why S3 did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// There is no such object, version or bucket.
    #[error("`{address}` does not exist ({code}); it was deleted or expired before it was read")]
    NotFound {
        /// The object or bucket.
        address: String,
        /// What S3 calls it.
        code: String,
    },
    /// The object was overwritten since it was named.
    #[error(
        "`{address}` was overwritten since its notification; the newer object's own notification brings its bytes"
    )]
    Superseded {
        /// The object.
        address: String,
    },
    /// The role may not do it.
    #[error("no permission for `{address}`: {message}; grant {permission}")]
    Denied {
        /// The object or bucket.
        address: String,
        /// The actions that the role needs.
        permission: String,
        /// What S3 says.
        message: String,
    },
    /// The object lies in an archive class.
    #[error("`{address}` is archived and cannot be read; restore it, then load it again")]
    Archived {
        /// The object.
        address: String,
    },
    /// S3 is busy, or was not reached, after every retry.
    #[error("`{address}` could not be reached: {message}; it is tried again")]
    Unavailable {
        /// The object or bucket.
        address: String,
        /// What S3 or the connection says.
        message: String,
    },
    /// S3 says no for another reason.
    #[error("`{address}` was refused ({code}): {message}")]
    Refused {
        /// The object or bucket.
        address: String,
        /// What S3 calls it.
        code: String,
        /// What S3 says.
        message: String,
    },
    /// A listing names a key that cannot be decoded.
    #[error("the listing of `{address}` holds key `{key}`, which is not UTF-8")]
    Key {
        /// The bucket and prefix.
        address: String,
        /// The key as listed.
        key: String,
    },
}

impl AwsError {
    /// What the error asks for.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Unavailable { .. } => ErrorClass::Retry,
            Self::NotFound { .. } => ErrorClass::Missing,
            Self::Superseded { .. } => ErrorClass::Superseded,
            Self::Denied { .. } | Self::Archived { .. } | Self::Refused { .. } => {
                ErrorClass::Permission
            }
            Self::Key { .. } => ErrorClass::Corrupt,
        }
    }
}

/// What was asked of S3, for the permission that it needs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    Get,
    GetVersion,
    List,
    Put,
    Delete,
}

impl Action {
    fn permission(self) -> &'static str {
        match self {
            // Without ListBucket a missing key is answered like a forbidden one.
            Self::Get => {
                "`s3:GetObject` (and `s3:ListBucket`, without which a missing object looks forbidden)"
            }
            Self::GetVersion => "`s3:GetObjectVersion`",
            Self::List => "`s3:ListBucket`",
            Self::Put => "`s3:PutObject`",
            Self::Delete => "`s3:DeleteObject`",
        }
    }
}

/// Names what an SDK call failed for.
pub(crate) fn from_sdk<E>(
    error: &SdkError<E, HttpResponse>,
    address: String,
    action: Action,
) -> AwsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if let SdkError::ServiceError(answer) = error {
        let status = answer.raw().status().as_u16();
        let meta = answer.err().meta();
        return from_answer(status, meta.code(), meta.message(), address, action);
    }
    AwsError::Unavailable {
        address,
        message: DisplayErrorContext(error).to_string(),
    }
}

/// Decides by S3's code, then by the status: a HEAD-like answer has no body and so no code.
fn from_answer(
    status: u16,
    code: Option<&str>,
    message: Option<&str>,
    address: String,
    action: Action,
) -> AwsError {
    let message = message.unwrap_or("no message").to_owned();
    let code = code.map_or_else(|| format!("HTTP {status}"), str::to_owned);
    match (code.as_str(), status) {
        ("PreconditionFailed", _) | (_, 412) => AwsError::Superseded { address },
        ("InvalidObjectState", _) => AwsError::Archived { address },
        (
            "SlowDown" | "RequestTimeout" | "Throttling" | "RequestTimeTooSkewed" | "ExpiredToken",
            _,
        )
        | (_, 408 | 429 | 500..=599) => AwsError::Unavailable {
            address,
            message: format!("{code}: {message}"),
        },
        (_, 403) => {
            let permission = if message.contains("kms:") {
                "`kms:Decrypt` (for writing `kms:GenerateDataKey`) on the bucket's key".to_owned()
            } else {
                format!("{} on it to this role", action.permission())
            };
            AwsError::Denied {
                address,
                permission,
                message,
            }
        }
        // A delete marker named by its version answers 405.
        ("NoSuchKey" | "NoSuchVersion" | "NoSuchBucket", _) | (_, 404 | 405) => {
            AwsError::NotFound { address, code }
        }
        _ => AwsError::Refused {
            address,
            code,
            message,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, code: Option<&str>, message: &str, expected: &str, class: ErrorClass) {
        let error = from_answer(
            status,
            code,
            Some(message),
            "s3://b/k".to_owned(),
            Action::Get,
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.class(), class);
    }

    #[test]
    fn what_is_gone() {
        let gone = |code: &str| {
            format!(
                "`s3://b/k` does not exist ({code}); it was deleted or expired before it was read"
            )
        };
        check(
            404,
            Some("NoSuchKey"),
            "x",
            &gone("NoSuchKey"),
            ErrorClass::Missing,
        );
        check(
            404,
            Some("NoSuchVersion"),
            "x",
            &gone("NoSuchVersion"),
            ErrorClass::Missing,
        );
        check(
            405,
            Some("MethodNotAllowed"),
            "x",
            &gone("MethodNotAllowed"),
            ErrorClass::Missing,
        );
        check(404, None, "x", &gone("HTTP 404"), ErrorClass::Missing);
        let newer = "`s3://b/k` was overwritten since its notification; the newer object's own notification brings its bytes";
        check(
            412,
            Some("PreconditionFailed"),
            "x",
            newer,
            ErrorClass::Superseded,
        );
        check(412, None, "x", newer, ErrorClass::Superseded);
    }

    #[test]
    fn what_someone_has_to_change() {
        check(
            403,
            Some("AccessDenied"),
            "Access Denied",
            "no permission for `s3://b/k`: Access Denied; grant `s3:GetObject` (and `s3:ListBucket`, without which a missing object looks forbidden) on it to this role",
            ErrorClass::Permission,
        );
        check(
            403,
            Some("AccessDenied"),
            "User: x is not authorized to perform: kms:Decrypt",
            "no permission for `s3://b/k`: User: x is not authorized to perform: kms:Decrypt; grant `kms:Decrypt` (for writing `kms:GenerateDataKey`) on the bucket's key",
            ErrorClass::Permission,
        );
        check(
            403,
            Some("InvalidObjectState"),
            "x",
            "`s3://b/k` is archived and cannot be read; restore it, then load it again",
            ErrorClass::Permission,
        );
        check(
            400,
            Some("InvalidArgument"),
            "bad",
            "`s3://b/k` was refused (InvalidArgument): bad",
            ErrorClass::Permission,
        );
    }

    #[test]
    fn what_passes_by_itself() {
        for (status, code) in [
            (503, "SlowDown"),
            (500, "InternalError"),
            (429, "TooMany"),
            (400, "RequestTimeout"),
            (400, "ExpiredToken"),
        ] {
            let expected =
                format!("`s3://b/k` could not be reached: {code}: later; it is tried again");
            check(status, Some(code), "later", &expected, ErrorClass::Retry);
        }
    }
}
