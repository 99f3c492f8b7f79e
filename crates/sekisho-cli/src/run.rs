//! [`run`]: from the arguments to the command.

use std::io;

use anyhow::Result;

use crate::args::{Cli, Command, ParserCommand};
use crate::setup::Setup;
use crate::{apply, audit, load, parse, parser, reload, replay, route};

/// How a command ended that could be run at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// Everything is accounted for and indexed.
    Clean,
    /// Some records are raw, quarantined or failed, or a check found something.
    Left,
}

impl Finish {
    /// Clean, if so.
    pub(crate) fn clean_if(clean: bool) -> Self {
        if clean { Self::Clean } else { Self::Left }
    }
}

/// Runs a command; data goes to stdout, everything else to stderr.
///
/// # Errors
/// When it cannot be run: wrong settings, unreadable files, an address that nobody answers.
pub fn run(cli: Cli) -> Result<Finish> {
    let mut out = io::stdout().lock();
    let setup = Setup::new(cli.global);
    match cli.command {
        Command::Parser(ParserCommand::Test(args)) => parser::test(&args, &setup, &mut out),
        Command::Parser(ParserCommand::New(args)) => parser::new(&args, &setup, &mut out),
        Command::Parser(ParserCommand::Publish(args)) => parser::publish(&args, &setup, &mut out),
        Command::Parser(ParserCommand::Rollback(args)) => parser::rollback(&args, &setup, &mut out),
        Command::Parser(ParserCommand::Withdraw(args)) => parser::withdraw(&args, &setup, &mut out),
        Command::Parser(ParserCommand::Versions) => parser::versions(&setup, &mut out),
        Command::Parser(ParserCommand::List) => parser::list(&setup, &mut out),
        Command::Parser(ParserCommand::Check) => parser::check(&setup, &mut out),
        Command::Parse(args) => parse::parse(&args, &setup, &mut out),
        Command::Load(args) => load::load(&args, &setup, &mut out),
        Command::Route(args) => route::route(&args, &setup, &mut out),
        Command::Apply(args) => apply::apply(&args, &setup, &mut out),
        Command::Audit(args) => audit::audit(&args, &setup, &mut out),
        Command::Reload(args) => reload::reload(&args, &setup, &mut out),
        Command::Replay(args) => replay::replay(&args, &setup, &mut out),
    }
}
