//! Where a listing stands, as page tokens and cursors tell it.

use std::collections::HashSet;

use revtrail_connector::{ConnectorError, ErrorKind, change::Change};
use revtrail_model::id::{Cursor, DriveId, ItemId, PageToken};
use serde::{Deserialize, Serialize};

use crate::{
    error::{failed, operation},
    map,
};

/// What is left of a listing; the page token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Folder by folder. `start` is where the change log stood before; absent in a subtree.
    Walk { start: Option<String>, walk: Walk },
    /// The change log.
    Log { token: String },
}

/// Where a walk through folders stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Walk {
    /// Listings not read to the end; the last ones are next.
    pub(crate) open: Vec<Listing>,
}

/// A folder to be listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Listing {
    /// Its id.
    pub(crate) folder: String,
    /// The next page; the first one where absent.
    pub(crate) page: Option<String>,
    /// How often the listing of a folder had to begin again; tells a token given once more from one that leads in a circle.
    #[serde(default)]
    pub(crate) restarts: u32,
}

impl Listing {
    fn of(folder: &ItemId) -> Self {
        Self {
            folder: folder.as_str().to_owned(),
            page: None,
            restarts: 0,
        }
    }
}

impl Step {
    pub(crate) fn read(operation: &'static str, token: &PageToken) -> Result<Self, ConnectorError> {
        serde_json::from_str(token.as_str())
            .map_err(|error| failed(ErrorKind::Bug, operation).with_source(error))
    }

    pub(crate) fn token(&self, operation: &'static str) -> Result<PageToken, ConnectorError> {
        serde_json::to_string(self)
            .map(PageToken::from)
            .map_err(|error| failed(ErrorKind::Bug, operation).with_source(error))
    }
}

impl Walk {
    pub(crate) fn of(folder: &ItemId) -> Self {
        Self {
            open: vec![Listing::of(folder)],
        }
    }

    /// Takes the listings to go on with, at most so many.
    pub(crate) fn take(&mut self, at_once: usize) -> Vec<Listing> {
        self.open.split_off(self.open.len().saturating_sub(at_once))
    }

    /// After a page: notes the folders in it, and what of the listing is left.
    pub(crate) fn go_on(&mut self, listing: Listing, listed: &[Change], next_page: Option<String>) {
        // A folder whose listing began again shows its first folders again.
        let waiting: HashSet<&str> = self.open.iter().map(|open| open.folder.as_str()).collect();
        let found: Vec<Listing> = listed
            .iter()
            .filter_map(map::folder)
            .filter(|folder| !waiting.contains(folder.as_str()))
            .map(Listing::of)
            .collect();
        self.open.extend(found);
        self.open.extend(next_page.map(|page| Listing {
            page: Some(page),
            ..listing
        }));
    }

    /// What is left to list; `None` at the end.
    pub(crate) fn rest(self) -> Option<Self> {
        (!self.open.is_empty()).then_some(self)
    }
}

/// A cursor holds the drive beside the log's token: a token means something in its own log only, and a foreign one would be answered
/// with wrong data instead of an error.
pub(crate) fn cursor(drive: &DriveId, token: &str) -> Cursor {
    Cursor::from(format!("{drive} {token}"))
}

pub(crate) fn log_token(drive: &DriveId, cursor: &Cursor) -> Result<String, ConnectorError> {
    match cursor.as_str().split_once(' ') {
        Some((of, token)) if of == drive.as_str() && !token.is_empty() => Ok(token.to_owned()),
        _ => Err(failed(ErrorKind::CursorExpired, operation::CHANGES).with_code("cursor of another drive")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_serves_its_own_drive_only() {
        let cursor = cursor(&"0A".into(), "48307");
        assert_eq!(log_token(&"0A".into(), &cursor).unwrap(), "48307");
        let error = log_token(&"0B".into(), &cursor).unwrap_err();
        assert_eq!(error.kind, ErrorKind::CursorExpired);
    }

    #[test]
    fn a_page_token_survives_its_text_form() {
        let step = Step::Walk {
            start: Some("7".into()),
            walk: Walk {
                open: vec![
                    Listing::of(&"a".into()),
                    Listing {
                        folder: "b".into(),
                        page: Some("~!!~x".into()),
                        restarts: 1,
                    },
                ],
            },
        };
        let token = step.token(operation::FILES).unwrap();
        assert_eq!(Step::read(operation::FILES, &token).unwrap(), step);
    }

    #[test]
    fn the_newest_listings_are_taken_first() {
        let listing = |folder: &str| Listing::of(&folder.into());
        let mut walk = Walk {
            open: vec![listing("a"), listing("b"), listing("c")],
        };
        assert_eq!(walk.take(2), [listing("b"), listing("c")]);
        walk.go_on(listing("c"), &[], Some("p2".into()));
        walk.go_on(listing("b"), &[], None);
        let rest = Listing {
            page: Some("p2".into()),
            ..listing("c")
        };
        assert_eq!(walk.take(9), [listing("a"), rest]);
        assert_eq!(walk.rest(), None);
    }

    #[test]
    fn a_foreign_page_token_is_a_fault_of_the_caller() {
        let error = Step::read(operation::FILES, &"no token".into()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Bug);
    }
}
