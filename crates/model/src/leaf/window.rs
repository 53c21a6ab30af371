//! The window leaf: what one look at one folder covered, and what it could not.

use serde::{Deserialize, Serialize};

use crate::{
    Digest,
    id::{AccountName, DriveId, FolderName, LedgerName, Provider, TenantId},
    record::{Count, is_default},
    time::Timestamp,
};

/// How much of the window was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowState {
    /// Everything the provider had was read.
    Complete,
    /// Something is missing or still to come; see the gaps.
    Partial,
    /// Nothing of the folder could be read.
    Failed,
}

impl WindowState {
    /// The name in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
        }
    }
}

/// Why something is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Revisions of some items are still to be listed; a later window of the same cursor completes them.
    RevisionsPending,
    /// The provider refused or failed the revision list of some items; they are asked again at each run.
    RevisionsUnavailable,
    /// The revision lists of some items lack the revision that the item itself named as its present content; they are asked again at each
    /// run.
    HeadMissing,
    /// The provider's revision list may leave some out.
    RevisionsTruncated,
    /// Contents of some revisions could not be kept, though the capture policy asks for them; their events say why.
    ContentsUnavailable,
    /// The change cursor was lost; changes since the last window are known only as net differences.
    CursorLost,
    /// The folder could not be reached.
    FolderUnavailable,
    /// The change feed could not be read to its end.
    FeedFailed,
    /// The provider answered with something that could not be understood.
    Malformed,
    /// A full listing showed changes that the change feed had not told of; what came between is known as net differences only.
    FeedIncomplete,
    /// A full listing was due and could not be read to its end; the next run tries again.
    WalkFailed,
    /// Another folder stands where the designated folder was; the one that was designated is gone, and nothing is read from the other.
    FolderReplaced,
}

impl GapReason {
    /// The name in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RevisionsPending => "revisions_pending",
            Self::RevisionsUnavailable => "revisions_unavailable",
            Self::HeadMissing => "head_missing",
            Self::RevisionsTruncated => "revisions_truncated",
            Self::ContentsUnavailable => "contents_unavailable",
            Self::CursorLost => "cursor_lost",
            Self::FolderUnavailable => "folder_unavailable",
            Self::FeedFailed => "feed_failed",
            Self::Malformed => "malformed",
            Self::FeedIncomplete => "feed_incomplete",
            Self::WalkFailed => "walk_failed",
            Self::FolderReplaced => "folder_replaced",
        }
    }
}

/// A stretch of time about which the record is not complete. Fields in canonical order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Kind of failure, without names or paths: an error kind and a status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Start of the stretch; absent when it reaches back to the start of the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// How many items it concerns; absent when not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Count>,
    /// Why.
    pub reason: GapReason,
    /// End of the stretch.
    pub to: Timestamp,
}

/// What the provider showed, counted. Fields in canonical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counted {
    /// Entries of the change feed.
    pub changes: Count,
    /// Revisions listed, known ones included.
    pub revisions: Count,
    /// Members or values this version does not know; kept in the raw records.
    pub unknown: Count,
}

/// Another leaf of the same log. Fields in canonical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafRef {
    /// Its index in the log.
    pub index: Count,
    /// Its RFC 6962 leaf hash.
    pub leaf_hash: Digest,
}

/// How far back the provider keeps revisions, as measured. Fields in canonical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Files whose revision list no longer begins with the file's first revision.
    pub files: Count,
    /// The latest of the moments at which these lists begin: what was saved before is gone from at least one file.
    pub from: Timestamp,
    /// Revisions in the longest of these lists.
    pub most: Count,
}

impl Kept {
    /// Both, as one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            files: Count(self.files.0 + other.files.0),
            from: self.from.max(other.from),
            most: Count(self.most.0.max(other.most.0)),
        }
    }
}

/// A full listing of the folder, compared with what was known from the feed. Fields in canonical order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// Items that were not as known.
    pub differences: Count,
    /// The provider's clock at the start of the full listing before; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Items the listing showed.
    pub items: Count,
    /// The provider's clock at its end.
    pub to: Timestamp,
}

/// One look at one folder. Fields in canonical order; absent members are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowLeaf {
    /// Account of the configuration.
    pub account: AccountName,
    /// Number of events of this folder in this snapshot.
    pub count: Count,
    /// What the provider showed.
    pub counted: Counted,
    /// Start of the time covered, by the provider's clock; absent for a first look, which covers all the provider still has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers_from: Option<Timestamp>,
    /// End of the time covered, by the provider's clock; absent when nothing could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub covers_to: Option<Timestamp>,
    /// Root of items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drive_id: Option<DriveId>,
    /// Log index of the folder's first event in this snapshot, or of this window when it has none.
    pub first: Count,
    /// The folder.
    pub folder: FolderName,
    /// SHA-256 of the cursor read from; absent for a first look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_cursor_sha256: Option<Digest>,
    /// What is missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// How far back the provider keeps revisions, as far as this look could measure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
    /// The ledger.
    pub ledger: LedgerName,
    /// Oldest revision the provider still listed in this look; a measure of its retention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_revision_at: Option<Timestamp>,
    /// Pages read.
    pub pages: Count,
    /// The folder's window before this one in this log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_window: Option<LeafRef>,
    /// Provider.
    pub provider: Provider,
    /// Facts of this snapshot that a full listing showed and the feed had not told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reconciled: Count,
    /// Requests repeated.
    pub retries: Count,
    /// Revisions found again with other facts than before.
    #[serde(default, skip_serializing_if = "is_default")]
    pub revisions_changed: Count,
    /// Revisions known before and no longer listed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub revisions_vanished: Count,
    /// How much was read.
    pub state: WindowState,
    /// Customer organisation or account; absent when the account could not be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Time spent waiting because the provider asked for it, milliseconds.
    pub throttled_ms: Count,
    /// SHA-256 of the cursor read up to; absent when the feed was not read to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_cursor_sha256: Option<Digest>,
    /// `window`.
    #[serde(rename = "type")]
    pub kind: String,
    /// 1.
    pub v: u32,
    /// The full listing that this look compared with what was known; absent when none was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub walk: Option<Walk>,
}
