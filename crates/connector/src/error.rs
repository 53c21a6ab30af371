//! One error shape for all providers.

use std::{fmt, time::Duration};

use revtrail_model::id::Provider;

/// What went wrong, in terms of what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The provider asks to slow down.
    RateLimited {
        /// How long to wait, when told.
        retry_after: Option<Duration>,
    },
    /// The provider or the way to it failed; a later call may succeed.
    Unavailable {
        /// How long to wait, when told.
        retry_after: Option<Duration>,
    },
    /// The access token is no longer accepted; a fresh one may be.
    TokenExpired,
    /// The credentials are refused.
    Unauthorized,
    /// The account may not do this.
    PermissionDenied,
    /// There is no such thing, or not for us.
    NotFound,
    /// The change cursor is no longer accepted.
    CursorExpired,
    /// The provider does not offer this here.
    NotSupported,
    /// The answer could not be understood, or exceeds a size limit.
    Malformed,
    /// An answer pointed to a host outside the configuration.
    ForeignHost,
    /// The configuration of the account cannot work.
    Config,
    /// A fault of this program.
    Bug,
}

/// What the caller does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Repeat after this time, or after backoff when none was told.
    Retry(Option<Duration>),
    /// Get a fresh token, then repeat once.
    Refresh,
    /// List everything again and compare.
    Rescan,
    /// Give up on this call.
    Stop,
}

impl ErrorKind {
    /// What the caller does next. Exhaustive on purpose: a new kind must choose.
    pub const fn action(&self) -> Action {
        match self {
            Self::RateLimited { retry_after } | Self::Unavailable { retry_after } => {
                Action::Retry(*retry_after)
            }
            Self::TokenExpired => Action::Refresh,
            Self::CursorExpired => Action::Rescan,
            Self::Unauthorized
            | Self::PermissionDenied
            | Self::NotFound
            | Self::NotSupported
            | Self::Malformed
            | Self::ForeignHost
            | Self::Config
            | Self::Bug => Action::Stop,
        }
    }

    /// The name used in logs and gap records.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate limited",
            Self::Unavailable { .. } => "unavailable",
            Self::TokenExpired => "access token expired",
            Self::Unauthorized => "credentials refused",
            Self::PermissionDenied => "permission denied",
            Self::NotFound => "not found",
            Self::CursorExpired => "cursor expired",
            Self::NotSupported => "not supported",
            Self::Malformed => "malformed answer",
            Self::ForeignHost => "answer points to a foreign host",
            Self::Config => "account configuration",
            Self::Bug => "internal fault",
        }
    }
}

/// A failed call.
#[derive(Debug)]
pub struct ConnectorError {
    /// Kind of failure.
    pub kind: ErrorKind,
    /// Provider.
    pub provider: Provider,
    /// What was being done, for example `drive.changes`.
    pub operation: &'static str,
    /// HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// The provider's error code or reason; no names, paths or bodies.
    pub code: Option<String>,
    /// The provider's request id.
    pub request_id: Option<String>,
    /// The cause below.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ConnectorError {
    /// An error without an answer behind it.
    pub fn new(kind: ErrorKind, provider: Provider, operation: &'static str) -> Self {
        Self {
            kind,
            provider,
            operation,
            status: None,
            code: None,
            request_id: None,
            source: None,
        }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds the provider's code, or what exactly was wrong.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// What the operator can do about it.
    pub fn hint(&self) -> &'static str {
        match self.kind {
            ErrorKind::RateLimited { .. } => "run again later, or lower the request rate of the account",
            ErrorKind::Unavailable { .. } => {
                "check the network and the provider's status page, then run again"
            }
            ErrorKind::TokenExpired | ErrorKind::Unauthorized => {
                "check client id, secret file and tenant of the account; a revoked grant must be renewed by an administrator"
            }
            ErrorKind::PermissionDenied => {
                "grant the read scopes listed in docs/operator-guide.md to the app registration"
            }
            ErrorKind::NotFound => "check drive and path of the folder, and that the account can see it",
            ErrorKind::CursorExpired => "run again: the folder is listed in full and compared",
            ErrorKind::NotSupported => {
                "this kind of drive does not offer the call; see docs/operator-guide.md"
            }
            ErrorKind::Malformed => {
                "keep the log of this run and report it: the provider's answer has a form we do not know"
            }
            ErrorKind::ForeignHost => {
                "check api_url of the account; somebody may be tampering with the provider's answers"
            }
            ErrorKind::Config => "correct the account in the configuration file",
            ErrorKind::Bug => "please report this with the log of the run",
        }
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.provider, self.operation, self.kind.as_str())?;
        if let Some(status) = self.status {
            write!(f, " (HTTP {status}")?;
            if let Some(code) = &self.code {
                write!(f, " {code}")?;
            }
            f.write_str(")")?;
        } else if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if let Some(request) = &self.request_id {
            write!(f, ", request id {request}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConnectorError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as _)
    }
}
