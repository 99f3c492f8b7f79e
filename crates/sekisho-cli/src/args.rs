//! What can be typed after `sekisho`.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};
use sekisho_event::S3Location;

use crate::load::Rate;
pub use crate::reload::{Outcome, ReloadArgs};
pub use crate::replay::ReplayArgs;
use crate::select::Moment;

/// Takes logs as S3 holds them, normalizes them to the Elastic Common Schema and writes daily OpenSearch indices.
#[derive(Debug, Parser)]
#[command(
    name = "sekisho",
    version,
    max_term_width = 100,
    after_help = "\
Examples:
  sekisho load logs/ --to out/                                  one NDJSON file per daily index, no server needed
  sekisho load s3://my-logs/AWSLogs/ --to https://search:9200   the same into OpenSearch
  sekisho parse --key AWSLogs/…/CloudTrail/…/x.json.gz x.json.gz | jq .event

Exit codes: 0 = all accounted for and indexed, 1 = some records raw, quarantined or failed, 2 = usage or setup error."
)]
pub struct Cli {
    /// What all commands share.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What all commands share.
#[derive(Debug, Args)]
pub struct Global {
    /// The settings file; without it `SEKISHO_CONFIG` names it, and environment variables win over it.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A folder of parsers instead of those that the binary was built with.
    #[arg(long, global = true, value_name = "DIR")]
    pub parsers: Option<PathBuf>,
    /// Reports as JSON on stdout.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prints the ECS documents of files, one line per record, in input order.
    Parse(ParseArgs),
    /// Loads a file, a folder or an S3 prefix into OpenSearch or into a folder.
    Load(LoadArgs),
    /// Says which parser a key selects, why, and which index it writes.
    Route(RouteArgs),
    /// Applies index templates, roles and lifecycle policies, or shows what would change.
    Apply(ApplyArgs),
    /// Compares the objects of a bucket with the ledger.
    Audit(AuditArgs),
    /// Replaces the documents of objects after a parser fix: the one way that does.
    Reload(ReloadArgs),
    /// Sends dead-lettered or parked messages back to the queue.
    Replay(ReplayArgs),
    /// Works with parsers.
    #[command(subcommand)]
    Parser(ParserCommand),
}

/// `sekisho parse`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sekisho parse --key AWSLogs/111122223333/vpcflowlogs/…/flow.log.gz flow.log.gz
  zcat flow.log.gz | sekisho parse --key AWSLogs/111122223333/vpcflowlogs/…/flow.log.gz --meta -
  sekisho parse --key … --explain sample.log >/dev/null

Documents go to stdout, also raw ones; what was excluded or quarantined is told on stderr.")]
pub struct ParseArgs {
    /// The decoded key that the files stand for: it selects the parser.
    #[arg(long)]
    pub key: String,
    /// The files, `-` for stdin.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Wraps each document as `{"_index","_id","outcome","_source"}`.
    #[arg(long)]
    pub meta: bool,
    /// Tells on stderr which pattern, parser, rule and line decided.
    #[arg(long)]
    pub explain: bool,
    /// The bucket that the files stand for; part of a document's id.
    #[arg(long, default_value = "local")]
    pub bucket: String,
    /// When S3 stored the object, for keys without a date; the file's own time without it.
    #[arg(long, value_name = "RFC3339")]
    pub last_modified: Option<DateTime<Utc>>,
}

/// `sekisho load`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sekisho load logs/ --to out/                                 one NDJSON file per daily index
  sekisho load logs/ --as s3://my-logs --to http://localhost:9200
  sekisho load s3://my-logs/AWSLogs/111122223333/ --to https://user:password@search.example.com
  sekisho load logs/ --to discard: --json                      only counts
  sekisho load s3://my-logs/AWSLogs/ --since 90d --until 2026-11-01T00:00:00Z --rate 20 --resume --to https://search.example.com

Below a folder each file's path is its key. With `--as` the files stand for the objects of that place: the same ids, so nothing doubles when the bucket delivers them too.
A load into a cluster writes the ledger, and ends with the reason when the cluster or the ledger takes nothing: `--resume` goes on from there. A bucket is read page by page, one page at a time.
`discard:300ms` counts too, and each bulk request takes so long, as with a cluster.
A folder as destination holds the documents without `event.ingested`; it keeps 16 bytes per document in memory to tell duplicates.")]
pub struct LoadArgs {
    /// A file, a folder or `s3://bucket/prefix`.
    #[arg(value_name = "PATH|s3://…")]
    pub from: String,
    /// A folder, `http(s)://…` or `discard:`.
    #[arg(long, value_name = "DEST")]
    pub to: String,
    /// The place in S3 that the files stand for.
    #[arg(long = "as", value_name = "s3://bucket/prefix")]
    pub stands_for: Option<S3Location>,
    /// Where records go that cannot be indexed even raw; without it `quarantine.ndjson` in a folder, or `quarantine.bucket` of the settings.
    #[arg(long, value_name = "FILE")]
    pub quarantine: Option<PathBuf>,
    /// Replaces the NDJSON files of a folder that is not empty.
    #[arg(long)]
    pub replace: bool,
    /// Only objects put since then, by LastModified.
    #[arg(long, value_name = "RFC3339|DAYSd")]
    pub since: Option<Moment>,
    /// Only objects put before then.
    #[arg(long, value_name = "RFC3339|DAYSd")]
    pub until: Option<Moment>,
    /// At most so many megabytes (10⁶ bytes, as stored) a second, over all objects: what live traffic leaves free.
    #[arg(long, value_name = "MB")]
    pub rate: Option<Rate>,
    /// Leaves out the objects that the ledger says are done.
    #[arg(long)]
    pub resume: bool,
}

/// `sekisho route`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  sekisho route AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/23/x.json.gz")]
pub struct RouteArgs {
    /// Decoded keys.
    #[arg(required = true, value_name = "KEY")]
    pub keys: Vec<String>,
}

/// `sekisho apply`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sekisho apply --to https://search.example.com --dry-run
  sekisho apply --to http://localhost:9200
  sekisho apply --dry-run --json | jq '.findings'

Templates, roles (`[access]`) and lifecycle policies (`[lifecycle]`), in this order; a part whose plugin the cluster lacks is left out and named. Applying again changes nothing.
Also named: foreign templates and policies that match the same indices, who wins, and fields that existing indices type otherwise.
Address and login come from `[opensearch]` of the settings where `--to` leaves them out. Exit code 1: the cluster refused a part.")]
pub struct ApplyArgs {
    /// The cluster; without it `opensearch.url` of the settings.
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Shows what would change, value by value, and changes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `sekisho audit`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sekisho audit s3://my-logs/AWSLogs/ --since 7d
  sekisho audit s3://my-logs --to https://search.example.com --json | jq -r 'select(.kind == \"missing\").object'

Names objects that are missing in the ledger, unbalanced (a part that never finished), gapped (nothing follows a part), or hold raw or quarantined records, each with what helps. With `--json` one line for each finding and one with the sums.
Address and login come from `[opensearch]` of the settings where `--to` leaves them out.")]
pub struct AuditArgs {
    /// The place in S3.
    #[arg(value_name = "s3://bucket/prefix")]
    pub from: S3Location,
    /// The cluster that holds the ledger; without it `opensearch.url` of the settings.
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Only objects put since then, by LastModified.
    #[arg(long, value_name = "RFC3339|DAYSd")]
    pub since: Option<Moment>,
}

/// `sekisho parser`
#[derive(Debug, Subcommand)]
pub enum ParserCommand {
    /// Lists the parsers: dataset, title, index, keys.
    List,
    /// Compiles every parser and checks patterns, names and types.
    Check,
    /// Runs the cases of parsers, offline.
    #[command(after_help = "\
Examples:
  sekisho parser test                     every case below ./parsers
  sekisho parser test aws.vpcflow         the cases of one parser
  UPDATE_EXPECT=1 sekisho parser test aws.vpcflow/crlf

A case is a folder `<module>/<dataset>/tests/<case>/` with `case.toml`, `sample.log` (or `sample.log.gz`), `expected.ndjson` and, where records cannot be indexed, `quarantine.ndjson`.")]
    Test(TestArgs),
    /// Makes a parser folder from a sample of a log: format, time, types and ECS fields are guessed, and its test passes.
    #[command(after_help = "\
Examples:
  sekisho parser new --from door.log.gz --dataset acme.door --key doors/2026/11/23/door.log.gz
  sekisho parser new --from app.json --to my-parsers

Writes `<module>/<dataset>/` with `parser.toml`, `README.md` and one case, and says what it is not sure of, with the alternatives. A folder that is there is never overwritten.
Exit code 1: records of the sample are raw, or the test fails.")]
    New(NewArgs),
    /// Checks a parser, runs its cases and puts it into work in the Lambdas, with no rebuild.
    #[command(after_help = "\
Examples:
  sekisho parser publish acme.door --dry-run                        what would change
  sekisho --parsers my-parsers parser publish acme.door
  SEKISHO_BUNDLES_BUCKET=my-config sekisho parser publish aws.waf   in the place of the built-in one

The folder becomes an immutable bundle in the config bucket (`bundles.bucket`), then the pointer `parsers/current.json` moves; functions look at it at most once a minute (`bundles.refresh_ms`). Nothing is published that fails a check or a case, has no case, or claims the same keys as another parser.
New fields have their types in new indices after `sekisho apply`; where identity changes, `sekisho reload` replaces what is indexed.
Exit code 1: the parser is not fit.")]
    Publish(PublishArgs),
    /// Puts the published parsers back to the version before, or to another one.
    #[command(after_help = "\
Examples:
  sekisho parser rollback            to the version that the current one came from
  sekisho parser rollback --to 3
  sekisho parser rollback --to 0     the built-in parsers alone")]
    Rollback(RollbackArgs),
    /// Takes one published parser out of work: its keys go to the built-in one of its dataset, or to the next that matches.
    #[command(after_help = "\
Example:
  sekisho parser withdraw aws.waf --dry-run     after an upgrade whose built-in parser is the better one")]
    Withdraw(WithdrawArgs),
    /// Lists the published versions and their parsers; the one in work has a `*`.
    Versions,
}

/// `sekisho parser publish`
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// Its `event.dataset`; the folder lies below that of `--parsers`, else below `./parsers`.
    #[arg(value_name = "MODULE.NAME")]
    pub dataset: String,
    /// Shows what would change, and changes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `sekisho parser withdraw`
#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// Its `event.dataset`.
    #[arg(value_name = "MODULE.NAME")]
    pub dataset: String,
    /// Shows what would change, and changes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `sekisho parser rollback`
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The version; 0 for the built-in parsers alone.
    #[arg(long, value_name = "VERSION")]
    pub to: Option<u64>,
    /// Shows what would change, and changes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `sekisho parser new`
#[derive(Debug, Args)]
pub struct NewArgs {
    /// The sample: a file as the bucket holds it, also compressed.
    #[arg(long, value_name = "SAMPLE")]
    pub from: PathBuf,
    /// The decoded key of such an object: gives the pattern of `[match]` and the key of the case.
    #[arg(long)]
    pub key: Option<String>,
    /// `event.dataset` of the new source.
    #[arg(long, value_name = "MODULE.NAME")]
    pub dataset: Option<String>,
    /// The folder of parsers; without it the one of `--parsers`, else `./parsers`.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// `sekisho parser test`
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Part of `<module>.<dataset>/<case>`; without it every case.
    #[arg(value_name = "NAME", default_value = "")]
    pub name: String,
    /// Writes what comes out as expected.
    #[arg(long, env = "UPDATE_EXPECT", value_parser = FalseyValueParser::new(), hide_env_values = true)]
    pub update: bool,
}
