//! What can go wrong while a world is loaded, moved on or served.

use std::path::PathBuf;

use jiff::Timestamp;

/// Failure of the simulator itself; simulated failures are [`crate::Fault`]s.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// A history could not be read.
    #[error("cannot read history {}", path.display())]
    Read {
        /// File or directory asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A journal line is not an edit.
    #[error("{} line {line} is not an edit", path.display())]
    Line {
        /// Journal file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What the JSON reader said.
        source: serde_json::Error,
    },
    /// The `git` program refused or answered something else.
    #[error("git cannot read {}: {said}", dir.display())]
    Git {
        /// Repository asked for.
        dir: PathBuf,
        /// First line of its complaint, or the line not understood.
        said: String,
    },
    /// No bundled history has this name.
    #[error("no scenario {name:?}")]
    NoScenario {
        /// Name asked for.
        name: String,
    },
    /// An edit cannot happen in the world as it is.
    #[error("edit {line} ({action} of {path:?} at {at}) is impossible")]
    Edit {
        /// Line of the journal, from 1 (place in the list for edits made in memory).
        line: usize,
        /// What the edit wanted.
        action: &'static str,
        /// Path the edit names.
        path: String,
        /// When.
        at: Timestamp,
        /// Why not.
        source: EditProblem,
    },
    /// Virtual time only moves forward.
    #[error("cannot go back from {now} to {to}")]
    BackInTime {
        /// The world's present.
        now: Timestamp,
        /// The moment asked for.
        to: Timestamp,
    },
    /// A port could not be served.
    #[error("cannot serve on port {port}")]
    Bind {
        /// Port asked for; 0 means any.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The designated folder never existed up to the last poll.
    #[error("no folder {folder:?} in the world")]
    NoFolder {
        /// Path asked for.
        folder: String,
    },
}

impl SimulatorError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Read { .. } => "check that the history exists and can be read",
            Self::Line { .. } => {
                "write one JSON object per line: at, actor, action, path, from, size, content_key"
            }
            Self::Git { .. } => "name a folder in a complete git repository with at least one commit",
            Self::NoScenario { .. } => "the scenario there is: incident",
            Self::Edit { .. } => "correct the journal so that each edit follows from the edits before it",
            Self::BackInTime { .. } => "start a new simulator to see an earlier moment",
            Self::Bind { .. } => "choose a free port, or 0 for any",
            Self::NoFolder { .. } => "name a folder that the history creates",
        }
    }
}

/// Why an edit cannot happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditProblem {
    /// Nothing lives at the path.
    #[error("nothing is there")]
    Nothing,
    /// The path is taken.
    #[error("the path is already taken")]
    Taken,
    /// A file stands where a folder is needed.
    #[error("a file is in the way")]
    NotAFolder,
    /// A folder stands where a file is needed.
    #[error("it is a folder")]
    NotAFile,
    /// A folder cannot move into itself.
    #[error("a folder cannot move into itself")]
    IntoItself,
    /// A rename without `from`.
    #[error("the edit does not say from where")]
    NoFrom,
    /// Empty path, or an empty, `.` or `..` component.
    #[error("the path is not a plain relative path")]
    BadPath,
    /// Nothing deleted at that path could be brought back.
    #[error("nothing deleted lived there")]
    NothingDeleted,
    /// The edit is older than the one before it.
    #[error("it is older than the edit before it")]
    OutOfOrder,
}
