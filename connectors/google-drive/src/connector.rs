//! The [`Connector`] of one Google account.

use std::sync::Arc;

use async_trait::async_trait;
use revtrail_connector::{
    Access, ActivityPage, ActivityPoint, Addressing, AuditLog, Capabilities, Connector, ConnectorError,
    Content, ContentRef, Creation, DrivePlace, ErrorKind, FeedPage, FeedPoint, FolderRoot, Next, Page, Place,
    Usage, Within,
    batch::revision_lists,
    change::{RevisionAnswer, RevisionAsk},
    http::{Answer, Http},
    oauth::TokenSource,
    request::Request,
};
use revtrail_model::{
    id::{DriveId, ItemId, PageToken, Provider, TenantId},
    time::Clock,
};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::sync::OnceCell;
use url::Url;

use crate::{
    activity::Log,
    api::{Api, Corpus, DOWNLOAD_UNITS, LIST_UNITS, MAX_PARTS, READ_UNITS},
    batch::Lists,
    config::{Account, LogPlace},
    error::{RecordError, failed, operation, unusable},
    login::{http, settings},
    map::{self, Source},
    step::{Step, cursor, log_token},
    walk::Walk,
    wire::{About, ChangeList, StartPageToken},
};

/// Connects to an account. Nothing is sent before the first question.
pub fn connect(account: &Account, clock: Arc<dyn Clock>) -> Result<Box<dyn Connector>, ConnectorError> {
    let settings = settings(account, clock);
    let log = |place: &Option<LogPlace>| {
        let place = place.as_ref();
        place.map(|place| Log::new(account, &settings, place)).transpose()
    };
    let [first, second] = account.logs();
    let (log, second_log) = (log(first)?, log(second)?);
    let (http, content_tokens) = http(account, settings)?;
    Ok(Box::new(GoogleDrive {
        contents: http.authorised_by(Arc::clone(&content_tokens)),
        content_tokens,
        http,
        log,
        second_log,
        api: Api::new(account),
        my_root: OnceCell::new(),
    }))
}

/// One account.
pub(crate) struct GoogleDrive {
    http: Http,
    /// The same, with the right to read contents.
    contents: Http,
    content_tokens: Arc<dyn TokenSource>,
    /// The log of who did what, where one is to be read.
    log: Option<Log>,
    /// The one to be asked about what that leaves open.
    second_log: Option<Log>,
    pub(crate) api: Api,
    /// Root of the user's My Drive, which names that drive. Never changes, so it is asked for once.
    my_root: OnceCell<DriveId>,
}

