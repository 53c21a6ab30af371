//! Where a listing stands, as page tokens and cursors tell it.

use revtrail_connector::{ConnectorError, ErrorKind};
use revtrail_model::id::{Cursor, DriveId, PageToken};
use serde::{Deserialize, Serialize};

use crate::{
    error::{failed, operation},
    walk::Walk,
};

/// What is left of a listing; the page token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// A walk. `start` is where the change log stood before; absent in a subtree.
    Walk { start: Option<String>, walk: Walk },
    /// The change log.
    Log { token: String },
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
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_cursor_serves_its_own_drive_only() {
        let cursor = cursor(&"0A".into(), "48307");
        assert_eq!(log_token(&"0A".into(), &cursor).unwrap(), "48307");
        let error = log_token(&"0B".into(), &cursor).unwrap_err();
        assert_eq!(error.kind, ErrorKind::CursorExpired);
    }

    #[rstest]
    #[case::folders(r#"{"walk":{"start":"7","walk":{"folders":{"open":[{"folder":"a","listing":{"page":"~!!~x","restarts":1}}]}}}}"#)]
    #[case::subtree(r#"{"walk":{"start":null,"walk":{"folders":{"open":[{"folder":"a","listing":{"page":null,"restarts":0}}]}}}}"#)]
    #[case::drive(r#"{"walk":{"start":"7","walk":{"drive":{"page":"~!!~x","restarts":2}}}}"#)]
    #[case::log(r#"{"log":{"token":"8"}}"#)]
    fn a_page_token_survives_its_text_form(#[case] token: &str) {
        let step = Step::read(operation::FILES, &token.into()).unwrap();
        assert_eq!(step.token(operation::FILES).unwrap().as_str(), token);
    }

    #[test]
    fn a_foreign_page_token_is_a_fault_of_the_caller() {
        let error = Step::read(operation::FILES, &"no token".into()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Bug);
    }
}
