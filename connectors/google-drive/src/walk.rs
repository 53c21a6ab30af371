//! Walks: everything below a folder, a page or several at a time.
//!
//! Two ways lead to the same items. Where the whole of a shared drive is asked for, the drive is listed whole; otherwise each folder by
//! itself (decision 0019).

mod folders;
mod whole;

use revtrail_connector::{
    ConnectorError, ErrorKind, FolderRoot, change::Change, http::Answer, time::Timestamp,
};
use revtrail_model::id::ItemId;
use serde::{Deserialize, Serialize};
use url::Url;

pub(crate) use self::folders::Folders;
use crate::{
    api::Corpus,
    connector::{GoogleDrive, incomplete, malformed, source},
    error::{failed, operation},
    map,
    wire::FileList,
};

/// Listings that may have to begin again in one walk, each: tokens live for hours, and walks take hours at most.
const MAX_RESTARTS: u32 = 20;

/// What is left of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Walk {
    /// Folder by folder.
    Folders(Folders),
    /// A shared drive, whole.
    Drive(Listing),
}

/// Where one listing stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listing {
    /// The next page; the first one where absent.
    page: Option<String>,
    /// How often the listing had to begin again; tells a token given once more from one that leads in a circle.
    #[serde(default)]
    restarts: u32,
}

/// Some of what a walk shows.
pub(crate) struct Part {
    pub(crate) changes: Vec<Change>,
    /// What is left; `None` at the end.
    pub(crate) rest: Option<Walk>,
    /// The provider's clock at the newest page.
    pub(crate) answered_at: Option<Timestamp>,
}

impl Walk {
    /// A walk through `item` and everything below it.
    pub(crate) fn of(corpus: Corpus<'_>, item: &ItemId) -> Self {
        match corpus {
            // The root folder of a shared drive has the drive's id.
            Corpus::Shared(drive) if drive.as_str() == item.as_str() => Self::Drive(Listing::default()),
            _ => Self::Folders(Folders::of(item)),
        }
    }
}

impl Listing {
    /// The listing after a page, if that names another.
    fn go_on(self, next_page: Option<String>) -> Option<Self> {
        next_page.map(|page| Self {
            page: Some(page),
            ..self
        })
    }
}

impl GoogleDrive {
    /// Goes on with a walk.
    pub(crate) async fn walk(
        &self,
        root: &FolderRoot,
        corpus: Corpus<'_>,
        walk: Walk,
    ) -> Result<Part, ConnectorError> {
        match (walk, corpus) {
            (Walk::Folders(folders), _) => self.walk_folders(root, corpus, folders).await,
            (Walk::Drive(listing), Corpus::Shared(drive)) => self.walk_drive(drive, listing).await,
            (Walk::Drive(_), Corpus::User) => Err(failed(ErrorKind::Bug, operation::FILES)
                .with_code("page token of a shared drive given to My Drive")),
        }
    }

    /// The next page of a listing. Tokens of listings live for hours only; a refused one means to begin again, but not without end.
    async fn page(
        &self,
        listing: &mut Listing,
        url: impl Fn(Option<&str>) -> Url,
    ) -> Result<(FileList, Answer), ConnectorError> {
        let ask = |page: Option<&str>| self.ask::<FileList>(operation::FILES, url(page));
        let (page, answer) = match ask(listing.page.as_deref()).await {
            Err(mut error) if error.kind == ErrorKind::CursorExpired && listing.page.is_some() => {
                listing.restarts += 1;
                if listing.restarts > MAX_RESTARTS {
                    // It is the listing that is refused, not the cursor of the log.
                    error.kind = ErrorKind::Unavailable { retry_after: None };
                    return Err(error);
                }
                ask(None).await?
            }
            found => found?,
        };
        if page.incomplete_search {
            return Err(incomplete(&answer));
        }
        Ok((page, answer))
    }
}

/// The items of a page.
fn items(page: &FileList, answer: &Answer) -> Result<Vec<Change>, ConnectorError> {
    let source = source(operation::FILES, answer);
    let read = page.files.iter().map(|record| map::item(record, source));
    read.collect::<Result<_, _>>()
        .map_err(|error| malformed(operation::FILES, error, answer))
}

#[cfg(test)]
mod tests {
    use revtrail_model::id::DriveId;

    use super::*;

    #[test]
    fn only_the_root_of_a_shared_drive_is_the_drive() {
        let drive = DriveId::from("0AD");
        let whole = Walk::Drive(Listing::default());
        assert_eq!(Walk::of(Corpus::Shared(&drive), &"0AD".into()), whole);
        let folder = ItemId::from("1F");
        let by_folder = Walk::Folders(Folders::of(&folder));
        assert_eq!(Walk::of(Corpus::Shared(&drive), &folder), by_folder);
        // What a user sees is more than My Drive: what others share is among it.
        let root = ItemId::from("0AM");
        assert_eq!(Walk::of(Corpus::User, &root), Walk::Folders(Folders::of(&root)));
    }
}
