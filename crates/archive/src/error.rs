//! The error type of this crate.

use std::{error::Error as StdError, fmt};

/// A cause from below: an I/O error, an SDK error, or a sentence.
pub(crate) type Cause = Box<dyn StdError + Send + Sync + 'static>;

/// An archive operation that failed, and on what.
#[derive(Debug, thiserror::Error)]
#[error("archive {operation} on {subject}: {kind}")]
pub struct ArchiveError {
    kind: ArchiveErrorKind,
    operation: &'static str,
    subject: String,
    #[source]
    source: Option<Cause>,
}

/// What went wrong, as far as a caller decides by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArchiveErrorKind {
    /// The key is taken; nothing changed.
    AlreadyExists,
    /// No such object.
    NotFound,
    /// The store knows us and says no.
    PermissionDenied,
    /// The directory or file system accepts no writes.
    ReadOnly,
    /// The store is out of space; nothing was stored.
    NoSpace,
    /// No answer from the store; for a write: it was certainly not done.
    Unreachable,
    /// A write was sent and its outcome is not known: read back and compare.
    Unknown,
    /// The store answered no, or did something else than asked (the source says what).
    Refused,
    /// Stored bytes or an answer contradict themselves.
    Corrupt,
    /// This store cannot do that at all.
    Unsupported,
    /// A setting is wrong: key, URL, bucket, region, credentials.
    Config,
}

impl ArchiveErrorKind {
    /// What the operator does next; `None` when the caller deals with it.
    pub const fn hint(self) -> Option<&'static str> {
        match self {
            Self::AlreadyExists | Self::NotFound => None,
            Self::PermissionDenied => Some(
                "compare the store's policy with the permissions in the operator guide, then run `revtrail doctor`",
            ),
            Self::ReadOnly => Some(
                "make the archive directory writable for the user that runs revtrail, or point to another one",
            ),
            Self::NoSpace => Some("free or add space in the store, then run again; nothing is lost"),
            Self::Unreachable => {
                Some("check endpoint, DNS and network policy between here and the store, then run again")
            }
            Self::Unknown => {
                Some("run again: the next run reads back what was stored and goes on from there")
            }
            Self::Refused => Some(
                "read the cause below, then run `revtrail doctor`, which probes locks, checksums and create-only writes",
            ),
            Self::Corrupt => Some("run `revtrail verify` and keep the store as it is"),
            Self::Unsupported => Some("use an S3 bucket with Object Lock for retention and legal holds"),
            Self::Config => {
                Some("correct the archive section of the configuration file, or the credentials it relies on")
            }
        }
    }
}

impl fmt::Display for ArchiveErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyExists => "already exists",
            Self::NotFound => "not found",
            Self::PermissionDenied => "permission denied",
            Self::ReadOnly => "read-only",
            Self::NoSpace => "no space left",
            Self::Unreachable => "unreachable",
            Self::Unknown => "outcome unknown",
            Self::Refused => "refused",
            Self::Corrupt => "corrupt",
            Self::Unsupported => "not supported by this store",
            Self::Config => "wrong setting",
        })
    }
}

impl ArchiveError {
    /// An error without a cause from below. `subject` is the key, prefix or address concerned.
    pub fn new(kind: ArchiveErrorKind, operation: &'static str, subject: impl fmt::Display) -> Self {
        Self {
            kind,
            operation,
            subject: subject.to_string(),
            source: None,
        }
    }

    /// The same error with its cause: an error value or a sentence.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Cause>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// What went wrong.
    pub const fn kind(&self) -> ArchiveErrorKind {
        self.kind
    }

    /// What was tried, in the words of the interface (`create`, `list`, `open`).
    pub const fn operation(&self) -> &'static str {
        self.operation
    }

    /// The key, prefix or address concerned.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What the operator does next; `None` when the caller deals with it.
    pub const fn hint(&self) -> Option<&'static str> {
        self.kind.hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_operation_and_input_and_leaves_the_cause_to_the_chain() {
        let error =
            ArchiveError::new(ArchiveErrorKind::Refused, "create", "main/a").because("lock is missing");
        assert_eq!(error.to_string(), "archive create on main/a: refused");
        assert_eq!(error.source().unwrap().to_string(), "lock is missing");
        assert_eq!((error.operation(), error.subject()), ("create", "main/a"));
    }
}
