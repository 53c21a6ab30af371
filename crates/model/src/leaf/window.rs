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
}

impl GapReason {
    /// The name in the record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RevisionsPending => "revisions_pending",
            Self::RevisionsUnavailable => "revisions_unavailable",
            Self::RevisionsTruncated => "revisions_truncated",
            Self::ContentsUnavailable => "contents_unavailable",
            Self::CursorLost => "cursor_lost",
            Self::FolderUnavailable => "folder_unavailable",
            Self::FeedFailed => "feed_failed",
            Self::Malformed => "malformed",
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
}
