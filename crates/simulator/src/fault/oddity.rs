//! Oddities: nothing is refused and nothing is missing that matters, yet the answer has a form that readers have stumbled over.

use serde::{Deserialize, Serialize};

/// A form of an answer, documented or reported, that invites a misreading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// Tombstones carry times of the year 1 (OneDrive).
    YearOneTimes,
    /// Tombstones do not say whether they stand for a file or a folder (OneDrive).
    TombstoneWithoutFacet,
    /// An item that was deleted leaves no tombstone where another one has its name by now (OneDrive).
    RecreatedWithoutTombstone,
    /// Ids of a personal drive in small letters, and without the leading zero of the drive's (OneDrive).
    MixedCaseIds,
    /// Entries that name nothing but an id: neither name, parent nor facet, of an item of another drive (OneDrive).
    Orphans,
    /// Entries of items that did not change: viewed, starred, shared; their counter of changes grew (OneDrive, Google Drive).
    UnchangedEntries,
    /// Entries of the log that are no removals and lack their `file` (Google Drive).
    FileAbsent,
    /// Files without the members that old answers lacked: `content_hash`, `is_downloadable` (Dropbox).
    OldMembers,
    /// Tombstones whose `path_display` is in small letters (Dropbox).
    LowerCaseTombstones,
    /// A place whose file was deleted does not say when (Dropbox).
    NoServerDeleted,
}
