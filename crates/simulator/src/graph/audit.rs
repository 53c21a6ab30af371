//! The Management Activity API: the tenant's audit log in blobs, by subscription.
//!
//! Blobs hold what became available in ten minutes, in no order, and repeat what the blob before ended with. Nothing is given in the
//! first twelve hours of a subscription; what became available then comes after them.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::problem::Answer;
use super::route::{Feed, Of};
use super::text::Query;
use super::{Asked, Face};
use crate::audit::{Audience, AuditAccess};
use crate::fault::FaultKind;
use crate::oauth;
use crate::sim::{Provider, Sim, TokenProblem};

mod blob;
mod facts;
mod record;

use blob::Blob;
pub(crate) use facts::facts;

/// The only content type with content.
const CONTENT: &str = "Audit.SharePoint";
const CONTENT_TYPES: [&str; 5] = [
    "Audit.AzureActiveDirectory",
    "Audit.Exchange",
    CONTENT,
    "Audit.General",
    "DLP.All",
];
/// Blobs on a page of a listing.
const PAGE: usize = 100;
/// How long content is there, and how old a window may be.
const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Longest window.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);
/// Time without content after a subscription starts.
const START_DELAY: SignedDuration = SignedDuration::from_hours(12);

/// A refusal in this service's form.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.into(),
        }
    }

    fn into_answer(self) -> Answer {
        let mut answer = Answer::ok(json!({ "error": { "code": self.code, "message": self.message } }));
        answer.status = self.status;
        answer
    }
}

/// What the middleware refuses: too many requests come as 403 here.
pub(super) fn refusal(fault: FaultKind) -> Response {
    let refusal = if fault == FaultKind::Throttle429 {
        let publisher = "00000000-0000-0000-0000-000000000000";
        Refusal {
            status: StatusCode::FORBIDDEN,
            code: "AF429",
            message: format!("Too many requests. Method=GetBlob, PublisherId={publisher}"),
        }
    } else {
        Refusal {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "AF50000",
            message: "An internal server error occurred. Retry the request.".to_owned(),
        }
    };
    refusal.into_answer().into_response()
}

impl Face {
    pub(super) fn audit(&self, asked: &Asked<'_>, feed: &Feed, headers: &HeaderMap) -> Response {
        if let Some(denied) = self.denied(headers) {
            return denied.into_response();
        }
        let query = Query::of(asked.query);
        let answer = self.check_feed(feed).and_then(|()| match &feed.what {
            Of::Start => self.start(&query),
            Of::Subscriptions => Ok(self.subscriptions()),
            Of::Content => self.content_list(asked, feed, &query),
            Of::Blob(id) => self.blob(asked, id),
        });
        answer.unwrap_or_else(Refusal::into_answer).into_response()
    }

    /// Tokens are for this service or for Graph, not both.
    fn denied(&self, headers: &HeaderMap) -> Option<Answer> {
        let token = oauth::bearer(headers);
        let checked = self.sim.check_token(Provider::OneDrive, token);
        let audience = token.map(|token| self.sim.subscription().audience(token));
        if checked == Ok(()) && audience != Some(Audience::Drive) {
            return None;
        }
        let mut answer = Answer::ok(json!({ "Message": "Authorization has been denied for this request." }));
        answer.status = StatusCode::UNAUTHORIZED;
        let scheme = match checked {
            Err(TokenProblem::Expired) => "Bearer error=\"invalid_token\"",
            _ => "Bearer",
        };
        answer.headers.push((header::WWW_AUTHENTICATE, scheme.to_owned()));
        Some(answer)
    }

    fn check_feed(&self, feed: &Feed) -> Result<(), Refusal> {
        if !is_guid(&feed.tenant) {
            let why = "does not match the tenant ID in the access token";
            let message = format!("The tenant ID passed in the URL ({}) {why}.", feed.tenant);
            return Err(Refusal::new("AF20010", message));
        }
        if self.sim.options().audit.access == AuditAccess::NotGranted {
            let why = "The permission set () sent in the request did not include the expected permission.";
            return Err(Refusal {
                status: StatusCode::UNAUTHORIZED,
                ..Refusal::new("AF10001", why)
            });
        }
        Ok(())
    }

    fn start(&self, query: &Query) -> Result<Answer, Refusal> {
        let kind = content_type(query)?;
        if kind == CONTENT && !self.sim.subscription().start(self.sim.now()) {
            let why = "The subscription is already enabled. No property change.";
            return Err(Refusal::new("AF20024", why));
        }
        Ok(Answer::ok(
            json!({ "contentType": kind, "status": "enabled", "webhook": null }),
        ))
    }

    fn subscriptions(&self) -> Answer {
        let running = self.sim.subscription().started_at().map(|_| CONTENT);
        let list = running
            .into_iter()
            .map(|kind| json!({ "contentType": kind, "status": "enabled", "webhook": null }));
        Answer::ok(list.collect())
    }

