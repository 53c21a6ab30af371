//! Drive v3 resources as documented (discovery revision 20261106), cut down to the members asked for.
//!
//! Everything but the ids is optional: a member that does not apply, or that the caller may not see, is left out of the answer.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Members of a file that are asked for, as a `fields` mask; also what is known of a file.
macro_rules! file_mask {
    () => {
        "id,name,mimeType,parents,driveId,trashed,explicitlyTrashed,trashedTime,\
trashingUser(displayName,emailAddress,permissionId,me),createdTime,modifiedTime,version,size,md5Checksum,sha1Checksum,\
sha256Checksum,headRevisionId,originalFilename,lastModifyingUser(displayName,emailAddress,permissionId,me),\
owners(emailAddress,permissionId),shortcutDetails,capabilities(canReadRevisions,canListChildren,canDownload)"
    };
}

/// Mask of one file.
pub(crate) const FILE_FIELDS: &str = file_mask!();
/// Mask of a listing of files. Without `nextPageToken` in it paging would end silently.
pub(crate) const FILE_LIST_FIELDS: &str = concat!("nextPageToken,incompleteSearch,files(", file_mask!(), ")");
/// Mask of a page of the change log. Without both tokens in it paging would end silently.
pub(crate) const CHANGE_LIST_FIELDS: &str = concat!(
    "nextPageToken,newStartPageToken,changes(changeType,time,removed,fileId,driveId,drive(id,name),file(",
    file_mask!(),
    "))"
);
/// Mask of a page of revisions.
pub(crate) const REVISION_LIST_FIELDS: &str = "nextPageToken,revisions(id,mimeType,modifiedTime,keepForever,published,\
lastModifyingUser(displayName,emailAddress,permissionId,me),originalFilename,md5Checksum,size)";

/// Known members of [`Change`]; anything else is counted.
pub(crate) const CHANGE_MEMBERS: &[&str] = &[
    "kind",
    "type",
    "changeType",
    "time",
    "removed",
    "fileId",
    "driveId",
    "drive",
    "file",
];
/// Known members of [`File`]; anything else is counted.
pub(crate) const FILE_MEMBERS: &[&str] = &[
    "kind",
    "id",
    "name",
    "mimeType",
    "parents",
    "driveId",
    "trashed",
    "explicitlyTrashed",
    "trashedTime",
    "trashingUser",
    "createdTime",
    "modifiedTime",
    "version",
    "size",
    "md5Checksum",
    "sha1Checksum",
    "sha256Checksum",
    "headRevisionId",
    "originalFilename",
    "lastModifyingUser",
    "owners",
    "shortcutDetails",
    "capabilities",
];
/// Known members of [`Revision`]; anything else is counted.
pub(crate) const REVISION_MEMBERS: &[&str] = &[
    "kind",
    "id",
    "mimeType",
    "modifiedTime",
    "keepForever",
    "published",
    "lastModifyingUser",
    "originalFilename",
    "md5Checksum",
    "size",
];

/// `application/vnd.google-apps.folder`.
pub(crate) const FOLDER: &str = "application/vnd.google-apps.folder";
/// `application/vnd.google-apps.shortcut`: points to another item, has no content.
pub(crate) const SHORTCUT: &str = "application/vnd.google-apps.shortcut";
/// Start of the types of shortcuts to content kept by another vendor's app.
pub(crate) const THIRD_PARTY_SHORTCUT: &str = "application/vnd.google-apps.drive-sdk";
/// Start of the types that exist in Google's editors only.
pub(crate) const GOOGLE_TYPE: &str = "application/vnd.google-apps.";

/// `drive#changeList`. Entries stay text until they are mapped.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeList {
    /// On every page but the last.
    pub(crate) next_page_token: Option<String>,
    /// On the last page only: where to go on later.
    pub(crate) new_start_page_token: Option<String>,
    #[serde(default)]
    pub(crate) changes: Vec<Box<RawValue>>,
}

