//! Errors of this crate.

use std::path::PathBuf;

/// One thing wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Key path, for example `ledgers.finance.folders[2].path`.
    pub key: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file could not be read.
    #[error("configuration file {path} could not be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML of the right shape.
    #[error("configuration file {path} is not valid:\n{message}")]
    Shape {
        /// The file.
        path: PathBuf,
        /// What the reader said, with the place.
        message: String,
    },
    /// The values do not hold together.
    #[error("configuration file {path} has {} problem(s):{}", problems.len(), list(problems))]
    Values {
        /// The file.
        path: PathBuf,
        /// All of them.
        problems: Vec<Problem>,
    },
}

fn list(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |list, problem| {
        format!("{list}\n  {}: {}", problem.key, problem.message)
    })
}

impl SettingsError {
    /// What the operator can do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => {
                "give the file with --config FILE, or write a starter with `revtrail init --config FILE`"
            }
            Self::Shape { .. } | Self::Values { .. } => {
                "correct the file, then run `revtrail config check`; `revtrail config schema` prints every key"
            }
        }
    }
}
