//! Exit codes. `docs/operator-guide.md` lists them; deployments decide by them.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Failed; a retry may help.
    Failed = 1,
    /// Usage or configuration.
    Usage = 2,
    /// Verification found a contradiction.
    Contradiction = 3,
    /// Partly harvested; what is complete was committed.
    Partial = 4,
    /// Another run won the commit.
    Lost = 5,
    /// Incomplete or stale evidence.
    Incomplete = 6,
    /// Cannot judge: a key or token is missing.
    CannotJudge = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A failure with its exit code and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>, hint: Option<String>) -> Self {
        Self {
            exit,
            error: error.into(),
            hint,
        }
    }

    pub(crate) fn usage(message: impl std::fmt::Display, hint: &str) -> Self {
        Self::new(Exit::Usage, anyhow::anyhow!("{message}"), Some(hint.to_owned()))
    }

    /// Says which archive failed; the message itself names the object only.
    #[must_use]
    pub(crate) fn at_archive(
        mut self,
        url: &revtrail_archive::ArchiveUrl,
        endpoint: Option<&String>,
    ) -> Self {
        if self
            .error
            .chain()
            .any(<dyn std::error::Error>::is::<revtrail_archive::ArchiveError>)
        {
            let endpoint = endpoint.map_or(String::new(), |endpoint| format!(" at {endpoint}"));
            self.error = self
                .error
                .context(format!("archive {url}{endpoint} cannot be used"));
        }
        self
    }

    /// The message, its causes and the hint, as printed.
    pub(crate) fn render(&self) -> String {
        let mut lines = vec![format!("error: {}", self.error)];
        lines.extend(
            self.error
                .chain()
                .skip(1)
                .map(|cause| format!("  caused by: {cause}")),
        );
        lines.extend(self.hint.iter().map(|hint| format!("hint: {hint}")));
        lines.join("\n")
    }
}

impl From<revtrail_settings::SettingsError> for Failure {
    fn from(error: revtrail_settings::SettingsError) -> Self {
        let hint = error.hint().to_owned();
        Self::new(Exit::Usage, error, Some(hint))
    }
}

impl From<revtrail_archive::ArchiveError> for Failure {
    fn from(error: revtrail_archive::ArchiveError) -> Self {
        use revtrail_archive::ArchiveErrorKind as Kind;
        let exit = match error.kind() {
            Kind::Config => Exit::Usage,
            _ => Exit::Failed,
        };
        let hint = error.hint().map(str::to_owned);
        Self::new(exit, error, hint)
    }
}

impl From<revtrail_connector::ConnectorError> for Failure {
    fn from(error: revtrail_connector::ConnectorError) -> Self {
        use revtrail_connector::ErrorKind as Kind;
        let exit = match error.kind {
            Kind::Config | Kind::Unauthorized => Exit::Usage,
            _ => Exit::Failed,
        };
        let hint = error.hint().to_owned();
        Self::new(exit, error, Some(hint))
    }
}

impl From<revtrail_kms::KmsError> for Failure {
    fn from(error: revtrail_kms::KmsError) -> Self {
        let (exit, hint) = (kms_exit(error.kind()), error.hint().to_owned());
        Self::new(exit, error, Some(hint))
    }
}

const fn kms_exit(kind: revtrail_kms::KmsErrorKind) -> Exit {
    if kind.may_pass() {
        Exit::Failed
    } else {
        Exit::Usage
    }
}

/// What a key service said, below the errors of signing.
fn kms_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a revtrail_kms::KmsError> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.find_map(|cause| cause.downcast_ref())
}

impl From<revtrail_harvest::HarvestError> for Failure {
    fn from(error: revtrail_harvest::HarvestError) -> Self {
        use revtrail_harvest::HarvestError as Error;
        if let Some(kms) = kms_error(&error) {
            let (exit, hint) = (kms_exit(kms.kind()), kms.hint().to_owned());
            return Self::new(exit, error, Some(hint));
        }
        let exit = match &error {
            Error::NoLog { .. } | Error::LogExists { .. } => Exit::Usage,
            Error::Lost { .. } => Exit::Lost,
            Error::Contradiction { .. }
            | Error::Digest { .. }
            | Error::State { .. }
            | Error::OtherKey { .. } => Exit::Contradiction,
            Error::Archive(inner) if inner.kind() == revtrail_archive::ArchiveErrorKind::Config => {
                Exit::Usage
            }
            _ => Exit::Failed,
        };
        let hint = error.hint();
        Self::new(exit, error, hint)
    }
}

impl From<revtrail_query::QueryError> for Failure {
    fn from(error: revtrail_query::QueryError) -> Self {
        use revtrail_query::QueryError as Error;
        let exit = match &error {
            Error::Contradiction { .. } | Error::Model { .. } => Exit::Contradiction,
            Error::NoLog(_) | Error::NoLeaf { .. } | Error::NoCheckpoint { .. } => Exit::Usage,
            Error::NoKey(_) => Exit::CannotJudge,
            _ => Exit::Failed,
        };
        let hint = error.hint();
        Self::new(exit, error, hint)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Failed, error, None)
    }
}
