//! The trait every provider implements.

use async_trait::async_trait;
use revtrail_model::id::{Cursor, DriveId, ItemId, PageToken, PlaceKey, Provider, TenantId};

use crate::{
    activity::{ActivityPage, ActivityPoint, AuditLog},
    change::{Change, RevisionAnswer, RevisionAsk},
    content::{Content, ContentRef},
    error::{ConnectorError, ErrorKind},
    time::Timestamp,
    usage::Usage,
};

/// One provider account, read-only. Each call fetches one page (or one batch) and keeps no state between calls; retry, pacing and
/// token refresh happen below, in [`crate::Http`].
#[async_trait]
pub trait Connector: Send + Sync {
    /// What this provider's API can and cannot tell us.
    fn capabilities(&self) -> Capabilities;

    /// Proves credentials without reading content, and names the tenant.
    async fn preflight(&self) -> Result<Access, ConnectorError>;

    /// Finds a designated folder. [`crate::ErrorKind::NotFound`] when there is none, or it is no folder.
    async fn resolve(&self, place: &Place) -> Result<FolderRoot, ConnectorError>;

    /// One page of the folder's change feed.
    ///
    /// [`FeedPoint::Start`] begins a full listing, whose cursor was taken before the listing began, so that nothing that happens
    /// meanwhile is missed. A feed may show items outside the folder and the same item more than once; the last one counts.
    async fn changes(&self, root: &FolderRoot, at: FeedPoint) -> Result<FeedPage, ConnectorError>;

    /// One page of everything below `item`, for a folder that came into view with contents the feed does not list.
    async fn subtree(
        &self,
        root: &FolderRoot,
        item: &ItemId,
        page: Option<PageToken>,
    ) -> Result<Page, ConnectorError>;

    /// Revision lists for up to [`Capabilities::revision_batch`] questions: one answer per question, in the order asked, so that one
    /// bad file loses only itself.
    async fn revisions(
        &self,
        root: &FolderRoot,
        asks: &[RevisionAsk],
    ) -> Result<Vec<RevisionAnswer>, ConnectorError>;

    /// The bytes of one revision, at most `max_bytes` of them. What no asking again can change is an answer ([`Content`]), not an error.
    /// The bytes are as the provider sent them; whether they are those of the revision, its digests tell ([`crate::digests`]).
    async fn content(
        &self,
        root: &FolderRoot,
        wanted: &ContentRef,
        max_bytes: usize,
    ) -> Result<Content, ConnectorError>;

    /// What is known about the account's audit log; `None` when it has none, or the configuration leaves it out.
    fn audit(&self) -> Option<AuditLog> {
        None
    }

    /// One page of the audit log.
    ///
    /// `roots` are all designated folders of the account: a log of the whole customer is cut down to what may concern them, a log that
    /// is kept by folder is read for each. [`ErrorKind::CursorExpired`] when the cursor is no longer accepted; the caller then reads
    /// from a moment again. [`ErrorKind::NotSupported`] without [`Connector::audit`].
    async fn activity(
        &self,
        roots: &[FolderRoot],
        at: ActivityPoint,
    ) -> Result<ActivityPage, ConnectorError> {
        let (_, _) = (roots, at);
        let provider = self.capabilities().provider;
        Err(ConnectorError::new(ErrorKind::NotSupported, provider, "activity"))
    }

    /// A second log, asked only about what the first left open; `None` when there is none, or the configuration leaves it out.
    fn second_audit(&self) -> Option<AuditLog> {
        None
    }

    /// One page of the second log; see [`Connector::activity`]. It is read from a moment only, never after a cursor.
    async fn second_activity(
        &self,
        roots: &[FolderRoot],
        at: ActivityPoint,
    ) -> Result<ActivityPage, ConnectorError> {
        let (_, _) = (roots, at);
        let provider = self.capabilities().provider;
        Err(ConnectorError::new(ErrorKind::NotSupported, provider, "activity"))
    }

