//! Drive's refusals in terms of what can be done about them.
//!
//! A status says little: 403 stands for "slow down", "not this file" and "not this account" alike. The reason decides; its spelling
//! varies between camel case, snake case and capitals, so it is compared without case and underscores.

use revtrail_connector::{
    ConnectorError, ErrorKind,
    http::{Answer, ErrorReader, Failure, HeaderMap},
};
use revtrail_model::id::Provider;

use crate::wire::{ErrorBody, ErrorContent};

/// Operation names, as used in counters, logs and events.
pub(crate) mod operation {
    pub(crate) const ABOUT: &str = "about.get";
    pub(crate) const FILE: &str = "files.get";
    pub(crate) const FILES: &str = "files.list";
    pub(crate) const START: &str = "changes.getStartPageToken";
    pub(crate) const CHANGES: &str = "changes.list";
    pub(crate) const REVISIONS: &str = "revisions.list";
    pub(crate) const CONTENT: &str = "revisions.get";
    pub(crate) const BATCH: &str = "batch";
    pub(crate) const REPORTS: &str = "reports.activities.list";
    pub(crate) const ACTIVITY: &str = "driveactivity.activity.query";
    pub(crate) const TOKEN: &str = "token";
    pub(crate) const SIGN: &str = "iam.signJwt";
}

const MAX_CODE_CHARS: usize = 60;

/// Reasons that say "slow down", normalised.
const RATE_REASONS: &[&str] = &["userratelimitexceeded", "ratelimitexceeded", "resourceexhausted"];
/// Reasons that concern the account as a whole, whatever was asked for, normalised.
const ACCOUNT_REASONS: &[&str] = &[
    "dailylimitexceeded",
    "domainpolicy",
    "accessnotconfigured",
    "servicedisabled",
    "insufficientpermissions",
    "accesstokenscopeinsufficient",
    "appnotauthorizedtofile",
];

/// A record that cannot be mapped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// A member that everything hangs on is missing or of another type.
    #[error("record has an unknown form")]
    Form(#[source] serde_json::Error),
    /// An entry that is no removal must show the item.
    #[error("change of {0} shows no file")]
    NoFile(String),
    /// A revision without a time cannot be placed in a history.
    #[error("revision {0} has no readable time")]
    NoTime(String),
}

/// What a refusal says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// First reason as spelled, or else the canonical code.
    code: Option<String>,
    /// Every reason and the canonical code, normalised.
    reasons: Vec<String>,
    location: Option<String>,
}

impl Refusal {
    /// Reads an error body; one that is no error envelope says nothing.
    pub(crate) fn read(body: &[u8]) -> Self {
        let Ok(ErrorBody { error }) = serde_json::from_slice(body) else {
            return Self::default();
        };
        let ErrorContent {
            errors,
            status,
            details,
        } = error;
        let location = errors.iter().find_map(|item| item.location.clone());
        let spelled: Vec<String> = errors
            .into_iter()
            .map(|item| item.reason)
            .chain(details.into_iter().map(|detail| detail.reason))
            .chain([status])
            .flatten()
            .filter(|reason| !reason.is_empty())
            .collect();
        Self {
            code: spelled.first().map(|reason| plain(reason)),
            reasons: spelled.iter().map(|reason| normal(reason)).collect(),
            location,
        }
    }

    /// The reason as Drive spells it.
    pub(crate) fn code(&self) -> Option<String> {
        self.code.clone()
    }

    fn has_any(&self, wanted: &[&str]) -> bool {
        self.reasons
            .iter()
            .any(|reason| wanted.contains(&reason.as_str()))
    }
}

/// A reason without anything that could be a name, a path or a line break.
fn plain(reason: &str) -> String {
    reason
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        .take(MAX_CODE_CHARS)
        .collect()
}

