//! What a run did, for whoever started it.

use std::collections::BTreeMap;

use revtrail_connector::ErrorKind;
use revtrail_model::{
    id::{AccountName, FolderName},
    leaf::{GapReason, WindowState},
};

use crate::{audit, retention::Nearness};

/// Counts by account and operation.
pub type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// The log it wrote to.
    pub log: String,
    /// Snapshots committed.
    pub snapshots: u64,
    /// Leaves added.
    pub leaves: u64,
    /// Events among them.
    pub events: u64,
    /// Tree size at the end.
    pub tree_size: u64,
    /// Root hash at the end.
    pub root: String,
    /// Final window of each folder.
    pub folders: BTreeMap<FolderName, FolderSummary>,
    /// Audit logs, by account.
    pub audits: BTreeMap<AccountName, AuditSummary>,
    /// Requests sent, by account and operation.
    pub requests: Counts,
    /// What they cost in the provider's own units, by account and operation.
    pub units: Counts,
    /// Files whose revisions were asked for.
    pub files_listed: u64,
}

/// What became of one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderSummary {
    /// How much was read.
    pub state: WindowState,
    /// Events recorded.
    pub events: u64,
    /// Events among them that a full listing showed and the feed had not told.
    pub reconciled: u64,
    /// Why something is missing.
    pub gaps: Vec<GapReason>,
    /// Why the folder could not be read at all.
    pub failure: Option<ErrorKind>,
    /// How far back the provider keeps revisions, where that comes near the time between two looks.
    pub retention: Option<Nearness>,
}

/// What became of one account's audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSummary {
    /// How much was read.
    pub state: WindowState,
    /// What was told of events.
    pub counts: audit::Counts,
    /// Why the log could not be read.
    pub failure: Option<ErrorKind>,
}

impl Summary {
    /// True when something could not be read.
    pub fn is_partial(&self) -> bool {
        self.folders
            .values()
            .any(|folder| folder.state != WindowState::Complete)
    }

    /// True when no folder could be read, and only the operator can change that: credentials, rights or names are wrong.
    pub fn needs_operator(&self) -> bool {
        let configured = |folder: &FolderSummary| {
            matches!(
                folder.failure,
                Some(
                    ErrorKind::Unauthorized
                        | ErrorKind::Config
                        | ErrorKind::PermissionDenied
                        | ErrorKind::NotFound
                )
            )
        };
        !self.folders.is_empty() && self.folders.values().all(configured)
    }
}
