//! A message that can never succeed: dead-lettered, found by the replay function, parked with its cause.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::account::{ACCOUNT, Account, REGION};
use super::deploy::Site;
use super::http::encode;
use crate::run::say;

/// How long the message may take to be tried often enough.
const LIMIT: Duration = Duration::from_secs(120);
/// Of an object that nobody ever put.
const KEY: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/gone.json.gz";

/// Sends it and follows it to its end.
pub(super) fn check(account: &Account, site: &Site) -> Result<()> {
    // As deployed a message is received ten times, with minutes between two; nothing else of the stack is changed.
    let name = account.dead_letters(&site.queue)?;
    let policy = format!(
        r#"{{"deadLetterTargetArn":"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}","maxReceiveCount":"1"}}"#
    );
    let attributes = format!(
        "&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=1&Attribute.2.Name=RedrivePolicy&Attribute.2.Value={}",
        encode(&policy)
    );
    account.sqs(&site.queue, "SetQueueAttributes", &attributes)?;
    let before = account.waiting(&site.dead_letters)?;
    let body = format!(
        r#"{{"Records":[{{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{{"bucket":{{"name":"{}"}},"object":{{"key":"{KEY}"}}}}}}]}}"#,
        site.bucket
    );
    let body = format!("&MessageBody={}", encode(&body));
    account.sqs(&site.queue, "SendMessage", &body)?;
    say("\na message names an object that does not exist; it is tried until it is dead-lettered");
    let started = Instant::now();
    while account.waiting(&site.dead_letters)? <= before {
        if started.elapsed() > LIMIT {
            bail!("nothing was dead-lettered within {} s", LIMIT.as_secs());
        }
        sleep(Duration::from_millis(500));
    }
    let seconds = started.elapsed().as_secs();
    say(&format!("dead-lettered after {seconds} s; replay runs"));
    let report = account.invoke(&site.replay)?;
    say(&format!("replay: {report}"));
    for key in account.keys(&site.quarantine, "parked/")? {
        let parked = account.get(&site.quarantine, &key)?;
        if parked.contains(KEY) {
            say(&format!("parked as {key}:\n{parked}"));
            return Ok(());
        }
    }
    bail!("the replay parked nothing: {report}")
}
