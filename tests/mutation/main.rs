//! Drops one line of a parser at a time, rows of its tables included: at least one of its cases has to notice.
//!
//! A line that can go without any case turning red is a mapping that nobody proved.
//! `cargo test -p sekisho-tests --test mutation -- aws.waf/fields` runs one table of one parser; survivors are listed by file and line.
//! A mutant that does not compile counts as noticed.

mod mutants;
mod subject;

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use sekisho_cli::cases::Runner;

use mutants::Mutant;
use subject::Subject;

/// The parser folders of this repository.
const PARSERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../parsers");
/// Small enough to share a parser's lines among threads, large enough to keep the list of trials short.
const LINES_PER_TRIAL: usize = 25;

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let runner = Runner::new(Path::new(PARSERS))?;
    let mut trials = Vec::new();
    for parser in runner.catalog().parsers() {
        let subject = match Subject::read(Path::new(PARSERS), parser.folder(), parser.dataset()) {
            Ok(subject) => Arc::new(subject),
            Err(error) => {
                let fail = move || Err(format!("{error:#}").into());
                trials.push(Trial::test(format!("{}/cases", parser.dataset()), fail));
                continue;
            }
        };
        let mutants = subject.mutants()?;
        for group in mutants.chunk_by(|a, b| (a.table, &a.file) == (b.table, &b.file)) {
            for lines in group.chunks(LINES_PER_TRIAL) {
                trials.extend(trial(&subject, lines));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(subject: &Arc<Subject>, mutants: &[Mutant]) -> Option<Trial> {
    let (first, last) = (mutants.first()?, mutants.last()?);
    let part = if first.table == "rows" {
        &first.file
    } else {
        first.table
    };
    let name = format!("{}/{part}:{}-{}", subject.dataset(), first.line, last.line);
    let (subject, mutants) = (Arc::clone(subject), mutants.to_vec());
    Some(Trial::test(name, move || run(&subject, &mutants)))
}

fn run(subject: &Subject, mutants: &[Mutant]) -> Result<(), Failed> {
    let mut survivors = Vec::new();
    for mutant in mutants {
        if !subject.notices(mutant)? {
            survivors.push(format!(
                "{}:{}: no case notices that {} is gone",
                subject.path(&mutant.file),
                mutant.line,
                mutant.what
            ));
        }
    }
    if survivors.is_empty() {
        return Ok(());
    }
    Err(survivors.join("\n").into())
}