#[async_trait]
impl Connector for GoogleDrive {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            provider: Provider::GoogleDrive,
            revision_batch: MAX_PARTS,
            batches_in_flight: 4,
            addressing: Addressing::Id,
            creation: Creation::Reported,
        }
    }

    async fn preflight(&self) -> Result<Access, ConnectorError> {
        let (about, _) = self.ask::<About>(operation::ABOUT, self.api.about()).await?;
        Ok(Access {
            tenant: TenantId::from(about.user.permission_id),
        })
    }

    async fn resolve(&self, place: &Place) -> Result<FolderRoot, ConnectorError> {
        let drive = match &place.drive {
            DrivePlace::Own => None,
            DrivePlace::Id(drive) => Some(drive),
            DrivePlace::Library { .. } => return Err(unknown_place()),
        };
        match &place.within {
            Within::Item(item) => self.resolve_item(drive, item).await,
            Within::Path(path) => self.resolve_path(drive, path).await,
            Within::Link(_) => Err(unknown_place()),
        }
    }

    async fn changes(&self, root: &FolderRoot, at: FeedPoint) -> Result<FeedPage, ConnectorError> {
        let corpus = self.corpus(&root.drive).await?;
        let step = match at {
            FeedPoint::Start => return self.start(root, corpus).await,
            FeedPoint::After(cursor) => Step::Log {
                token: log_token(&root.drive, &cursor)?,
            },
            FeedPoint::Page(token) => Step::read(operation::CHANGES, &token)?,
            FeedPoint::Since(_) => {
                return Err(
                    failed(ErrorKind::NotSupported, operation::CHANGES).with_code("no log from a moment")
                );
            }
        };
        match step {
            Step::Log { token } => self.log(root, corpus, &token).await,
            Step::Walk {
                start: Some(start),
                walk,
            } => {
                let part = self.walk(root, corpus, walk).await?;
                let next = match part.rest {
                    Some(walk) => Step::Walk {
                        start: Some(start),
                        walk,
                    },
                    None => Step::Log { token: start },
                };
                Ok(FeedPage {
                    changes: part.changes,
                    next: Next::Page(next.token(operation::FILES)?),
                    with_contents: true,
                    answered_at: part.answered_at,
                })
            }
            Step::Walk { start: None, .. } => Err(failed(ErrorKind::Bug, operation::CHANGES)
                .with_code("page token of a subtree given to the change log")),
        }
    }

    async fn subtree(
        &self,
        root: &FolderRoot,
        item: &ItemId,
        page: Option<PageToken>,
    ) -> Result<Page, ConnectorError> {
        let corpus = self.corpus(&root.drive).await?;
        let walk = match page {
            None => Walk::of(corpus, item),
            Some(token) => match Step::read(operation::FILES, &token)? {
                Step::Walk { walk, .. } => walk,
                Step::Log { .. } => {
                    return Err(failed(ErrorKind::Bug, operation::FILES)
                        .with_code("page token of the change log given to a subtree"));
                }
            },
        };
        let part = self.walk(root, corpus, walk).await?;
        let next = part
            .rest
            .map(|walk| Step::Walk { start: None, walk }.token(operation::FILES));
        Ok(Page {
            changes: part.changes,
            next: next.transpose()?,
        })
    }

    async fn revisions(
        &self,
        _root: &FolderRoot,
        asks: &[RevisionAsk],
    ) -> Result<Vec<RevisionAnswer>, ConnectorError> {
        let lists = Lists {
            http: &self.http,
            api: &self.api,
        };
        revision_lists(&self.http, &lists, asks).await
    }

    async fn content(
        &self,
        _root: &FolderRoot,
        wanted: &ContentRef,
        max_bytes: usize,
    ) -> Result<Content, ConnectorError> {
        let request = Request::get(operation::CONTENT, self.api.content(wanted)).units(DOWNLOAD_UNITS);
        match self.contents.download(&request, max_bytes).await {
            Ok(Some(answer)) => Ok(Content::Bytes(answer.body)),
            Ok(None) => Ok(Content::TooLarge),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Content::NotKept),
            // Documents of Google's own editors.
            Err(error) if error.kind == ErrorKind::NotSupported => Ok(Content::NoBytes),
            Err(error) => Err(error),
        }
    }

    fn audit(&self) -> Option<AuditLog> {
        self.log.as_ref().map(Log::about)
    }

    async fn activity(
        &self,
        roots: &[FolderRoot],
        at: ActivityPoint,
    ) -> Result<ActivityPage, ConnectorError> {
        match &self.log {
            Some(log) => log.page(roots, at, self.http.provider_now()).await,
            None => Err(failed(ErrorKind::NotSupported, operation::ACTIVITY)),
        }
    }

    fn second_audit(&self) -> Option<AuditLog> {
        self.second_log.as_ref().map(Log::about)
    }

    async fn second_activity(
        &self,
        roots: &[FolderRoot],
        at: ActivityPoint,
    ) -> Result<ActivityPage, ConnectorError> {
        match &self.second_log {
            Some(log) => log.page(roots, at, self.http.provider_now()).await,
            None => Err(failed(ErrorKind::NotSupported, operation::ACTIVITY)),
        }
    }

    fn usage(&self) -> Usage {
        let mut usage = self.http.usage();
        usage.add(&self.content_tokens.usage());
        for log in [&self.log, &self.second_log].into_iter().flatten() {
            usage.add(&log.usage());
        }
        usage
    }
}

