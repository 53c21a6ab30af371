//! Errors of a run.

use revtrail_archive::ArchiveError;
use revtrail_connector::ConnectorError;
use revtrail_ledger::LedgerError;
use revtrail_model::{Digest, ModelError};

/// Why a run could not commit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarvestError {
    /// The archive failed.
    #[error("archive failed")]
    Archive(#[from] ArchiveError),
    /// A provider failed in a way that concerns the whole run.
    #[error("provider failed")]
    Connector(#[from] ConnectorError),
    /// The log has never been made, or its archive is not the one it was made in.
    #[error("ledger {ledger} has no log in this archive")]
    NoLog {
        /// The ledger.
        ledger: String,
    },
    /// The log exists already.
    #[error("ledger {ledger} has a log in this archive already: {log}")]
    LogExists {
        /// The ledger.
        ledger: String,
        /// The log found.
        log: String,
    },
    /// Another run committed the snapshot first.
    #[error("another run committed {key} first")]
    Lost {
        /// The checkpoint.
        key: String,
    },
    /// The log in the archive is not what its own records say; nothing is written to it.
    #[error("{key} contradicts the log: {what}")]
    Contradiction {
        /// The object.
        key: String,
        /// What is wrong.
        what: String,
    },
    /// A log bears another key than the configured one, or another one was announced for it.
    #[error("{at} is bound to the key {bound}, the configured key is {configured}")]
    OtherKey {
        /// The log, or its checkpoint.
        at: String,
        /// The configured key.
        configured: String,
        /// The key that the log has, or that the close leaf of the log before announced.
        bound: String,
    },
    /// The newest record lies in a year after the present one: a clock is wrong.
    #[error("the newest log is {log}, but the present year is {year}")]
    Clock {
        /// The log.
        log: String,
        /// The year.
        year: i16,
    },
    /// The checkpoint got no signature; nothing was written.
    #[error("checkpoint could not be signed")]
    Sign(#[source] LedgerError),
    /// A note or tree operation failed.
    #[error("log operation failed: {0}")]
    Ledger(String),
    /// A record could not be made or read.
    #[error("record failed")]
    Model(#[from] ModelError),
    /// Compression failed.
    #[error("compression failed")]
    Compress(#[source] std::io::Error),
    /// No random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
    /// A state object cannot be read.
    #[error("state object {key} is not readable at line {line}")]
    State {
        /// The object.
        key: String,
        /// One-based line.
        line: usize,
        /// What the JSON reader said.
        #[source]
        source: serde_json::Error,
    },
    /// An object does not have the digest in its name.
    #[error("{key} has SHA-256 {actual}")]
    Digest {
        /// The object.
        key: String,
        /// What its bytes give.
        actual: Digest,
    },
}

impl HarvestError {
    /// What the operator can do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Archive(error) => return error.hint().map(str::to_owned),
            Self::Connector(error) => error.hint().to_owned(),
            Self::Sign(error) => return error.hint().map(str::to_owned),
            Self::NoLog { ledger } => {
                format!(
                    "run `revtrail init --ledger {ledger}` once; if there was a log, check the archive url: an archive that lost its checkpoints must be examined, not re-made"
                )
            }
            Self::LogExists { .. } => {
                "nothing to do: the log is there; run `revtrail verify` to check it".into()
            }
            Self::Lost { .. } => {
                "nothing to do: the other run's snapshot stands, and the next run goes on from it".into()
            }
            Self::Contradiction { .. } | Self::Digest { .. } | Self::State { .. } => {
                "run `revtrail verify` and keep the archive as it is: something was changed or lost".into()
            }
            Self::OtherKey { .. } => {
                "a log keeps its key for its whole year: put the old key back, and announce a new one for the next year with `revtrail key rotate`; if no key was changed here, keep the archive as it is and run `revtrail verify`".into()
            }
            Self::Clock { .. } => "set the clock of this machine".into(),
            Self::Ledger(_) | Self::Model(_) | Self::Compress(_) => {
                "please report this with the log of the run".into()
            }
            Self::Random(_) => "check the system's random number generator".into(),
        })
    }
}
