//! The Google Drive face of the world: Drive v3 as the owner of one My Drive sees it, and the token endpoint.
//!
//! All items are the owner's and have one parent. A deletion is a move to the trash, so nothing is ever removed. One route
//! function answers single requests, overridden ones (`X-HTTP-Method-Override`) and the parts of a batch.

pub(crate) use gzip::compress;
pub(crate) use wire::is_editors;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::{Extension, Router};
use serde_json::{Value, json};

use crate::fault::{Fault, FaultKind};
use crate::oauth::{self, Form, Refused};
use crate::sim::{Call, Provider, Sim};

pub(crate) mod audit;
mod batch;
mod gzip;
pub(crate) mod ids;
mod listing;
mod machine;
mod mask;
mod place;
mod problem;
mod query;
mod single;
mod unseen;
mod wire;

#[cfg(test)]
mod tests;

use mask::{Mask, Shape};
use problem::{Answer, Problem};

/// Path of the token endpoint.
const TOKEN: &str = "/token";
/// Said when a service account may not act for a user, or not for this.
const NOT_DELEGATED: &str = "Client is unauthorized to retrieve access tokens using this method, or client not authorized \
                             for any of the scopes requested.";
/// Path of the batch endpoint.
const BATCH: &str = "/batch/drive/v3";
/// What every route of the API starts with.
const API: &str = "/drive/v3/";

/// Routes of this provider, token endpoint included.
pub(crate) fn router(sim: Arc<Sim>) -> Router {
    Router::new().fallback(serve).with_state(sim)
}

/// Name of the operation a request asks for; the word used in counters and fault plans.
pub(crate) fn operation(parts: &Parts) -> &'static str {
    operation_of(parts.uri.path(), parts.uri.query().unwrap_or_default())
}

fn operation_of(path: &str, query: &str) -> &'static str {
    if query.split('&').any(|pair| pair == "alt=media") {
        return "content";
    }
    match path {
        TOKEN => "token",
        _ if machine::is_metadata(path) => "metadata",
        _ if machine::is_sign(path) => "sign_jwt",
        BATCH => "batch",
        audit::QUERY => "activity",
        _ if audit::reports_path(path).is_some() => "reports",
        _ => Route::of(path).map_or("other", |route| route.operation()),
    }
}

/// The provider's own body and status for a refusal the middleware decided on. Which spelling of a rate limit it is depends
/// on the request's id, so on the seed and the number of the request.
pub(crate) fn refusal(fault: &Fault, call: &Call) -> Response {
    let choice = call.request_id.bytes().map(u64::from).sum();
    let problem = match fault.kind() {
        FaultKind::Throttle429 if call.operation == "activity" => Problem::exhausted(),
        // Too many questions are answered like this there.
        FaultKind::Throttle429 if call.operation == "reports" => {
            Problem::failed(StatusCode::SERVICE_UNAVAILABLE)
        }
        FaultKind::Throttle429 => Problem::throttled(StatusCode::TOO_MANY_REQUESTS, choice),
        FaultKind::DriveRateLimit403 => Problem::throttled(StatusCode::FORBIDDEN, choice),
        FaultKind::Internal500 => Problem::failed(StatusCode::INTERNAL_SERVER_ERROR),
        FaultKind::Timeout504 => Problem::failed(StatusCode::GATEWAY_TIMEOUT),
        _ => Problem::failed(StatusCode::SERVICE_UNAVAILABLE),
    };
    Answer::from(problem).into_response()
}

/// A route of the API with the ids in its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'p> {
    About,
    StartPageToken,
    Changes,
    Files,
    File(&'p str),
    Revisions(&'p str),
    Revision(&'p str, &'p str),
    Drives,
    Drive(&'p str),
}

impl<'p> Route<'p> {
    fn of(path: &'p str) -> Option<Self> {
        let pieces: Vec<&str> = path.strip_prefix(API)?.split('/').collect();
        match *pieces.as_slice() {
            ["about"] => Some(Self::About),
            ["changes", "startPageToken"] => Some(Self::StartPageToken),
            ["changes"] => Some(Self::Changes),
            ["files"] => Some(Self::Files),
            ["files", id] => Some(Self::File(id)),
            ["files", id, "revisions"] => Some(Self::Revisions(id)),
            ["files", id, "revisions", revision] => Some(Self::Revision(id, revision)),
            ["drives"] => Some(Self::Drives),
            ["drives", id] => Some(Self::Drive(id)),
            _ => None,
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::About => "about",
            Self::StartPageToken => "start_page_token",
            Self::Changes => "changes",
            Self::Files => "files",
            Self::File(_) => "file",
            Self::Revisions(_) => "revisions",
            Self::Revision(..) => "revision",
            Self::Drives | Self::Drive(_) => "drives",
        }
    }
}

/// One request to the API, or one part of a batch.
struct Ask<'a> {
    sim: &'a Sim,
    call: &'a Call,
    params: &'a Form,
}

impl Ask<'_> {
    /// A parameter; an empty one counts as absent.
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.params.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    fn mask(&self, stub: &str, shape: &'static Shape) -> Result<Mask, Problem> {
        Mask::parse(self.get("fields").unwrap_or(stub), shape)
    }

    fn wants_media(&self) -> bool {
        self.get("alt") == Some("media")
    }

    fn fires(&self, kind: FaultKind) -> bool {
        self.sim.fires(self.call, kind).is_some()
    }
}