impl GoogleDrive {
    pub(crate) async fn ask<T: DeserializeOwned + Send>(
        &self,
        operation: &'static str,
        url: Url,
    ) -> Result<(T, Answer), ConnectorError> {
        let units = match operation {
            operation::FILES | operation::CHANGES => LIST_UNITS,
            _ => READ_UNITS,
        };
        self.http
            .send_json(&Request::get(operation, url).units(units))
            .await
    }

    /// The drive of the account itself, named by its root folder.
    pub(crate) async fn my_drive(&self) -> Result<&DriveId, ConnectorError> {
        let ask = async || {
            let (root, _) = self.ask::<IdOnly>(operation::FILE, self.api.my_root()).await?;
            Ok(DriveId::from(root.id))
        };
        self.my_root.get_or_try_init(ask).await
    }

    /// Whose log and listing tell of `drive`.
    pub(crate) async fn corpus<'d>(&self, drive: &'d DriveId) -> Result<Corpus<'d>, ConnectorError> {
        Ok(if self.my_drive().await? == drive {
            Corpus::User
        } else {
            Corpus::Shared(drive)
        })
    }

    /// Notes where the change log stands before anything is listed, so that nothing that happens meanwhile is missed.
    async fn start(&self, root: &FolderRoot, corpus: Corpus<'_>) -> Result<FeedPage, ConnectorError> {
        let url = self.api.start_page_token(corpus);
        let (token, answer) = self.ask::<StartPageToken>(operation::START, url).await?;
        let next = Step::Walk {
            start: Some(token.start_page_token),
            walk: Walk::of(corpus, &root.item),
        };
        Ok(FeedPage {
            changes: Vec::new(),
            next: Next::Page(next.token(operation::START)?),
            with_contents: true,
            answered_at: answer.date,
        })
    }

    /// One page of the change log.
    async fn log(
        &self,
        root: &FolderRoot,
        corpus: Corpus<'_>,
        token: &str,
    ) -> Result<FeedPage, ConnectorError> {
        let url = self.api.changes(corpus, token);
        let (page, answer) = self.ask::<ChangeList>(operation::CHANGES, url).await?;
        let source = source(operation::CHANGES, &answer);
        let changes = page
            .changes
            .iter()
            .filter_map(|record| map::change(record, source).transpose())
            .collect::<Result<_, _>>()
            .map_err(|error| malformed(operation::CHANGES, error, &answer))?;
        let next = match (page.next_page_token, page.new_start_page_token) {
            (Some(token), _) => Next::Page(Step::Log { token }.token(operation::CHANGES)?),
            (None, Some(token)) => Next::CaughtUp(cursor(&root.drive, &token)),
            (None, None) => {
                return Err(unusable(ErrorKind::Malformed, operation::CHANGES, &answer)
                    .with_code("page without a next page token or a new start page token"));
            }
        };
        Ok(FeedPage {
            changes,
            next,
            with_contents: false,
            answered_at: answer.date,
        })
    }
}

/// Sites, libraries and sharing links are not how Drive names folders.
fn unknown_place() -> ConnectorError {
    failed(ErrorKind::Config, operation::FILE).with_code("name the folder by shared drive, path or item id")
}

/// A file, of which nothing but the id was asked for.
#[derive(Deserialize)]
struct IdOnly {
    id: String,
}

/// Which answer records came in.
pub(crate) fn source<'a>(operation: &'static str, answer: &'a Answer) -> Source<'a> {
    Source {
        operation,
        request_id: answer.request_id.as_deref(),
    }
}

/// Drive says that it did not look everywhere.
pub(crate) fn incomplete(answer: &Answer) -> ConnectorError {
    unusable(
        ErrorKind::Unavailable { retry_after: None },
        operation::FILES,
        answer,
    )
    .with_code("incomplete search")
}

pub(crate) fn malformed(operation: &'static str, error: RecordError, answer: &Answer) -> ConnectorError {
    unusable(ErrorKind::Malformed, operation, answer).with_source(error)
}
