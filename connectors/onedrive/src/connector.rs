//! The [`Connector`] of one Microsoft 365 tenant.

use std::sync::Arc;

use async_trait::async_trait;
use revtrail_connector::{
    Access, ActivityPage, ActivityPoint, Addressing, AuditLog, Capabilities, Connector, ConnectorError,
    Content, ContentRef, Creation, ErrorKind, FeedPage, FeedPoint, FolderRoot, Page, Place, Usage,
    batch::revision_lists,
    change::{Change, RevisionAnswer, RevisionAsk},
    http::{Answer, Http},
    oauth::TokenSource,
    request::Request,
};
use revtrail_model::{
    event::ActorSource,
    id::{DriveId, ItemId, PageToken, Provider, TenantId},
    time::Clock,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use crate::{
    activity::{self, AuditFeed},
    api::{Api, LIST_UNITS},
    batch::{MAX_PARTS, Versions},
    config::{Account, Login},
    error::{GraphErrors, RecordError, operation},
    ids, login,
    map::{self, Source},
    wire::Collection,
};

/// Makes the connector of an account. No request is sent yet.
pub fn connect(account: &Account, clock: Arc<dyn Clock>) -> Result<Box<dyn Connector>, ConnectorError> {
    let settings = login::settings(account, clock);
    let auth: Arc<dyn TokenSource> = Arc::new(login::tokens(account, &settings, &account.scopes())?);
    Ok(Box::new(OneDrive {
        tenant: account.tenant().into(),
        audit: AuditFeed::new(account, &settings)?,
        api: Api::new(account.api_url().clone()),
        http: Http::new(settings, Some(Arc::clone(&auth)), Arc::new(GraphErrors))?,
        auth,
        has_own_drive: matches!(account.login, Login::RefreshToken { .. }),
    }))
}

/// One tenant, read through Graph.
pub(crate) struct OneDrive {
    tenant: TenantId,
    /// The audit log, where it is to be read.
    audit: Option<AuditFeed>,
    pub(crate) api: Api,
    pub(crate) http: Http,
    auth: Arc<dyn TokenSource>,
    /// A user has a drive; a program does not.
    pub(crate) has_own_drive: bool,
}

/// Asks for shortcuts to shared folders, which listings of personal drives leave out otherwise.
const SHORTCUTS: &str = "Include-Feature=AddToOneDrive";

/// Where a walk through folders stands; the page token of [`Connector::subtree`].
#[derive(Debug, Serialize, Deserialize)]
struct Walk {
    /// Folders not listed yet; the last is next.
    folders: Vec<String>,
    /// The next page of the folder being listed.
    link: Option<String>,
}

#[async_trait]
impl Connector for OneDrive {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            provider: Provider::OneDrive,
            revision_batch: usize::from(MAX_PARTS),
            // Microsoft's own tools keep four to sixteen requests under way.
            batches_in_flight: 8,
            addressing: Addressing::Id,
            creation: Creation::Reported,
        }
    }

    async fn preflight(&self) -> Result<Access, ConnectorError> {
        // A token is all that can be asked for with rights to chosen sites only: naming the organisation needs more.
        let _token = self.auth.bearer().await?;
        Ok(Access {
            tenant: self.tenant.clone(),
        })
    }

    async fn resolve(&self, place: &Place) -> Result<FolderRoot, ConnectorError> {
        self.find(place).await
    }

    async fn changes(&self, root: &FolderRoot, at: FeedPoint) -> Result<FeedPage, ConnectorError> {
        self.feed(root, &at).await
    }

    async fn subtree(
        &self,
        root: &FolderRoot,
        item: &ItemId,
        page: Option<PageToken>,
    ) -> Result<Page, ConnectorError> {
        let mut walk = Walk::resume(item, page.as_ref())?;
        let Some(url) = self.step(&root.drive, &mut walk)? else {
            return Ok(Page {
                changes: Vec::new(),
                next: None,
            });
        };
        let changes = match self
            .page(operation::CHILDREN, (&root.drive, url), LIST_UNITS)
            .await
        {
            Ok((page, answer)) => {
                let changes = entries(operation::CHILDREN, &page.value, &answer)?;
                walk.enter(&page.value);
                walk.link = page.next_link;
                changes
            }
            // Gone since its parent was listed: the feed will tell, and the rest of the walk goes on.
            Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        Ok(Page {
            changes,
            next: walk.token()?,
        })
    }

    async fn revisions(
        &self,
        root: &FolderRoot,
        asks: &[RevisionAsk],
    ) -> Result<Vec<RevisionAnswer>, ConnectorError> {
        let versions = Versions {
            http: &self.http,
            api: &self.api,
            drive: &root.drive,
        };
        revision_lists(&self.http, &versions, asks).await
    }

    async fn content(
        &self,
        root: &FolderRoot,
        wanted: &ContentRef,
        max_bytes: usize,
    ) -> Result<Content, ConnectorError> {
        self.fetch(root, wanted, max_bytes).await
    }

    fn audit(&self) -> Option<AuditLog> {
        self.audit.as_ref().map(|_| AuditLog {
            source: ActorSource::AuditLog,
            lateness: activity::LATENESS,
            reach: Some(activity::REACH),
        })
    }

    async fn activity(
        &self,
        roots: &[FolderRoot],
        at: ActivityPoint,
    ) -> Result<ActivityPage, ConnectorError> {
        match &self.audit {
            Some(audit) => audit.page(roots, at, self.http.provider_now()).await,
            None => Err(failed(ErrorKind::NotSupported, "activity")),
        }
    }

    fn usage(&self) -> Usage {
        let mut usage = self.http.usage();
        if let Some(audit) = &self.audit {
            let more = audit.usage();
            for (operation, requests) in more.requests {
                *usage.requests.entry(operation).or_default() += requests;
            }
            usage.retries += more.retries;
            usage.throttled_ms += more.throttled_ms;
        }
        usage
    }
}

