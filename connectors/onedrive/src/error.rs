//! Graph's refusals in terms of what can be done about them.
//!
//! Decided by HTTP status first; codes differ in case and style between the gateway and the file service and may be missing. The
//! message is read in one case only, where nothing else tells (a deleted library).

use std::time::Duration;

use revtrail_connector::{
    ErrorKind,
    http::{Answer, ErrorReader, Failure, HeaderMap},
};

use crate::wire::{ErrorBody, ErrorLevel};

/// Operation names, as used in counters, logs and events.
pub(crate) mod operation {
    pub(crate) const CHANGES: &str = "drive.changes";
    pub(crate) const CHILDREN: &str = "drive.children";
    pub(crate) const ITEM: &str = "drive.item";
    pub(crate) const VERSIONS: &str = "drive.versions";
    pub(crate) const BATCH: &str = "drive.batch";
    pub(crate) const CONTENT: &str = "drive.content";
    pub(crate) const SITE: &str = "drive.site";
    pub(crate) const TOKEN: &str = "token";
}

/// Deeper levels are not looked at: real ones go to three.
const MAX_LEVELS: usize = 8;
const MAX_CODE_CHARS: usize = 60;

/// Codes that say "list everything again", in lower case.
const RESYNC_CODES: &[&str] = &[
    "resyncrequired",
    "resyncchangesapplydifferences",
    "resyncchangesuploaddifferences",
    "resyncapplydifferences",
    "resyncuploaddifferences",
    "syncstatenotfound",
    "syncstateinvalid",
];

/// Codes of a passing state of the service, whatever the status, in lower case.
const PASSING_CODES: &[&str] = &["cannotsnapshottree", "servicereadonly", "servicenotavailable"];

/// A record that cannot be mapped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// A member that everything hangs on is missing or of another type.
    #[error("record has an unknown form")]
    Form(#[source] serde_json::Error),
    /// A version without a time cannot be placed in a history.
    #[error("version {0} has no readable time")]
    NoTime(String),
}

/// What a refusal says: its codes from the outermost level inwards.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    codes: Vec<String>,
    message: String,
}

impl Refusal {
    /// Reads an error body; one that is no error envelope has no codes.
    pub(crate) fn read(body: &[u8]) -> Self {
        let Ok(ErrorBody { error }) = serde_json::from_slice(body) else {
            return Self::default();
        };
        let message = error.message.clone().unwrap_or_default().to_lowercase();
        let mut codes = Vec::new();
        let mut level: Option<&ErrorLevel> = Some(&error);
        while let Some(ErrorLevel { code, inner, .. }) = level {
            codes.extend(code.as_deref().map(plain).filter(|code| !code.is_empty()));
            level = inner.as_deref().filter(|_| codes.len() < MAX_LEVELS);
        }
        Self { codes, message }
    }

    /// The codes joined by `/`; absent when there are none.
    pub(crate) fn code(&self) -> Option<String> {
        (!self.codes.is_empty()).then(|| self.codes.join("/"))
    }

    fn has_any(&self, wanted: &[&str]) -> bool {
        self.codes
            .iter()
            .any(|code| wanted.contains(&code.to_ascii_lowercase().as_str()))
    }

    /// A library that was deleted answers 400 on its drive id, not 404.
    fn is_deleted_library(&self) -> bool {
        self.message.contains("drive id") && self.message.contains("malformed")
    }
}

/// A code without anything that could be a name, a path or a line break.
fn plain(code: &str) -> String {
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        .take(MAX_CODE_CHARS)
        .collect()
}

/// The kind of failure behind `status` and `refusal`; waiting times are filled in by the caller.
pub(crate) fn classify(status: u16, refusal: &Refusal, operation: &str) -> ErrorKind {
    if operation == operation::CHANGES && (status == 410 || refusal.has_any(RESYNC_CODES)) {
        return ErrorKind::CursorExpired;
    }
    if status == 400 && refusal.is_deleted_library() {
        return ErrorKind::NotFound;
    }
    let passing = ErrorKind::Unavailable { retry_after: None };
    match status {
        401 => ErrorKind::TokenExpired,
        403 => ErrorKind::PermissionDenied,
        404 | 410 => ErrorKind::NotFound,
        // 509: bandwidth limit; documented with a Retry-After like 429.
        429 | 509 => ErrorKind::RateLimited { retry_after: None },
        _ if refusal.has_any(PASSING_CODES) => passing,
        // A name the drive cannot hold is refused, not looked for.
        400 if operation == operation::ITEM => ErrorKind::NotFound,
        501 | 507 => ErrorKind::NotSupported,
        // 408, 423 (locked) and 424 (an older page says so of a throttled batch) pass by themselves.
        408 | 423 | 424 | 500..=599 => passing,
        400..=499 => ErrorKind::NotSupported,
        _ => ErrorKind::Malformed,
    }
}

/// `kind` with the waiting time the answer asked for, where a wait is what helps.
pub(crate) fn with_wait(kind: ErrorKind, retry_after: Option<Duration>) -> ErrorKind {
    match kind {
        ErrorKind::RateLimited { .. } => ErrorKind::RateLimited { retry_after },
        ErrorKind::Unavailable { .. } => ErrorKind::Unavailable { retry_after },
        kind => kind,
    }
}

/// `Retry-After` in seconds; whole in practice, but a fraction is documented and rounded up.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds.ceil()).ok()
}

/// Reads Graph's answers for the shared HTTP client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GraphErrors;

