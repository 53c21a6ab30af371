//! Errors in the envelope of the service, and answers in general.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::fault::FaultKind;
use crate::sim::{Call, Sim};

/// Content type of every JSON body.
const JSON: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// An answer, alone or as a part of a batch.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, String)>,
    /// `Null`: no body.
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            headers: Vec::new(),
            body,
        }
    }

    /// To a URL that needs no token.
    pub(super) fn redirect(to: String) -> Self {
        Self {
            status: StatusCode::FOUND,
            headers: vec![(header::LOCATION, to)],
            body: Value::Null,
        }
    }

    /// As a part of a batch.
    pub(super) fn into_part(self, id: &str) -> Value {
        let mut headers: Map<String, Value> = self
            .headers
            .into_iter()
            .map(|(name, value)| (in_capitals(name.as_str()), value.into()))
            .collect();
        headers.insert("Cache-Control".to_owned(), "no-store, no-cache".into());
        let mut part = json!({ "id": id, "status": self.status.as_u16() });
        if !self.body.is_null() {
            headers.insert("Content-Type".to_owned(), JSON.into());
            part["body"] = self.body;
        }
        part["headers"] = headers.into();
        part
    }

    pub(super) fn into_response(self) -> Response {
        let body = if self.body.is_null() {
            Body::empty()
        } else {
            Body::from(self.body.to_string())
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if !self.body.is_null() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// Header names in the letter case the service writes into batches.
fn in_capitals(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

/// Status, code and message of a refusal that concerns the service as a whole.
pub(super) fn failure(kind: FaultKind) -> (StatusCode, &'static str, &'static str) {
    match kind {
        FaultKind::Throttle429 => (
            StatusCode::TOO_MANY_REQUESTS,
            "activityLimitReached",
            "The request has been throttled",
        ),
        FaultKind::Internal500 => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "generalException",
            "General exception while processing",
        ),
        // The gateway's own answer.
        FaultKind::Timeout504 => (StatusCode::GATEWAY_TIMEOUT, "UnknownError", ""),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "serviceNotAvailable",
            "The service is not available. Try later.",
        ),
    }
}

/// A request that fails.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    code: &'static str,
    message: String,
    inner: Option<&'static str>,
    header: Option<(HeaderName, String)>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            inner: None,
            header: None,
        }
    }

    /// The same with this code one level further in.
    pub(super) fn inner(mut self, code: &'static str) -> Self {
        self.inner = Some(code);
        self
    }

    /// The same with one more header.
    pub(super) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.header = Some((name, value.into()));
        self
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "itemNotFound",
            "The resource could not be found.",
        )
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalidRequest", message)
    }

    pub(super) fn segment(segment: &str) -> Self {
        let message = format!("Resource not found for the segment '{segment}'.");
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn method() -> Self {
        let message = "Specified HTTP method is not allowed for the request target.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Request_BadRequest", message)
    }

    pub(super) fn throttled() -> Self {
        let message = "The request has been throttled";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "activityLimitReached", message)
    }

    /// The envelope; `date` has whole seconds and no zone.
    pub(super) fn into_answer(self, sim: &Sim, call: &Call) -> Answer {
        let date = sim.now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let mut inner = json!({
            "date": date,
            "request-id": call.request_id,
            "client-request-id": call.request_id,
        });
        if let Some(code) = self.inner {
            inner["code"] = code.into();
        }
        Answer {
            status: self.status,
            headers: self.header.into_iter().collect(),
            body: json!({ "error": { "code": self.code, "message": self.message, "innerError": inner } }),
        }
    }
}
