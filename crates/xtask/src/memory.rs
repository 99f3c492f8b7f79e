//! `cargo xtask memory`: the peak memory of `sekisho load` on objects of 200 MB and 2 GB, and on many small ones.
//!
//! Linux only: the peak is `VmHWM` of `/proc`.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::run::{Workspace, build_release, say};

const MB: u64 = 1_000_000;
/// What a Lambda of the smallest useful size leaves.
const MOST_KIB: u64 = 128 * 1024;
/// 2 GB may take this many hundredths of the highest of [`SMALL_RUNS`] runs on 200 MB.
const MOST_GROWTH_PERCENT: u64 = 110;
/// One run differs from the next by where threads happen to free memory; that is no growth.
const SMALL_RUNS: usize = 3;
/// Slower than the reader, as a cluster is: whatever may wait in memory does.
const TO: &str = "discard:300ms";
/// `VmHWM` only grows, so that a rare look is enough; the last one misses at most this much of the end.
const LOOK: Duration = Duration::from_millis(20);

/// What an object holds: what stands before the first record, each record by its number, between two, and behind the last.
struct Shape {
    name: &'static str,
    key: &'static str,
    before: &'static str,
    record: fn(u64) -> String,
    between: &'static str,
    behind: &'static str,
}

const SHAPES: [Shape; 3] = [
    Shape {
        name: "one line of JSON",
        key: "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/111122223333_CloudTrail_us-east-1_20261123T0000Z_0a1b2c3d4e5f6a7b.json.gz",
        before: r#"{"Records":["#,
        record: cloudtrail,
        between: ",",
        behind: "]}",
    },
    Shape {
        name: "NDJSON",
        key: "AWSLogs/111122223333/WAFLogs/us-east-1/example/2026/11/23/00/00/111122223333_waflogs_us-east-1_example_20261123T0000Z_0a1b2c3d.log.gz",
        before: "",
        record: waf,
        between: "\n",
        behind: "\n",
    },
    Shape {
        name: "lines",
        key: "AWSLogs/111122223333/vpcflowlogs/us-east-1/2026/11/23/111122223333_vpcflowlogs_us-east-1_fl-0123456789abcdef0_20261123T0000Z_0a1b2c3d.log.gz",
        before: "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n",
        record: flow,
        between: "\n",
        behind: "\n",
    },
];

fn cloudtrail(n: u64) -> String {
    let (host, second) = (n % 250, n % 60);
    format!(
        r#"{{"eventVersion":"1.10","userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE{n}:session","arn":"arn:aws:sts::111122223333:assumed-role/example/session{n}","accountId":"111122223333"}},"eventTime":"2026-11-23T00:00:{second:02}Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.{host}","userAgent":"[aws-cli/2.15.0 Python/3.11.6]","requestParameters":{{"bucketName":"example-bucket","key":"reports/{n}.csv","Host":"example-bucket.s3.amazonaws.com"}},"responseElements":null,"additionalEventData":{{"bytesTransferredOut":{n},"x-amz-id-2":"example{n}"}},"requestID":"R{n}","eventID":"00000000-0000-4000-8000-{n:012}","readOnly":true,"eventType":"AwsApiCall","recipientAccountId":"111122223333","eventCategory":"Data"}}"#
    )
}

fn waf(n: u64) -> String {
    let (host, time) = (n % 250, 1_795_392_000_000 + n);
    format!(
        r#"{{"timestamp":{time},"formatVersion":1,"webaclId":"arn:aws:wafv2:us-east-1:111122223333:regional/webacl/example/1","terminatingRuleId":"Default_Action","terminatingRuleType":"REGULAR","action":"ALLOW","httpSourceName":"ALB","httpSourceId":"111122223333-app/example/1","ruleGroupList":[],"httpRequest":{{"clientIp":"198.51.100.{host}","country":"JP","headers":[{{"name":"Host","value":"www.example.com"}},{{"name":"User-Agent","value":"curl/8.5.0"}}],"uri":"/items/{n}","args":"page={n}","httpVersion":"HTTP/2.0","httpMethod":"GET","requestId":"1-{n:08x}"}}}}"#
    )
}

