//! `sekisho replay`: dead-lettered or parked messages, or quarantined records, again.

use std::io::Write;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use sekisho_aws::Session;
use sekisho_delivery::Queue;
use sekisho_replay::{Cause, End, Mode, ParkedMessage, Replay, ReplayOptions, ReplayReport, wire};
use tokio::time::Instant;

use crate::Finish;
use crate::setup::{Setup, runtime};

mod quarantine;

/// `sekisho replay`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sekisho replay --from https://sqs.ap-northeast-1.amazonaws.com/111122223333/sekisho-dlq --dry-run
  sekisho replay --rate 20                         the queue of `queue.dead_letter_url`
  sekisho replay --parked --cause permission       what was parked, once the permission is granted
  sekisho replay --quarantine                      quarantined records, once a limit or a parser is fixed

Nothing is sent back while the cluster cannot take it. A message that failed too often for its own fault is parked in the quarantine bucket, below `parked/kept/`, with its cause in words.
`--quarantine` reads each record again from its object, at its place, and removes the entries of those that succeed; where the object is gone the entry stays, marked `source_gone`.
A dry run prints the table of causes and shows every message again; looking raises the receive count of each.")]
pub struct ReplayArgs {
    /// The dead-letter queue; without it `queue.dead_letter_url` of the settings.
    #[arg(long, value_name = "QUEUE_URL", conflicts_with_all = ["parked", "quarantine"])]
    pub from: Option<String>,
    /// Sends parked messages back instead, those that stay until somebody asks too.
    #[arg(long)]
    pub parked: bool,
    /// Reads quarantined records again instead.
    #[arg(long, conflicts_with_all = ["parked", "rate"])]
    pub quarantine: bool,
    /// Only parked messages of this cause; may be given several times.
    #[arg(long = "cause", value_name = "CAUSE", requires = "parked")]
    pub causes: Vec<Cause>,
    /// Only tells what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// How many messages a second, instead of `replay.rate`.
    #[arg(long, value_name = "N")]
    pub rate: Option<NonZeroU32>,
    /// At most so many messages, or quarantined records.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
}

/// A person can stop a run at any time; this only keeps it from hiding messages for ever.
const LONGEST: Duration = Duration::from_secs(12 * 60 * 60);

/// Sends back what can be sent back, or tells what would be done.
pub(crate) fn replay(args: &ReplayArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    if args.quarantine {
        return quarantine::replay(args, setup, out);
    }
    let report = runtime()?.block_on(run(args, setup))?;
    show(&report, args, setup.json, out)?;
    let look = "looking raised the receive count of each message; nothing else was changed";
    if args.dry_run && !args.parked && report.messages() > 0 {
        tell(look)?;
    }
    let left = report.left + report.total(|row| row.left + row.parked + row.waiting);
    match report.end {
        End::Failed(error) => Err(error).context("the replay ended early"),
        End::Empty | End::Limit => Ok(Finish::clean_if(left == 0)),
        End::TimeUp | End::Full => Ok(Finish::Left),
    }
}

async fn run(args: &ReplayArgs, setup: &Setup) -> Result<ReplayReport> {
    let settings = setup.settings()?;
    let session = Session::connect(&settings).await;
    let dead_letters: Option<Arc<dyn Queue>> = match &args.from {
        Some(url) => Some(session.queue_at(url)),
        None => session.dead_letter_queue(&settings.queue),
    };
    let options = options(args);
    let until = Instant::now() + LONGEST;
    if args.parked {
        // Parked messages are files: no dead-letter queue is asked.
        let nowhere: Arc<dyn Queue> = session.queue_at("");
        let replay = wire(&settings, &session, dead_letters.unwrap_or(nowhere)).await?;
        return Ok(replay.run_parked(until, &options, &args.causes).await);
    }
    let dead_letters = dead_letters
        .context("name the dead-letter queue with `--from`, or set `queue.dead_letter_url`")?;
    let replay: Replay = wire(&settings, &session, dead_letters).await?;
    Ok(replay.run(until, &options, &parked).await)
}

fn options(args: &ReplayArgs) -> ReplayOptions {
    ReplayOptions {
        mode: if args.dry_run { Mode::Look } else { Mode::Act },
        limit: args.limit,
        rate: args.rate,
    }
}

/// Says which message was parked and why; where nothing can be said the table still counts it.
fn parked(parked: &ParkedMessage) {
    let what = parked.object.as_deref().unwrap_or(&parked.message_id);
    drop(tell(&format!(
        "parked ({}): {what}: {}",
        parked.cause, parked.error
    )));
}

fn tell(line: &str) -> std::io::Result<()> {
    writeln!(std::io::stderr(), "{line}")
}

fn show(
    report: &ReplayReport,
    args: &ReplayArgs,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    if as_json {
        writeln!(out, "{}", serde_json::to_string(report)?)?;
        return Ok(());
    }
    if args.dry_run {
        writeln!(out, "what would be done:")?;
    }
    write!(out, "{report}")?;
    Ok(())
}
