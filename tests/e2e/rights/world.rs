//! What the cases share: the stand-ins, a node, and a bucket of another account.

use anyhow::Result;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use sekisho_tests::aws::Aws;
use sekisho_tests::node::{Node, Version};

/// The other account.
pub(crate) const OTHER_ACCOUNT: &str = "444455556666";
/// Its bucket.
pub(crate) const FOREIGN: &str = "foreign";
/// Its role that reads the bucket, and the word that it wants to hear.
pub(crate) const ROLE: &str = "arn:aws:iam::444455556666:role/reads-logs";
pub(crate) const EXTERNAL_ID: &str = "sekisho-example";

/// Everything that runs.
pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) node: Node,
}

impl World {
    /// Starts all parts and makes the foreign bucket with one object.
    pub(crate) async fn start() -> Result<Self> {
        let aws = Aws::start()?;
        let owner = owner(&aws);
        owner.create_bucket().bucket(FOREIGN).send().await?;
        let put = owner.put_object().bucket(FOREIGN).key(key(0));
        put.body(requests(2).into_bytes().into()).send().await?;
        Ok(Self {
            aws,
            node: Node::start(Version::Newest)?,
        })
    }
}

/// The stand-ins take an access key id of twelve digits for an account.
fn owner(aws: &Aws) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(
            OTHER_ACCOUNT,
            "test",
            None,
            None,
            "stand-in",
        ))
        .endpoint_url(aws.url())
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// The key of a web ACL log.
pub(crate) fn key(number: u32) -> String {
    format!(
        "AWSLogs/111122223333/WAFLogs/us-east-1/shop/2026/11/23/00/05/111122223333_waflogs_us-east-1_shop_20261123T0005Z_{number:08x}.log"
    )
}

/// A web ACL log of so many requests, some 400 bytes each.
pub(crate) fn requests(requests: u64) -> String {
    let request = |number: u64| {
        let time = 1_795_392_000_000 + number;
        format!(
            r#"{{"timestamp":{time},"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-1:111122223333:regional/webacl/shop/0f1e2d3c","terminatingRuleId":"Default_Action","terminatingRuleType":"REGULAR","action":"ALLOW","httpSourceName":"ALB","httpSourceId":"shop","httpRequest":{{"clientIp":"192.0.2.10","country":"JP","uri":"/items","args":"page={number}","httpVersion":"HTTP/1.1","httpMethod":"GET","requestId":"{number}"}}}}"#
        )
    };
    (0..requests).map(|number| request(number) + "\n").collect()
}
