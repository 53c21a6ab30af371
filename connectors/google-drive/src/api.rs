//! Addresses at Drive v3.

use revtrail_connector::ContentRef;
use revtrail_model::id::{DriveId, ItemId};
use url::Url;

use crate::{
    config::{Account, below},
    wire::{CHANGE_LIST_FIELDS, FILE_FIELDS, FILE_LIST_FIELDS, FOLDER, REVISION_LIST_FIELDS},
};

/// Reading names, times and revisions, but no content.
pub(crate) const SCOPE: &str = "https://www.googleapis.com/auth/drive.metadata.readonly";
/// Reading contents, too. Asked for only when contents are fetched, so that an account that may not still gives everything else.
pub(crate) const CONTENT_SCOPE: &str = "https://www.googleapis.com/auth/drive.readonly";
/// Drive refuses more parts in one batch.
pub(crate) const MAX_PARTS: usize = 100;
/// Cost of one item or of a token, in Drive's quota units.
pub(crate) const READ_UNITS: u32 = 5;
/// Cost of one page of a listing, of the change log or of revisions.
pub(crate) const LIST_UNITS: u32 = 100;
/// Cost of one download.
pub(crate) const DOWNLOAD_UNITS: u32 = 200;
/// The id that stands for the root of the caller's My Drive.
const MY_DRIVE: &str = "root";
/// Larger numbers are cut down to this one.
const PAGE_SIZE: &str = "1000";

/// Whose change log and listing: the user's, or a shared drive's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Corpus<'a> {
    /// What the user sees.
    User,
    /// A shared drive.
    Shared(&'a DriveId),
}

/// Builds addresses below one API root.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    root: Url,
    batch: Url,
}

impl Api {
    /// Addresses for `account`.
    pub(crate) fn new(account: &Account) -> Self {
        Self {
            root: below(account.api_url(), "drive/v3"),
            batch: account.batch_url().clone(),
        }
    }

    /// Who the caller is.
    pub(crate) fn about(&self) -> Url {
        self.at(&["about"], &[("fields", "user(permissionId)")])
    }

    /// The id of the root of the caller's My Drive.
    pub(crate) fn my_root(&self) -> Url {
        self.at(&["files", MY_DRIVE], &[("fields", "id")])
    }

    /// One item.
    pub(crate) fn file(&self, item: &ItemId) -> Url {
        let query = [("supportsAllDrives", "true"), ("fields", FILE_FIELDS)];
        self.at(&["files", item.as_str()], &query)
    }

    /// The present end of the change log.
    pub(crate) fn start_page_token(&self, corpus: Corpus<'_>) -> Url {
        let mut url = self.at(
            &["changes", "startPageToken"],
            &[("supportsAllDrives", "true"), ("fields", "startPageToken")],
        );
        if let Corpus::Shared(drive) = corpus {
            url.query_pairs_mut().append_pair("driveId", drive.as_str());
        }
        url
    }

    /// The change log from `token` on.
    pub(crate) fn changes(&self, corpus: Corpus<'_>, token: &str) -> Url {
        let mut url = self.at(
            &["changes"],
            &[
                ("pageToken", token),
                ("pageSize", PAGE_SIZE),
                ("includeRemoved", "true"),
                ("supportsAllDrives", "true"),
                ("includeItemsFromAllDrives", "true"),
                ("fields", CHANGE_LIST_FIELDS),
            ],
        );
        if let Corpus::Shared(drive) = corpus {
            url.query_pairs_mut().append_pair("driveId", drive.as_str());
        }
        url
    }

    /// What is in a folder, in the bin or not. One folder per query: queries over several leave items out without a word.
    pub(crate) fn children(&self, corpus: Corpus<'_>, folder: &str, page: Option<&str>) -> Url {
        let query = format!("{} in parents", quoted(folder));
        self.files(corpus, Some(&query), FILE_LIST_FIELDS, page)
    }

    /// What is on a shared drive, in the bin or not: a listing without a query leaves nothing out.
    pub(crate) fn whole_drive(&self, drive: &DriveId, page: Option<&str>) -> Url {
        self.files(Corpus::Shared(drive), None, FILE_LIST_FIELDS, page)
    }

    /// Live folders of one name in a folder.
    pub(crate) fn folders_named(
        &self,
        corpus: Corpus<'_>,
        parent: &str,
        name: &str,
        page: Option<&str>,
    ) -> Url {
        let query = format!(
            "name = {} and {} in parents and mimeType = '{FOLDER}' and trashed = false",
            quoted(name),
            quoted(parent)
        );
        let fields = "nextPageToken,incompleteSearch,files(id,name)";
        self.files(corpus, Some(&query), fields, page)
    }

    fn files(&self, corpus: Corpus<'_>, query: Option<&str>, fields: &str, page: Option<&str>) -> Url {
        let mut url = self.at(
            &["files"],
            &[
                ("pageSize", PAGE_SIZE),
                ("supportsAllDrives", "true"),
                ("includeItemsFromAllDrives", "true"),
                ("fields", fields),
            ],
        );
        {
            let mut pairs = url.query_pairs_mut();
            match corpus {
                Corpus::User => pairs.append_pair("corpora", "user"),
                Corpus::Shared(drive) => pairs
                    .append_pair("corpora", "drive")
                    .append_pair("driveId", drive.as_str()),
            };
            if let Some(query) = query {
                pairs.append_pair("q", query);
            }
            if let Some(page) = page {
                pairs.append_pair("pageToken", page);
            }
        }
        url
    }