impl ErrorReader for GraphErrors {
    fn read(&self, answer: &Answer, operation: &'static str) -> Option<Failure> {
        if (200..300).contains(&answer.status) {
            return None;
        }
        let refusal = Refusal::read(&answer.body);
        let retry_after = header(&answer.headers, "retry-after").and_then(seconds);
        Some(Failure {
            kind: with_wait(classify(answer.status, &refusal, operation), retry_after),
            code: refusal.code(),
        })
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        // SharePoint adds its own, which stands in where the gateway's is missing.
        let id = header(headers, "request-id").or_else(|| header(headers, "sprequestguid"))?;
        Some(id.to_owned())
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const UNAVAILABLE: ErrorKind = ErrorKind::Unavailable { retry_after: None };
    const LIMITED: ErrorKind = ErrorKind::RateLimited { retry_after: None };

    #[rstest]
    #[case::token(401, "InvalidAuthenticationToken", "drive.changes", ErrorKind::TokenExpired)]
    #[case::denied(403, "accessDenied", "drive.changes", ErrorKind::PermissionDenied)]
    #[case::denied_with_an_empty_code(403, "", "drive.versions", ErrorKind::PermissionDenied)]
    #[case::drive_gone(404, "itemNotFound", "drive.changes", ErrorKind::NotFound)]
    #[case::resync(410, "resyncRequired", "drive.changes", ErrorKind::CursorExpired)]
    #[case::gone_without_a_code(410, "", "drive.changes", ErrorKind::CursorExpired)]
    #[case::sync_state_in_another_case(404, "SyncStateNotFound", "drive.changes", ErrorKind::CursorExpired)]
    #[case::sync_state_as_bad_request(400, "syncStateInvalid", "drive.changes", ErrorKind::CursorExpired)]
    #[case::gone_version_list(410, "itemNotFound", "drive.versions", ErrorKind::NotFound)]
    #[case::bad_folder_path(400, "invalidRequest", "drive.item", ErrorKind::NotFound)]
    #[case::folder_has_no_versions(400, "invalidRequest", "drive.versions", ErrorKind::NotSupported)]
    #[case::method(405, "Request_BadRequest", "drive.versions", ErrorKind::NotSupported)]
    #[case::locked(423, "notAllowed", "drive.versions", UNAVAILABLE)]
    #[case::failed_dependency(424, "FailedDependency", "drive.batch", UNAVAILABLE)]
    #[case::limit(429, "activityLimitReached", "drive.changes", LIMITED)]
    #[case::bandwidth(509, "bandwidthLimitExceeded", "drive.changes", LIMITED)]
    #[case::general(500, "generalException", "drive.changes", UNAVAILABLE)]
    #[case::snapshot(409, "cannotSnapshotTree", "drive.changes", UNAVAILABLE)]
    #[case::delta_below_the_root(501, "notSupported", "drive.changes", ErrorKind::NotSupported)]
    #[case::busy(503, "serviceNotAvailable", "drive.batch", UNAVAILABLE)]
    #[case::slow(504, "UnknownError", "drive.changes", UNAVAILABLE)]
    #[case::not_an_error(302, "", "drive.changes", ErrorKind::Malformed)]
    fn classifies(
        #[case] status: u16,
        #[case] code: &str,
        #[case] operation: &str,
        #[case] expected: ErrorKind,
    ) {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#);
        assert_eq!(
            classify(status, &Refusal::read(body.as_bytes()), operation),
            expected
        );
    }

    #[rstest]
    #[case("120", Some(120))]
    #[case("2.128", Some(3))]
    #[case("0", Some(0))]
    #[case("-1", None)]
    #[case("NaN", None)]
    #[case("Fri, 02 Jan 2026 03:04:05 GMT", None)]
    fn waits_are_rounded_up(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(seconds(text), expected.map(Duration::from_secs));
    }

    #[test]
    fn a_deleted_library_is_told_by_its_message() {
        let refusal = Refusal::read(include_bytes!("../tests/data/error-deleted-library.json"));
        assert_eq!(classify(400, &refusal, operation::CHANGES), ErrorKind::NotFound);
    }

    #[test]
    fn codes_of_every_level_are_kept_in_order() {
        let refusal = Refusal::read(include_bytes!("../tests/data/error-nested-codes.json"));
        assert_eq!(
            refusal.code().as_deref(),
            Some("activityLimitReached/throttledRequest/quota")
        );
    }

    #[test]
    fn the_lower_case_inner_member_is_read_too() {
        let body = br#"{"error":{"code":"notAllowed","innererror":{"code":"resourceLocked"}}}"#;
        assert_eq!(
            Refusal::read(body).code().as_deref(),
            Some("notAllowed/resourceLocked")
        );
    }

    #[test]
    fn an_inner_resync_code_is_enough() {
        let body = br#"{"error":{"code":"","innerError":{"code":"resyncUploadDifferences"}}}"#;
        let refusal = Refusal::read(body);
        assert_eq!(
            classify(400, &refusal, operation::CHANGES),
            ErrorKind::CursorExpired
        );
    }

    #[rstest]
    #[case::page(b"<html>busy</html>")]
    #[case::empty(b"")]
    #[case::no_code(br#"{"error":{}}"#)]
    #[case::text(br#"{"error":"invalid_grant"}"#)]
    fn a_body_without_codes_has_none(#[case] body: &[u8]) {
        assert_eq!(Refusal::read(body).code(), None);
    }

    #[test]
    fn a_code_cannot_smuggle_a_path_into_logs() {
        let body = br#"{"error":{"code":"bad /Finance/Plan x.xlsx\n"}}"#;
        assert_eq!(
            Refusal::read(body).code().as_deref(),
            Some("badFinancePlanx.xlsx")
        );
    }
}
