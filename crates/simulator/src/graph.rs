//! The OneDrive face of the world: one business drive behind Microsoft Graph v1.0, with its login endpoint.
//!
//! The id of the drive is [`drive_id`]: a function of the owner's address alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use axum::{Extension, Router};
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::fault::{Fault, FaultKind, Oddity};
use crate::sim::{Call, OneDriveAccount, Provider, Sim};
use crate::world::{Item, ItemNo, World};

pub(crate) mod audit;
mod batch;
mod children;
mod delta;
mod facets;
pub(crate) mod ids;
mod items;
mod login;
mod personal;
mod places;
mod problem;
mod route;
mod text;
mod token;
mod versions;

pub use ids::drive_id;
use items::{Listing, Select};
pub(crate) use items::{SERVICE, login_name};
use problem::{Answer, Problem};
pub(crate) use route::DOWNLOAD;
use route::{Of, Part, Place, Route};
use text::Query;

/// The wish for shortcuts, without which personal drives list none.
const SHORTCUTS: &str = "Include-Feature=AddToOneDrive";

/// The drive, and the items by id as far as they have been asked for.
struct Face {
    sim: Arc<Sim>,
    drive: String,
    list: String,
    known: Mutex<HashMap<String, ItemNo>>,
}

/// A request, alone or as a part of a batch.
struct Asked<'a> {
    call: &'a Call,
    query: Option<&'a str>,
    /// Whether shortcuts are among what is wished for (`Prefer`); parts of batches wish for nothing.
    wants_shortcuts: bool,
}

/// Routes of this provider, token endpoint included.
pub(crate) fn router(sim: Arc<Sim>) -> Router {
    let face = Arc::new(Face::new(sim));
    // Paths such as `root:/{path}:/children` are beyond what the router can tell apart.
    Router::new().fallback(handle).with_state(face)
}

/// Name of the operation a request asks for; the word used in counters and fault plans.
pub(crate) fn operation(parts: &Parts) -> &'static str {
    Route::of(parts.uri.path()).operation()
}

/// The provider's own body and status for a refusal the middleware decided on.
pub(crate) fn refusal(fault: &Fault, call: &Call) -> Response {
    let throttled = fault.kind() == FaultKind::Throttle429;
    if call.operation.starts_with("audit_") {
        return audit::refusal(fault.kind());
    }
    let (status, code, about) = problem::failure(fault.kind());
    let inner = serde_json::json!({
        "code": "throttledRequest",
        "innerError": { "code": "quota" },
        "request-id": call.request_id,
    });
    let body = if call.operation == "token" {
        login::login_error(call, "temporarily_unavailable", about)
    } else if throttled {
        serde_json::json!({ "error": { "code": code, "message": about, "innerError": inner } })
    } else {
        serde_json::json!({ "error": { "code": code, "message": about } })
    };
    let mut answer = Answer::ok(body);
    answer.status = status;
    answer.into_response()
}

/// What a client wishes for (RFC 7240).
fn wishes(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all("prefer").into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .map(str::trim)
}

async fn handle(
    State(face): State<Arc<Face>>,
    Extension(call): Extension<Call>,
    (method, uri): (Method, Uri),
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let asked = Asked {
        call: &call,
        query: uri.query(),
        wants_shortcuts: wishes(&headers).any(|wish| wish.eq_ignore_ascii_case(SHORTCUTS)),
    };
    let route = Route::of(uri.path());
    let posts = match &route {
        Route::Token | Route::Batch => true,
        Route::Audit(feed) => feed.what == Of::Start,
        _ => false,
    };
    let allowed = method == if posts { Method::POST } else { Method::GET };
    let answer = match route {
        _ if !allowed => Err(Problem::method()),
        Route::Token => Ok(face.login(&call, uri.path(), &headers, &body)),
        Route::Download => return face.download(uri.query(), &headers),
        Route::Audit(feed) => return face.audit(&asked, &feed, &headers),
        Route::Batch => face.admit(&headers).and_then(|()| face.batch(&body)),
        route => face.admit(&headers).and_then(|()| face.resource(&asked, route)),
    };
    answer
        .unwrap_or_else(|problem| problem.into_answer(&face.sim, &call))
        .into_response()
}

impl Face {
    fn new(sim: Arc<Sim>) -> Self {
        Self {
            drive: drive_id(sim.options()),
            list: ids::list_guid(sim.options()),
            known: Mutex::default(),
            sim,
        }
    }

    fn base(&self) -> &str {
        self.sim.base_url(Provider::OneDrive)
    }

