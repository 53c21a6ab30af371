//! The Dropbox face of the world: one individual account with one namespace, RPC and content routes on one port.
//!
//! Every save, move, rename and restoration of a file is a revision, a save of equal bytes too (the real service writes
//! nothing then). A rename that changes letter case only makes no revision and no entry in a feed.

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use serde_json::{Value, json};

use crate::fault::{Fault, FaultKind};
use crate::oauth::{self, Refused};
use crate::sim::{Call, Provider, Sim};
use crate::world::World;

mod accounts;
mod args;
pub(crate) mod audit;
mod changes;
mod cursor;
mod download;
pub(crate) mod ids;
mod index;
mod listing;
mod longpoll;
mod metadata;
mod problem;
mod revisions;

#[cfg(test)]
mod tests;

use args::Args;
use changes::Remembered;
use index::Index;
use problem::{Problem, json_answer, text, typed};

/// State of the face: the shared simulator and what is derived from its world.
struct Face {
    sim: Arc<Sim>,
    index: RwLock<Index>,
    remembered: Mutex<Remembered>,
}

/// World and index at one moment, for one request. While it lives, nothing else may ask the simulator for its world.
struct View<'a> {
    sim: &'a Sim,
    world: RwLockReadGuard<'a, World>,
    index: RwLockReadGuard<'a, Index>,
}

impl Face {
    fn new(sim: Arc<Sim>) -> Self {
        Self {
            sim,
            index: RwLock::default(),
            remembered: Mutex::default(),
        }
    }

    fn view(&self) -> View<'_> {
        let world = self.sim.world();
        let behind = self.index().seq < world.seq();
        if behind {
            self.index
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .update(&world);
        }
        View {
            sim: &self.sim,
            world,
            index: self.index(),
        }
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes with JSON in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    ListFolder,
    Continue,
    LatestCursor,
    ListRevisions,
    Metadata,
    CurrentAccount,
    Account,
    AccountBatch,
    TeamEvents,
    TeamEventsContinue,
    TeamFeatures,
}

/// Said when a team's token does not name a member.
const WHOLE_TEAM: &str = "This API function operates on a single Dropbox account, but the OAuth 2 access token you provided is for \
                          an entire Dropbox Business team.  Since your API app key has team member file access permissions, you \
                          can operate on a team member's Dropbox by providing the \"Dropbox-API-Select-User\" HTTP header or \
                          \"select_user\" URL parameter to specify the exact user";
/// Said when a route about a team is called with another token, or in the name of a member. The official client names no member
/// there; what the service says to one that does is not documented.
const FOR_TEAMS: &str = "This API function operates on a whole Dropbox Business team: it takes the team's OAuth 2 access token, and no \
                         \"Dropbox-API-Select-User\" or \"Dropbox-API-Select-Admin\" HTTP header";
/// Path of the route that waits.
const LONGPOLL: &str = "/2/files/list_folder/longpoll";
/// Path of the content route.
const DOWNLOAD: &str = "/2/files/download";
/// Path of the token endpoint.
const TOKEN: &str = "/oauth2/token";

impl Route {
    const ALL: [Self; 11] = [
        Self::ListFolder,
        Self::Continue,
        Self::LatestCursor,
        Self::ListRevisions,
        Self::Metadata,
        Self::CurrentAccount,
        Self::Account,
        Self::AccountBatch,
        Self::TeamEvents,
        Self::TeamEventsContinue,
        Self::TeamFeatures,
    ];

    /// The name the service uses in its messages; the path is `/2/` and this.
    fn name(self) -> &'static str {
        match self {
            Self::ListFolder => "files/list_folder",
            Self::Continue => "files/list_folder/continue",
            Self::LatestCursor => "files/list_folder/get_latest_cursor",
            Self::ListRevisions => "files/list_revisions",
            Self::Metadata => "files/get_metadata",
            Self::CurrentAccount => "users/get_current_account",
            Self::Account => "users/get_account",
            Self::AccountBatch => "users/get_account_batch",
            Self::TeamEvents => "team_log/get_events",
            Self::TeamEventsContinue => "team_log/get_events/continue",
            Self::TeamFeatures => "team/features/get_values",
        }
    }

    fn operation(self) -> &'static str {
        match self {
            Self::ListFolder => "list_folder",
            Self::Continue => "list_folder_continue",
            Self::LatestCursor => "get_latest_cursor",
            Self::ListRevisions => "list_revisions",
            Self::Metadata => "get_metadata",
            Self::CurrentAccount => "get_current_account",
            Self::Account => "get_account",
            Self::AccountBatch => "get_account_batch",
            Self::TeamEvents => "team_events",
            Self::TeamEventsContinue => "team_events_continue",
            Self::TeamFeatures => "team_features",
        }
    }

    fn of(path: &str) -> Option<Self> {
        let name = path.strip_prefix("/2/")?;
        Self::ALL.into_iter().find(|route| route.name() == name)
    }
}

