//! The two logs of who did what: the customer's audit log (Admin SDK Reports), and Drive Activity, which every account has.
//!
//! The audit log is the whole customer's and names applications; its records come within minutes, some after half a day. So the last
//! hours are read again each time, and once a day the last day. Drive Activity is asked folder by folder and shows what the account may
//! see.

use std::{sync::Arc, time::Duration};

use revtrail_connector::{
    Activity, ActivityPage, ActivityPoint, AuditLog, ConnectorError, ErrorKind, FolderRoot, Next, Usage,
    http::{Answer, Hosts, Http, HttpSettings},
    pacing::Pacing,
    request::Request,
    time::Timestamp,
};
use revtrail_model::event::ActorSource;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use url::Url;

use self::progress::Progress;
use crate::{
    config::{Account, LogKind, LogPlace, below},
    error::{DriveErrors, failed, operation},
    login,
};

mod drive_activity;
mod progress;
mod reports;

/// Reading the customer's audit log.
const REPORTS_SCOPE: &str = "https://www.googleapis.com/auth/admin.reports.audit.readonly";
/// Reading Drive Activity.
const ACTIVITY_SCOPE: &str = "https://www.googleapis.com/auth/drive.activity.readonly";
/// Some records come half a day late; a day is read again, and there is a margin.
const LATENESS: Duration = Duration::from_hours(48);
/// How far back the audit log goes.
const REACH: Duration = Duration::from_hours(180 * 24);
/// Records on a page: the most there is, for each of the two.
const PAGE_SIZES: (&str, u32) = ("1000", 100);
/// Requests per second: the audit log allows 40, Drive Activity somewhat less than two.
const PACES: (f64, f64) = (10.0, 1.0);

/// An account's log, of one kind.
pub(crate) struct Log {
    http: Http,
    kind: LogKind,
    url: Url,
}

/// A page of the audit log (`Activities`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reports {
    #[serde(default)]
    items: Vec<Box<RawValue>>,
    next_page_token: Option<String>,
}

/// A page of Drive Activity (`QueryDriveActivityResponse`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(default)]
    activities: Vec<Box<RawValue>>,
    next_page_token: Option<String>,
}

/// `QueryDriveActivityRequest`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Query<'a> {
    ancestor_name: String,
    filter: String,
    page_size: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_token: Option<&'a str>,
}

impl Log {
    /// The log at a place. Sends nothing yet.
    pub(crate) fn new(
        account: &Account,
        settings: &HttpSettings,
        place: &LogPlace,
    ) -> Result<Self, ConnectorError> {
        let (path, scope, rate) = match place.kind {
            LogKind::Reports => (
                "admin/reports/v1/activity/users/all/applications/drive",
                REPORTS_SCOPE,
                PACES.0,
            ),
            LogKind::Activity => ("v2/activity:query", ACTIVITY_SCOPE, PACES.1),
        };
        let settings = HttpSettings {
            hosts: Hosts::new([&place.root]),
            pacing: Pacing {
                units_per_second: rate,
                burst: rate,
            },
            ..settings.clone()
        };
        let tokens = login::tokens(account, &settings, (scope, place.subject.as_deref()))?;
        Ok(Self {
            kind: place.kind,
            url: below(&place.root, path),
            http: Http::new(settings, Some(Arc::new(tokens)), Arc::new(DriveErrors))?,
        })
    }

    pub(crate) fn usage(&self) -> Usage {
        self.http.usage()
    }

    /// What is known about it.
    pub(crate) fn about(&self) -> AuditLog {
        match self.kind {
            LogKind::Reports => AuditLog {
                source: ActorSource::AuditLog,
                lateness: LATENESS,
                reach: Some(REACH),
            },
            // How long Drive Activity is kept is not documented.
            LogKind::Activity => AuditLog {
                source: ActorSource::Activity,
                lateness: LATENESS,
                reach: None,
            },
        }
    }

    /// One page. `now` is the provider's clock, which limits what is asked for: of the future it tells nothing.
    pub(crate) async fn page(
        &self,
        roots: &[FolderRoot],
        at: ActivityPoint,
        now: Timestamp,
    ) -> Result<ActivityPage, ConnectorError> {
        let unreadable = |kind| failed(kind, operation::ACTIVITY).with_code("position in the log");
        let progress = match at {
            ActivityPoint::From(moment) => Progress::begin(moment, now),
            ActivityPoint::After(cursor) => {
                Progress::resume(cursor.as_str(), now).ok_or_else(|| unreadable(ErrorKind::CursorExpired))?
            }
            ActivityPoint::Page(token) => {
                Progress::read(token.as_str()).ok_or_else(|| unreadable(ErrorKind::Bug))?
            }
        };
        match self.kind {
            LogKind::Reports => self.reports(roots, progress).await,
            LogKind::Activity => self.activity(roots, progress).await,
        }
    }

