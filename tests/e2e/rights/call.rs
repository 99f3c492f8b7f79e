//! [`Call`]: one request of a function, as far as a policy can tell it from others.

use anyhow::{Context, Result, bail};
use sekisho_tests::proxy::Request;
use serde_json::{Value, json};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Call {
    service: &'static str,
    /// As the SDK names it; of the cluster, the method.
    operation: String,
    /// The bucket and the first folder of the key, the queue, the role, or the path without names.
    resource: String,
    /// Where the answer was that there is no such thing: without a right to list, S3 would answer that it is forbidden.
    missing: bool,
}

const NOT_FOUND: u16 = 404;

impl Call {
    /// Reads what was asked of AWS.
    pub(crate) fn of_aws((request, status): &(Request, u16)) -> Result<Self> {
        if let Some(operation) = request.target.strip_prefix("AmazonSQS.") {
            return Self::of_sqs(operation, &request.call);
        }
        if !request.call.is_empty() {
            return Self::of_sts(&request.call);
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let path = path.trim_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let has = |name: &str| {
            query
                .split('&')
                .any(|part| part.split('=').next() == Some(name))
        };
        let operation = match (request.method.as_str(), key) {
            ("GET", "") if query.contains("list-type=2") => "ListObjectsV2",
            (_, "") => bail!("no call of S3 that is known: {request:?}"),
            ("GET", _) => "GetObject",
            ("HEAD", _) => "HeadObject",
            ("PUT", _) => "PutObject",
            ("DELETE", _) => "DeleteObject",
            _ => bail!("no call of S3 that is known: {request:?}"),
        };
        let version = if has("versionId") { " versionId" } else { "" };
        let resource = match key.split_once('/') {
            Some((folder, _)) => format!("{bucket}/{folder}/*"),
            None if key.is_empty() => bucket.to_owned(),
            None => format!("{bucket}/*"),
        };
        Ok(Self {
            service: "s3",
            operation: format!("{operation}{version}"),
            resource,
            missing: *status == NOT_FOUND,
        })
    }

    fn of_sqs(operation: &str, body: &str) -> Result<Self> {
        let body: Value = serde_json::from_str(body)?;
        let url = body.get("QueueUrl").and_then(Value::as_str);
        let queue = url.and_then(|url| url.rsplit('/').next());
        Ok(Self {
            service: "sqs",
            operation: operation.to_owned(),
            resource: queue.context("a call of SQS without a queue")?.to_owned(),
            missing: false,
        })
    }

    fn of_sts(form: &str) -> Result<Self> {
        Ok(Self {
            service: "sts",
            operation: field(form, "Action").context("a call without an action")?,
            resource: field(form, "RoleArn").context("a call without a role")?,
            missing: false,
        })
    }

    /// Writes it for the proof.
    pub(crate) fn to_json(&self) -> Value {
        let mut value = json!({ "service": self.service, "operation": self.operation, "resource": self.resource });
        if self.missing {
            value["missing"] = json!(true);
        }
        value
    }

    /// Reads what was asked of the cluster.
    pub(crate) fn of_cluster((request, _status): &(Request, u16)) -> Self {
        let path = request.path.split('?').next().unwrap_or_default();
        let name = |part: &str| {
            let is_api = part.is_empty() || part.starts_with('_');
            if is_api {
                part.to_owned()
            } else {
                "*".to_owned()
            }
        };
        let parts: Vec<String> = path.split('/').map(name).collect();
        Self {
            service: "es",
            operation: request.method.clone(),
            resource: parts.join("/"),
            missing: false,
        }
    }
}

/// Gives a field of a form.
pub(crate) fn field(form: &str, name: &str) -> Option<String> {
    let fields = form.split('&').filter_map(|field| field.split_once('='));
    let (_, value) = fields.into_iter().find(|(field, _)| *field == name)?;
    let value = percent_encoding::percent_decode_str(value).decode_utf8();
    value.ok().map(Into::into)
}