impl OneDrive {
    /// One page of a listing in a drive.
    pub(crate) async fn page(
        &self,
        operation: &'static str,
        (drive, url): (&DriveId, Url),
        units: u32,
    ) -> Result<(Collection, Answer), ConnectorError> {
        let mut request = Request::get(operation, url).units(units);
        if ids::is_personal(drive) {
            request = request.header("Prefer", SHORTCUTS);
        }
        self.http.send_json(&request).await
    }

    /// A link Graph handed out, followed as it is, but only to where tokens may go.
    pub(crate) fn link(&self, operation: &'static str, link: &str) -> Result<Url, ConnectorError> {
        self.http.check_origin(operation, link)
    }

    /// The next page of a walk: the rest of the folder at hand, else the next folder.
    fn step(&self, drive: &DriveId, walk: &mut Walk) -> Result<Option<Url>, ConnectorError> {
        if let Some(link) = walk.link.take() {
            return self.link(operation::CHILDREN, &link).map(Some);
        }
        Ok(walk
            .folders
            .pop()
            .map(|folder| self.api.children(drive, &folder.into())))
    }
}

impl Walk {
    fn resume(item: &ItemId, token: Option<&PageToken>) -> Result<Self, ConnectorError> {
        let Some(token) = token else {
            return Ok(Self {
                folders: vec![item.as_str().to_owned()],
                link: None,
            });
        };
        serde_json::from_str(token.as_str())
            .map_err(|error| failed(ErrorKind::Bug, operation::CHILDREN).with_source(error))
    }

    /// Notes the folders among `records` for later.
    fn enter(&mut self, records: &[Box<RawValue>]) {
        let folders = records.iter().filter_map(|record| map::walkable(record));
        self.folders.extend(folders.map(|id| id.as_str().to_owned()));
    }

    /// The token of what is left; absent when nothing is.
    fn token(&self) -> Result<Option<PageToken>, ConnectorError> {
        if self.folders.is_empty() && self.link.is_none() {
            return Ok(None);
        }
        serde_json::to_string(self)
            .map(|text| Some(text.into()))
            .map_err(|error| failed(ErrorKind::Bug, operation::CHILDREN).with_source(error))
    }
}

pub(crate) fn entries(
    operation: &'static str,
    records: &[Box<RawValue>],
    answer: &Answer,
) -> Result<Vec<Change>, ConnectorError> {
    let source = Source {
        operation,
        request_id: answer.request_id.as_deref(),
    };
    records
        .iter()
        .map(|record| map::change(record, source))
        .collect::<Result<_, _>>()
        .map_err(|error| malformed(operation, error, answer))
}

pub(crate) fn failed(kind: ErrorKind, operation: &'static str) -> ConnectorError {
    ConnectorError::new(kind, Provider::OneDrive, operation)
}

pub(crate) fn with_answer(mut error: ConnectorError, answer: &Answer) -> ConnectorError {
    error.status = Some(answer.status);
    error.request_id.clone_from(&answer.request_id);
    error
}

pub(crate) fn malformed(operation: &'static str, error: RecordError, answer: &Answer) -> ConnectorError {
    with_answer(failed(ErrorKind::Malformed, operation), answer).with_source(error)
}
