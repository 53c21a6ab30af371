//! Graph's records as Graph documents them (v1.0 `driveItem`, `driveItemVersion`, `identitySet`, `JSON batching`, error resource).
//!
//! Only members that are mapped are typed. Whatever may be absent or null is optional, times are read later so that one odd time
//! does not cost the record, and records themselves stay [`RawValue`] until they are mapped, so that their bytes can be kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::value::RawValue;

/// Members of a `driveItem` this version knows, mapped or deliberately left aside. Others are counted.
pub(crate) const ITEM_MEMBERS: &[&str] = &[
    "@odata.context",
    "@odata.etag",
    "@odata.type",
    "@removed",
    "cTag",
    "createdBy",
    "createdDateTime",
    "deleted",
    "eTag",
    "file",
    "fileSystemInfo",
    "folder",
    "id",
    "lastModifiedBy",
    "lastModifiedDateTime",
    "malware",
    "name",
    "package",
    "parentReference",
    "remoteItem",
    "root",
    "sharepointIds",
    "size",
    "specialFolder",
    "webUrl",
];

/// Members of a `driveItemVersion` this version knows.
pub(crate) const VERSION_MEMBERS: &[&str] = &[
    "@microsoft.graph.downloadUrl",
    "@odata.context",
    "@odata.etag",
    "@odata.type",
    "id",
    "lastModifiedBy",
    "lastModifiedDateTime",
    "publication",
    "size",
];

/// One page of a collection: of a delta, of children, of versions.
#[derive(Debug, Deserialize)]
pub(crate) struct Collection {
    /// The records.
    pub(crate) value: Vec<Box<RawValue>>,
    /// The next page, opaque.
    #[serde(rename = "@odata.nextLink")]
    pub(crate) next_link: Option<String>,
    /// Where to resume after this round, opaque; only on the last page of a delta.
    #[serde(rename = "@odata.deltaLink")]
    pub(crate) delta_link: Option<String>,
}

/// A `site` or a `drive`, of which nothing but the id is needed.
#[derive(Debug, Deserialize)]
pub(crate) struct IdOnly {
    pub(crate) id: String,
}

/// One page of the drives of a site.
#[derive(Debug, Deserialize)]
pub(crate) struct DriveList {
    pub(crate) value: Vec<Drive>,
    #[serde(rename = "@odata.nextLink")]
    pub(crate) next_link: Option<String>,
}

/// A `drive`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Drive {
    pub(crate) id: String,
    /// As on the page, in the language of the site.
    name: Option<String>,
    /// Its last segment is the name in the address.
    web_url: Option<String>,
}

impl Drive {
    /// Whether people call the drive so. Names compare without regard to case.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        let wanted = name.trim().to_lowercase();
        let in_address = self.web_url.as_deref().and_then(|text| {
            let url = url::Url::parse(text).ok()?;
            let last = url.path_segments()?.next_back()?.to_owned();
            Some(
                url::form_urlencoded::parse(format!("{}=", last.replace('+', "%2B")).as_bytes())
                    .next()?
                    .0
                    .to_lowercase(),
            )
        });
        self.name
            .as_ref()
            .is_some_and(|name| name.to_lowercase() == wanted)
            || in_address == Some(wanted)
    }
}

/// A `driveItem`, live or as a tombstone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriveItem {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) parent_reference: Option<ItemReference>,
    pub(crate) file: Option<FileFacet>,
    pub(crate) folder: Option<IgnoredAny>,
    pub(crate) package: Option<IgnoredAny>,
    pub(crate) root: Option<IgnoredAny>,
    pub(crate) remote_item: Option<IgnoredAny>,
    pub(crate) deleted: Option<IgnoredAny>,
    /// How other Graph resources mark a tombstone; accepted here too.
    #[serde(rename = "@removed")]
    pub(crate) removed: Option<IgnoredAny>,
    pub(crate) size: Option<i64>,
    pub(crate) c_tag: Option<String>,
    pub(crate) created_by: Option<IdentitySet>,
    pub(crate) created_date_time: Option<String>,
    pub(crate) last_modified_date_time: Option<String>,
}

/// `itemReference`: the parent.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemReference {
    pub(crate) id: Option<String>,
    pub(crate) drive_id: Option<String>,
}

/// `file` facet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FileFacet {
    pub(crate) hashes: Option<Hashes>,
    pub(crate) mime_type: Option<String>,
}

/// `hashes`: only `quickXorHash` on business drives; the others on personal ones.
#[derive(Debug, Deserialize)]
pub(crate) struct Hashes {
    #[serde(rename = "quickXorHash")]
    pub(crate) quick_xor: Option<String>,
    #[serde(rename = "sha1Hash")]
    pub(crate) sha1: Option<String>,
    #[serde(rename = "sha256Hash")]
    pub(crate) sha256: Option<String>,
}

/// `driveItemVersion`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DriveItemVersion {
    pub(crate) id: String,
    pub(crate) last_modified_by: Option<IdentitySet>,
    pub(crate) last_modified_date_time: Option<String>,
    pub(crate) size: Option<i64>,
}

/// `identitySet` with the members SharePoint adds.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IdentitySet {
    pub(crate) user: Option<Identity>,
    pub(crate) site_user: Option<Identity>,
    pub(crate) application: Option<Identity>,
    pub(crate) group: Option<Identity>,
    pub(crate) site_group: Option<Identity>,
    pub(crate) device: Option<Identity>,
}

/// `identity`; every member may be missing or empty.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    pub(crate) id: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) login_name: Option<String>,
}

/// The body of a `$batch` request.
#[derive(Debug, Serialize)]
pub(crate) struct BatchRequest {
    pub(crate) requests: Vec<BatchPart>,
}

/// One request within a batch.
#[derive(Debug, Serialize)]
pub(crate) struct BatchPart {
    pub(crate) id: String,
    pub(crate) method: &'static str,
    /// Relative to the API root, with a leading slash.
    pub(crate) url: String,
}

/// The body of a `$batch` answer.
#[derive(Debug, Deserialize)]
pub(crate) struct BatchAnswer {
    pub(crate) responses: Vec<BatchAnswerPart>,
}

/// One answer within a batch; they come in any order.
#[derive(Debug, Deserialize)]
pub(crate) struct BatchAnswerPart {
    pub(crate) id: String,
    pub(crate) status: u16,
    pub(crate) headers: Option<BTreeMap<String, HeaderValue>>,
    pub(crate) body: Option<Box<RawValue>>,
}

/// The value of a header within a batch: text, but bare numbers are accepted.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum HeaderValue {
    Text(String),
    Number(f64),
    Other(IgnoredAny),
}

/// The error envelope.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: ErrorLevel,
}

/// One level of an error; levels nest without a stated limit.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorLevel {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    #[serde(rename = "innerError", alias = "innererror")]
    pub(crate) inner: Option<Box<ErrorLevel>>,
}
