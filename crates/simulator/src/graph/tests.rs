use std::collections::BTreeSet;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::fault::FaultPlan;
use crate::sim::{OneDriveAccount, Options};
use crate::source::WorldSource;
use crate::world::Edit;

mod feed;
mod history;
mod kinds;

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

/// The face over a world, without the middleware.
pub(super) struct Client {
    pub(super) sim: Arc<Sim>,
    routes: Router,
    pub(super) token: String,
    /// What it wishes for.
    prefer: Option<&'static str>,
}

impl Client {
    /// Over these edits, at second `now`, with pages of at most `page` entries.
    pub(super) fn over(edits: Vec<Edit>, now: i64, page: Option<usize>) -> Self {
        let options = Options {
            page_size: page,
            ..Options::default()
        };
        Self::with(edits, now, options)
    }

    pub(super) fn with(edits: Vec<Edit>, now: i64, options: Options) -> Self {
        let sim = Sim::new(WorldSource::from_edits(edits), options);
        sim.advance(at(now)).unwrap();
        Self {
            routes: router(Arc::clone(&sim)),
            token: sim.issue_token(Provider::OneDrive),
            prefer: None,
            sim,
        }
    }

    pub(super) async fn send(&self, method: &str, url: &str, body: String, bearer: Option<&str>) -> Response {
        let mut request = Request::builder().method(method).uri(url);
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(wish) = self.prefer {
            request = request.header("prefer", wish);
        }
        let (parts, body) = request.body(Body::from(body)).unwrap().into_parts();
        let call = self.sim.begin(Provider::OneDrive, operation(&parts));
        let mut request = Request::from_parts(parts, body);
        request.extensions_mut().insert(call);
        self.routes.clone().oneshot(request).await.unwrap()
    }

    /// GET of a URL, or of a path in the drive.
    async fn fetch(&self, url: &str) -> Response {
        let url = if url.starts_with("http") {
            url.to_owned()
        } else {
            format!("/v1.0/drives/{}{url}", drive_id(self.sim.options()))
        };
        self.send("GET", &url, String::new(), Some(&self.token)).await
    }

    pub(super) async fn get(&self, url: &str) -> (u16, Value) {
        let answer = self.fetch(url).await;
        (answer.status().as_u16(), body_of(answer).await)
    }

    /// All pages of a listing; entries, number of pages, and the delta link if it ends in one.
    async fn all(&self, url: &str) -> (Vec<Value>, usize, String) {
        let (mut url, mut entries, mut pages) = (url.to_owned(), Vec::new(), 0);
        let mut seen = BTreeSet::new();
        loop {
            assert!(seen.insert(url.clone()), "a link repeats");
            let (status, page) = self.get(&url).await;
            assert_eq!(status, 200, "{page}");
            entries.extend(page["value"].as_array().unwrap().clone());
            pages += 1;
            match page["@odata.nextLink"].as_str() {
                Some(next) => url = next.to_owned(),
                None => {
                    return (
                        entries,
                        pages,
                        page["@odata.deltaLink"].as_str().unwrap_or_default().to_owned(),
                    );
                }
            }
        }
    }

    fn id(&self, path: &str) -> String {
        ids::item_id(self.sim.world().find(path).unwrap().no)
    }

    pub(super) fn plan(&self, fault: Fault, operation: &str) {
        self.sim.plan_faults(vec![FaultPlan::once(fault).on(operation)]);
    }
}

pub(super) async fn body_of(answer: Response) -> Value {
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    serde_json::from_slice(&bytes).unwrap_or(Value::Null)
}

/// `name` of a live entry, `-` of a tombstone.
fn names(entries: &[Value]) -> Vec<&str> {
    let name = |entry: &Value| entry.get("deleted").is_some();
    entries
        .iter()
        .map(|entry| {
            if name(entry) {
                "-"
            } else {
                entry["name"].as_str().unwrap()
            }
        })
        .collect()
}

pub(super) fn code(body: &Value) -> &str {
    body["error"]["code"].as_str().unwrap()
}