fn normal(reason: &str) -> String {
    reason
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// The kind of failure behind `status` and `refusal`; waiting times are filled in by the shared HTTP client.
pub(crate) fn classify(status: u16, refusal: &Refusal, operation: &str) -> ErrorKind {
    let limited = ErrorKind::RateLimited { retry_after: None };
    // A log that is gone (410 is not documented, but other clients expect it), or a shared drive we no longer see: asking for a new
    // start token tells which.
    if operation == operation::CHANGES && matches!(status, 404 | 410) {
        return ErrorKind::CursorExpired;
    }
    match status {
        400 if refusal.location.as_deref() == Some("pageToken") => ErrorKind::CursorExpired,
        400 if refusal.location.as_deref() == Some("driveId") => ErrorKind::Config,
        401 => ErrorKind::TokenExpired,
        403 if refusal.has_any(&["revisionsnotsupported", "filenotdownloadable"]) => ErrorKind::NotSupported,
        // Bytes of older revisions are given out only while they are pinned.
        403 if refusal.has_any(&["downloadrestrictedforrevision"]) => ErrorKind::NotFound,
        // Before the rate reasons: a daily limit does not lapse within any wait worth making.
        403 if refusal.has_any(ACCOUNT_REASONS) => ErrorKind::PermissionDenied,
        403 if refusal.has_any(RATE_REASONS) => limited,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        429 => limited,
        501 => ErrorKind::NotSupported,
        408 | 500..=599 => ErrorKind::Unavailable { retry_after: None },
        // What else is wrong with a request is this program's doing.
        400..=499 => ErrorKind::Bug,
        _ => ErrorKind::Malformed,
    }
}

/// True when the failure would meet every other question just the same.
pub(crate) fn concerns_account(error: &ConnectorError) -> bool {
    match error.kind {
        ErrorKind::TokenExpired
        | ErrorKind::Unauthorized
        | ErrorKind::RateLimited { .. }
        | ErrorKind::ForeignHost
        | ErrorKind::Config
        | ErrorKind::Bug => true,
        ErrorKind::PermissionDenied => error
            .code
            .as_deref()
            .is_some_and(|code| ACCOUNT_REASONS.contains(&normal(code).as_str())),
        ErrorKind::Unavailable { .. }
        | ErrorKind::NotFound
        | ErrorKind::CursorExpired
        | ErrorKind::NotSupported
        | ErrorKind::Malformed => false,
    }
}

/// An error without an answer behind it.
pub(crate) fn failed(kind: ErrorKind, operation: &'static str) -> ConnectorError {
    ConnectorError::new(kind, Provider::GoogleDrive, operation)
}

/// An error about `answer`, which came with a good status but cannot be used.
pub(crate) fn unusable(kind: ErrorKind, operation: &'static str, answer: &Answer) -> ConnectorError {
    let mut error = failed(kind, operation);
    error.status = Some(answer.status);
    error.request_id.clone_from(&answer.request_id);
    error
}

/// Reads Drive's answers for the shared HTTP client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DriveErrors;

impl ErrorReader for DriveErrors {
    fn read(&self, answer: &Answer, operation: &'static str) -> Option<Failure> {
        if (200..300).contains(&answer.status) {
            return None;
        }
        let refusal = Refusal::read(&answer.body);
        Some(Failure {
            kind: classify(answer.status, &refusal, operation),
            code: refusal.code(),
        })
    }

    /// Drive documents no id of a request.
    fn request_id(&self, _headers: &HeaderMap) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const UNAVAILABLE: ErrorKind = ErrorKind::Unavailable { retry_after: None };
    const LIMITED: ErrorKind = ErrorKind::RateLimited { retry_after: None };
    const CHANGES: &str = operation::CHANGES;
    const REVISIONS: &str = operation::REVISIONS;

    #[rstest]
    #[case::rate_of_the_user(403, "userRateLimitExceeded", REVISIONS, LIMITED)]
    #[case::rate_of_the_project(403, "rateLimitExceeded", CHANGES, LIMITED)]
    #[case::rate_in_capitals(403, "RATE_LIMIT_EXCEEDED", CHANGES, LIMITED)]
    #[case::too_many(429, "rateLimitExceeded", CHANGES, LIMITED)]
    #[case::too_many_without_a_reason(429, "", CHANGES, LIMITED)]
    #[case::daily_limit(403, "dailyLimitExceeded", CHANGES, ErrorKind::PermissionDenied)]
    #[case::viewer(403, "insufficientFilePermissions", REVISIONS, ErrorKind::PermissionDenied)]
    #[case::policy(403, "domainPolicy", CHANGES, ErrorKind::PermissionDenied)]
    #[case::membership(403, "teamDriveMembershipRequired", CHANGES, ErrorKind::PermissionDenied)]
    #[case::new_reason(403, "somethingNew", CHANGES, ErrorKind::PermissionDenied)]
    #[case::no_revisions(403, "revisionsNotSupported", REVISIONS, ErrorKind::NotSupported)]
    #[case::no_revisions_spelled_otherwise(
        403,
        "Revisions_Not_Supported",
        REVISIONS,
        ErrorKind::NotSupported
    )]
    #[case::token(401, "authError", CHANGES, ErrorKind::TokenExpired)]
    #[case::gone(404, "notFound", REVISIONS, ErrorKind::NotFound)]
    #[case::log_gone(404, "notFound", CHANGES, ErrorKind::CursorExpired)]
    #[case::log_expired(410, "", CHANGES, ErrorKind::CursorExpired)]
    #[case::bad_request(400, "badRequest", CHANGES, ErrorKind::Bug)]
    #[case::too_long(413, "", "files.list", ErrorKind::Bug)]
    #[case::busy(503, "backendError", CHANGES, UNAVAILABLE)]
    #[case::internal(500, "internalError", CHANGES, UNAVAILABLE)]
    #[case::slow(504, "", CHANGES, UNAVAILABLE)]
    #[case::timeout(408, "", CHANGES, UNAVAILABLE)]
    #[case::redirect(302, "", CHANGES, ErrorKind::Malformed)]
    fn classifies(
        #[case] status: u16,
        #[case] reason: &str,
        #[case] operation: &str,
        #[case] expected: ErrorKind,
    ) {
        let body = format!(
            r#"{{"error":{{"code":{status},"message":"m","errors":[{{"domain":"d","reason":"{reason}","message":"m"}}]}}}}"#
        );
        assert_eq!(
            classify(status, &Refusal::read(body.as_bytes()), operation),
            expected
        );
    }

    #[rstest]
    #[case("pageToken", ErrorKind::CursorExpired)]
    #[case("driveId", ErrorKind::Config)]
    #[case("q", ErrorKind::Bug)]
    fn the_parameter_at_fault_counts(#[case] location: &str, #[case] expected: ErrorKind) {
        let body = format!(
            r#"{{"error":{{"code":400,"errors":[{{"reason":"invalid","location":"{location}","locationType":"parameter"}}]}}}}"#
        );
        let refusal = Refusal::read(body.as_bytes());
        assert_eq!(classify(400, &refusal, operation::CHANGES), expected);
        assert_eq!(refusal.code().as_deref(), Some("invalid"));
    }

    #[test]
    fn the_newer_form_is_read_from_its_details() {
        let body = include_bytes!("../tests/data/error-quota-as-details.json");
        let refusal = Refusal::read(body);
        assert_eq!(refusal.code().as_deref(), Some("RATE_LIMIT_EXCEEDED"));
        assert_eq!(classify(403, &refusal, operation::FILES), LIMITED);
    }

    #[rstest]
    #[case::page(b"<html>busy</html>")]
    #[case::empty(b"")]
    #[case::no_reason(br#"{"error":{}}"#)]
    #[case::token_endpoint(br#"{"error":"invalid_grant"}"#)]
    fn a_body_without_reasons_has_none(#[case] body: &[u8]) {
        assert_eq!(Refusal::read(body), Refusal::default());
    }

    #[test]
    fn a_reason_cannot_smuggle_a_path_into_logs() {
        let body = br#"{"error":{"errors":[{"reason":"bad /Finance/Plan x.xlsx\n"}]}}"#;
        assert_eq!(
            Refusal::read(body).code().as_deref(),
            Some("badFinancePlanx.xlsx")
        );
    }

    #[rstest]
    #[case::viewer("insufficientFilePermissions", false)]
    #[case::policy("domainPolicy", true)]
    #[case::scope("ACCESS_TOKEN_SCOPE_INSUFFICIENT", true)]
    fn some_refusals_concern_the_account(#[case] code: &str, #[case] expected: bool) {
        let error = failed(ErrorKind::PermissionDenied, REVISIONS).with_code(code);
        assert_eq!(concerns_account(&error), expected);
    }
}
