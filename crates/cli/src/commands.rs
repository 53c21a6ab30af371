//! One file per command.

mod answer;
mod check;
#[cfg(feature = "demo")]
mod demo;
mod doctor;
mod harvest;
mod hold;
mod init;
mod key;
mod prove;
mod questions;
mod retention;
mod schedule;
mod settings;
mod views;
mod witness;

use clap::CommandFactory as _;

use crate::{
    args::{Cli, Command},
    exit::{Exit, Failure},
};

/// Runs the command.
pub(crate) async fn dispatch(cli: &Cli) -> Result<Exit, Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Init(args) => init::run(global, args).await,
        Command::Doctor(args) => doctor::run(global, args).await,
        Command::Harvest(args) => harvest::run(global, args).await,
        Command::Schedule(args) => schedule::run(global, args).await,
        Command::Verify(args) => check::run(global, args).await,
        Command::Log(args) => questions::log(global, args).await,
        Command::History(args) => questions::history(global, args).await,
        Command::At(args) => questions::at(global, args).await,
        Command::Actor(args) => questions::actor(global, args).await,
        Command::Coverage(args) => questions::coverage(global, args).await,
        Command::Export(args) => questions::export(global, args).await,
        Command::Prove(args) => prove::run(global, args).await,
        Command::Witness(args) => witness::run(global, args).await,
        Command::Views(command) => views::run(global, command).await,
        Command::Hold(command) => hold::run(global, command).await,
        Command::Retention(command) => retention::run(global, command).await,
        Command::Key(command) => key::run(global, command),
        Command::Config(command) => settings::run(global, command),
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(global, args).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "revtrail", &mut script);
            crate::output::print(&String::from_utf8_lossy(&script))?;
            Ok(Exit::Done)
        }
    }
}
