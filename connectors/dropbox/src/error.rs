//! What a refusal by Dropbox means: status and JSON tags into an [`ErrorKind`].

use std::time::Duration;

use revtrail_connector::{ConnectorError, ErrorKind};
use revtrail_model::id::Provider;

use crate::{
    api::{CONTINUE, EVENTS, EVENTS_CONTINUE, PEOPLE},
    wire::{ErrorEnvelope, ErrorUnion},
};

/// Code of a place that holds a folder where a file was asked for.
pub(crate) const NOT_A_FILE: &str = "path/not_file";

/// An error for an answer, or a page token, that could not be understood.
pub(crate) fn malformed(operation: &'static str, source: serde_json::Error) -> ConnectorError {
    ConnectorError::new(ErrorKind::Malformed, Provider::Dropbox, operation).with_source(source)
}

/// An error without an answer behind it.
pub(crate) fn plain(kind: ErrorKind, operation: &'static str, code: &'static str) -> ConnectorError {
    ConnectorError::new(kind, Provider::Dropbox, operation).with_code(code)
}

/// A refusal, read. `None` is an answer to go on with: a success, or the refusal of a batch of accounts that names the ids to leave
/// out, which the caller reads itself.
pub(crate) fn classify(
    operation: &'static str,
    status: u16,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Option<(ErrorKind, Option<String>)> {
    if (200..300).contains(&status) {
        return None;
    }
    let envelope: Option<ErrorEnvelope> = serde_json::from_slice(body).ok();
    let error = envelope.as_ref().map(|envelope| &envelope.error);
    if operation == PEOPLE && error.is_some_and(|error| !error.refused_accounts().is_empty()) {
        return None;
    }
    if status == 400 {
        let (kind, code) = bad_request(operation, &String::from_utf8_lossy(body));
        return Some((kind, code.map(str::to_owned)));
    }
    let kind = match status {
        401 => authentication(error.and_then(|error| error.tag.as_deref())),
        403 => ErrorKind::PermissionDenied,
        409 => route(operation, error),
        // Access to the namespace was taken away, or the account has moved to another root.
        422 if error.is_some_and(|error| error.tag.as_deref() == Some("no_permission")) => {
            ErrorKind::PermissionDenied
        }
        404 | 422 => ErrorKind::Config,
        429 => ErrorKind::RateLimited {
            retry_after: longer(retry_after, error),
        },
        408 | 500.. => ErrorKind::Unavailable { retry_after },
        _ => ErrorKind::Malformed,
    };
    Some((kind, error.and_then(ErrorUnion::code)))
}

/// Bad requests come as text, which may quote paths, so none of it is passed on.
fn bad_request(operation: &'static str, text: &str) -> (ErrorKind, Option<&'static str>) {
    if (operation == CONTINUE || operation == EVENTS_CONTINUE) && text.contains("cursor") {
        (ErrorKind::CursorExpired, Some("cursor not understood"))
    } else if text.contains("not allowed to call") {
        (ErrorKind::Config, Some("app not allowed to call this"))
    } else if text.to_ascii_lowercase().contains("select-user") || text.contains("select_user") {
        (ErrorKind::Config, Some("token of a team instead of a member"))
    } else {
        (ErrorKind::Config, Some("bad request"))
    }
}

fn authentication(tag: Option<&str>) -> ErrorKind {
    match tag {
        Some("missing_scope" | "route_access_denied") => ErrorKind::PermissionDenied,
        Some("invalid_select_user" | "invalid_select_admin") => ErrorKind::Config,
        Some("invalid_access_token" | "user_suspended") => ErrorKind::Unauthorized,
        // `expired_access_token`, and anything new: a fresh token is worth one try.
        _ => ErrorKind::TokenExpired,
    }
}

/// Errors of the routes themselves.
fn route(operation: &'static str, error: Option<&ErrorUnion>) -> ErrorKind {
    let tag = error.and_then(|error| error.tag.as_deref());
    let lookup = error.and_then(|error| error.path.as_ref()?.tag.as_deref());
    match (tag, lookup) {
        (Some("reset"), _) => ErrorKind::CursorExpired,
        (Some("bad_cursor"), _) if operation == EVENTS_CONTINUE => ErrorKind::CursorExpired,
        (Some("invalid_time_range" | "invalid_filters"), _) if operation == EVENTS => ErrorKind::Config,
        (Some("path"), Some("not_found" | "not_file" | "not_folder")) => ErrorKind::NotFound,
        (Some("path"), Some("restricted_content" | "locked")) => ErrorKind::PermissionDenied,
        (Some("path"), Some("malformed_path")) => ErrorKind::Config,
        (Some("path"), Some("unsupported_content_type"))
        | (Some("unsupported_file" | "invalid_before_rev" | "before_rev_not_supported"), _) => {
            ErrorKind::NotSupported
        }
        // The specification lets a feed end in ways yet to be named; listing again is safe for all of them.
        (Some(tag), _) if operation == CONTINUE && tag != "path" => ErrorKind::CursorExpired,
        _ => ErrorKind::Malformed,
    }
}

/// The longer of the header's wait and the body's.
fn longer(header: Option<Duration>, error: Option<&ErrorUnion>) -> Option<Duration> {
    let body = error.and_then(|error| error.retry_after).map(Duration::from_secs);
    header.max(body)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const LIST: &str = "list_folder";
    const RATE: ErrorKind = ErrorKind::RateLimited { retry_after: None };
    const DOWN: ErrorKind = ErrorKind::Unavailable { retry_after: None };

    #[rstest]
    #[case::path_gone(
        LIST,
        409,
        r#"{"error":{".tag":"path","path":{".tag":"not_found"}}}"#,
        ErrorKind::NotFound
    )]
    #[case::cloud_document(
        "download",
        409,
        r#"{"error":{".tag":"unsupported_file"}}"#,
        ErrorKind::NotSupported
    )]
    #[case::withheld(
        "download",
        409,
        r#"{"error":{".tag":"path","path":{".tag":"restricted_content"}}}"#,
        ErrorKind::PermissionDenied
    )]
    #[case::feed_reset(
        CONTINUE,
        409,
        r#"{"error_summary":"reset/..","error":{".tag":"reset"}}"#,
        ErrorKind::CursorExpired
    )]
    #[case::feed_new_tag(
        CONTINUE,
        409,
        r#"{"error":{".tag":"moved_house"}}"#,
        ErrorKind::CursorExpired
    )]
    #[case::log_cursor(
        EVENTS_CONTINUE,
        409,
        r#"{"error":{".tag":"bad_cursor"}}"#,
        ErrorKind::CursorExpired
    )]
    #[case::log_reset(
        EVENTS_CONTINUE,
        409,
        r#"{"error":{".tag":"reset","reset":"2026-03-01T00:00:00Z"}}"#,
        ErrorKind::CursorExpired
    )]
    #[case::log_range(EVENTS, 409, r#"{"error":{".tag":"invalid_time_range"}}"#, ErrorKind::Config)]
    #[case::feed_path(
        CONTINUE,
        409,
        r#"{"error":{".tag":"path","path":{".tag":"not_found"}}}"#,
        ErrorKind::NotFound
    )]
    #[case::new_tag(LIST, 409, r#"{"error":{".tag":"moved_house"}}"#, ErrorKind::Malformed)]
    #[case::malformed_path(
        LIST,
        409,
        r#"{"error":{".tag":"path","path":{".tag":"malformed_path"}}}"#,
        ErrorKind::Config
    )]
    #[case::restricted(
        LIST,
        409,
        r#"{"error":{".tag":"path","path":{".tag":"restricted_content"}}}"#,
        ErrorKind::PermissionDenied
    )]
    #[case::conflict_html(LIST, 409, "<html>", ErrorKind::Malformed)]
    #[case::garbage_cursor(
        CONTINUE,
        400,
        "request body: cursor: unsupported cursor type",
        ErrorKind::CursorExpired
    )]
    #[case::bad_request(LIST, 400, "request body: unknown field 'cursor'", ErrorKind::Config)]
    #[case::expired(
        LIST,
        401,
        r#"{"error":{".tag":"expired_access_token"}}"#,
        ErrorKind::TokenExpired
    )]
    #[case::revoked(
        LIST,
        401,
        r#"{"error":{".tag":"invalid_access_token"}}"#,
        ErrorKind::Unauthorized
    )]
    #[case::scope(
        LIST,
        401,
        r#"{"error":{".tag":"missing_scope","required_scope":"a.b"}}"#,
        ErrorKind::PermissionDenied
    )]
    #[case::unread_401(LIST, 401, "", ErrorKind::TokenExpired)]
    #[case::plan(
        LIST,
        403,
        r#"{"error":{".tag":"invalid_account_type","invalid_account_type":{".tag":"feature"}}}"#,
        ErrorKind::PermissionDenied
    )]
    #[case::other_root(
        LIST,
        422,
        r#"{"error":{".tag":"invalid_root","invalid_root":{".tag":"team"}}}"#,
        ErrorKind::Config
    )]
    #[case::closed_root(
        LIST,
        422,
        r#"{"error":{".tag":"no_permission"}}"#,
        ErrorKind::PermissionDenied
    )]
    #[case::rate_text(LIST, 429, "too many requests", RATE)]
    #[case::write_contention(
        LIST,
        429,
        r#"{"error":{"reason":{".tag":"too_many_write_operations"}}}"#,
        RATE
    )]
    #[case::empty_500(LIST, 500, "", DOWN)]
    #[case::html_503(LIST, 503, "<html><body>Service Unavailable</body></html>", DOWN)]
    #[case::strange(LIST, 418, "", ErrorKind::Malformed)]
    fn a_refusal_has_one_meaning(
        #[case] operation: &'static str,
        #[case] status: u16,
        #[case] body: &str,
        #[case] expected: ErrorKind,
    ) {
        let (kind, _) = classify(operation, status, None, body.as_bytes()).unwrap();
        assert_eq!(kind, expected);
    }

    #[test]
    fn the_longer_wait_counts() {
        let body = br#"{"error":{"reason":{".tag":"too_many_requests"},"retry_after":300}}"#;
        let wait = |header| match classify(LIST, 429, header, body) {
            Some((ErrorKind::RateLimited { retry_after }, _)) => retry_after,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(None), Some(Duration::from_mins(5)));
        assert_eq!(wait(Some(Duration::from_secs(2))), Some(Duration::from_mins(5)));
        assert_eq!(
            wait(Some(Duration::from_secs(400))),
            Some(Duration::from_secs(400))
        );
    }

    #[test]
    fn a_batch_refusal_that_names_accounts_is_an_answer() {
        let unknown = br#"{"error":{".tag":"no_account","no_account":"dbid:x"}}"#;
        assert_eq!(classify(PEOPLE, 409, None, unknown), None);
        let closed = br#"{"error":{".tag":"no_permission","no_permission":
            {".tag":"unauthorized_account_id_usage","unauthorized_account_ids":["dbid:y"]}}}"#;
        assert_eq!(classify(PEOPLE, 403, None, closed), None);
        assert!(classify(LIST, 409, None, unknown).is_some());
    }

    #[test]
    fn text_of_a_bad_request_is_not_passed_on() {
        let body = br#"Error in call to API function "files/list_folder": request body: path: '/Secret plans' did not match"#;
        assert_eq!(
            classify(LIST, 400, None, body),
            Some((ErrorKind::Config, Some("bad request".to_owned())))
        );
    }
}
