//! Addresses at Graph. Links that Graph hands out are never built here, only followed.

use revtrail_connector::ContentRef;
use revtrail_model::{
    id::{DriveId, ItemId},
    time::Timestamp,
};
use url::{Url, form_urlencoded::byte_serialize};

/// Members asked for in listings. `deleted` must be among them, or tombstones may not be told; download addresses, which open the
/// content to whoever holds them, are not.
const ITEM_QUERY: &str = "$select=id,name,parentReference,file,folder,package,root,remoteItem,deleted,malware,size,eTag,cTag,\
createdBy,createdDateTime,lastModifiedBy,lastModifiedDateTime,fileSystemInfo,webUrl,sharepointIds";
const VERSION_QUERY: &str = "$select=id,lastModifiedDateTime,lastModifiedBy,size,publication";
/// Honoured loosely by Graph.
const PAGE_SIZE: &str = "$top=1000";

/// Cost of one item, in Graph's resource units; also of a delta page with a token.
pub(crate) const ITEM_UNITS: u32 = 1;
/// Cost of one page of a listing, and of a delta page without a token.
pub(crate) const LIST_UNITS: u32 = 2;

/// Builds addresses below one Graph root.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    root: Url,
}

impl Api {
    pub(crate) fn new(root: Url) -> Self {
        Self { root }
    }

    /// The root folder of a drive.
    pub(crate) fn drive_root(&self, drive: &DriveId) -> Url {
        self.at(&["drives", drive.as_str(), "root"], Some(ITEM_QUERY))
    }

    /// An item by id.
    pub(crate) fn item(&self, drive: &DriveId, item: &ItemId) -> Url {
        self.at(
            &["drives", drive.as_str(), "items", item.as_str()],
            Some(ITEM_QUERY),
        )
    }

    /// An item by path: `names` from the root down, at least one, none of them `.` or `..`.
    pub(crate) fn item_at(&self, drive: &DriveId, names: &[&str]) -> Url {
        let mut segments = vec!["drives", drive.as_str(), "root:"];
        segments.extend(names);
        self.at(&segments, Some(ITEM_QUERY))
    }

    /// The drive of the user whose token it is.
    pub(crate) fn own_drive(&self) -> Url {
        self.at(&["me", "drive"], Some("$select=id"))
    }

    /// What a sharing link leads to; `token` is the link in its encoded form.
    pub(crate) fn shared(&self, token: &str) -> Url {
        self.at(&["shares", token, "driveItem"], Some(ITEM_QUERY))
    }

    /// A site by host and path, with or without scheme; `None` when it names no host.
    pub(crate) fn site(&self, site: &str) -> Option<Url> {
        let site = site.trim();
        let site = site.strip_prefix("https://").unwrap_or(site);
        let mut names = site.split('/').filter(|name| !name.is_empty());
        let host = names
            .next()
            .filter(|host| host.contains('.') && !host.contains(':'))?;
        let path: Vec<&str> = names.collect();
        if path.iter().any(|name| matches!(*name, "." | "..")) {
            return None;
        }
        // `host:/path` is one address; without a path, the host's root site.
        let host = if path.is_empty() {
            host.to_owned()
        } else {
            format!("{host}:")
        };
        let mut segments = vec!["sites", &host];
        segments.extend(path);
        Some(self.at(&segments, Some("$select=id")))
    }

    /// The first library of a site.
    pub(crate) fn site_drive(&self, site: &str) -> Url {
        self.at(&["sites", site, "drive"], Some("$select=id"))
    }

    /// The libraries of a site.
    pub(crate) fn site_drives(&self, site: &str) -> Url {
        self.at(&["sites", site, "drives"], Some("$select=id,name,webUrl"))
    }

    /// The first page of a full enumeration of a drive.
    pub(crate) fn delta(&self, drive: &DriveId) -> Url {
        let query = format!("{ITEM_QUERY}&{PAGE_SIZE}");
        self.at(&["drives", drive.as_str(), "root", "delta"], Some(&query))
    }

    /// The first page of everything that changed in a drive since a moment.
    pub(crate) fn delta_since(&self, drive: &DriveId, moment: Timestamp) -> Url {
        let moment: String = byte_serialize(moment.to_string().as_bytes()).collect();
        let query = format!("token={moment}&{ITEM_QUERY}&{PAGE_SIZE}");
        self.at(&["drives", drive.as_str(), "root", "delta"], Some(&query))
    }

