//! Folder by folder.

use std::collections::HashSet;

use futures::future::join_all;
use revtrail_connector::{ConnectorError, ErrorKind, FolderRoot, change::Change, time::Timestamp};
use revtrail_model::id::ItemId;
use serde::{Deserialize, Serialize};

use super::{Listing, Part, Walk, items};
use crate::{api::Corpus, connector::GoogleDrive, map};

/// Folders listed at a time.
const LISTED_AT_ONCE: usize = 8;

/// Where a walk through folders stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Folders {
    /// Folders not listed to the end; the last ones are next.
    open: Vec<Open>,
}

/// A folder to be listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    /// Its id.
    folder: String,
    /// Where its listing stands.
    listing: Listing,
}

/// One page of the listing of a folder.
struct Listed {
    open: Open,
    changes: Vec<Change>,
    /// Token of the next page.
    next_page: Option<String>,
    answered_at: Option<Timestamp>,
}

impl Open {
    fn of(folder: &ItemId) -> Self {
        Self {
            folder: folder.as_str().to_owned(),
            listing: Listing::default(),
        }
    }
}

impl Folders {
    pub(crate) fn of(folder: &ItemId) -> Self {
        Self {
            open: vec![Open::of(folder)],
        }
    }

    /// Takes the folders to go on with, at most so many.
    fn take(&mut self, at_once: usize) -> Vec<Open> {
        self.open.split_off(self.open.len().saturating_sub(at_once))
    }

    /// After a page: notes the folders in it, and what of the listing is left.
    fn go_on(&mut self, listed: &Open, changes: &[Change], next_page: Option<String>) {
        // A folder whose listing began again shows its first folders again.
        let waiting: HashSet<&str> = self.open.iter().map(|open| open.folder.as_str()).collect();
        let found: Vec<Open> = changes
            .iter()
            .filter_map(map::folder)
            .filter(|folder| !waiting.contains(folder.as_str()))
            .map(Open::of)
            .collect();
        self.open.extend(found);
        let rest = listed.listing.clone().go_on(next_page);
        self.open.extend(rest.map(|listing| Open {
            folder: listed.folder.clone(),
            listing,
        }));
    }

    /// What is left to list; `None` at the end.
    fn rest(self) -> Option<Walk> {
        (!self.open.is_empty()).then_some(Walk::Folders(self))
    }
}

impl GoogleDrive {
    /// A page of several folders each: every folder takes a question of its own, so several are asked at a time.
    pub(super) async fn walk_folders(
        &self,
        root: &FolderRoot,
        corpus: Corpus<'_>,
        mut folders: Folders,
    ) -> Result<Part, ConnectorError> {
        let open = folders.take(LISTED_AT_ONCE).into_iter();
        let pages = join_all(open.map(|open| self.listed(root, corpus, open))).await;
        let (mut changes, mut newest) = (Vec::new(), None);
        for page in pages {
            let Some(listed) = page? else {
                continue;
            };
            folders.go_on(&listed.open, &listed.changes, listed.next_page);
            changes.extend(listed.changes);
            newest = newest.max(listed.answered_at);
        }
        Ok(Part {
            changes,
            rest: folders.rest(),
            answered_at: newest,
        })
    }

    /// One page of a folder; `None` where the folder is gone since its parent was listed: the log will tell, and the rest of the walk
    /// goes on.
    async fn listed(
        &self,
        root: &FolderRoot,
        corpus: Corpus<'_>,
        mut open: Open,
    ) -> Result<Option<Listed>, ConnectorError> {
        let folder = &open.folder;
        let url = |page: Option<&str>| self.api.children(corpus, folder, page);
        let (page, answer) = match self.page(&mut open.listing, url).await {
            Ok(found) => found,
            Err(error) if error.kind == ErrorKind::NotFound && *folder != root.item.as_str() => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        Ok(Some(Listed {
            changes: items(&page, &answer)?,
            next_page: page.next_page_token,
            answered_at: answer.date,
            open,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_folders_are_taken_first() {
        let open = |folder: &str| Open::of(&folder.into());
        let mut folders = Folders {
            open: vec![open("a"), open("b"), open("c")],
        };
        assert_eq!(folders.take(2), [open("b"), open("c")]);
        folders.go_on(&open("c"), &[], Some("p2".into()));
        folders.go_on(&open("b"), &[], None);
        let rest = Open {
            listing: Listing {
                page: Some("p2".into()),
                restarts: 0,
            },
            ..open("c")
        };
        assert_eq!(folders.take(9), [open("a"), rest]);
        assert_eq!(folders.rest(), None);
    }
}
