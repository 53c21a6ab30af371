//! The connector: one method per question of the harvest.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::future::try_join_all;
use revtrail_connector::{
    Access, ActivityPage, ActivityPoint, Addressing, AuditLog, Capabilities, Connector, ConnectorError,
    Content, ContentRef, Creation, DrivePlace, ErrorKind, FeedPage, FeedPoint, FolderRoot, Next, Page, Place,
    Usage, Within,
    change::{Change, RevisionAnswer, RevisionAsk, RevisionList, Seen},
};
use revtrail_model::{
    event::ActorSource,
    id::{Cursor, DriveId, ItemId, PageToken, PlaceKey, Provider, TenantId},
    time::Clock,
};
use tokio::sync::Semaphore;

use crate::{
    api::{Api, Deleted, FEATURES, LIST, METADATA, PathRoot, Reply, http, path_of},
    config::{Account, TeamLog},
    error::{malformed, plain},
    feed::Step,
    history::{self, History},
    map::{View, change},
    people::People,
    team_log,
    wire::{ListFolder, Metadata},
};

/// Most `list_revisions` calls at a time. Dropbox publishes no limit; more than a few per account are soon refused.
const AT_ONCE: usize = 4;
/// Questions answered together: their authors are looked up at once, in one more request.
const REVISION_BATCH: usize = 20;

/// Dropbox says that events are in the log within hours, at most a day; some more for what is late all the same.
const LATENESS: Duration = Duration::from_hours(72);

/// Connects to an account. Nothing is sent before the first question.
pub fn connect(account: &Account, clock: Arc<dyn Clock>) -> Result<Box<dyn Connector>, ConnectorError> {
    Ok(Box::new(Dropbox {
        api: Api::new(http(account, clock)?, account),
        people: People::default(),
        asking: Semaphore::new(AT_ONCE),
        namespace: account.namespace.as_deref().map(DriveId::from),
        team_log: account.team_log,
    }))
}

/// One Dropbox account.
struct Dropbox {
    api: Api,
    people: People,
    /// Turns to ask for revisions.
    asking: Semaphore,
    /// Namespace for folders that name none themselves.
    namespace: Option<DriveId>,
    team_log: TeamLog,
}