/// `drive#fileList`. A list with nothing in it is there all the same: an answer without one is no empty folder.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileList {
    pub(crate) next_page_token: Option<String>,
    /// Some drives were not searched: files are missing.
    #[serde(default)]
    pub(crate) incomplete_search: bool,
    pub(crate) files: Vec<Box<RawValue>>,
}

/// `drive#revisionList`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RevisionList {
    pub(crate) next_page_token: Option<String>,
    pub(crate) revisions: Vec<Box<RawValue>>,
}

/// `drive#startPageToken`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartPageToken {
    pub(crate) start_page_token: String,
}

/// `drive#about`.
#[derive(Debug, Deserialize)]
pub(crate) struct About {
    pub(crate) user: AboutUser,
}

/// The user of `about.get`, by the id that stays.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AboutUser {
    pub(crate) permission_id: String,
}

/// Id and name of a file, where nothing else was asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
}

/// A listing of [`Named`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NamedList {
    pub(crate) next_page_token: Option<String>,
    #[serde(default)]
    pub(crate) incomplete_search: bool,
    pub(crate) files: Vec<Named>,
}

/// `drive#change`: the present state of an item (or shared drive) that changed since the token.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Change {
    /// `file` or `drive`.
    #[serde(rename = "changeType")]
    pub(crate) about: Option<String>,
    /// Deleted for good, no longer shared, or no longer in this log's corpus.
    #[serde(default)]
    pub(crate) removed: bool,
    pub(crate) file_id: Option<String>,
    /// Left out when `removed`.
    pub(crate) file: Option<Box<RawValue>>,
}

/// `drive#file`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) mime_type: Option<String>,
    /// One at most, legacy items aside; left out when the caller cannot see the parent.
    #[serde(default)]
    pub(crate) parents: Vec<String>,
    /// Of items on shared drives only.
    pub(crate) drive_id: Option<String>,
    /// Itself or through a folder above.
    #[serde(default)]
    pub(crate) trashed: bool,
    pub(crate) explicitly_trashed: Option<bool>,
    /// Of items on shared drives only.
    pub(crate) trashed_time: Option<String>,
    /// Of items on shared drives only.
    pub(crate) trashing_user: Option<User>,
    pub(crate) created_time: Option<String>,
    pub(crate) modified_time: Option<String>,
    pub(crate) size: Option<Int64>,
    pub(crate) md5_checksum: Option<String>,
    pub(crate) sha1_checksum: Option<String>,
    pub(crate) sha256_checksum: Option<String>,
    /// Of files with binary content only.
    pub(crate) head_revision_id: Option<String>,
}

/// `drive#revision`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Revision {
    pub(crate) id: String,
    pub(crate) mime_type: Option<String>,
    pub(crate) modified_time: Option<String>,
    /// Left out when whoever it was had not signed in.
    pub(crate) last_modifying_user: Option<User>,
    pub(crate) md5_checksum: Option<String>,
    pub(crate) size: Option<Int64>,
}

/// `drive#user`. Any member may be withheld.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    pub(crate) display_name: Option<String>,
    pub(crate) email_address: Option<String>,
    /// Stays the same for an account.
    pub(crate) permission_id: Option<String>,
}

/// 64-bit numbers travel as text; other implementations send numbers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Int64 {
    Text(String),
    Number(u64),
    Other(serde::de::IgnoredAny),
}

impl Int64 {
    /// The number, if it is one that counts something.
    pub(crate) fn value(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
            Self::Other(_) => None,
        }
    }
}

/// The envelope of errors.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: ErrorContent,
}

/// What is in the envelope.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorContent {
    /// The older form: one entry in practice.
    #[serde(default)]
    pub(crate) errors: Vec<ErrorItem>,
    /// The newer form: a canonical code such as `RESOURCE_EXHAUSTED`.
    pub(crate) status: Option<String>,
    #[serde(default)]
    pub(crate) details: Vec<ErrorDetail>,
}

/// One entry of the older form.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorItem {
    pub(crate) reason: Option<String>,
    /// The parameter at fault.
    pub(crate) location: Option<String>,
}

/// One entry of the newer form.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorDetail {
    pub(crate) reason: Option<String>,
}
