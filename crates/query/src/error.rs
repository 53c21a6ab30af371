//! Errors of this crate.

use revtrail_archive::ArchiveError;
use revtrail_model::ModelError;

/// Why a question could not be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The archive failed.
    #[error("archive failed")]
    Archive(#[from] ArchiveError),
    /// The record does not agree with its signed checkpoints.
    #[error("{key} contradicts the log: {what}")]
    Contradiction {
        /// The object.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// There is no log.
    #[error("ledger {0} has no log in this archive")]
    NoLog(String),
    /// The log does not have that leaf.
    #[error("log {log} has {size} leaves, there is no leaf {index}")]
    NoLeaf {
        /// The log.
        log: String,
        /// The leaf asked for.
        index: u64,
        /// Leaves it has.
        size: u64,
    },
    /// No checkpoint signs a tree of that size.
    #[error("log {log} has no checkpoint of tree size {size}")]
    NoCheckpoint {
        /// The log.
        log: String,
        /// The size asked for.
        size: u64,
        /// Sizes next to it.
        near: String,
    },
    /// There is no key to check a log with.
    #[error("no public key for origin {0}")]
    NoKey(String),
    /// A leaf or sidecar cannot be read.
    #[error("{key} is not readable")]
    Model {
        /// The object.
        key: String,
        /// The cause.
        #[source]
        source: ModelError,
    },
}

impl QueryError {
    /// What the operator can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Archive(error) => return error.hint().map(str::to_owned),
            Self::Contradiction { .. } | Self::Model { .. } => "run `revtrail verify` to see everything that is wrong; no answer is given from a record that does not verify".into(),
            Self::NoLog(ledger) => format!("check archive.url, or run `revtrail init --ledger {ledger}`"),
            Self::NoLeaf { size, .. } => format!("the last leaf is {}; `revtrail log` shows the number of each action", size.saturating_sub(1)),
            Self::NoCheckpoint { near, .. } => format!("the nearest checkpoints have {near} leaves"),
            Self::NoKey(_) => "set signing.public_key_file in the configuration".into(),
        })
    }
}
