//! The routes this connector calls, as requests.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use revtrail_connector::{
    ConnectorError, FolderRoot,
    http::{Answer, ErrorReader, Failure, HeaderMap, Hosts, Http, HttpSettings},
    oauth::{Grant, OAuth, SecretFile, SecretSource},
    pacing::Pacing,
    request::{Method, Request},
    retry::RetryPolicy,
    time::Timestamp,
};
use revtrail_model::{
    id::{DriveId, Provider},
    time::Clock,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::OnceCell;
use url::Url;

use crate::{
    config::{Account, Acting, below},
    error::{classify, malformed},
    map::Origin,
    team_log::{Features, TeamEvents},
    wire::{AccountBatch, FullAccount, ListFolder, ListRevisions},
};

pub(crate) const LIST: &str = "list_folder";
pub(crate) const CONTINUE: &str = "list_folder_continue";
pub(crate) const METADATA: &str = "get_metadata";
pub(crate) const REVISIONS: &str = "list_revisions";
pub(crate) const ACCOUNT: &str = "get_current_account";
pub(crate) const DOWNLOAD: &str = "download";
pub(crate) const PEOPLE: &str = "get_account_batch";
pub(crate) const EVENTS: &str = "get_events";
pub(crate) const EVENTS_CONTINUE: &str = "get_events_continue";
pub(crate) const FEATURES: &str = "get_features";

/// Operations of the team itself, which know no member to act as.
const OF_TEAM: [&str; 3] = [EVENTS, EVENTS_CONTINUE, FEATURES];

/// A page of a big recursive listing takes Dropbox a while.
const TIMEOUT: Duration = Duration::from_secs(100);
/// Most entries Dropbox puts on one page of a listing, more or less.
const LIST_LIMIT: u16 = 2000;
/// Most events on one page of the team's log.
const EVENTS_LIMIT: u16 = 1000;
/// Most revisions in one answer; a larger number is refused.
pub(crate) const REVISIONS_LIMIT: usize = 100;

/// The API of one account.
pub(crate) struct Api {
    http: Http,
    url: Url,
    content_url: Url,
    acting: Acting,
    account: OnceCell<FullAccount>,
}

/// An answer and where it came from.
pub(crate) struct Reply<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
    pub(crate) answered_at: Option<Timestamp>,
}

/// The namespace that paths start from, as a request header; absent for the account's home, which is the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathRoot(Option<String>);

/// Which entries a listing has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleted {
    /// Only what is there.
    Without,
    /// Emptied places, too.
    With,
}

/// A question to `list_revisions`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Revisions<'a> {
    /// Of this item, wherever it was. Cannot be paged.
    OfItem(&'a str),
    /// Saved at this place, older than a revision when one is named.
    AtPlace(&'a str, Option<&'a str>),
}

// Dropbox refuses requests with members it does not know, so arguments hold nothing that is not needed.
#[derive(Serialize)]
struct ListArg<'a> {
    path: &'a str,
    recursive: bool,
    include_deleted: bool,
    limit: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_mounted_folders: Option<bool>,
}

#[derive(Serialize)]
struct CursorArg<'a> {
    cursor: &'a str,
}

#[derive(Serialize)]
struct PathArg<'a> {
    path: &'a str,
}

#[derive(Serialize)]
struct RevisionsArg<'a> {
    path: &'a str,
    mode: Tagged<'a>,
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    before_rev: Option<&'a str>,
}

#[derive(Serialize)]
struct Tagged<'a> {
    #[serde(rename = ".tag")]
    tag: &'a str,
}

#[derive(Serialize)]
struct NamespaceRoot<'a> {
    #[serde(rename = ".tag")]
    tag: &'a str,
    namespace_id: &'a str,
}

#[derive(Serialize)]
struct AccountsArg<'a> {
    account_ids: &'a [String],
}

#[derive(Serialize)]
struct EventsArg<'a> {
    limit: u16,
    category: Tagged<'a>,
    time: TimeRange,
}

#[derive(Serialize)]
struct TimeRange {
    start_time: String,
}

#[derive(Serialize)]
struct FeaturesArg<'a> {
    features: [Tagged<'a>; 1],
}

impl Api {
    pub(crate) fn new(http: Http, account: &Account) -> Self {
        Self {
            http,
            url: account.api_url.clone(),
            content_url: account.content_url.clone(),
            acting: account.acting.clone(),
            account: OnceCell::new(),
        }
    }

