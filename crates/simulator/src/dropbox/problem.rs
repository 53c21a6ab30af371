//! Answers that are not 200, in Dropbox's forms.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::ids::NAMESPACE;
use crate::fault::FaultKind;
use crate::sim::TokenProblem;

/// Why a request is not answered with a result.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Problem {
    /// 400 with this text after the name of the route.
    Bad(String),
    /// 401 with this tag.
    Caller(&'static str),
    /// 401 for a scope the token does not have.
    Scope(&'static str),
    /// 403 with this `AccessError`.
    Access(Value),
    /// 409 with this error union of the route.
    Route(Value),
    /// 422 with this `PathRootError`.
    PathRoot(Value),
}

impl Problem {
    /// A 400 about one field of the argument.
    pub(super) fn field(name: &str, what: impl std::fmt::Display) -> Self {
        Self::Bad(format!("request body: {name}: {what}"))
    }

    /// A 409 without further value.
    pub(super) fn tag(tag: &str) -> Self {
        Self::Route(json!({ ".tag": tag }))
    }

    /// A 409 of the kind `path` with this `LookupError`.
    pub(super) fn path(lookup: &str) -> Self {
        Self::Route(json!({ ".tag": "path", "path": { ".tag": lookup } }))
    }

    /// 422 for a root that is not the caller's (any more); tells the present one.
    pub(super) fn invalid_root() -> Self {
        Self::PathRoot(json!({ ".tag": "invalid_root", "invalid_root": root_info() }))
    }

    /// The answer for the route of this name; `random` chooses the dots.
    pub(super) fn answer(self, route: &str, random: u64) -> Response {
        match self {
            Self::Bad(what) => text(
                StatusCode::BAD_REQUEST,
                format!("Error in call to API function \"{route}\": {what}"),
            ),
            Self::Caller(tag) => unauthorized(&json!({ ".tag": tag }), random),
            Self::Scope(scope) => {
                let error = json!({ ".tag": "missing_scope", "required_scope": scope });
                unauthorized(&error, random)
            }
            Self::Access(error) => envelope(StatusCode::FORBIDDEN, &error, random),
            Self::Route(error) => envelope(StatusCode::CONFLICT, &error, random),
            Self::PathRoot(error) => envelope(StatusCode::UNPROCESSABLE_ENTITY, &error, random),
        }
    }
}

impl From<TokenProblem> for Problem {
    fn from(problem: TokenProblem) -> Self {
        match problem {
            TokenProblem::Missing => Self::Bad(
                "no \"Authorization\" header and no \"authorization\" parameter was sent".to_owned(),
            ),
            TokenProblem::Unknown => Self::Caller("invalid_access_token"),
            TokenProblem::Expired => Self::Caller("expired_access_token"),
        }
    }
}

fn unauthorized(error: &Value, random: u64) -> Response {
    let mut answer = envelope(StatusCode::UNAUTHORIZED, error, random);
    let realm = HeaderValue::from_static("Bearer realm=\"Dropbox-API\"");
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    answer
}

/// A failure of the service as a whole: whatever stands in front of it answers, or nothing does.
pub(super) fn failure(kind: FaultKind) -> Response {
    let page = |name: &str| format!("<html><body>{name}</body></html>");
    let (status, body) = match kind {
        FaultKind::Internal500 => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        FaultKind::Timeout504 => (StatusCode::GATEWAY_TIMEOUT, page("Gateway Timeout")),
        _ => (StatusCode::SERVICE_UNAVAILABLE, page("Service Unavailable")),
    };
    typed(status, "text/html", body)
}

/// Root of an individual account: home and root are the same namespace.
pub(super) fn root_info() -> Value {
    let namespace = NAMESPACE.to_string();
    json!({ ".tag": "user", "root_namespace_id": namespace, "home_namespace_id": namespace })
}

/// `error_summary` and `error`. The summary ends in a random number of dots, as the real one does.
fn envelope(status: StatusCode, error: &Value, random: u64) -> Response {
    let dots = ".".repeat((random % 4) as usize);
    let body = json!({ "error_summary": format!("{}/{dots}", summary(error)), "error": error });
    json_answer(status, &body)
}

/// Tags from the outside in, joined by `/`.
fn summary(error: &Value) -> String {
    let mut tags = Vec::new();
    let mut at = Some(error);
    while let Some(tag) = at.and_then(|value| value.get(".tag")).and_then(Value::as_str) {
        tags.push(tag);
        at = at.and_then(|value| value.get(tag));
    }
    tags.join("/")
}

/// JSON with exactly the content type the official clients insist on.
pub(super) fn json_answer(status: StatusCode, body: &Value) -> Response {
    typed(status, "application/json", body.to_string())
}

pub(super) fn text(status: StatusCode, body: String) -> Response {
    typed(status, "text/plain; charset=utf-8", body)
}

pub(super) fn typed(status: StatusCode, kind: &'static str, body: String) -> Response {
    let name: HeaderName = header::CONTENT_TYPE;
    (status, [(name, HeaderValue::from_static(kind))], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_join_tags_and_leave_values_out() {
        let Problem::Route(path) = Problem::path("not_found") else {
            panic!("a route error")
        };
        assert_eq!(summary(&path), "path/not_found");
        let unknown = json!({ ".tag": "no_account", "no_account": "dbid:AA" });
        assert_eq!(summary(&unknown), "no_account");
    }
}