/// Routes of this provider, token endpoint included.
pub(crate) fn router(sim: Arc<Sim>) -> Router {
    let mut router = Router::new()
        .route(TOKEN, post(token))
        .route(DOWNLOAD, post(download::download))
        .route(LONGPOLL, post(longpoll::longpoll));
    for route in Route::ALL {
        router = router.route(&format!("/2/{}", route.name()), post(rpc));
    }
    router
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(Arc::new(Face::new(sim)))
}

/// Name of the operation a request asks for; the word used in counters and fault plans.
pub(crate) fn operation(parts: &Parts) -> &'static str {
    match parts.uri.path() {
        TOKEN => "token",
        DOWNLOAD => "content",
        LONGPOLL => "longpoll",
        path => Route::of(path).map_or("other", Route::operation),
    }
}

/// The provider's own body and status for a refusal the middleware decided on. A 429 has one of three shapes, chosen by the
/// request's id, which depends on the seed and the number of the request.
pub(crate) fn refusal(fault: &Fault, call: &Call) -> Response {
    if fault.kind() != FaultKind::Throttle429 {
        return problem::failure(fault.kind());
    }
    let status = StatusCode::TOO_MANY_REQUESTS;
    let reason = json!({ ".tag": "too_many_requests" });
    let summary = "too_many_requests/..";
    match call.request_id.bytes().map(u32::from).sum::<u32>() % 3 {
        0 => {
            let error = json!({ "reason": reason, "retry_after": whole_seconds(fault.retry_after()) });
            json_answer(status, &json!({ "error_summary": summary, "error": error }))
        }
        1 => json_answer(
            status,
            &json!({ "error_summary": summary, "error": { "reason": reason } }),
        ),
        _ => text(status, "too_many_requests".to_owned()),
    }
}

/// The body's wait is a whole number: at least what the header says, 1 when it says nothing.
fn whole_seconds(wait: Option<&str>) -> u64 {
    let Some(wait) = wait else { return 1 };
    let (whole, part) = wait.split_once('.').unwrap_or((wait, ""));
    let more = part.bytes().any(|digit| digit != b'0');
    whole.parse::<u64>().unwrap_or_default() + u64::from(more)
}

async fn unknown_route(uri: Uri) -> Response {
    text(
        StatusCode::NOT_FOUND,
        format!("Unknown API function: \"{}\"", uri.path()),
    )
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let why = format!("{} does not take {method}; use POST", uri.path());
    text(StatusCode::METHOD_NOT_ALLOWED, why)
}

async fn token(State(face): State<Arc<Face>>, headers: HeaderMap, body: Bytes) -> Response {
    let form = oauth::form(&body);
    let granted = match form.get("grant_type").map(String::as_str) {
        None | Some("refresh_token") => oauth::grant(&face.sim, Provider::Dropbox, TOKEN, (&headers, &form)),
        Some(_) => Err(Refused::UnsupportedGrantType),
    };
    match granted {
        Ok(granted) => {
            let token = granted.access_token;
            let body = json!({ "token_type": "bearer", "access_token": token, "expires_in": 14_400 });
            typed(StatusCode::OK, "text/javascript", body.to_string())
        }
        Err(refused) => {
            let why = match refused {
                Refused::InvalidGrant => "refresh token is invalid or revoked",
                Refused::InvalidClient => "client id or secret is not valid",
                Refused::InvalidRequest => "grant_type is missing",
                Refused::UnauthorizedClient => "the app is disabled",
                Refused::UnsupportedGrantType => "only refresh_token is simulated",
            };
            let body = json!({ "error": refused.word(), "error_description": why });
            json_answer(StatusCode::BAD_REQUEST, &body)
        }
    }
}

async fn rpc(
    State(face): State<Arc<Face>>,
    Extension(call): Extension<Call>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(route) = Route::of(uri.path()) else {
        return unknown_route(uri).await;
    };
    let outcome = admit(&face.sim, Some(route), &headers)
        .and_then(|()| check_content_type(&headers, &body))
        .and_then(|()| dispatch(&face, &call, route, &body));
    match outcome {
        Ok(value) => json_answer(StatusCode::OK, &value),
        Err(problem) => problem.answer(route.name(), face.sim.random()),
    }
}