fn flow(n: u64) -> String {
    let (host, port, start) = (n % 250, 1024 + n % 60_000, 1_795_392_000 + n % 600);
    format!(
        "2 111122223333 eni-0123456789abcdef0 192.0.2.{host} 198.51.100.{host} {port} 443 6 {n} {} {start} {} ACCEPT OK",
        n * 60,
        start + 60
    )
}

/// Measures, prints a table and fails above the limits.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    build_release(workspace)?;
    let folder = workspace.target().join("memory");
    say("\nobjects                     MB   seconds  peak MiB");
    let mut faults = Vec::new();
    for shape in &SHAPES {
        let small = measure(workspace, &folder, shape, 200 * MB, SMALL_RUNS)?;
        let large = measure(workspace, &folder, shape, 2_000 * MB, 1)?;
        if large > small * MOST_GROWTH_PERCENT / 100 {
            faults.push(format!("{}: grows with the object", shape.name));
        }
        if large > MOST_KIB {
            faults.push(format!("{}: over 128 MiB", shape.name));
        }
    }
    let many = workspace.target().join("memory/many");
    for n in 0..1_000_u64 {
        let [shape, ..] = &SHAPES;
        let key = shape.key.replace("0a1b2c3d4e5f6a7b", &format!("{n:016x}"));
        write(&many.join(key), shape, 3_000, n * 1_000)?;
    }
    let peak = load(workspace, &many, "1,000 small objects", 3)?;
    if peak > MOST_KIB {
        faults.push("1,000 small objects: over 128 MiB".to_owned());
    }
    fs::remove_dir_all(&folder)?;
    ensure!(faults.is_empty(), "{}", faults.join("; "));
    Ok(())
}

/// Gives the highest peak of some runs on one object.
fn measure(
    workspace: &Workspace,
    folder: &Path,
    shape: &Shape,
    bytes: u64,
    runs: usize,
) -> Result<u64> {
    let place = folder.join("one");
    write(&place.join(shape.key), shape, bytes, 0)?;
    let mut peak = 0;
    for _ in 0..runs {
        peak = peak.max(load(workspace, &place, shape.name, bytes / MB)?);
    }
    fs::remove_dir_all(&place)?;
    Ok(peak)
}

/// Writes an object of about so many bytes, packed by the `gzip` of the machine.
fn write(path: &PathBuf, shape: &Shape, bytes: u64, first: u64) -> Result<()> {
    fs::create_dir_all(path.parent().context("a key has a folder")?)?;
    let mut gzip = Command::new("gzip")
        .args(["-1", "-c"])
        .stdin(Stdio::piped())
        .stdout(File::create(path)?)
        .spawn()
        .context("cannot run `gzip`")?;
    let mut out = BufWriter::with_capacity(1 << 20, gzip.stdin.take().context("no pipe")?);
    out.write_all(shape.before.as_bytes())?;
    let mut written = 0;
    let mut n = first;
    while written < bytes {
        if n > first {
            out.write_all(shape.between.as_bytes())?;
        }
        let record = (shape.record)(n);
        written += record.len() as u64 + 1;
        out.write_all(record.as_bytes())?;
        n += 1;
    }
    out.write_all(shape.behind.as_bytes())?;
    drop(out.into_inner().context("cannot write to `gzip`")?);
    ensure!(gzip.wait()?.success(), "`gzip` failed");
    Ok(())
}

/// Loads a folder and gives the peak in KiB.
fn load(workspace: &Workspace, folder: &Path, name: &str, megabytes: u64) -> Result<u64> {
    let sekisho = workspace.target().join("release/sekisho");
    let start = Instant::now();
    let mut command = workspace.command(sekisho, ["load"]);
    command.arg(folder).args(["--to", TO, "--json"]);
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(high_water(&child).unwrap_or_default());
        if let Some(status) = child.try_wait()? {
            break status;
        }
        sleep(LOOK);
    };
    if !status.success() {
        bail!("`sekisho load` failed on {name} ({status})");
    }
    let seconds = start.elapsed().as_secs_f64();
    let (whole, tenth) = (peak / 1024, peak % 1024 * 10 / 1024);
    say(&format!(
        "{name:<20} {megabytes:>9} {seconds:>9.1} {whole:>7}.{tenth}"
    ));
    Ok(peak)
}

/// Reads the highest resident size of a process so far, in KiB.
fn high_water(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
