//! SDK errors in the words of this crate.

use std::fmt;

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::{ArchiveError, ArchiveErrorKind};

/// Whether a failed call can have changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Read,
    Write,
}

impl Call {
    /// No answer, or an answer that says nothing about the outcome.
    const fn unanswered(self) -> ArchiveErrorKind {
        match self {
            Self::Read => ArchiveErrorKind::Unreachable,
            Self::Write => ArchiveErrorKind::Unknown,
        }
    }
}

pub(super) fn failure<E>(
    error: SdkError<E, HttpResponse>,
    operation: &'static str,
    subject: impl fmt::Display,
    call: Call,
) -> ArchiveError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let code = answer.err().code();
            let header = |name| answer.raw().headers().get(name).unwrap_or("none");
            let sentence = format!(
                "HTTP {status} {}: {}, request id {}",
                code.unwrap_or("without an error code"),
                answer.err().message().unwrap_or("no message"),
                header("x-amz-request-id"),
            );
            ArchiveError::new(kind(status, code, call), operation, subject).because(sentence)
        }
        SdkError::ConstructionFailure(_) => {
            ArchiveError::new(ArchiveErrorKind::Config, operation, subject).because(error)
        }
        // Credentials are fetched before anything is sent; the SDK reports that as "other".
        SdkError::DispatchFailure(cause)
            if cause.is_user() || cause.as_other().is_none() && cause.is_other() =>
        {
            ArchiveError::new(ArchiveErrorKind::Config, operation, subject).because(error)
        }
        _ => ArchiveError::new(call.unanswered(), operation, subject).because(error),
    }
}

/// Kind of an answered error, after the S3 API reference, "Error responses".
fn kind(status: u16, code: Option<&str>, call: Call) -> ArchiveErrorKind {
    match (status, code) {
        (_, Some("NoSuchBucket" | "PermanentRedirect" | "AuthorizationHeaderMalformed")) | (301 | 307, _) => {
            ArchiveErrorKind::Config
        }
        (
            _,
            Some(
                "InvalidAccessKeyId"
                | "SignatureDoesNotMatch"
                | "ExpiredToken"
                | "InvalidToken"
                | "RequestTimeTooSkewed",
            ),
        )
        | (401 | 403, _) => ArchiveErrorKind::PermissionDenied,
        (404, _) => ArchiveErrorKind::NotFound,
        (412, _) => ArchiveErrorKind::AlreadyExists,
        (501, _) => ArchiveErrorKind::Unsupported,
        (507, _) => ArchiveErrorKind::NoSpace,
        (408 | 409 | 429 | 500.., _) | (_, Some("RequestTimeout")) => call.unanswered(),
        _ => ArchiveErrorKind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unclear_answer_leaves_a_write_unknown() {
        for (status, code) in [
            (500, Some("InternalError")),
            (503, Some("SlowDown")),
            (409, Some("ConditionalRequestConflict")),
            (400, Some("RequestTimeout")),
        ] {
            assert_eq!(
                kind(status, code, Call::Write),
                ArchiveErrorKind::Unknown,
                "{status}"
            );
            assert_eq!(
                kind(status, code, Call::Read),
                ArchiveErrorKind::Unreachable,
                "{status}"
            );
        }
    }

    #[test]
    fn clear_answers_are_told_apart() {
        let table = [
            (412, Some("PreconditionFailed"), ArchiveErrorKind::AlreadyExists),
            (404, Some("NoSuchKey"), ArchiveErrorKind::NotFound),
            (404, Some("NoSuchBucket"), ArchiveErrorKind::Config),
            (404, None, ArchiveErrorKind::NotFound),
            (403, Some("AccessDenied"), ArchiveErrorKind::PermissionDenied),
            (400, Some("ExpiredToken"), ArchiveErrorKind::PermissionDenied),
            (400, Some("BadDigest"), ArchiveErrorKind::Refused),
            (400, Some("InvalidRequest"), ArchiveErrorKind::Refused),
            (501, Some("NotImplemented"), ArchiveErrorKind::Unsupported),
            (301, Some("PermanentRedirect"), ArchiveErrorKind::Config),
        ];
        for (status, code, expected) in table {
            assert_eq!(kind(status, code, Call::Write), expected, "{status} {code:?}");
        }
    }
}
