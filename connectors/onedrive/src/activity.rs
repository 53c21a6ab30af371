//! Microsoft's audit log: the Management Activity API, which gives what became available in a window of time as blobs of records.
//!
//! The log has an address and a token of its own. Its windows go by when records became available, so late records come with the windows
//! that follow; the last ones are listed again at each reading, because listings, too, may be late. Blobs overlap: the same record comes
//! more than once, with the same id.

use std::{sync::Arc, time::Duration};

use revtrail_connector::{
    ActivityPage, ActivityPoint, ConnectorError, ErrorKind, FolderRoot, Next, Usage,
    http::{Answer, Hosts, Http, HttpSettings},
    oauth::TokenSource,
    request::Request,
    time::Timestamp,
};
use revtrail_model::id::Provider;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use self::{
    anatomy::Drives,
    progress::{Progress, Step, Until},
};
use crate::{config::Account, connector::failed, login};

mod anatomy;
mod error;
mod progress;
mod record;

use error::{ActivityErrors, code, operation};

/// The content type whose records are about files.
const CONTENT: &str = "Audit.SharePoint";
/// Records mostly come within 90 minutes, without a bound; a deletion nobody told of by then is not waited for.
pub(crate) const LATENESS: Duration = Duration::from_hours(72);
/// How far back content can be read.
pub(crate) const REACH: Duration = Duration::from_hours(7 * 24);
/// Headers that name a further page; the documentation has both.
const NEXT_PAGE: [&str; 2] = ["nextpageuri", "nextpageurl"];

/// One tenant's audit log.
pub(crate) struct AuditFeed {
    http: Http,
    root: Url,
    tenant: String,
}

/// A blob, as a listing names it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    content_uri: String,
    content_id: String,
}

/// A subscription, as the list of them names it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    content_type: Option<String>,
    status: Option<String>,
}

impl AuditFeed {
    /// The log of an account that wants it read. Sends nothing yet.
    pub(crate) fn new(account: &Account, settings: &HttpSettings) -> Result<Option<Self>, ConnectorError> {
        let Some(root) = account.audit_url() else {
            return Ok(None);
        };
        let settings = HttpSettings {
            // Neither Graph nor the log may send us to the other: each has a token of its own.
            hosts: Hosts::new([root]),
            ..settings.clone()
        };
        let tokens: Arc<dyn TokenSource> =
            Arc::new(login::tokens(account, &settings, &account.audit_scopes())?);
        Ok(Some(Self {
            root: root.clone(),
            tenant: account.tenant().to_owned(),
            http: Http::new(settings, Some(tokens), Arc::new(ActivityErrors))?,
        }))
    }

    pub(crate) fn usage(&self) -> Usage {
        self.http.usage()
    }

    /// One step of a reading: a listing, a blob, or both. `now` is the provider's clock: a listing that reaches into its future is
    /// refused.
    pub(crate) async fn page(
        &self,
        roots: &[FolderRoot],
        at: ActivityPoint,
        now: Timestamp,
    ) -> Result<ActivityPage, ConnectorError> {
        let mut progress = match at {
            ActivityPoint::From(moment) => {
                self.subscribe().await?;
                Progress::begin(moment, now)
            }
            ActivityPoint::After(cursor) => Progress::resume(cursor.as_str(), now)
                .ok_or_else(|| failed(ErrorKind::CursorExpired, operation::CONTENT))?,
            ActivityPoint::Page(token) => Progress::read(token.as_str())
                .ok_or_else(|| failed(ErrorKind::Bug, operation::CONTENT).with_code("page token"))?,
        };
        let mut activities = Vec::new();
        let mut answered_at = None;
        if let Step::List { window, link } = progress.step() {
            answered_at = self.list(&mut progress, window, link).await?;
        }
        if let Step::Fetch(uri) = progress.step() {
            let drives = Drives::of(roots);
            if let Some((records, answer)) = self.blob(&uri).await? {
                answered_at = answered_at.or(answer.date);
                for record in &records {
                    let found = record::activity(record, &drives, answer.request_id.as_deref());
                    activities.extend(
                        found.map_err(|error| {
                            failed(ErrorKind::Malformed, operation::BLOB).with_source(error)
                        })?,
                    );
                }
            }
            progress.fetched();
        }
        let next = match progress.until() {
            Until::Page(token) => Next::Page(token.into()),
            Until::CaughtUp(cursor) => Next::CaughtUp(cursor.into()),
        };
        Ok(ActivityPage {
            activities,
            next,
            answered_at,
        })
    }

