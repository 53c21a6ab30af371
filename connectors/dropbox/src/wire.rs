//! What Dropbox sends, as its API specification names it (`files.stone`, `users.stone`, `auth.stone`).
//!
//! Optional members may be left out or null. Members and tags this version does not know are tolerated everywhere: they stay in the
//! raw record, and [`unknown_members`] counts them.

use std::collections::BTreeMap;

use revtrail_connector::time::Timestamp;
use serde::{Deserialize, de::Error as _};
use serde_json::value::RawValue;

/// `files/list_folder` and `files/list_folder/continue` (`ListFolderResult`).
#[derive(Debug, Deserialize)]
pub(crate) struct ListFolder {
    /// One `Metadata` each, verbatim.
    pub(crate) entries: Vec<Box<RawValue>>,
    /// Where to go on, now or in a later run. Changes with every answer.
    pub(crate) cursor: String,
    /// Whether to go on now. Says nothing about whether this page had entries.
    #[serde(default)]
    pub(crate) has_more: bool,
}

/// `files/list_revisions` (`ListRevisionsResult`).
#[derive(Debug, Deserialize)]
pub(crate) struct ListRevisions {
    /// The latest revision is deleted or was moved away.
    #[serde(default)]
    pub(crate) is_deleted: bool,
    /// When it was deleted. May be absent although it was.
    pub(crate) server_deleted: Option<Timestamp>,
    /// One `FileMetadata` each, newest first, verbatim.
    pub(crate) entries: Vec<Box<RawValue>>,
    /// There are older ones. Answers of 2016 lack it.
    #[serde(default)]
    pub(crate) has_more: bool,
}

/// A `Metadata`: file, folder or tombstone.
#[derive(Debug)]
pub(crate) enum Metadata {
    File(FileMetadata),
    Folder(FolderMetadata),
    Deleted(DeletedMetadata),
    /// A kind this version does not know; it looks like a folder as far as we read it.
    Unknown(FolderMetadata),
}

impl Metadata {
    /// Reads one entry by its tag.
    pub(crate) fn read(text: &str) -> Result<Self, serde_json::Error> {
        let Tag { tag } = serde_json::from_str(text)?;
        match tag.as_deref() {
            Some("file") => serde_json::from_str(text).map(Self::File),
            Some("folder") => serde_json::from_str(text).map(Self::Folder),
            Some("deleted") => serde_json::from_str(text).map(Self::Deleted),
            Some(_) => serde_json::from_str(text).map(Self::Unknown),
            None => Err(serde_json::Error::custom("entry without .tag")),
        }
    }
}

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = ".tag")]
    tag: Option<String>,
}

/// `FileMetadata`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FileMetadata {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) path_lower: Option<String>,
    pub(crate) path_display: Option<String>,
    /// Whatever the uploading program claimed; kept as text because nothing promises that it is a sensible time.
    pub(crate) client_modified: Option<String>,
    pub(crate) server_modified: Timestamp,
    pub(crate) rev: String,
    pub(crate) size: Option<u64>,
    pub(crate) content_hash: Option<String>,
    pub(crate) sharing_info: Option<FileSharingInfo>,
}

/// `FileSharingInfo`; present for files in shared folders.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FileSharingInfo {
    /// Account that saved this revision; absent when that account is gone.
    pub(crate) modified_by: Option<String>,
}

/// `FolderMetadata`.
#[derive(Debug, Deserialize)]
pub(crate) struct FolderMetadata {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) path_lower: Option<String>,
    pub(crate) path_display: Option<String>,
}

/// `DeletedMetadata`: a place only.
#[derive(Debug, Deserialize)]
pub(crate) struct DeletedMetadata {
    pub(crate) path_lower: String,
    pub(crate) path_display: Option<String>,
}

/// `users/get_current_account` (`FullAccount`).
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FullAccount {
    pub(crate) account_id: String,
    pub(crate) root_info: RootInfo,
    /// Absent for an account that belongs to none.
    pub(crate) team: Option<FullTeam>,
}

/// `FullTeam`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FullTeam {
    pub(crate) id: String,
}

/// `RootInfo`: home differs from root for a member of a team space.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RootInfo {
    pub(crate) root_namespace_id: String,
    pub(crate) home_namespace_id: String,
}

/// `users/get_account_batch`: the accounts, or the refusal that names ids which must be left out.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum AccountBatch {
    Accounts(Vec<BasicAccount>),
    Refused(ErrorEnvelope),
}

/// `BasicAccount`.
#[derive(Debug, Deserialize)]
pub(crate) struct BasicAccount {
    pub(crate) account_id: String,
    pub(crate) name: Option<AccountName>,
    pub(crate) email: Option<String>,
}

