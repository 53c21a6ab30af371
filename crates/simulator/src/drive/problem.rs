//! Refusals in Google's envelope, and the answers of the face before they are bytes.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

/// Content type of every JSON answer.
pub(super) const JSON: &str = "application/json; charset=UTF-8";

/// Older and newer form of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    /// With `status` and an `ErrorInfo` among `details`.
    ErrorInfo,
    /// With this `status`.
    Status(&'static str),
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    domain: &'static str,
    pub(super) reason: &'static str,
    message: String,
    /// Parameter or header, and which of the two it is.
    location: Option<(&'static str, &'static str)>,
    form: Form,
}

impl Problem {
    fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            domain: "global",
            reason,
            message: message.into(),
            location: None,
            form: Form::Plain,
        }
    }

    fn about(mut self, parameter: &'static str) -> Self {
        self.location = Some((parameter, "parameter"));
        self
    }

    /// 400, a value that is not accepted.
    pub(super) fn invalid(parameter: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", "Invalid Value").about(parameter)
    }

    /// 400, a parameter that has to be there.
    pub(super) fn required(parameter: &'static str) -> Self {
        let message = format!("Required parameter: {parameter}");
        Self::new(StatusCode::BAD_REQUEST, "required", message).about(parameter)
    }

    /// 400, a field nobody knows.
    pub(super) fn field(field: &str) -> Self {
        let message = format!("Invalid field selection {field}");
        Self::new(StatusCode::BAD_REQUEST, "invalidParameter", message).about("fields")
    }

    /// 400 for another reason.
    pub(super) fn bad(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "badRequest", message)
    }

    /// 400 in the newer form.
    pub(super) fn argument(message: &str) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "badRequest", message);
        problem.form = Form::Status("INVALID_ARGUMENT");
        problem
    }

    /// 429 of Drive Activity.
    pub(super) fn exhausted() -> Self {
        let message = "Resource has been exhausted (e.g. check quota).";
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rateLimitExceeded", message);
        problem.form = Form::Status("RESOURCE_EXHAUSTED");
        problem
    }

    /// 401, the audit log asked for by somebody who may not read it, or without one.
    pub(super) fn no_reports() -> Self {
        let message = "Access denied. You are not authorized to read activity records.";
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "authError", message);
        problem.location = Some(("Authorization", "header"));
        problem
    }

    /// 401.
    pub(super) fn credentials() -> Self {
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "authError", "Invalid Credentials");
        problem.location = Some(("Authorization", "header"));
        problem
    }

    /// 404 of an item.
    pub(super) fn no_file(id: &str) -> Self {
        let message = format!("File not found: {id}.");
        Self::new(StatusCode::NOT_FOUND, "notFound", message).about("fileId")
    }

    /// 404 of a revision.
    pub(super) fn no_revision(id: &str) -> Self {
        let message = format!("Revision not found: {id}.");
        Self::new(StatusCode::NOT_FOUND, "notFound", message).about("revisionId")
    }

    /// 404 of a shared drive; there are none.
    pub(super) fn no_drive(id: &str) -> Self {
        let message = format!("Shared drive not found: {id}");
        Self::new(StatusCode::NOT_FOUND, "notFound", message).about("driveId")
    }

    /// 404 of a route.
    pub(super) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", "Not Found")
    }

    /// 403, a write with a scope that only reads.
    pub(super) fn read_only() -> Self {
        let message = "Request had insufficient authentication scopes.";
        Self::new(StatusCode::FORBIDDEN, "insufficientPermissions", message)
    }

    /// 403, revisions of a folder.
    pub(super) fn no_revisions() -> Self {
        let message = "The file does not support revisions.";
        Self::new(StatusCode::FORBIDDEN, "revisionsNotSupported", message)
    }

    /// 403, revisions asked for by somebody who may only look.
    pub(super) fn viewer() -> Self {
        let message = "The user does not have sufficient permissions for this file.";
        Self::new(StatusCode::FORBIDDEN, "insufficientFilePermissions", message)
    }

    /// 403, a shared drive the user is no member of any more.
    pub(super) fn no_member() -> Self {
        let message = "The attempted action requires shared drive membership.";
        Self::new(StatusCode::FORBIDDEN, "teamDriveMembershipRequired", message)
    }

    /// 403, content of a folder.
    pub(super) fn no_content() -> Self {
        let message = "Only files with binary content can be downloaded.";
        Self::new(StatusCode::FORBIDDEN, "fileNotDownloadable", message).about("alt")
    }

    /// 403, content that was found to do harm.
    pub(super) fn abusive() -> Self {
        let message = "This file has been identified as malware or spam and cannot be downloaded.";
        Self::new(StatusCode::FORBIDDEN, "cannotDownloadAbusiveFile", message)
    }

    /// 403, content of a revision that is neither pinned nor the newest.
    pub(super) fn restricted() -> Self {
        let message = "This revision cannot be downloaded by the authenticated user.";
        Self::new(StatusCode::FORBIDDEN, "download_restricted_for_revision", message)
    }

    /// 429 or 403 for too many requests; of the latter there are three spellings, and `choice` takes one.
    pub(super) fn throttled(status: StatusCode, choice: u64) -> Self {
        let (reason, message) = match (status, choice % 3) {
            (StatusCode::FORBIDDEN, 0) => ("userRateLimitExceeded", "User Rate Limit Exceeded"),
            _ => ("rateLimitExceeded", "Rate Limit Exceeded"),
        };
        let mut problem = Self::new(status, reason, message);
        problem.domain = "usageLimits";
        if (status, choice % 3) == (StatusCode::FORBIDDEN, 2) {
            problem.form = Form::ErrorInfo;
        }
        problem
    }

    /// 500 and above.
    pub(super) fn failed(status: StatusCode) -> Self {
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            Self::new(status, "internalError", "Internal Error")
        } else {
            Self::new(status, "backendError", "Backend Error")
        }
    }

    /// The envelope.
    pub(super) fn body(&self) -> Value {
        let mut inner = json!({ "message": self.message, "domain": self.domain, "reason": self.reason });
        if let Some((location, kind)) = self.location {
            inner["location"] = json!(location);
            inner["locationType"] = json!(kind);
        }
        let mut error = json!({ "code": self.status.as_u16(), "message": self.message, "errors": [inner] });
        if let Form::Status(word) = self.form {
            error["status"] = json!(word);
        }
        if self.form == Form::ErrorInfo {
            error["status"] = json!("PERMISSION_DENIED");
            error["details"] = json!([{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "RATE_LIMIT_EXCEEDED",
                "domain": "googleapis.com",
                "metadata": { "service": "drive.googleapis.com", "quota_unit": "1/min/{project}/{user}" },
            }]);
        }
        json!({ "error": error })
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        Self::json(problem.status, &problem.body())
    }
}

/// An answer as a batch needs it: status, type, bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) kind: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(status: StatusCode, value: &Value) -> Self {
        Self {
            status,
            kind: JSON.to_owned(),
            body: value.to_string().into_bytes(),
        }
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = (self.status, Body::from(self.body)).into_response();
        if let Ok(kind) = HeaderValue::from_str(&self.kind) {
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        response
    }
}
