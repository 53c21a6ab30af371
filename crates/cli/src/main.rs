//! The `revtrail` program: wiring, output, exit codes. What it does lives in the libraries.

mod args;
mod clock;
mod commands;
mod exit;
mod keys;
mod logging;
mod output;
mod progress;
mod signers;
mod stamper;
mod times;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use crate::{args::Cli, exit::Exit};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let usage = error.use_stderr();
            let _printed = error.print();
            return if usage {
                Exit::Usage.into()
            } else {
                Exit::Done.into()
            };
        }
    };
    logging::start(&cli.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(&error.into()),
    };
    match runtime.block_on(commands::dispatch(&cli)) {
        Ok(exit) => exit.into(),
        Err(failure) => output::fail(&failure),
    }
}
