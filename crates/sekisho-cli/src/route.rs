//! `sekisho route`: which parser a key selects, why, and which index it writes.

use std::io::Write;

use anyhow::Result;
use sekisho_document::key_date;
use sekisho_parser::{Catalog, Choice, Route};
use serde_json::{Value, json};

use crate::Finish;
use crate::args::RouteArgs;
use crate::setup::Setup;

/// Prints one answer a key; finding no parser for one leaves it to the fallback, which is said by the exit code.
pub(crate) fn route(args: &RouteArgs, setup: &Setup, out: &mut dyn Write) -> Result<Finish> {
    let catalog = setup.catalog(&setup.settings()?)?;
    let mut all_claimed = true;
    for key in &args.keys {
        let route = catalog.route(key);
        all_claimed &= !matches!(route, Route::Unclaimed | Route::Held(_));
        if setup.json {
            writeln!(out, "{}", as_json(&catalog, key, &route))?;
        } else {
            writeln!(out, "{key}\n{}", as_text(&catalog, key, &route))?;
        }
    }
    Ok(Finish::clean_if(all_claimed))
}

/// Says which parser a key selects and why, in indented lines.
pub(crate) fn as_text(catalog: &Catalog, key: &str, route: &Route<'_>) -> String {
    match route {
        Route::Parser(choice, runner_up) => {
            let mut text = format!(
                "  parser    {}\n  pattern   {}\n  index     {}",
                choice.parser.dataset(),
                place(choice),
                index(catalog, choice, key),
            );
            if let Some(second) = runner_up {
                let dataset = second.parser.dataset();
                text.push_str(&format!(
                    "\n  runner-up {dataset} by {}, which is less specific",
                    place(second)
                ));
            }
            text
        }
        Route::Excluded { parser, pattern } => format!(
            "  not read  `exclude` `{pattern}` of {} says that it is no log",
            parser.dataset()
        ),
        Route::Held(held) => format!(
            "  held      the published parser of {} cannot be used: {}",
            held.dataset(),
            held.reason()
        ),
        Route::Unclaimed => {
            "  unclaimed no parser matches; text and JSON become raw documents in `log-unknown-…`, binary is refused"
                .to_owned()
        }
    }
}

fn as_json(catalog: &Catalog, key: &str, route: &Route<'_>) -> Value {
    let named = |choice: &Choice<'_>| {
        json!({
            "parser": choice.parser.dataset(),
            "pattern": choice.pattern,
            "file": file(choice),
            "line": choice.line,
            "index": index(catalog, choice, key),
        })
    };
    match route {
        Route::Parser(choice, runner_up) => json!({
            "key": key,
            "route": "parser",
            "choice": named(choice),
            "runner_up": runner_up.as_ref().map(named),
        }),
        Route::Excluded { parser, pattern } => json!({
            "key": key,
            "route": "excluded",
            "parser": parser.dataset(),
            "pattern": pattern,
        }),
        Route::Held(held) => json!({
            "key": key,
            "route": "held",
            "parser": held.dataset(),
            "reason": held.reason(),
        }),
        Route::Unclaimed => json!({ "key": key, "route": "unclaimed" }),
    }
}

fn place(choice: &Choice<'_>) -> String {
    format!("{} ({}:{})", choice.pattern, file(choice), choice.line)
}

fn file(choice: &Choice<'_>) -> String {
    format!("{}/parser.toml", choice.parser.folder())
}

/// Names the index of a record of the key's own day; a record's own time may choose a neighbour.
fn index(catalog: &Catalog, choice: &Choice<'_>, key: &str) -> String {
    let settings = catalog.settings();
    let rotation = settings.rotation.get(choice.parser.dataset());
    match key_date(key) {
        Some(time) => settings.index.name(
            choice.parser.index(),
            rotation.copied().unwrap_or_default(),
            time.date(),
        ),
        None => format!(
            "{}{}-… (by each record's own time)",
            settings.index.prefix(),
            choice.parser.index()
        ),
    }
}
