//! Refusals of the Management Activity API.

use std::time::Duration;

use revtrail_connector::{
    ErrorKind,
    http::{Answer, ErrorReader, Failure, HeaderMap},
};

use crate::error::{Refusal, seconds, with_wait};

/// Operation names, as used in counters, logs and events.
pub(super) mod operation {
    pub(crate) const SUBSCRIPTIONS: &str = "audit.subscriptions";
    pub(crate) const START: &str = "audit.start";
    pub(crate) const CONTENT: &str = "audit.content";
    pub(crate) const BLOB: &str = "audit.blob";
}

/// Codes that callers act on.
pub(super) mod code {
    /// No subscription for the content type.
    pub(crate) const NO_SUBSCRIPTION: &str = "AF20022";
    /// The subscription runs already.
    pub(crate) const RUNS: &str = "AF20024";
}

/// Too many requests; comes with status 403.
const LIMIT: &str = "AF429";
/// A passing state of the service.
const PASSING: &str = "AF50000";
const PERMISSION: &str = "AF10001";
/// The tenant in the address is not that of the token, unknown, or not set up for auditing.
const TENANT: [&str; 4] = ["AF20010", "AF20011", "AF20012", "AF20013"];
/// Windows and pages that are not accepted (any more).
const WINDOW: [&str; 3] = ["AF20030", "AF20031", "AF20055"];
/// Content that is unknown, expired, or named wrongly.
const CONTENT_GONE: [&str; 3] = ["AF20050", "AF20051", "AF20052"];

/// The kind of failure behind `status` and `code`.
fn classify(status: u16, code: &str) -> ErrorKind {
    match code {
        LIMIT => ErrorKind::RateLimited { retry_after: None },
        PASSING => ErrorKind::Unavailable { retry_after: None },
        PERMISSION => ErrorKind::PermissionDenied,
        code if TENANT.contains(&code) => ErrorKind::Config,
        code if WINDOW.contains(&code) => ErrorKind::CursorExpired,
        code if CONTENT_GONE.contains(&code) => ErrorKind::NotFound,
        _ => match status {
            401 => ErrorKind::TokenExpired,
            403 => ErrorKind::PermissionDenied,
            404 => ErrorKind::NotFound,
            429 => ErrorKind::RateLimited { retry_after: None },
            408 | 500..=599 => ErrorKind::Unavailable { retry_after: None },
            400..=499 => ErrorKind::NotSupported,
            _ => ErrorKind::Malformed,
        },
    }
}

/// Reads the answers of the audit log for the shared HTTP client.
#[derive(Debug, Clone, Copy)]
pub(super) struct ActivityErrors;

impl ErrorReader for ActivityErrors {
    fn read(&self, answer: &Answer, _operation: &'static str) -> Option<Failure> {
        if (200..300).contains(&answer.status) {
            return None;
        }
        let code = Refusal::read(&answer.body).code();
        let kind = classify(answer.status, code.as_deref().unwrap_or_default());
        let wait: Option<Duration> = answer
            .headers
            .get("retry-after")
            .and_then(|value| seconds(value.to_str().ok()?));
        Some(Failure {
            kind: with_wait(kind, wait),
            code,
        })
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        headers.get("request-id")?.to_str().ok().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::limit_as_403(403, "AF429", ErrorKind::RateLimited { retry_after: None })]
    #[case::passing(500, "AF50000", ErrorKind::Unavailable { retry_after: None })]
    #[case::permission(401, "AF10001", ErrorKind::PermissionDenied)]
    #[case::token(401, "", ErrorKind::TokenExpired)]
    #[case::denied(403, "", ErrorKind::PermissionDenied)]
    #[case::tenant(400, "AF20010", ErrorKind::Config)]
    #[case::window(400, "AF20030", ErrorKind::CursorExpired)]
    #[case::other_window(400, "AF20055", ErrorKind::CursorExpired)]
    #[case::expired(400, "AF20051", ErrorKind::NotFound)]
    #[case::no_subscription(400, "AF20022", ErrorKind::NotSupported)]
    #[case::busy(503, "", ErrorKind::Unavailable { retry_after: None })]
    fn codes_go_before_statuses(#[case] status: u16, #[case] code: &str, #[case] expected: ErrorKind) {
        assert_eq!(classify(status, code), expected);
    }
}