    async fn reports(
        &self,
        roots: &[FolderRoot],
        mut progress: Progress,
    ) -> Result<ActivityPage, ConnectorError> {
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("startTime", &progress.from.to_string())
            .append_pair("endTime", &progress.to.to_string())
            .append_pair("maxResults", PAGE_SIZES.0);
        if let Some(page) = &progress.page {
            url.query_pairs_mut().append_pair("pageToken", page);
        }
        let request = Request::get(operation::REPORTS, url);
        let (page, answer) = self.ask::<Reports>(&request, &progress).await?;
        let mut activities = Vec::new();
        for record in &page.items {
            let found = reports::activities(record, roots);
            activities.extend(found.map_err(|error| malformed(operation::REPORTS, error, &answer))?);
        }
        progress.page = page.next_page_token;
        let left = usize::from(progress.page.is_some());
        Ok(answered(activities, &progress, left, answer.date))
    }

    async fn activity(
        &self,
        roots: &[FolderRoot],
        mut progress: Progress,
    ) -> Result<ActivityPage, ConnectorError> {
        let Some(root) = roots.get(progress.root) else {
            return Ok(answered(Vec::new(), &progress, 0, None));
        };
        let query = Query {
            ancestor_name: format!("items/{}", root.item),
            filter: format!(
                "time >= \"{}\" AND time < \"{}\" AND detail.action_detail_case:(CREATE EDIT MOVE RENAME DELETE RESTORE)",
                progress.from, progress.to
            ),
            page_size: PAGE_SIZES.1,
            page_token: progress.page.as_deref(),
        };
        let body = serde_json::to_string(&query)
            .map_err(|error| failed(ErrorKind::Bug, operation::ACTIVITY).with_source(error))?;
        let request = Request::post_json(operation::ACTIVITY, self.url.clone(), body);
        let (page, date) = match self.ask::<Found>(&request, &progress).await {
            Ok((page, answer)) => (page, Some(answer)),
            // The folder went meanwhile; the feed tells, and the other folders' logs go on.
            Err(error) if error.kind == ErrorKind::NotFound => {
                let nothing = Found {
                    activities: Vec::new(),
                    next_page_token: None,
                };
                (nothing, None)
            }
            Err(error) => return Err(error),
        };
        let mut activities = Vec::new();
        for record in &page.activities {
            let found = drive_activity::activities(record)
                .map_err(|error| failed(ErrorKind::Malformed, operation::ACTIVITY).with_source(error))?;
            activities.extend(found);
        }
        if page.next_page_token.is_none() {
            progress.root += 1;
        }
        progress.page = page.next_page_token;
        Ok(answered(
            activities,
            &progress,
            roots.len().saturating_sub(progress.root),
            date.and_then(|answer| answer.date),
        ))
    }

    /// A page token that is no longer accepted means reading again from a moment.
    async fn ask<T: DeserializeOwned + Send>(
        &self,
        request: &Request,
        progress: &Progress,
    ) -> Result<(T, Answer), ConnectorError> {
        let asked = self.http.send_json(request).await;
        asked.map_err(|error| match error.status {
            Some(400) if progress.page.is_some() => ConnectorError {
                kind: ErrorKind::CursorExpired,
                ..error
            },
            _ => error,
        })
    }
}

/// A page, after which so many logs are not yet read to their end.
fn answered(
    activities: Vec<Activity>,
    progress: &Progress,
    left: usize,
    answered_at: Option<Timestamp>,
) -> ActivityPage {
    ActivityPage {
        activities,
        next: if left > 0 {
            Next::Page(progress.token().into())
        } else {
            Next::CaughtUp(progress.cursor().into())
        },
        answered_at,
    }
}

fn malformed(operation: &'static str, error: serde_json::Error, answer: &Answer) -> ConnectorError {
    let mut failure = failed(ErrorKind::Malformed, operation).with_source(error);
    failure.status = Some(answer.status);
    failure
}
