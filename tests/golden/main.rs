//! Every case of every parser: out of its sample comes what its folder expects.
//!
//! `cargo test -p sekisho-tests --test golden -- cloudtrail` runs the cases with that in their name; with `UPDATE_EXPECT=1` it rewrites what they expect.
//! Each document is also checked against the ECS list and what its parser declares, and each sample's books have to balance: `sekisho_cli::cases` does all of it, here and in `sekisho parser test`.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use sekisho_cli::cases::{Case, Mode, Runner};

/// The parser folders of this repository.
const PARSERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../parsers");

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let mode = match std::env::var_os("UPDATE_EXPECT") {
        Some(value) if !value.is_empty() && value != "0" => Mode::Rewrite,
        _ => Mode::Compare,
    };
    let runner = Arc::new(Runner::new(Path::new(PARSERS))?);
    let cases = Case::find(Path::new(PARSERS), "")?;
    let mut trials = vec![every_parser_has_cases(&runner, &cases)?];
    for case in cases {
        let runner = Arc::clone(&runner);
        let name = case.name.clone();
        trials.push(Trial::test(name, move || run(&runner, &case, mode)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn run(runner: &Runner, case: &Case, mode: Mode) -> Result<(), Failed> {
    let report = runner.run(case, mode);
    if report.failures.is_empty() {
        return Ok(());
    }
    Err(report.failures.join("\n").into())
}

/// A parser without cases would pass every test.
fn every_parser_has_cases(runner: &Runner, cases: &[Case]) -> Result<Trial> {
    let tested: BTreeSet<String> = cases.iter().map(|case| case.dataset.clone()).collect();
    let mut untested: Vec<String> = Vec::new();
    for parser in runner.catalog().parsers() {
        if !tested.contains(parser.dataset()) {
            untested.push(parser.dataset().to_owned());
        }
    }
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    anyhow::ensure!(names.len() == cases.len(), "two cases have one name");
    Ok(Trial::test("every-parser-has-cases", move || {
        if untested.is_empty() {
            return Ok(());
        }
        Err(format!("no cases below `tests/` of {}", untested.join(", ")).into())
    }))
}