    /// Whether the token is a team's.
    pub(crate) fn is_team_link(&self) -> bool {
        self.acting != Acting::Itself
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// Asks whose account this is.
    pub(crate) async fn ask_account(&self) -> Result<FullAccount, ConnectorError> {
        // A route without argument takes the JSON literal null.
        let reply = self
            .call(ACCOUNT, "/2/users/get_current_account", &(), &PathRoot(None))
            .await?;
        Ok(reply.value)
    }

    /// Whose account this is, asked once.
    pub(crate) async fn account(&self) -> Result<&FullAccount, ConnectorError> {
        self.account.get_or_try_init(|| self.ask_account()).await
    }

    /// How requests name the namespace that paths start from.
    pub(crate) async fn path_root(&self, drive: &DriveId) -> Result<PathRoot, ConnectorError> {
        let account = self.account().await?;
        if account.root_info.home_namespace_id == drive.as_str() {
            return Ok(PathRoot(None));
        }
        let root = NamespaceRoot {
            tag: "namespace_id",
            namespace_id: drive.as_str(),
        };
        let text = serde_json::to_string(&root).map_err(|error| malformed(ACCOUNT, error))?;
        Ok(PathRoot(Some(text)))
    }

    /// What is at a path, or under an id.
    pub(crate) async fn metadata(
        &self,
        root: &PathRoot,
        path: &str,
    ) -> Result<Box<serde_json::value::RawValue>, ConnectorError> {
        let reply = self
            .call(METADATA, "/2/files/get_metadata", &PathArg { path }, root)
            .await?;
        Ok(reply.value)
    }

    /// First page of everything below a folder.
    pub(crate) async fn list(
        &self,
        root: &PathRoot,
        path: &str,
        deleted: Deleted,
    ) -> Result<Reply<ListFolder>, ConnectorError> {
        let argument = ListArg {
            path,
            recursive: true,
            include_deleted: deleted == Deleted::With,
            limit: LIST_LIMIT,
            // An administrator harvests each namespace by itself, once, though many members mount it.
            include_mounted_folders: matches!(self.acting, Acting::Admin(_)).then_some(false),
        };
        self.call(LIST, "/2/files/list_folder", &argument, root).await
    }

    /// The next page of a listing, or what changed since it.
    pub(crate) async fn list_continue(
        &self,
        root: &PathRoot,
        cursor: &str,
    ) -> Result<Reply<ListFolder>, ConnectorError> {
        self.call(
            CONTINUE,
            "/2/files/list_folder/continue",
            &CursorArg { cursor },
            root,
        )
        .await
    }

    /// One page of revisions.
    pub(crate) async fn revisions(
        &self,
        root: &PathRoot,
        ask: Revisions<'_>,
    ) -> Result<Reply<ListRevisions>, ConnectorError> {
        let (path, tag, before_rev) = match ask {
            Revisions::OfItem(id) => (id, "id", None),
            Revisions::AtPlace(path, before) => (path, "path", before),
        };
        let argument = RevisionsArg {
            path,
            mode: Tagged { tag },
            limit: REVISIONS_LIMIT,
            before_rev,
        };
        self.call(REVISIONS, "/2/files/list_revisions", &argument, root)
            .await
    }

    /// Names of up to 300 accounts. All or nothing: one bad id is a [`AccountBatch::Refused`].
    pub(crate) async fn accounts(&self, account_ids: &[String]) -> Result<AccountBatch, ConnectorError> {
        let argument = AccountsArg { account_ids };
        let reply = self
            .call(PEOPLE, "/2/users/get_account_batch", &argument, &PathRoot(None))
            .await?;
        Ok(reply.value)
    }

    /// What the team's plan has.
    pub(crate) async fn features(&self) -> Result<Features, ConnectorError> {
        let argument = FeaturesArg {
            features: [Tagged {
                tag: "has_team_file_events",
            }],
        };
        let reply = self
            .call(
                FEATURES,
                "/2/team/features/get_values",
                &argument,
                &PathRoot(None),
            )
            .await?;
        Ok(reply.value)
    }

    /// First page of what the team's log tells of files since a moment.
    pub(crate) async fn events(&self, from: Timestamp) -> Result<Reply<TeamEvents>, ConnectorError> {
        let argument = EventsArg {
            limit: EVENTS_LIMIT,
            category: Tagged {
                tag: "file_operations",
            },
            time: TimeRange {
                // Dropbox takes whole seconds; cut down, so that nothing is left out.
                start_time: from.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            },
        };
        self.call(EVENTS, "/2/team_log/get_events", &argument, &PathRoot(None))
            .await
    }

    /// The next page of the team's log, or what has appeared since.
    pub(crate) async fn events_continue(&self, cursor: &str) -> Result<Reply<TeamEvents>, ConnectorError> {
        self.call(
            EVENTS_CONTINUE,
            "/2/team_log/get_events/continue",
            &CursorArg { cursor },
            &PathRoot(None),
        )
        .await
    }

    /// The bytes of a revision; `None` when there are more than `max_bytes`.
    pub(crate) async fn download(
        &self,
        root: &PathRoot,
        rev: &str,
        max_bytes: usize,
    ) -> Result<Option<Bytes>, ConnectorError> {
        let path = format!("rev:{rev}");
        let argument =
            serde_json::to_string(&PathArg { path: &path }).map_err(|error| malformed(DOWNLOAD, error))?;
        // The argument stands in a header; the body of a download is empty.
        let request = Request {
            method: Method::Post,
            ..Request::get(DOWNLOAD, below(&self.content_url, "/2/files/download"))
        };
        let request = request.header("dropbox-api-arg", argument);
        let answer = self.http.download(&self.acting(request, root), max_bytes).await?;
        Ok(answer.map(|answer| answer.body))
    }

    /// As whom, and from where paths start.
    fn acting(&self, mut request: Request, root: &PathRoot) -> Request {
        let about_accounts = [ACCOUNT, PEOPLE].contains(&request.operation);
        match &self.acting {
            Acting::Itself => {}
            _ if OF_TEAM.contains(&request.operation) => {}
            Acting::Admin(id) if !about_accounts => {
                request = request.header("dropbox-api-select-admin", id.clone());
            }
            // An administrator is a member, too, and the routes about accounts know no administrators.
            Acting::Member(id) | Acting::Admin(id) => {
                request = request.header("dropbox-api-select-user", id.clone());
            }
        }
        match root {
            PathRoot(Some(root)) => request.header("dropbox-api-path-root", root.clone()),
            PathRoot(None) => request,
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        route: &str,
        argument: &(impl Serialize + Sync),
        root: &PathRoot,
    ) -> Result<Reply<T>, ConnectorError> {
        let body = serde_json::to_string(argument).map_err(|error| malformed(operation, error))?;
        let request = Request::post_json(operation, below(&self.url, route), body);
        let request = self.acting(request, root);
        let (value, answer): (T, Answer) = self.http.send_json(&request).await?;
        Ok(Reply {
            value,
            origin: Origin {
                operation,
                request_id: answer.request_id,
            },
            answered_at: answer.date,
        })
    }
}

/// The path argument that names a designated folder.
pub(crate) fn path_of(root: &FolderRoot) -> &str {
    root.place
        .as_ref()
        .map_or_else(|| root.item.as_str(), |place| place.as_str())
}

/// Makes the way to the API: token, pace and how refusals are read.
pub(crate) fn http(account: &Account, clock: Arc<dyn Clock>) -> Result<Http, ConnectorError> {
    let secret = |path: &PathBuf| -> Arc<dyn SecretSource> { Arc::new(SecretFile(path.clone())) };
    let grant = Grant::RefreshToken {
        client_id: account.client_id.clone(),
        client_secret: account.client_secret_file.as_ref().map(secret),
        refresh_token: secret(&account.refresh_token_file),
        // Dropbox does not replace refresh tokens.
        store: None,
        scopes: Vec::new(),
    };
    let settings = HttpSettings {
        provider: Provider::Dropbox,
        hosts: Hosts::new([&account.api_url, &account.content_url]),
        retry: RetryPolicy {
            base: Duration::from_millis(account.retry_base_ms),
            ..RetryPolicy::default()
        },
        pacing: Pacing {
            units_per_second: account.requests_per_second,
            burst: account.requests_per_second,
        },
        user_agent: concat!("revtrail/", env!("CARGO_PKG_VERSION")).to_owned(),
        max_body_bytes: 64 << 20,
        timeout: TIMEOUT,
        clock,
    };
    let auth = OAuth::new(settings.clone(), account.token_url.clone(), grant)?;
    Http::new(settings, Some(Arc::new(auth)), Arc::new(Refusals))
}

/// Reads refusals for [`Http`].
struct Refusals;

impl ErrorReader for Refusals {
    fn read(&self, answer: &Answer, operation: &'static str) -> Option<Failure> {
        let wait = answer.headers.get("retry-after");
        let wait = wait.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let (kind, code) = classify(
            operation,
            answer.status,
            wait.map(Duration::from_secs),
            &answer.body,
        )?;
        Some(Failure { kind, code })
    }

    fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let id = headers.get("x-dropbox-request-id")?;
        id.to_str().ok().map(str::to_owned)
    }
}
