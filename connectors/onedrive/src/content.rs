//! Contents of versions.
//!
//! Graph gives the bytes of every version but the newest under the version, and those of the newest under the item; both by a redirect
//! to an address that needs no token and lapses soon.

use bytes::Bytes;
use revtrail_connector::{ConnectorError, Content, ContentRef, ErrorKind, FolderRoot, request::Request};
use url::Url;

use crate::{
    api::ITEM_UNITS,
    connector::{OneDrive, failed},
    error::operation,
};

/// How often the newest version may become an old one while it is being fetched.
const ATTEMPTS: u32 = 3;

/// What the address of a version's content says.
enum Version {
    /// It is an older version, and this is it.
    Old(Content),
    /// It is the newest one.
    Newest,
}

impl OneDrive {
    /// The bytes of one version.
    pub(crate) async fn fetch(
        &self,
        root: &FolderRoot,
        wanted: &ContentRef,
        max_bytes: usize,
    ) -> Result<Content, ConnectorError> {
        // "You cannot get the content of the current version." (400): then it is the item's own. The item has no way to ask for its
        // content as of a version, so what came is that of `wanted` only if `wanted` is still refused as the newest afterwards.
        let mut fetched = None;
        for _ in 0..ATTEMPTS {
            let url = self.api.version_content(&root.drive, wanted);
            match self.version(url, max_bytes).await? {
                Version::Old(content) => return Ok(content),
                Version::Newest => {}
            }
            if let Some(content) = fetched {
                return Ok(content);
            }
            let url = self.api.content(&root.drive, &wanted.item);
            fetched = Some(found(self.bytes(url, max_bytes).await)?);
        }
        Err(
            failed(ErrorKind::Unavailable { retry_after: None }, operation::CONTENT)
                .with_code("the file changed while it was read"),
        )
    }

    async fn version(&self, url: Url, max_bytes: usize) -> Result<Version, ConnectorError> {
        match self.bytes(url, max_bytes).await {
            Err(error) if error.status == Some(400) && error.kind == ErrorKind::NotSupported => {
                Ok(Version::Newest)
            }
            outcome => found(outcome).map(Version::Old),
        }
    }

    async fn bytes(&self, url: Url, max_bytes: usize) -> Result<Option<Bytes>, ConnectorError> {
        let request = Request::get(operation::CONTENT, url).units(ITEM_UNITS);
        let answer = self.http.download(&request, max_bytes).await?;
        Ok(answer.map(|answer| answer.body))
    }
}

fn found(outcome: Result<Option<Bytes>, ConnectorError>) -> Result<Content, ConnectorError> {
    match outcome {
        Ok(Some(bytes)) => Ok(Content::Bytes(bytes)),
        Ok(None) => Ok(Content::TooLarge),
        // Versions are removed by limits and by people; files are deleted.
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Content::NotKept),
        Err(error) => Err(error),
    }
}