/// `Name`.
#[derive(Debug, Deserialize)]
pub(crate) struct AccountName {
    pub(crate) display_name: Option<String>,
}

/// The shape of every JSON error. `error_summary` is left unread: it ends in random dots.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorEnvelope {
    pub(crate) error: ErrorUnion,
}

/// The error unions of all routes in one, as far as they are told apart.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorUnion {
    #[serde(rename = ".tag")]
    pub(crate) tag: Option<String>,
    /// `LookupError`.
    pub(crate) path: Option<Box<ErrorUnion>>,
    /// `AccessError.no_permission`.
    pub(crate) no_permission: Option<Box<ErrorUnion>>,
    /// `AccessError.invalid_account_type`.
    pub(crate) invalid_account_type: Option<Box<ErrorUnion>>,
    /// `GetAccountBatchError.no_account`.
    pub(crate) no_account: Option<String>,
    /// `UnauthorizedAccountIdUsageError`.
    #[serde(default)]
    pub(crate) unauthorized_account_ids: Vec<String>,
    /// `TokenScopeError`.
    pub(crate) required_scope: Option<String>,
    /// `RateLimitError`: seconds to wait.
    pub(crate) retry_after: Option<u64>,
}

impl ErrorUnion {
    /// Tags from the outside in, joined by `/`: `path/not_found`.
    pub(crate) fn code(&self) -> Option<String> {
        let tag = self.tag.clone()?;
        let inner = [&self.path, &self.no_permission, &self.invalid_account_type]
            .into_iter()
            .flatten()
            .find_map(|union| union.code())
            .or_else(|| self.required_scope.clone());
        Some(match inner {
            Some(inner) => format!("{tag}/{inner}"),
            None => tag,
        })
    }

    /// Account ids the refusal names.
    pub(crate) fn refused_accounts(&self) -> Vec<&str> {
        let nested = self.no_permission.as_deref();
        self.no_account
            .iter()
            .chain(&self.unauthorized_account_ids)
            .chain(
                nested
                    .into_iter()
                    .flat_map(|union| &union.unauthorized_account_ids),
            )
            .map(String::as_str)
            .collect()
    }
}

/// Members of `FileMetadata`, `FolderMetadata` and `DeletedMetadata` in the specification of August 2026.
const KNOWN: &[&str] = &[
    ".tag",
    "client_modified",
    "content_hash",
    "export_info",
    "file_lock_info",
    "has_explicit_shared_members",
    "id",
    "is_downloadable",
    "is_restorable",
    "media_info",
    "name",
    "parent_shared_folder_id",
    "path_display",
    "path_lower",
    "preview_url",
    "property_groups",
    "rev",
    "server_modified",
    "shared_folder_id",
    "sharing_info",
    "size",
    "symlink_info",
];

/// Counts the members of an entry that the specification does not name.
pub(crate) fn unknown_members(text: &str) -> Result<u32, serde_json::Error> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
    let unknown = members.keys().filter(|name| !KNOWN.contains(&name.as_str()));
    Ok(u32::try_from(unknown.count()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_read_like_left_out_members() {
        let text = r#"{".tag":"file","id":"id:1","name":"a","path_lower":null,"server_modified":"2026-01-02T03:04:05Z",
            "rev":"0123456789","size":null,"content_hash":null,"sharing_info":null,"client_modified":null}"#;
        let Metadata::File(file) = Metadata::read(text).unwrap() else {
            panic!("not a file")
        };
        assert_eq!(
            (file.path_lower, file.size, file.content_hash),
            (None, None, None)
        );
        assert!(file.sharing_info.is_none());
    }

    #[test]
    fn only_members_outside_the_specification_are_counted() {
        let text = r#"{".tag":"deleted","name":"a","path_lower":"/a","later\u0041":{"x":[1]},"more":null}"#;
        assert_eq!(unknown_members(text).unwrap(), 2);
    }

    #[test]
    fn codes_join_the_tags_from_the_outside_in() {
        let code = |text| serde_json::from_str::<ErrorEnvelope>(text).unwrap().error.code();
        let lookup =
            r#"{"error_summary":"path/not_found/..","error":{".tag":"path","path":{".tag":"not_found"}}}"#;
        assert_eq!(code(lookup).as_deref(), Some("path/not_found"));
        let scope = r#"{"error":{".tag":"missing_scope","required_scope":"sharing.read"}}"#;
        assert_eq!(code(scope).as_deref(), Some("missing_scope/sharing.read"));
        let null = r#"{"error":{".tag":"path","path":{".tag":"malformed_path","malformed_path":null}}}"#;
        assert_eq!(code(null).as_deref(), Some("path/malformed_path"));
        assert_eq!(
            code(r#"{"error":{"reason":{".tag":"too_many_requests"},"retry_after":300}}"#),
            None
        );
    }
}