    /// Sees to it that the subscription runs. What passed before it was started is not in the log; what passes in its first twelve hours
    /// comes after them.
    async fn subscribe(&self) -> Result<(), ConnectorError> {
        let list = Request::get(operation::SUBSCRIPTIONS, self.at("subscriptions/list", None));
        let (running, _) = self.http.send_json::<Vec<Subscription>>(&list).await?;
        let runs = running.iter().any(|one| {
            one.content_type.as_deref() == Some(CONTENT) && one.status.as_deref() == Some("enabled")
        });
        if runs {
            return Ok(());
        }
        let start = Request::post_json(
            operation::START,
            self.at("subscriptions/start", Some(CONTENT)),
            String::new(),
        );
        match self.http.send(&start).await {
            Ok(_) => {
                tracing::info!(
                    "the subscription to the audit log was started; it tells nothing for up to twelve hours"
                );
                Ok(())
            }
            // Another program of the tenant was faster.
            Err(error) if error.code.as_deref() == Some(code::RUNS) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lists a window, or a further page of it, and notes what has not been fetched yet.
    async fn list(
        &self,
        progress: &mut Progress,
        (from, until): (Timestamp, Timestamp),
        link: Option<String>,
    ) -> Result<Option<Timestamp>, ConnectorError> {
        let url = if let Some(link) = link {
            self.http.check_origin(operation::CONTENT, &link)?
        } else {
            let mut url = self.at("subscriptions/content", Some(CONTENT));
            url.query_pairs_mut()
                .append_pair("startTime", &second(from))
                .append_pair("endTime", &second(until));
            url
        };
        let asked = self
            .http
            .send_json::<Vec<Content>>(&Request::get(operation::CONTENT, url))
            .await;
        let (blobs, answer) = match asked {
            Ok(found) => found,
            Err(error) if error.code.as_deref() == Some(code::NO_SUBSCRIPTION) => {
                // Somebody stopped it. What passed meanwhile is lost, so the reading begins anew, with a subscription.
                return Err(ConnectorError {
                    kind: ErrorKind::CursorExpired,
                    ..error
                });
            }
            Err(error) => return Err(error),
        };
        let next = NEXT_PAGE
            .iter()
            .find_map(|name| answer.headers.get(*name)?.to_str().ok())
            .map(str::to_owned);
        let blobs = blobs.into_iter().map(|blob| (blob.content_id, blob.content_uri));
        progress.listed(blobs, next);
        Ok(answer.date)
    }

    /// The records of a blob; `None` when it is no longer there.
    async fn blob(&self, uri: &str) -> Result<Option<(Vec<Box<RawValue>>, Answer)>, ConnectorError> {
        let mut url = self.http.check_origin(operation::BLOB, uri)?;
        url.query_pairs_mut()
            .append_pair("PublisherIdentifier", &self.tenant);
        match self.http.send_json(&Request::get(operation::BLOB, url)).await {
            Ok((records, answer)) => Ok(Some((records, answer))),
            Err(error) if error.kind == ErrorKind::NotFound => {
                tracing::warn!(
                    provider = %Provider::OneDrive,
                    code = error.code,
                    "a part of the audit log is no longer there; what it told is lost"
                );
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn at(&self, path: &str, content_type: Option<&str>) -> Url {
        let mut url = self.root.clone();
        let segments = ["api", "v1.0", &self.tenant, "activity", "feed"];
        // Only addresses that cannot have a path refuse; the account was checked to have a host.
        if let Ok(mut all) = url.path_segments_mut() {
            all.pop_if_empty().extend(segments).extend(path.split('/'));
        }
        if let Some(content_type) = content_type {
            url.query_pairs_mut().append_pair("contentType", content_type);
        }
        url.query_pairs_mut()
            .append_pair("PublisherIdentifier", &self.tenant);
        url
    }
}

/// In the form the service reads: UTC, whole seconds, no zone.
fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
