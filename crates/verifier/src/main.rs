#![doc = include_str!("../README.md")]

mod args;
mod copy;
mod directory;
mod keys;
mod outcome;
mod proof;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{
    args::{Cli, Command},
    outcome::{Exit, Failure, say},
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            let _printed = error.print();
            return exit.into();
        }
    };
    let outcome = match &cli.command {
        Some(Command::Proof(args)) => proof::run(args),
        None => copy::run(&cli.copy),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    say(&failure.render());
    failure.exit.into()
}
