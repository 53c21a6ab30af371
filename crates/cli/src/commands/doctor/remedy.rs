//! What to do about a refusal, in the words of the set-up guides.

use revtrail_connector::{ConnectorError, ErrorKind};
use revtrail_model::id::Provider;

use crate::exit::{Exit, Failure};

/// The account could not be used at all.
pub(super) fn login(error: ConnectorError) -> Failure {
    let hint = match (&error.kind, error.provider) {
        (ErrorKind::Unauthorized | ErrorKind::TokenExpired | ErrorKind::PermissionDenied, provider) => {
            match provider {
                Provider::OneDrive => {
                    "check tenant, client id and the credential, and that admin consent was given (docs/setup-onedrive.md, sections 1 and 2)"
                }
                Provider::GoogleDrive => {
                    "check the credential, and that the client id is delegated with exactly the scope drive.metadata.readonly (docs/setup-google-drive.md, sections 1 and 2)"
                }
                Provider::Dropbox => {
                    "check the link, tick account_info.read and files.metadata.read, and link again (docs/setup-dropbox.md, sections 1 to 3)"
                }
            }
        }
        _ => error.hint(),
    };
    failure(hint.to_owned(), error)
}

/// The folder, its feed or its contents could not be read.
pub(super) fn folder(error: ConnectorError) -> Failure {
    let hint = match (&error.kind, error.provider) {
        (ErrorKind::PermissionDenied, Provider::OneDrive) => {
            "grant Sites.Selected and the role read on the site, or Files.Read.All; a grant on the folder alone is not enough for the change feed (docs/setup-onedrive.md, section 2)"
        }
        (ErrorKind::PermissionDenied, Provider::GoogleDrive) => {
            "share the folder with the reading account, or make it a member of the shared drive (docs/setup-google-drive.md, sections 2 and 3)"
        }
        (ErrorKind::PermissionDenied, Provider::Dropbox) => {
            "tick files.metadata.read and link again (docs/setup-dropbox.md, section 2)"
        }
        _ => error.hint(),
    };
    failure(hint.to_owned(), error)
}

/// Revisions could not be listed.
pub(super) fn revisions(error: ConnectorError) -> Failure {
    if error.kind == ErrorKind::PermissionDenied && error.provider == Provider::GoogleDrive {
        let hint = "make the reading account an editor of the folder: Google lists revisions to editors only (docs/setup-google-drive.md, section 2)";
        return failure(hint.to_owned(), error);
    }
    folder(error)
}

/// The account's audit log could not be read.
pub(super) fn audit_log(error: ConnectorError) -> Failure {
    let hint = match (&error.kind, error.provider) {
        (ErrorKind::PermissionDenied, Provider::Dropbox) => {
            "tick events.read and link again as a team (docs/setup-dropbox.md, sections 2 and 3), or leave audit out"
        }
        (ErrorKind::NotSupported, Provider::Dropbox) => {
            "the team's plan records no file events (docs/setup-dropbox.md, section 3); leave audit out"
        }
        (ErrorKind::PermissionDenied | ErrorKind::Unauthorized, Provider::OneDrive) => {
            "give the app ActivityFeed.Read of the Office 365 Management APIs with admin consent, and switch auditing on (docs/setup-onedrive.md, section 7), or leave audit out"
        }
        (ErrorKind::PermissionDenied | ErrorKind::Unauthorized, Provider::GoogleDrive) => {
            "delegate the log's scope, switch its API on, and read Reports as an administrator (docs/setup-google-drive.md, section 6), or leave audit out"
        }
        _ => error.hint(),
    };
    failure(hint.to_owned(), error)
}

/// What may pass by itself is worth another try; the rest somebody must mend.
fn failure(hint: String, error: ConnectorError) -> Failure {
    let exit = match error.kind {
        ErrorKind::RateLimited { .. } | ErrorKind::Unavailable { .. } => Exit::Failed,
        _ => Exit::Usage,
    };
    Failure::new(exit, error, Some(hint))
}
