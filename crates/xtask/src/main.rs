//! The repository's own tasks: `cargo xtask <task>`.
//!
//! It depends on nothing but `anyhow`, so that it compiles in seconds, and calls `cargo` for everything that needs the workspace.

mod ci;
mod demo;
mod docs;
mod fuzz;
mod infra;
mod memory;
mod run;
mod sample;
mod test;
mod tidy;
mod tools;

/// What installs the simulated account, as the end-to-end tests do; no crate of its own, since the tests' crate takes minutes to compile.
#[path = "../../../tests/src"]
mod parts {
    #[path = "aws/package.rs"]
    pub(crate) mod package;
    pub(crate) mod run_folder;
}

use std::process::ExitCode;

use anyhow::{Result, bail};

use run::{Workspace, say};

const HELP: &str = "\
cargo xtask <task>

  sample            build `sekisho` and load the repository's sample logs into target/sample-output
  demo [--once]     the whole system on this machine: a simulated AWS account, the CDK stack, OpenSearch, the sample logs
  test [ARGS…]      every test: golden, pipeline, real OpenSearch nodes, stand-ins for AWS, the release Lambda
  ci                formatting, lints, docs, licences, tidiness, then `test`
  infra             the CDK application: its tests, its templates and their lints
  golden [NAME]     the cases of parsers; UPDATE_EXPECT=1 rewrites what they expect
  fuzz [--minutes N] [NAME]  hostile input for each family of formats, and mutations of every sample
  docs [--check]    write the generated pages, or say which are stale
  tidy              what clippy cannot check
  memory            the peak memory of the release binary on objects of 200 MB and 2 GB (Linux)
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match task(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn task(arguments: &[&str]) -> Result<()> {
    let workspace = Workspace::find()?;
    match arguments {
        ["sample"] => sample::run(&workspace),
        ["test", rest @ ..] => test::run(&workspace, rest),
        ["ci"] => ci::run(&workspace),
        ["infra"] => infra::run(&workspace),
        ["golden", rest @ ..] => docs::golden(&workspace, rest),
        ["fuzz", rest @ ..] => fuzz::run(&workspace, rest),
        ["docs"] => docs::write(&workspace),
        ["docs", "--check"] => docs::check(&workspace),
        ["tidy"] => tidy::run(&workspace),
        ["demo", rest @ ..] => demo::run(&workspace, &demo::Options::read(rest)?),
        ["memory"] => memory::run(&workspace),
        [] | ["help" | "--help" | "-h"] => {
            say(HELP);
            Ok(())
        }
        [task, ..] => bail!("unknown task `{task}`\n\n{HELP}"),
    }
}
