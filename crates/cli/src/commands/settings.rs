//! `config`: check the file, print its schema.

use revtrail_settings::Config;

use crate::{
    args::{ConfigCommand, Global},
    exit::{Exit, Failure},
    output::{print, say},
};

pub(crate) fn run(global: &Global, command: &ConfigCommand) -> Result<Exit, Failure> {
    match command {
        ConfigCommand::Check => {
            let config = Config::load(&global.config)?;
            let folders: usize = config.ledgers.values().map(|ledger| ledger.folders.len()).sum();
            say(&format!(
                "{} is valid: {} ledger(s), {folders} folder(s)",
                global.config.display(),
                config.ledgers.len()
            ));
        }
        ConfigCommand::Schema => print(&revtrail_settings::json_schema())?,
    }
    Ok(Exit::Done)
}
