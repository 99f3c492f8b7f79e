//! `sekisho parser publish`, `rollback` and `versions` against a store that speaks S3 with conditional writes.
//!
//! This binary runs itself as the command, so that its environment is its own.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use clap::Parser as _;
use libtest_mimic::{Arguments, Trial};
use sekisho_aws::Session;
use sekisho_bundles::{BundleStore, Found, OnlyIf, POINTER_KEY, Put};
use sekisho_cli::Finish;
use sekisho_cli::args::Cli;
use sekisho_config::{BundleSettings, S3Settings};
use sekisho_tests::aws::Aws;
use sekisho_tests::node::setting;
use serde_json::Value;
use tokio::runtime::Runtime;

/// Turns this binary into the command.
const AS_COMMAND: &str = "SEKISHO_TEST_AS_COMMAND";
const DATASET: &str = "acme.door";

/// One case, with a bucket of its own.
type Case = (&'static str, fn(&World, &str) -> Result<()>);

const CASES: &[Case] = &[
    ("writes_and_reads_are_conditional", conditions),
    ("a_parser_is_published_and_taken_back", publish_and_back),
    ("what_is_not_fit_is_not_published", unfit),
    ("a_changed_bundle_is_named_and_holds_its_keys", changed),
];

fn main() -> Result<ExitCode> {
    if setting(AS_COMMAND).is_some() {
        return Ok(match sekisho_cli::run(Cli::parse())? {
            Finish::Clean => ExitCode::SUCCESS,
            Finish::Left => ExitCode::from(1),
        });
    }
    let arguments = Arguments::from_args();
    let world = match arguments.list {
        true => None,
        false => Some(Arc::new(World::start()?)),
    };
    let mut trials = Vec::new();
    for (number, &(name, case)) in CASES.iter().enumerate() {
        let world = world.clone();
        trials.push(Trial::test(name, move || {
            let Some(world) = world else { return Ok(()) };
            let run = || {
                let bucket = format!("config-{number}");
                world.make(&bucket)?;
                case(&world, &bucket)
            };
            run().map_err(|error: anyhow::Error| format!("{error:#}").into())
        }));
    }
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

struct World {
    aws: Aws,
    runtime: Runtime,
}

/// How the command ended.
struct Ran {
    status: i32,
    text: String,
}

impl Ran {
    #[track_caller]
    fn says(&self, status: i32, words: &[&str]) -> Result<()> {
        ensure!(self.status == status, "{}: {}", self.status, self.text);
        for word in words {
            ensure!(self.text.contains(word), "no `{word}` in: {}", self.text);
        }
        Ok(())
    }
}

impl World {
    fn start() -> Result<Self> {
        Ok(Self {
            aws: Aws::start()?,
            runtime: Runtime::new()?,
        })
    }

    fn make(&self, bucket: &str) -> Result<()> {
        let make = self.aws.s3().create_bucket().bucket(bucket);
        self.runtime.block_on(make.send())?;
        Ok(())
    }

    fn run(&self, bucket: &str, arguments: &[&str]) -> Result<Ran> {
        let output = Command::new(std::env::current_exe()?)
            .env(AS_COMMAND, "1")
            .envs(self.aws.environment())
            .env("SEKISHO_BUNDLES_BUCKET", bucket)
            .args(arguments)
            .output()?;
        let both = [output.stdout, output.stderr].concat();
        Ok(Ran {
            status: output.status.code().context("it was killed")?,
            text: String::from_utf8_lossy(&both).into_owned(),
        })
    }

    fn store(&self, bucket: &str) -> Result<Arc<dyn BundleStore>> {
        let credentials = Credentials::new("test", "test", None, None, "stand-in");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let s3 = S3Settings {
            endpoint_url: self.aws.url().to_owned(),
            force_path_style: true,
            ..S3Settings::default()
        };
        let bundles = BundleSettings {
            bucket: bucket.to_owned(),
            ..BundleSettings::default()
        };
        let store = Session::new(&config, &s3).bundles(&bundles);
        store.context("no config bucket")
    }

    fn read(&self, bucket: &str, key: &str) -> Result<Vec<u8>> {
        let get = self.aws.s3().get_object().bucket(bucket).key(key);
        let bytes = self.runtime.block_on(async {
            let body = get.send().await?.body;
            anyhow::Ok(body.collect().await?.into_bytes())
        })?;
        Ok(bytes.to_vec())
    }
}

/// A folder of parsers with one parser and its case.
fn parsers(world: &World, bucket: &str, key: &str) -> Result<tempfile::TempDir> {
    let root = tempfile::tempdir()?;
    write(root.path(), key, "")?;
    let made = world.run(
        bucket,
        &[
            "--parsers",
            text(root.path())?,
            "parser",
            "test",
            "--update",
        ],
    )?;
    made.says(0, &["1 cases"])?;
    Ok(root)
}

fn write(root: &Path, key: &str, more: &str) -> Result<()> {
    let folder = root.join("acme/door");
    let case = folder.join("tests/opened");
    fs::create_dir_all(&case)?;
    let spec = format!(
        "[source]\ndataset = \"{DATASET}\"\ntitle = \"Doors\"\nreference = \"https://example.com\"\nindex = \"log-acme-door\"\n[match]\nkeys = [\"{key}\"]\n[record]\nformat = \"ndjson\"\n{more}[timestamp]\nfrom = \"time\"\n[fields]\n\"event.action\" = \"what\"\n"
    );
    fs::write(folder.join("parser.toml"), spec)?;
    fs::write(case.join("case.toml"), "key = \"doors/2026/11/23/a.log\"\n")?;
    let sample = "{\"time\":\"2026-11-23T01:02:03Z\",\"what\":\"opened\"}\n";
    fs::write(case.join("sample.log"), sample)?;
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

fn publish<'a>(root: &'a Path, more: &[&'a str]) -> Result<Vec<&'a str>> {
    let arguments = ["--parsers", text(root)?, "parser", "publish", DATASET];
    Ok([&arguments[..], more].concat())
}

fn conditions(world: &World, bucket: &str) -> Result<()> {
    let store = world.store(bucket)?;
    world.runtime.block_on(async {
        let get = async |unless: Option<&str>| match store.get(POINTER_KEY, unless).await {
            Ok(found) => Ok(found),
            Err(error) => Err(anyhow::anyhow!("{error}")),
        };
        let put = async |text: &'static str, only_if| {
            let put = store.put(POINTER_KEY, text.into(), only_if).await;
            put.map_err(|error| anyhow::anyhow!("{error}"))
        };
        ensure!(get(None).await? == Found::Nothing);
        let stale = OnlyIf::Etag("\"0\"".to_owned());
        ensure!(
            put("0", stale.clone()).await? == Put::Refused,
            "nothing is there"
        );
        ensure!(put("1", OnlyIf::Absent).await? == Put::Done);
        ensure!(
            put("2", OnlyIf::Absent).await? == Put::Refused,
            "it is there"
        );
        ensure!(put("3", stale).await? == Put::Refused, "it is another");
        let Found::Object { bytes, etag } = get(None).await? else {
            anyhow::bail!("it was written");
        };
        ensure!(bytes == "1");
        ensure!(get(Some(&etag)).await? == Found::Unchanged);
        ensure!(put("4", OnlyIf::Etag(etag.clone())).await? == Put::Done);
        ensure!(matches!(get(Some(&etag)).await?, Found::Object { .. }));
        Ok(())
    })
}

fn publish_and_back(world: &World, bucket: &str) -> Result<()> {
    let root = parsers(world, bucket, "doors/**")?;
    let key = "doors/2026/11/23/a.log";
    let dry = world.run(bucket, &publish(root.path(), &["--dry-run"])?)?;
    dry.says(
        0,
        &[
            "new       acme.door",
            "+ key   doors/**",
            "would be version 1",
        ],
    )?;
    world
        .run(bucket, &["route", key])?
        .says(1, &["unclaimed"])?;

    let first = world.run(bucket, &publish(root.path(), &[])?)?;
    first.says(0, &["unclaimed → acme.door", "version 1 is in work"])?;
    world
        .run(bucket, &["route", key])?
        .says(0, &["acme.door", "log-acme-door-2026.11.23"])?;
    let again = world.run(bucket, &publish(root.path(), &[])?)?;
    again.says(0, &["version 1 is in work already"])?;

    write(root.path(), "doors/**/*.log", "unique_by = [\"time\"]\n")?;
    let test = [
        "--parsers",
        text(root.path())?,
        "parser",
        "test",
        "--update",
    ];
    world.run(bucket, &test)?.says(0, &["1 cases"])?;
    let second = world.run(bucket, &publish(root.path(), &[])?)?;
    let changes = [
        "- key   doors/**",
        "+ key   doors/**/*.log",
        "identity changes with unique_by",
    ];
    second.says(0, &changes)?;

    let pointer: Value = serde_json::from_slice(&world.read(bucket, POINTER_KEY)?)?;
    ensure!(
        pointer["current"] == 2 && pointer["versions"][1]["replaces"] == 1,
        "{pointer}"
    );
    world
        .run(bucket, &["parser", "versions"])?
        .says(0, &["* 2", "  1", "doors/**/*.log"])?;
    world
        .run(bucket, &["parser", "rollback"])?
        .says(0, &["version 1 is in work"])?;
    world
        .run(bucket, &["parser", "rollback"])?
        .says(0, &["gone      acme.door", "version 0"])?;
    world
        .run(bucket, &["parser", "rollback"])?
        .says(1, &["nothing is published"])?;
    world
        .run(bucket, &["parser", "rollback", "--to", "2"])?
        .says(0, &["version 2"])?;
    world
        .run(bucket, &["parser", "withdraw", DATASET])?
        .says(0, &["gone      acme.door", "version 3 is in work"])?;
    world
        .run(bucket, &["parser", "withdraw", DATASET])?
        .says(1, &["no parser of `acme.door` is published"])?;
    Ok(())
}

fn unfit(world: &World, bucket: &str) -> Result<()> {
    let root = parsers(world, bucket, "doors/**")?;
    let sample = root.path().join("acme/door/tests/opened/sample.log");
    let fine = fs::read(&sample)?;
    fs::write(
        &sample,
        "{\"time\":\"2026-11-23T01:02:03Z\",\"what\":\"closed\"}\n",
    )?;
    let arguments = publish(root.path(), &[])?;
    world
        .run(bucket, &arguments)?
        .says(1, &["FAILED", "1 of 1 cases failed"])?;
    fs::write(&sample, fine)?;
    // As specific as a built-in one.
    write(root.path(), "**/AWSLogs/*/CloudTrail/**", "")?;
    let case = root.path().join("acme/door/tests/opened/case.toml");
    fs::write(
        case,
        "key = \"AWSLogs/111122223333/CloudTrail/2026/11/23/a.log\"\n",
    )?;
    let test = [
        "--parsers",
        text(root.path())?,
        "parser",
        "test",
        "--update",
    ];
    world.run(bucket, &test)?.says(0, &["1 cases"])?;
    world
        .run(bucket, &arguments)?
        .says(1, &["equally specific", "aws.cloudtrail"])?;
    write(root.path(), "doors/**", "")?;
    fs::remove_dir_all(root.path().join("acme/door/tests"))?;
    world
        .run(bucket, &arguments)?
        .says(1, &["it has no case"])?;
    ensure!(
        world.read(bucket, POINTER_KEY).is_err(),
        "something was published"
    );
    Ok(())
}

fn changed(world: &World, bucket: &str) -> Result<()> {
    let root = parsers(world, bucket, "doors/**")?;
    let arguments = publish(root.path(), &[])?;
    world.run(bucket, &arguments)?.says(0, &["version 1"])?;
    let pointer: Value = serde_json::from_slice(&world.read(bucket, POINTER_KEY)?)?;
    let digest = pointer["versions"][0]["parsers"][0]["digest"].as_str();
    let key = format!("parsers/bundles/{}.json", digest.context("no digest")?);
    let mut bytes = world.read(bucket, &key)?;
    bytes.push(b' ');
    let put = world.aws.s3().put_object().bucket(bucket).key(&key);
    world.runtime.block_on(put.body(bytes.into()).send())?;
    let held = world.run(bucket, &["route", "doors/2026/11/23/a.log"])?;
    held.says(1, &["held", "somebody changed them", &key])?;
    let other = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/x.json.gz";
    world
        .run(bucket, &["route", other])?
        .says(0, &["aws.cloudtrail"])?;
    world
        .run(bucket, &arguments)?
        .says(1, &["somebody changed them"])?;
    world
        .run(bucket, &["parser", "rollback"])?
        .says(0, &["version 0"])?;
    Ok(())
}