    /// What became available in a window, page by page; further pages are named in a header.
    fn content_list(&self, asked: &Asked<'_>, feed: &Feed, query: &Query) -> Result<Answer, Refusal> {
        let kind = content_type(query)?;
        if kind != CONTENT || self.sim.subscription().started_at().is_none() {
            let why = "No subscription found for the specified content type";
            return Err(Refusal::new("AF20022", why));
        }
        let now = self.sim.now();
        let (from, until) = window(query, now)?;
        let skip = match query.get("nextPage") {
            None => 0,
            Some(text) => read_page(text)
                .filter(|_| self.sim.fires(asked.call, FaultKind::LostCursor).is_none())
                .ok_or_else(|| Refusal::new("AF20031", format!("Invalid nextPage Input: {text}.")))?,
        };
        let world = self.sim.world();
        let mut found: Vec<Blob<'_>> = blob::available(&self.sim, &world);
        found.retain(|blob| from <= blob.created && blob.created < until && now < blob.created + LIFE);
        if self.sim.fires(asked.call, FaultKind::DuplicateItems).is_some() {
            found = found
                .iter()
                .flat_map(|blob| [blob.clone(), blob.clone()])
                .collect();
        }
        let size = self.sim.page_size(None, PAGE, PAGE);
        let empty = self.sim.fires(asked.call, FaultKind::EmptyPage).is_some();
        let end = if empty {
            skip
        } else {
            (skip + size).min(found.len())
        };
        let page = found.get(skip.min(end)..end).unwrap_or_default();
        let root = format!("{}/api/v1.0/{}/activity/feed", self.base(), feed.tenant);
        let mut answer = Answer::ok(page.iter().map(|blob| entry(blob, &root)).collect());
        if end < found.len() || empty {
            let window = format!("startTime={}&endTime={}", minute(from), minute(until));
            let link = format!("{root}/subscriptions/content?contentType={CONTENT}&{window}&nextPage=p{end}");
            // Both names of the header are documented.
            let name = if (end / size).is_multiple_of(2) {
                HeaderName::from_static("nextpageurl")
            } else {
                HeaderName::from_static("nextpageuri")
            };
            answer.headers.push((name, self.next_link(asked, link)));
        }
        Ok(answer)
    }

    fn blob(&self, asked: &Asked<'_>, id: &str) -> Result<Answer, Refusal> {
        let Some(created) = blob::created_of(id) else {
            let message = format!("Content ID {id} in the URL is invalid.");
            return Err(Refusal::new("AF20052", message));
        };
        let now = self.sim.now();
        if created + LIFE <= now {
            let why = "Content older than 7 days cannot be retrieved.";
            let message = format!("Content requested with the key {id} has already expired. {why}");
            return Err(Refusal::new("AF20051", message));
        }
        let world = self.sim.world();
        let all = blob::available(&self.sim, &world);
        let place = all.iter().position(|blob| blob.id == id).ok_or_else(|| {
            Refusal::new("AF20050", format!("The specified content ({id}) does not exist."))
        })?;
        let records = blob::records(&self.sim, &world, asked.call, &all, place);
        let mut records: Vec<Value> = records;
        spoil(&self.sim, asked, &mut records);
        Ok(Answer::ok(records.into()))
    }
}

fn entry(blob: &Blob<'_>, root: &str) -> Value {
    json!({
        "contentUri": format!("{root}/audit/{}", blob.id),
        "contentId": blob.id,
        "contentType": CONTENT,
        "contentCreated": millis(blob.created),
        "contentExpiration": millis(blob.created + LIFE),
    })
}

fn spoil(sim: &Sim, asked: &Asked<'_>, records: &mut Vec<Value>) {
    let Some(first) = records.first_mut().and_then(Value::as_object_mut) else {
        return;
    };
    let fires = |kind| sim.fires(asked.call, kind).is_some();
    if fires(FaultKind::MissingActor) {
        first.remove("UserId");
        first.remove("UserKey");
    }
    if fires(FaultKind::UnknownKind) {
        first.insert("Operation".to_owned(), json!("FileBeamed"));
    }
    if fires(FaultKind::UnnamedItem) {
        first.remove("ListItemUniqueId");
    }
    if fires(FaultKind::DuplicateItems) {
        records.extend_from_within(..);
    }
}

fn content_type(query: &Query) -> Result<&str, Refusal> {
    let asked = query
        .get("contentType")
        .ok_or_else(|| Refusal::new("AF20001", "Missing parameter: contentType."))?;
    let known = CONTENT_TYPES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(asked));
    if known {
        Ok(asked)
    } else {
        Err(Refusal::new(
            "AF20020",
            "The specified content type is not valid.",
        ))
    }
}

/// Both ends or neither, at most a day apart, the start at most seven days ago.
fn window(query: &Query, now: Timestamp) -> Result<(Timestamp, Timestamp), Refusal> {
    let bad = || {
        let why = "Start time and end time must both be specified (or both omitted) and must be less than or equal to 24 hours apart, with \
                   the start time no more than 7 days in the past.";
        Refusal::new("AF20030", why)
    };
    let (from, until) = match (query.get("startTime"), query.get("endTime")) {
        (None, None) => (now - WINDOW, now),
        (Some(from), Some(until)) => (moment(from).ok_or_else(bad)?, moment(until).ok_or_else(bad)?),
        _ => return Err(bad()),
    };
    // The text of a moment may be cut to minutes, so the oldest possible window has a minute's grace.
    let oldest = now - LIFE - SignedDuration::from_mins(1);
    if from < until && until.duration_since(from) <= WINDOW && from >= oldest {
        Ok((from, until))
    } else {
        Err(bad())
    }
}

/// `YYYY-MM-DD`, with `THH:MM` and `:SS` if wanted; UTC.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim_end_matches('Z');
    let full = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => return None,
    };
    full.parse().ok()
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn read_page(text: &str) -> Option<usize> {
    text.strip_prefix('p')?.parse().ok()
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests;