fn dispatch(face: &Face, call: &Call, route: Route, body: &Bytes) -> Result<Value, Problem> {
    if route == Route::CurrentAccount {
        return if matches!(&**body, b"" | b"null") {
            Ok(accounts::current(&face.sim))
        } else {
            Err(Problem::Bad("request body: expected null".to_owned()))
        };
    }
    let args = Args::parse(body)?;
    match route {
        Route::ListFolder => listing::list_folder(face, call, args),
        Route::Continue => listing::go_on(face, call, args),
        Route::LatestCursor => listing::latest_cursor(face, args),
        Route::ListRevisions => revisions::list_revisions(face, call, args),
        Route::Metadata => metadata::get_metadata(face, call, args),
        Route::CurrentAccount => Ok(Value::Null),
        Route::Account => accounts::account(face, args),
        Route::AccountBatch => accounts::batch(face, args),
        Route::TeamEvents => audit::events(face, call, args),
        Route::TeamEventsContinue => audit::go_on(face, call, args),
        Route::TeamFeatures => audit::features(face, args),
    }
}

/// Who calls, and below which root; `route` is absent for content.
fn admit(sim: &Sim, route: Option<Route>, headers: &HeaderMap) -> Result<(), Problem> {
    sim.check_token(Provider::Dropbox, oauth::bearer(headers))?;
    check_member(sim, route, headers)?;
    let Some(root) = headers.get("dropbox-api-path-root") else {
        return Ok(());
    };
    let root: Value = serde_json::from_slice(root.as_bytes())
        .map_err(|_| Problem::Bad("HTTP header \"Dropbox-API-Path-Root\": not JSON".to_owned()))?;
    let namespace = ids::NAMESPACE.to_string();
    let names_it = |field: &str| root.get(field).and_then(Value::as_str) == Some(&namespace);
    match root.get(".tag").and_then(Value::as_str) {
        Some("home") => Ok(()),
        Some("root") if names_it("root") => Ok(()),
        Some("root") => Err(Problem::invalid_root()),
        Some("namespace_id") if names_it("namespace_id") => Ok(()),
        Some("namespace_id") => Err(Problem::PathRoot(json!({ ".tag": "no_permission" }))),
        _ => Err(Problem::Bad(
            "HTTP header \"Dropbox-API-Path-Root\": unknown tag".to_owned(),
        )),
    }
}

/// As whom: a team's token must say, any other must not. Routes about accounts are not for administrators.
fn check_member(sim: &Sim, route: Option<Route>, headers: &HeaderMap) -> Result<(), Problem> {
    let named = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let (user, admin) = (
        named("dropbox-api-select-user"),
        named("dropbox-api-select-admin"),
    );
    let for_teams = matches!(
        route,
        Some(Route::TeamEvents | Route::TeamEventsContinue | Route::TeamFeatures)
    );
    if for_teams {
        let is_team = sim.options().credentials.team.is_some();
        return if is_team && (user, admin) == (None, None) {
            Ok(())
        } else {
            Err(Problem::Bad(FOR_TEAMS.to_owned()))
        };
    }
    let Some(team) = &sim.options().credentials.team else {
        return match (user, admin) {
            (Some(_), _) => Err(Problem::Caller("invalid_select_user")),
            (None, Some(_)) => Err(Problem::Caller("invalid_select_admin")),
            (None, None) => Ok(()),
        };
    };
    let about_accounts = matches!(
        route,
        Some(Route::CurrentAccount | Route::Account | Route::AccountBatch)
    );
    match (user, admin) {
        (Some(user), None) if user == team.member.as_bytes() || user == team.admin.as_bytes() => Ok(()),
        (Some(_), _) => Err(Problem::Caller("invalid_select_user")),
        (None, Some(admin)) if admin == team.admin.as_bytes() && !about_accounts => Ok(()),
        (None, Some(_)) => Err(Problem::Caller("invalid_select_admin")),
        (None, None) => Err(Problem::Bad(WHOLE_TEAM.to_owned())),
    }
}

/// RPC routes take JSON and nothing else.
fn check_content_type(headers: &HeaderMap, body: &Bytes) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    match kind {
        Some(b"application/json" | b"application/json; charset=utf-8") => Ok(()),
        None if body.is_empty() => Ok(()),
        _ => Err(Problem::Bad(
            "bad HTTP \"Content-Type\" header: expecting \"application/json\"".to_owned(),
        )),
    }
}
