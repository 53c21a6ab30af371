#![doc = include_str!("../README.md")]

mod config;
mod error;
mod file;
mod reconcile;
mod retention;
mod schedule;

pub use config::{Account, Config, Folder, Ledger, Lock, NextKey, PrivateKey, Timestamps};
pub use error::{Problem, SettingsError};
pub use file::{
    AccountFile, ArchiveFile, CaptureFile, ConfigFile, EarlierKeyFile, FolderFile, HarvestFile, LedgerFile,
    LockFile, LockModeFile, SigningFile, StampPer, TimestampsFile,
};
pub use reconcile::Reconcile;
pub use retention::Period;
pub use schedule::Schedule;

/// The JSON Schema of the configuration file, pretty-printed, with a newline at the end.
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(ConfigFile);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