#[async_trait]
impl Connector for Dropbox {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            provider: Provider::Dropbox,
            revision_batch: REVISION_BATCH,
            // What the second asks fills the gaps while the first waits for its last answers and its authors.
            batches_in_flight: 2,
            addressing: Addressing::Place,
            creation: Creation::OldestRevision,
        }
    }

    async fn preflight(&self) -> Result<Access, ConnectorError> {
        let account = self.api.ask_account().await?;
        Ok(Access {
            // For a team link the team: whoever acts for it may change.
            tenant: match account.team.filter(|_| self.api.is_team_link()) {
                Some(team) => TenantId::from(team.id),
                None => TenantId::from(account.account_id),
            },
        })
    }

    async fn resolve(&self, place: &Place) -> Result<FolderRoot, ConnectorError> {
        if matches!(place.drive, DrivePlace::Library { .. }) {
            return Err(unknown_place());
        }
        let drive = match place.drive_id().or(self.namespace.as_ref()) {
            Some(drive) => drive.clone(),
            None => DriveId::from(self.api.account().await?.root_info.root_namespace_id.as_str()),
        };
        let path = match &place.within {
            Within::Path(path) => normal(path),
            Within::Item(id) => id.as_str().to_owned(),
            Within::Link(_) => return Err(unknown_place()),
        };
        if path.is_empty() || path == format!("ns:{drive}") {
            return Ok(namespace_itself(drive));
        }
        let root = self.api.path_root(&drive).await?;
        let metadata = self.api.metadata(&root, &path).await?;
        match Metadata::read(metadata.get()).map_err(|error| malformed(METADATA, error))? {
            Metadata::Folder(folder) => match folder.path_lower {
                Some(lower) => Ok(FolderRoot {
                    drive,
                    item: ItemId::from(folder.id),
                    place: Some(PlaceKey::from(lower)),
                    name: folder.name,
                    parent: None,
                    former: Vec::new(),
                }),
                None => Err(plain(
                    ErrorKind::NotFound,
                    METADATA,
                    "folder is not mounted for this account",
                )),
            },
            Metadata::File(_) | Metadata::Deleted(_) | Metadata::Unknown(_) => {
                Err(plain(ErrorKind::NotFound, METADATA, "no folder"))
            }
        }
    }

    async fn changes(&self, root: &FolderRoot, at: FeedPoint) -> Result<FeedPage, ConnectorError> {
        let step = match at {
            FeedPoint::Start => Step::Begin,
            FeedPoint::After(cursor) => Step::Changes {
                cursor: cursor.as_str().to_owned(),
            },
            FeedPoint::Page(token) => Step::read(&token).map_err(|error| malformed(LIST, error))?,
            FeedPoint::Since(_) => return Err(plain(ErrorKind::NotSupported, LIST, "no feed from a moment")),
        };
        let path_root = self.api.path_root(&root.drive).await?;
        let reply = self.walk(&path_root, path_of(root), &step).await?;
        let mut changes = entries(root, &reply)?;
        if matches!(step, Step::Emptied { .. }) {
            // What is live was listed before, and anything newer follows.
            changes.retain(|change| matches!(change.seen, Seen::Vacated { .. }));
        }
        let next = step
            .follow(reply.value.cursor, reply.value.has_more.into())
            .map_err(|error| malformed(LIST, error))?;
        Ok(FeedPage {
            changes,
            next,
            with_contents: true,
            answered_at: reply.answered_at,
        })
    }

    async fn subtree(
        &self,
        root: &FolderRoot,
        item: &ItemId,
        page: Option<PageToken>,
    ) -> Result<Page, ConnectorError> {
        let path_root = self.api.path_root(&root.drive).await?;
        let reply = match page {
            None => self.api.list(&path_root, item.as_str(), Deleted::Without).await?,
            Some(token) => self.api.list_continue(&path_root, token.as_str()).await?,
        };
        let mut changes = entries(root, &reply)?;
        // A recursive listing may name the folder itself.
        changes.retain(|change| !matches!(&change.seen, Seen::Present(meta) if meta.id == *item));
        let next = reply.value.has_more.then(|| PageToken::from(reply.value.cursor));
        Ok(Page { changes, next })
    }

    async fn revisions(
        &self,
        root: &FolderRoot,
        asks: &[RevisionAsk],
    ) -> Result<Vec<RevisionAnswer>, ConnectorError> {
        let path_root = self.api.path_root(&root.drive).await?;
        let questions = asks.iter().map(async |ask| {
            let _turn = self.asking.acquire().await;
            history::ask(&self.api, &path_root, &ask.about).await
        });
        let histories = try_join_all(questions).await?;
        let authors: BTreeSet<String> = histories
            .iter()
            .flatten()
            .flat_map(|history| &history.entries)
            .filter_map(|entry| entry.author().map(str::to_owned))
            .collect();
        self.people.learn(&self.api, authors).await?;
        let view = View::new(root);
        Ok(histories
            .into_iter()
            .map(|history| RevisionAnswer {
                outcome: history.map(|history| self.list(&view, history)),
            })
            .collect())
    }

    async fn content(
        &self,
        root: &FolderRoot,
        wanted: &ContentRef,
        max_bytes: usize,
    ) -> Result<Content, ConnectorError> {
        let path_root = self.api.path_root(&root.drive).await?;
        let rev = wanted.revision.as_str();
        match self.api.download(&path_root, rev, max_bytes).await {
            Ok(Some(bytes)) => Ok(Content::Bytes(bytes)),
            Ok(None) => Ok(Content::TooLarge),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Content::NotKept),
            // Documents of Dropbox's own editors (409 `unsupported_file`).
            Err(error) if error.kind == ErrorKind::NotSupported => Ok(Content::NoBytes),
            Err(error) => Err(error),
        }
    }

    fn audit(&self) -> Option<AuditLog> {
        match self.team_log {
            TeamLog::Read => Some(AuditLog {
                source: ActorSource::AuditLog,
                lateness: LATENESS,
                // Dropbox does not say how long the log is kept.
                reach: None,
            }),
            TeamLog::LeftOut => None,
        }
    }

    async fn activity(
        &self,
        roots: &[FolderRoot],
        at: ActivityPoint,
    ) -> Result<ActivityPage, ConnectorError> {
        let reply = match at {
            ActivityPoint::From(moment) => {
                self.check_plan().await?;
                self.api.events(moment).await?
            }
            ActivityPoint::After(cursor) => self.api.events_continue(cursor.as_str()).await?,
            ActivityPoint::Page(token) => self.api.events_continue(token.as_str()).await?,
        };
        let events = reply.value.events.iter();
        let activities: Result<Vec<_>, _> = events
            .filter_map(|event| team_log::activity(roots, event, &reply.origin).transpose())
            .collect();
        Ok(ActivityPage {
            activities: activities.map_err(|error| malformed(reply.origin.operation, error))?,
            next: if reply.value.has_more {
                Next::Page(PageToken::from(reply.value.cursor))
            } else {
                Next::CaughtUp(Cursor::from(reply.value.cursor))
            },
            answered_at: reply.answered_at,
        })
    }

    fn usage(&self) -> Usage {
        self.api.http().usage()
    }
}