async fn serve(
    State(sim): State<Arc<Sim>>,
    Extension(call): Extension<Call>,
    parts: Parts,
    body: Bytes,
) -> Response {
    let path = parts.uri.path();
    if path == TOKEN {
        return token(&sim, &parts.method, &parts.headers, &body).into_response();
    }
    if let Some(answer) = machine::answer(&sim, &parts, &body) {
        return answer.into_response();
    }
    let outcome = if path == BATCH && parts.method == Method::POST {
        batch::run(&sim, &parts.headers, &body)
    } else {
        request(&sim, &call, &parts, &body)
    };
    outcome.unwrap_or_else(Answer::from).into_response()
}

fn request(sim: &Sim, call: &Call, parts: &Parts, body: &Bytes) -> Result<Answer, Problem> {
    let mut params = oauth::form(parts.uri.query().unwrap_or_default().as_bytes());
    let overridden = parts.method == Method::POST
        && parts
            .headers
            .get("x-http-method-override")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"GET"));
    if overridden {
        params.extend(oauth::form(body));
    }
    admit(sim, oauth::bearer(&parts.headers))?;
    let ask = Ask {
        sim,
        call,
        params: &params,
    };
    if parts.uri.path() == audit::QUERY && parts.method == Method::POST {
        return audit::query(&ask, body);
    }
    if parts.method != Method::GET && !overridden {
        return Err(Problem::read_only());
    }
    if let Some((user, application)) = audit::reports_path(parts.uri.path()) {
        return audit::list(&ask, user, application);
    }
    answer(&ask, parts.uri.path())
}

fn answer(ask: &Ask<'_>, path: &str) -> Result<Answer, Problem> {
    let value: Value = match Route::of(path).ok_or_else(Problem::no_route)? {
        Route::File(id) => return single::file(ask, id),
        Route::Revision(id, revision) => return single::revision(ask, id, revision),
        Route::Drive(id) => return Err(Problem::no_drive(id)),
        Route::About => single::about(ask)?,
        Route::StartPageToken => single::start_page_token(ask)?,
        Route::Changes => listing::changes(ask)?,
        Route::Files => listing::files(ask)?,
        Route::Revisions(id) => listing::revisions(ask, id)?,
        Route::Drives => listing::drives(ask)?,
    };
    Ok(Answer::json(StatusCode::OK, &value))
}

fn admit(sim: &Sim, bearer: Option<&str>) -> Result<(), Problem> {
    sim.check_token(Provider::GoogleDrive, bearer)
        .map_err(|_| Problem::credentials())
}

fn token(sim: &Sim, method: &Method, headers: &HeaderMap, body: &Bytes) -> Answer {
    if method != Method::POST {
        return Problem::no_route().into();
    }
    let form = oauth::form(body);
    let granted = match form.get("grant_type").map(String::as_str) {
        // The provider knows no client credentials.
        Some("client_credentials") => Err(Refused::UnsupportedGrantType),
        _ => oauth::grant(sim, Provider::GoogleDrive, TOKEN, (headers, &form)),
    };
    match granted {
        Ok(granted) => {
            let token = granted.access_token;
            let body = json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" });
            Answer::json(StatusCode::OK, &body)
        }
        Err(refused) => {
            let (status, why) = match refused {
                Refused::InvalidGrant => (StatusCode::BAD_REQUEST, "Token has been expired or revoked."),
                Refused::InvalidClient => (StatusCode::UNAUTHORIZED, "The OAuth client was not found."),
                Refused::InvalidRequest => {
                    (StatusCode::BAD_REQUEST, "Missing required parameter: grant_type")
                }
                Refused::UnauthorizedClient => (StatusCode::UNAUTHORIZED, NOT_DELEGATED),
                Refused::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "Invalid grant_type"),
            };
            let body = json!({ "error": refused.word(), "error_description": why });
            Answer::json(status, &body)
        }
    }
}
