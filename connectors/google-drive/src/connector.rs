//! The [`Connector`] of one Google account.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::join_all;
use revtrail_connector::{
    Access, ActivityPage, ActivityPoint, Addressing, AuditLog, Capabilities, Connector, ConnectorError,
    Content, ContentRef, Creation, DrivePlace, ErrorKind, FeedPage, FeedPoint, FolderRoot, Next, Page, Place,
    Usage, Within,
    batch::revision_lists,
    change::{Change, RevisionAnswer, RevisionAsk},
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
    step::{Listing, Step, Walk, cursor, log_token},
    wire::{About, ChangeList, FileList, StartPageToken},
};

/// Folders listed at a time.
const LISTED_AT_ONCE: usize = 8;

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

/// Listings of folders that may have to begin again in one walk: tokens live for hours, and walks take hours at most.
const MAX_RESTARTS: u32 = 20;

/// One page of the listing of a folder.
struct Listed {
    listing: Listing,
    changes: Vec<Change>,
    /// Token of the next page.
    next_page: Option<String>,
    answer: Answer,
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
                let (changes, walk, answer) = self.walk(root, corpus, walk).await?;
                let next = match walk {
                    Some(walk) => Step::Walk {
                        start: Some(start),
                        walk,
                    },
                    None => Step::Log { token: start },
                };
                Ok(FeedPage {
                    changes,
                    next: Next::Page(next.token(operation::FILES)?),
                    answered_at: answer.and_then(|answer| answer.date),
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
            None => Walk::of(item),
            Some(token) => match Step::read(operation::FILES, &token)? {
                Step::Walk { walk, .. } => walk,
                Step::Log { .. } => {
                    return Err(failed(ErrorKind::Bug, operation::FILES)
                        .with_code("page token of the change log given to a subtree"));
                }
            },
        };
        let (changes, rest, _) = self.walk(root, corpus, walk).await?;
        let next = rest.map(|walk| Step::Walk { start: None, walk }.token(operation::FILES));
        Ok(Page {
            changes,
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
            walk: Walk::of(&root.item),
        };
        Ok(FeedPage {
            changes: Vec::new(),
            next: Next::Page(next.token(operation::START)?),
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
            answered_at: answer.date,
        })
    }

    /// Pages of a walk, and what is left of it. Each folder takes a question of its own, so several are asked at a time.
    async fn walk(
        &self,
        root: &FolderRoot,
        corpus: Corpus<'_>,
        mut walk: Walk,
    ) -> Result<(Vec<Change>, Option<Walk>, Option<Answer>), ConnectorError> {
        let listings = walk.take(LISTED_AT_ONCE).into_iter();
        let pages = join_all(listings.map(|listing| self.listed(root, corpus, listing))).await;
        let (mut changes, mut newest) = (Vec::new(), None::<Answer>);
        for page in pages {
            let Some(listed) = page? else {
                continue;
            };
            walk.go_on(listed.listing, &listed.changes, listed.next_page);
            changes.extend(listed.changes);
            if newest
                .as_ref()
                .is_none_or(|newest| newest.date < listed.answer.date)
            {
                newest = Some(listed.answer);
            }
        }
        Ok((changes, walk.rest(), newest))
    }

    /// One page of a listing; `None` where the folder is gone since its parent was listed: the log will tell, and the rest of the walk
    /// goes on.
    async fn listed(
        &self,
        root: &FolderRoot,
        corpus: Corpus<'_>,
        mut listing: Listing,
    ) -> Result<Option<Listed>, ConnectorError> {
        let (page, answer) = match self.children(corpus, &mut listing).await {
            Ok(found) => found,
            Err(error) if error.kind == ErrorKind::NotFound && listing.folder != root.item.as_str() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if page.incomplete_search {
            return Err(incomplete(&answer));
        }
        let source = source(operation::FILES, &answer);
        let changes: Vec<Change> = page
            .files
            .iter()
            .map(|record| map::item(record, source))
            .collect::<Result<_, _>>()
            .map_err(|error| malformed(operation::FILES, error, &answer))?;
        Ok(Some(Listed {
            listing,
            changes,
            next_page: page.next_page_token,
            answer,
        }))
    }

    /// One page of a folder. Tokens of listings live for hours only; a refused one means to list the folder again, but not without end.
    async fn children(
        &self,
        corpus: Corpus<'_>,
        listing: &mut Listing,
    ) -> Result<(FileList, Answer), ConnectorError> {
        let folder = &listing.folder;
        let ask = |page| self.ask(operation::FILES, self.api.children(corpus, folder, page));
        match ask(listing.page.as_deref()).await {
            Err(mut error) if error.kind == ErrorKind::CursorExpired && listing.page.is_some() => {
                listing.restarts += 1;
                if listing.restarts > MAX_RESTARTS {
                    // It is the listing that is refused, not the cursor of the log.
                    error.kind = ErrorKind::Unavailable { retry_after: None };
                    return Err(error);
                }
                ask(None).await
            }
            found => found,
        }
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

fn source<'a>(operation: &'static str, answer: &'a Answer) -> Source<'a> {
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