    /// A file's revisions. These calls take no `supportsAllDrives`.
    pub(crate) fn revisions(&self, item: &ItemId, page: Option<&str>) -> Url {
        let mut url = self.at(
            &["files", item.as_str(), "revisions"],
            &[("pageSize", PAGE_SIZE), ("fields", REVISION_LIST_FIELDS)],
        );
        if let Some(page) = page {
            url.query_pairs_mut().append_pair("pageToken", page);
        }
        url
    }

    /// The bytes of a revision. `acknowledgeAbuse` is not given: what Drive takes for harmful is not fetched.
    pub(crate) fn content(&self, wanted: &ContentRef) -> Url {
        let (item, revision) = (wanted.item.as_str(), wanted.revision.as_str());
        self.at(&["files", item, "revisions", revision], &[("alt", "media")])
    }

    /// Where batches go.
    pub(crate) fn batch(&self) -> Url {
        self.batch.clone()
    }

    fn at(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.root.clone();
        // Only addresses that cannot have a path refuse; the account was checked to have a host.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url.query_pairs_mut().extend_pairs(query);
        url
    }
}

/// `url` as a batch names it: path and query.
pub(crate) fn target(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// `text` as a literal of the query language.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::AccountFile;

    fn api() -> Api {
        let file = r#"{"client_id":"c","refresh_token_file":"/t","api_url":"https://g.example"}"#;
        Api::new(&Account::try_from(serde_json::from_str::<AccountFile>(file).unwrap()).unwrap())
    }

    fn asked(url: &Url, name: &str) -> Option<String> {
        let mut found = url.query_pairs().filter(|(key, _)| key == name);
        let value = found.next().map(|(_, value)| value.into_owned());
        assert_eq!(found.next(), None, "{name} twice in {url}");
        value
    }

    #[rstest]
    #[case::plain("Close", "'Close'")]
    #[case::quote("O'Neil", r"'O\'Neil'")]
    #[case::backslash(r"a\b", r"'a\\b'")]
    #[case::both(r"\'", r"'\\\''")]
    fn literals_are_escaped(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(quoted(text), expected);
    }

    #[test]
    fn a_folder_of_my_drive_is_listed_in_the_users_corpus() {
        let url = api().children(Corpus::User, "1A", None);
        assert_eq!(url.path(), "/drive/v3/files");
        assert_eq!(asked(&url, "q").as_deref(), Some("'1A' in parents"));
        assert_eq!(asked(&url, "corpora").as_deref(), Some("user"));
        assert_eq!((asked(&url, "driveId"), asked(&url, "pageToken")), (None, None));
        assert!(
            asked(&url, "fields")
                .unwrap()
                .starts_with("nextPageToken,incompleteSearch,files(")
        );
    }

    #[test]
    fn a_folder_of_a_shared_drive_is_listed_in_that_drive() {
        let url = api().children(Corpus::Shared(&"0D".into()), "1A", Some("p+1"));
        assert_eq!(asked(&url, "corpora").as_deref(), Some("drive"));
        assert_eq!(asked(&url, "driveId").as_deref(), Some("0D"));
        assert_eq!(asked(&url, "pageToken").as_deref(), Some("p+1"));
    }

    #[test]
    fn a_shared_drive_is_listed_whole_without_a_query() {
        let url = api().whole_drive(&"0D".into(), Some("p2"));
        assert_eq!(url.path(), "/drive/v3/files");
        // A query for what is not in the bin would make what is in it look lost.
        assert_eq!(asked(&url, "q"), None);
        assert_eq!(asked(&url, "corpora").as_deref(), Some("drive"));
        assert_eq!(asked(&url, "driveId").as_deref(), Some("0D"));
        assert_eq!(asked(&url, "includeItemsFromAllDrives").as_deref(), Some("true"));
        assert_eq!(asked(&url, "supportsAllDrives").as_deref(), Some("true"));
        assert_eq!(asked(&url, "pageSize").as_deref(), Some("1000"));
        assert_eq!(asked(&url, "pageToken").as_deref(), Some("p2"));
    }

    #[test]
    fn a_folder_is_looked_for_by_name() {
        let url = api().folders_named(Corpus::User, "R", "O'Neil", None);
        assert_eq!(
            asked(&url, "q").as_deref(),
            Some(
                r"name = 'O\'Neil' and 'R' in parents and mimeType = 'application/vnd.google-apps.folder' and trashed = false"
            )
        );
    }

    #[test]
    fn the_change_log_is_asked_for_removals_and_both_tokens() {
        let url = api().changes(Corpus::Shared(&"0D".into()), "48307");
        assert_eq!(url.path(), "/drive/v3/changes");
        assert_eq!(asked(&url, "includeRemoved").as_deref(), Some("true"));
        assert_eq!(asked(&url, "includeItemsFromAllDrives").as_deref(), Some("true"));
        assert_eq!(asked(&url, "driveId").as_deref(), Some("0D"));
        assert!(
            asked(&url, "fields")
                .unwrap()
                .starts_with("nextPageToken,newStartPageToken,changes(")
        );
    }

    #[test]
    fn a_batch_names_path_and_query() {
        let url = api().revisions(&"a/b".into(), Some("t"));
        assert!(target(&url).starts_with("/drive/v3/files/a%2Fb/revisions?pageSize=1000&fields="));
        assert_eq!(asked(&url, "supportsAllDrives"), None);
        assert_eq!(api().batch().as_str(), "https://g.example/batch/drive/v3");
    }
}