    /// What was sent and waited for since this connector was made.
    fn usage(&self) -> Usage;
}

/// What a provider's API can tell us. Data, so that no caller has to ask which provider it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// The provider.
    pub provider: Provider,
    /// Most questions in one [`Connector::revisions`] call.
    pub revision_batch: usize,
    /// Most of these calls under way at a time.
    pub batches_in_flight: usize,
    /// How deleted items are named.
    pub addressing: Addressing,
    /// Whether a full listing tells of every live item, so that a known item it leaves out is gone.
    pub creation: Creation,
}

/// How the feed names an item that is no longer there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// By item id; a deleted or trashed folder's contents follow from the tree.
    Id,
    /// By place; a folder's tombstone stands for everything below it, and places are listed for earlier occupants.
    Place,
}

/// What tells that an item was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// The item carries its creation time.
    Reported,
    /// Only the oldest listed revision hints at it.
    OldestRevision,
}

/// Proof of access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Customer organisation or account, stable over time.
    pub tenant: TenantId,
}

/// Where a designated folder is, in the words of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which drive.
    pub drive: DrivePlace,
    /// How the folder is named within it.
    pub within: Within,
}

impl Place {
    /// The drive's id, where it is named by one.
    pub const fn drive_id(&self) -> Option<&DriveId> {
        match &self.drive {
            DrivePlace::Id(id) => Some(id),
            DrivePlace::Own | DrivePlace::Library { .. } => None,
        }
    }
}

/// How a drive is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DrivePlace {
    /// The account's own, or the one that [`Within::Link`] leads to.
    Own,
    /// Drive, shared drive or namespace id.
    Id(DriveId),
    /// A document library of a site (SharePoint).
    Library {
        /// Host and path of the site: `acme.sharepoint.com/sites/finance`.
        site: String,
        /// Name of the library; absent for the site's first.
        library: Option<String>,
    },
}

/// How a folder is named within a drive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// Absolute path, `/`-separated; `/` is the root of the drive.
    Path(String),
    /// Item id.
    Item(ItemId),
    /// A sharing link, as people pass it on.
    Link(String),
}

/// A designated folder, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderRoot {
    /// Its root of items.
    pub drive: DriveId,
    /// The folder's own id.
    pub item: ItemId,
    /// Its place, where the provider addresses by place.
    pub place: Option<PlaceKey>,
    /// Its own name, when told.
    pub name: Option<String>,
    /// What it is in, where the provider addresses by id, when told.
    pub parent: Option<ItemId>,
    /// Where it was before, for revisions that were saved there; a connector finds none.
    pub former: Vec<FormerPlace>,
}

/// A place where a designated folder was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerPlace {
    /// The place.
    pub place: PlaceKey,
    /// Until when it may have been there; what was saved there later is no longer in the folder.
    pub until: Timestamp,
}

/// Where to read the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedPoint {
    /// A full listing of what is there now.
    Start,
    /// Everything since the cursor.
    After(Cursor),
    /// Everything since a moment of the provider's clock, for a cursor that was lost; coarser, so that what was told before may be told
    /// again. [`ErrorKind::NotSupported`] where the provider has no such feed, or it does not reach back so far.
    Since(Timestamp),
    /// The next page of a listing under way.
    Page(PageToken),
}

/// One page of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// Entries, oldest first where the provider orders them.
    pub changes: Vec<Change>,
    /// What follows. A half-read feed has no cursor to save, by type.
    pub next: Next,
    /// Of a full listing: whether what is in the folders on this page is listed, too. Not so for what a log tells of the time since the
    /// listing began.
    pub with_contents: bool,
    /// The provider's clock when it answered (`Date`, whole seconds, truncated); absent when it sent none.
    pub answered_at: Option<Timestamp>,
}

/// What follows a page of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// More of the same listing.
    Page(PageToken),
    /// Caught up; resume here next time.
    CaughtUp(Cursor),
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Entries.
    pub changes: Vec<Change>,
    /// The next page; absent at the end.
    pub next: Option<PageToken>,
}
