//! What a request costs, from the published tables.

use crate::sim::{Call, Provider};

/// Units of a request, or of a part of a batch; `target` is its path and query.
pub(crate) fn cost(call: &Call, target: &str) -> u32 {
    match call.provider {
        Provider::OneDrive => onedrive(call.operation, target),
        Provider::GoogleDrive => google_drive(call.operation, target),
        Provider::Dropbox => u32::from(call.operation != "token"),
    }
}

/// Resource units: 1 for an item, a download and a page of the feed after a token, 2 for lists and the feed from its start, 5 for anything
/// with permissions. Version lists are lists; links to contents lead elsewhere, and other APIs count for themselves.
fn onedrive(operation: &str, target: &str) -> u32 {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let with_token = path.contains("token=") || query.contains("token=");
    match operation {
        _ if query.contains("permissions") => 5,
        "content" if path.starts_with(crate::graph::DOWNLOAD) => 0,
        "children" | "versions" => 2,
        "delta" if !with_token => 2,
        "site" if path.ends_with("/drives") => 2,
        "delta" | "item" | "drive" | "site" | "version" | "content" | "other" => 1,
        _ => 0,
    }
}

/// Quota units since May 2026: 5 to read one thing, 100 for a list, 200 for a download. A batch costs what its parts do, and other APIs
/// count for themselves.
fn google_drive(operation: &str, target: &str) -> u32 {
    let path = target.split('?').next().unwrap_or_default();
    match operation {
        "content" => 200,
        "changes" | "files" | "revisions" => 100,
        "drives" if path.ends_with("/drives") => 100,
        "drives" | "about" | "start_page_token" | "file" | "revision" | "other" => 5,
        _ => 0,
    }
}