    /// Where a drive's feed stands: a page without entries.
    pub(crate) fn delta_latest(&self, drive: &DriveId) -> Url {
        self.at(
            &["drives", drive.as_str(), "root", "delta"],
            Some("token=latest&$select=id"),
        )
    }

    /// The first page of what is in a folder.
    pub(crate) fn children(&self, drive: &DriveId, folder: &ItemId) -> Url {
        let query = format!("{ITEM_QUERY}&{PAGE_SIZE}");
        self.at(
            &["drives", drive.as_str(), "items", folder.as_str(), "children"],
            Some(&query),
        )
    }

    /// The first page of a file's versions.
    pub(crate) fn versions(&self, drive: &DriveId, item: &ItemId) -> Url {
        self.at(
            &["drives", drive.as_str(), "items", item.as_str(), "versions"],
            Some(VERSION_QUERY),
        )
    }

    /// A link to a page, asking for so many entries of it and otherwise as it is.
    pub(crate) fn with_page_size(link: &Url, entries: u32) -> Url {
        let is_size = |pair: &str| {
            let name = pair.split('=').next().unwrap_or_default();
            name == "$top" || name.eq_ignore_ascii_case("%24top")
        };
        let pairs = link.query().unwrap_or_default().split('&');
        let size = format!("$top={entries}");
        let query: Vec<&str> = pairs
            .filter(|pair| !pair.is_empty() && !is_size(pair))
            .chain([size.as_str()])
            .collect();
        let mut link = link.clone();
        link.set_query(Some(&query.join("&")));
        link
    }

    /// The bytes of a version, but for the newest.
    pub(crate) fn version_content(&self, drive: &DriveId, wanted: &ContentRef) -> Url {
        let (item, version) = (wanted.item.as_str(), wanted.revision.as_str());
        self.at(
            &[
                "drives",
                drive.as_str(),
                "items",
                item,
                "versions",
                version,
                "content",
            ],
            None,
        )
    }

    /// The bytes of a file as it is.
    pub(crate) fn content(&self, drive: &DriveId, item: &ItemId) -> Url {
        self.at(
            &["drives", drive.as_str(), "items", item.as_str(), "content"],
            None,
        )
    }

    /// Where batches go.
    pub(crate) fn batch(&self) -> Url {
        self.at(&["$batch"], None)
    }

    /// `url` as a batch names it: without origin and API root, with a leading slash.
    pub(crate) fn within_batch(&self, url: &Url) -> String {
        let path = url.path();
        let relative = path
            .strip_prefix(self.root.path().trim_end_matches('/'))
            .unwrap_or(path);
        match url.query() {
            Some(query) => format!("{relative}?{query}"),
            None => relative.to_owned(),
        }
    }

    fn at(&self, segments: &[&str], query: Option<&str>) -> Url {
        let mut url = self.root.clone();
        // Only addresses that cannot have a path refuse; the account was checked to have a host.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url.set_query(query);
        url
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn api(root: &str) -> Api {
        Api::new(Url::parse(root).unwrap())
    }

    #[rstest]
    #[case::plain(&["Finance", "Close"], "Finance/Close")]
    #[case::reserved(&["a#b", "50%", "q?"], "a%23b/50%25/q%3F")]
    #[case::space_and_umlaut(&["Größe 1"], "Gr%C3%B6%C3%9Fe%201")]
    #[case::slash_inside(&["a/b"], "a%2Fb")]
    fn each_segment_is_encoded_on_its_own(#[case] names: &[&str], #[case] expected: &str) {
        let url = api("https://graph.example/v1.0").item_at(&"b!x".into(), names);
        assert_eq!(url.path(), format!("/v1.0/drives/b!x/root:/{expected}"));
    }

    #[rstest]
    #[case("https://graph.example/v1.0")]
    #[case("https://graph.example")]
    #[case("https://graph.example/")]
    fn a_batch_names_addresses_below_the_root(#[case] root: &str) {
        let api = api(root);
        let url = api.versions(&"b!x".into(), &"01/A".into());
        assert_eq!(
            api.within_batch(&url),
            "/drives/b!x/items/01%2FA/versions?$select=id,lastModifiedDateTime,lastModifiedBy,size,publication"
        );
        assert_eq!(
            api.batch().as_str(),
            format!("{}/$batch", root.trim_end_matches('/'))
        );
    }

    #[test]
    fn listings_ask_for_tombstones_and_large_pages() {
        let url = api("https://graph.example/v1.0").delta(&"d".into());
        let query = url.query().unwrap();
        assert!(query.contains(",deleted,"), "{query}");
        assert!(query.ends_with("&$top=1000"), "{query}");
    }
}