    /// Anything that can also stand in a batch.
    fn resource(&self, asked: &Asked<'_>, route: Route) -> Result<Answer, Problem> {
        match route {
            Route::Drive(drive) => self
                .own(&drive)
                .map(|()| Answer::ok(self.drive_json(&self.sim.world()))),
            Route::UserDrive(name) => {
                let owner = &self.sim.options().owner.email;
                if name.eq_ignore_ascii_case(owner) || name == ids::actor_id(owner) {
                    Ok(Answer::ok(self.drive_json(&self.sim.world())))
                } else {
                    Err(Problem::not_found())
                }
            }
            Route::Item { drive, at, part } => {
                self.own(&drive)?;
                let no = self.place(&at)?;
                self.part_of(asked, no, part)
            }
            Route::Way(way) => self.way(asked, way),
            Route::Unknown(segment) => Err(Problem::segment(&segment)),
            Route::Token | Route::Download | Route::Batch | Route::Audit(_) => Err(Problem::segment("v1.0")),
        }
    }

    fn part_of(&self, asked: &Asked<'_>, no: ItemNo, part: Part) -> Result<Answer, Problem> {
        match part {
            Part::Itself => {
                let world = self.sim.world();
                let item = world.item(no).ok_or_else(Problem::not_found)?;
                let select = Select::of(Query::of(asked.query).get("select"));
                let mut entry = [self.entry(&world, item, (Listing::Item, &select))];
                self.respell(asked, &mut entry);
                let [entry] = entry;
                Ok(Answer::ok(entry))
            }
            Part::Children => self.children(asked, no),
            Part::Delta(token) => self.delta(asked, no, token.as_deref()),
            Part::Content => self.content(no),
            Part::Versions => self.versions(asked, no),
            Part::Version(id) => self.version(asked, no, &id),
            Part::VersionContent(id) => self.version_content(no, &id),
        }
    }

    fn own(&self, drive: &str) -> Result<(), Problem> {
        if drive == self.drive || self.is_personal() && personal::spelled(drive) == self.drive {
            Ok(())
        } else if drive.starts_with("b!") {
            Err(Problem::not_found())
        } else {
            let about = "The provided drive id appears to be malformed, or does not represent a valid drive.";
            Err(Problem::bad(about))
        }
    }

    /// The visible item a request names. Names compare without regard to case.
    fn place(&self, place: &Place) -> Result<ItemNo, Problem> {
        let world = self.sim.world();
        let start = match &place.id {
            Some(id) => self.by_id(&world, id),
            None => Some(ItemNo::ROOT),
        };
        let step = |no: ItemNo, name: &String| {
            let same = |other: &str| other.to_lowercase() == name.to_lowercase();
            let found = world.child(no, name);
            let found = found.or_else(|| world.children(no).find(|item| same(&item.name)));
            found.map(|item| item.no)
        };
        start
            .filter(|no| world.is_visible(*no))
            .and_then(|no| place.names.iter().try_fold(no, step))
            .ok_or_else(Problem::not_found)
    }

    fn by_id(&self, world: &World, id: &str) -> Option<ItemNo> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for item in world.items().get(known.len()..).unwrap_or_default() {
            known.insert(self.item_id(item.no), item.no);
        }
        if self.is_personal() {
            known.get(&personal::spelled(id)).copied()
        } else {
            known.get(id).copied()
        }
    }

    fn is_personal(&self) -> bool {
        self.sim.options().onedrive_account == OneDriveAccount::Personal
    }

    fn item_id(&self, no: ItemNo) -> String {
        if self.is_personal() {
            personal::item(&self.drive, no)
        } else {
            ids::item_id(no)
        }
    }

    /// Whether an item is listed: personal drives show shortcuts to those only who wish for them.
    fn is_listed(&self, asked: &Asked<'_>, item: &Item) -> bool {
        !self.is_personal() || asked.wants_shortcuts || !facets::is_shortcut(item)
    }

    /// Writes the ids of these entries in another spelling, if that is to happen.
    fn respell(&self, asked: &Asked<'_>, entries: &mut [Value]) {
        if self.is_personal() && !entries.is_empty() && self.sim.is_odd(asked.call, Oddity::MixedCaseIds) {
            entries.iter_mut().for_each(personal::respell);
        }
    }

    /// A URL in the drive that carries these options of the request on.
    fn link(&self, path: &str, query: &Query, options: &[&str]) -> String {
        let mut link = format!("{}/v1.0/drives/{}{path}", self.base(), self.drive);
        let mut mark = "?";
        for name in options {
            if let Some(value) = query.get(name) {
                let value: String = byte_serialize(value.as_bytes()).collect();
                link.extend([mark, "$", name, "=", &*value]);
                mark = "&";
            }
        }
        link
    }

    /// As [`Self::link`], to the entries after a position of a listing.
    fn skip_link(&self, path: &str, query: &Query, position: &str) -> String {
        let link = self.link(path, query, &["select", "top"]);
        let mark = if link.contains('?') { '&' } else { '?' };
        format!("{link}{mark}$skiptoken={position}")
    }

    /// The link to a next page, or one to a host that is not the service's.
    fn next_link(&self, asked: &Asked<'_>, link: String) -> String {
        match link.strip_prefix(self.base()) {
            Some(rest) if self.sim.fires(asked.call, FaultKind::ForeignNextLink).is_some() => {
                format!("{}{rest}", self.sim.options().foreign_origin)
            }
            _ => link,
        }
    }
}

#[cfg(test)]
mod tests;
