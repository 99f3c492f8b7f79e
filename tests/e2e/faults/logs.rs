//! Objects whose records and their offsets are known.

use std::io::Write as _;

use anyhow::Result;

/// An object to put, and where in it the records start.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) key: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) offsets: Vec<u64>,
}

/// The 1st of November 2026.
const MONTH: u64 = 1_793_491_200;
const DAY: u64 = 86_400;

/// A flow log of one day, under a header and packed as AWS packs it: reached only by reading from its start.
pub(crate) fn flows(day: u64, number: u64, flows: u64) -> Result<Log> {
    flows_of_days(day, 1, number, flows)
}

/// A flow log whose records lie in several days, so that one bulk request goes to as many indices.
pub(crate) fn flows_of_days(first: u64, days: u64, number: u64, flows: u64) -> Result<Log> {
    let mut text = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n".to_owned();
    let mut offsets = Vec::new();
    for flow in 0..flows {
        let day = first + flow % days;
        let start = MONTH + (day - 1) * DAY;
        let port = 1024 + flow;
        offsets.push(text.len() as u64);
        text.push_str(&format!(
            "2 111122223333 eni-0a1b2c3d 192.0.2.10 198.51.100.7 {port} 443 6 10 840 {start} {} ACCEPT OK\n",
            start + 60
        ));
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes())?;
    Ok(Log {
        key: format!(
            "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/11/{first:02}/111122223333_vpcflowlogs_us-east-1_fl-{number:08x}_202611{first:02}T0000Z_{number:08x}.log.gz"
        ),
        bytes: packed.finish()?,
        offsets,
    })
}

/// A web ACL log that is not packed.
pub(crate) fn requests(day: u64, number: u64, requests: u64) -> Log {
    let mut text = String::new();
    let mut offsets = Vec::new();
    let time = (MONTH + (day - 1) * DAY) * 1000;
    for request in 0..requests {
        offsets.push(text.len() as u64);
        text.push_str(&format!(
            r#"{{"timestamp":{},"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-1:111122223333:regional/webacl/shop/0f1e2d3c","terminatingRuleId":"Default_Action","terminatingRuleType":"REGULAR","action":"ALLOW","httpSourceName":"ALB","httpSourceId":"shop","httpRequest":{{"clientIp":"192.0.2.10","country":"JP","uri":"/items","args":"page={request}","httpVersion":"HTTP/1.1","httpMethod":"GET","requestId":"{number}-{request}"}}}}"#,
            time + request
        ));
        text.push('\n');
    }
    Log {
        key: format!(
            "AWSLogs/111122223333/WAFLogs/us-east-1/shop/2026/11/{day:02}/00/05/111122223333_waflogs_us-east-1_shop_202611{day:02}T0005Z_{number:08x}.log"
        ),
        bytes: text.into_bytes(),
        offsets,
    }
}
