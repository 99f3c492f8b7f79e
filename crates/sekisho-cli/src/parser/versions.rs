//! `sekisho parser rollback`, `withdraw` and `versions`.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::Result;
use sekisho_bundles::{Draft, History};
use sekisho_pipeline::{Clock as _, SystemClock, parser_settings};

use crate::Finish;
use crate::args::{RollbackArgs, WithdrawArgs};
use crate::setup::{Setup, builtin, bundles, runtime};

use super::publish::{Wish, finish};

/// Goes back to another version, and says what changes.
pub(crate) fn rollback(args: &RollbackArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let settings = setup.settings()?;
    let base = builtin(parser_settings(&settings)?)?;
    runtime()?.block_on(async {
        let store = bundles(&settings).await?;
        let draft = Draft::roll_back(&*store, &base, args.to).await?;
        let wish = Wish {
            dry_run: args.dry_run,
        };
        finish(&draft, &*store, &BTreeSet::new(), &wish, setup.json, out).await
    })
}

/// Takes one published parser out of work, and says what changes.
pub(crate) fn withdraw(args: &WithdrawArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let settings = setup.settings()?;
    let base = builtin(parser_settings(&settings)?)?;
    runtime()?.block_on(async {
        let store = bundles(&settings).await?;
        let now = SystemClock.now();
        let draft = Draft::withdraw(&*store, &base, &args.dataset, now).await?;
        let wish = Wish {
            dry_run: args.dry_run,
        };
        finish(&draft, &*store, &BTreeSet::new(), &wish, setup.json, out).await
    })
}

/// Lists the versions, the newest first.
pub(crate) fn versions(setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let settings = setup.settings()?;
    let pointer = runtime()?.block_on(async {
        let store = bundles(&settings).await?;
        anyhow::Ok(History::read(&*store).await?.pointer)
    })?;
    if setup.json {
        serde_json::to_writer(&mut *out, &pointer)?;
        writeln!(out)?;
        return Ok(Finish::Clean);
    }
    let mark = |version| match version == pointer.current {
        true => "*",
        false => " ",
    };
    for version in pointer.versions.iter().rev() {
        let (number, came) = (version.version, version.replaces);
        let at = version.published.to_rfc3339();
        writeln!(out, "{} {number:<4} {at}  from {came}", mark(number))?;
        for parser in &version.parsers {
            let digest = parser.digest.get(..8).unwrap_or(&parser.digest);
            let keys = parser.keys.join(" ");
            writeln!(out, "         {:<24} {digest}  {keys}", parser.dataset)?;
        }
    }
    writeln!(out, "{} 0    the built-in parsers alone", mark(0))?;
    Ok(Finish::Clean)
}
