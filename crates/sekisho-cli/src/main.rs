//! `sekisho`: logs in, ECS documents out, on a laptop.

use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use sekisho_cli::args::Cli;
use sekisho_cli::{Finish, run};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(Finish::Clean) => ExitCode::SUCCESS,
        Ok(Finish::Left) => ExitCode::from(1),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            use io::Write as _;
            // Nothing is left to tell where even this fails.
            drop(writeln!(io::stderr(), "error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// `sekisho parse … | head` closes the pipe, which is no fault.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
