//! Where a listing stands. The whole state travels in the page token, so any process can go on with it.

use revtrail_connector::Next;
use revtrail_model::id::{Cursor, PageToken};
use serde::{Deserialize, Serialize};

/// A step of a listing.
///
/// A full listing lists what is live, then the places emptied before (which only a listing with `include_deleted` tells), then
/// replays what changed meanwhile. Its cursor comes from the first part: maintained clients keep the cursor of a plain listing, and
/// the one of the second part is thrown away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub(crate) enum Step {
    /// First page of what is live.
    Begin,
    /// A further page of what is live.
    Live {
        /// Where to go on.
        cursor: String,
    },
    /// A page of the emptied places.
    Emptied {
        /// Where to go on; absent for the first page.
        cursor: Option<String>,
        /// Cursor of the first part.
        changes: String,
    },
    /// A page of changes.
    Changes {
        /// Where to go on.
        cursor: String,
    },
}

impl Step {
    /// Reads a page token made by [`Step::follow`].
    pub(crate) fn read(token: &PageToken) -> Result<Self, serde_json::Error> {
        serde_json::from_str(token.as_str())
    }

    /// What follows this step, given the cursor of its answer and whether that part has more.
    ///
    /// Only `has_more` ends a part: a page without entries does not.
    pub(crate) fn follow(&self, cursor: String, more: More) -> Result<Next, serde_json::Error> {
        let next = match (self, more) {
            (Self::Begin | Self::Live { .. }, More::Yes) => Self::Live { cursor },
            (Self::Begin | Self::Live { .. }, More::No) => Self::Emptied {
                cursor: None,
                changes: cursor,
            },
            (Self::Emptied { changes, .. }, More::Yes) => Self::Emptied {
                cursor: Some(cursor),
                changes: changes.clone(),
            },
            (Self::Emptied { changes, .. }, More::No) => Self::Changes {
                cursor: changes.clone(),
            },
            (Self::Changes { .. }, More::Yes) => Self::Changes { cursor },
            (Self::Changes { .. }, More::No) => return Ok(Next::CaughtUp(Cursor::from(cursor))),
        };
        Ok(Next::Page(PageToken::from(serde_json::to_string(&next)?)))
    }
}

/// Whether a part of a listing has more pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum More {
    Yes,
    No,
}

impl From<bool> for More {
    fn from(has_more: bool) -> Self {
        if has_more { Self::Yes } else { Self::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(next: Next) -> Step {
        match next {
            Next::Page(token) => Step::read(&token).unwrap(),
            Next::CaughtUp(cursor) => panic!("caught up at {cursor}"),
        }
    }

    #[test]
    fn a_full_listing_ends_with_changes_since_its_first_part() {
        let live = step(Step::Begin.follow("a".into(), More::Yes).unwrap());
        assert_eq!(live, Step::Live { cursor: "a".into() });
        let emptied = step(live.follow("b".into(), More::No).unwrap());
        let more_emptied = step(emptied.follow("c".into(), More::Yes).unwrap());
        assert_eq!(
            more_emptied,
            Step::Emptied {
                cursor: Some("c".into()),
                changes: "b".into()
            }
        );
        let changes = step(more_emptied.follow("d".into(), More::No).unwrap());
        assert_eq!(changes, Step::Changes { cursor: "b".into() });
        assert_eq!(
            changes.follow("e".into(), More::No).unwrap(),
            Next::CaughtUp("e".into())
        );
    }

    #[test]
    fn a_token_of_another_program_is_refused() {
        let refused = Step::read(&PageToken::from("AAFq3")).unwrap_err();
        assert!(refused.is_syntax(), "{refused}");
    }
}