/// Sites, libraries and sharing links are not how folders are named here.
fn unknown_place() -> ConnectorError {
    plain(
        ErrorKind::Config,
        METADATA,
        "name the folder by namespace, path or id",
    )
}

impl Dropbox {
    /// On plans without file events the log answers, and stays empty. Whether the plan has them is asked; where that is refused, the log
    /// itself must show it.
    async fn check_plan(&self) -> Result<(), ConnectorError> {
        match self.api.features().await {
            Ok(features) if features.lack_file_events() => Err(plain(
                ErrorKind::NotSupported,
                FEATURES,
                "the team's plan records no file events",
            )),
            Ok(_) => Ok(()),
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::Unavailable { .. } | ErrorKind::RateLimited { .. }
                ) =>
            {
                Err(error)
            }
            Err(error) => {
                tracing::debug!(provider = %error.provider, code = error.code, "the team's plan is not told");
                Ok(())
            }
        }
    }

    /// The page a step stands for.
    async fn walk(
        &self,
        root: &PathRoot,
        path: &str,
        step: &Step,
    ) -> Result<Reply<ListFolder>, ConnectorError> {
        match step {
            Step::Begin => self.api.list(root, path, Deleted::Without).await,
            Step::Emptied { cursor: None, .. } => self.api.list(root, path, Deleted::With).await,
            Step::Live { cursor }
            | Step::Changes { cursor }
            | Step::Emptied {
                cursor: Some(cursor), ..
            } => self.api.list_continue(root, cursor).await,
        }
    }

    /// Names the authors.
    fn list(&self, view: &View, history: History) -> RevisionList {
        let revisions = history.entries.into_iter().map(|entry| {
            let actor = entry.author().map(|id| self.people.actor(id));
            entry.into_revision(view, actor)
        });
        RevisionList {
            revisions: revisions.collect(),
            completeness: history.completeness,
            now: history.now,
        }
    }
}

fn entries(root: &FolderRoot, reply: &Reply<ListFolder>) -> Result<Vec<Change>, ConnectorError> {
    let view = View::new(root);
    let entries = reply.value.entries.iter();
    entries
        .map(|entry| change(&view, entry, &reply.origin))
        .collect::<Result<_, _>>()
        .map_err(|error| malformed(reply.origin.operation, error))
}

/// A configured path as Dropbox wants it: the root is the empty string, anything else begins with `/` and does not end with one.
fn normal(path: &str) -> String {
    let inner = path.trim_matches('/');
    if inner.is_empty() {
        String::new()
    } else {
        format!("/{inner}")
    }
}

/// The root of a namespace has no metadata; `ns:` is how paths name it.
fn namespace_itself(drive: DriveId) -> FolderRoot {
    FolderRoot {
        item: ItemId::from(format!("ns:{drive}")),
        place: Some(PlaceKey::from("")),
        drive,
        name: None,
        parent: None,
        former: Vec::new(),
    }
}
