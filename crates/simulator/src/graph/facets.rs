//! What is neither plain file nor plain folder, told by the name so that journals can say it: folders `.notebook` and the `.one` and
//! `.onetoc2` files in them, files `.shortcut`, and files `.malware`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::problem::Problem;
use crate::ids::onedrive_drive;
use crate::world::Item;

/// What an item is to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Plain,
    /// A folder that is shown as a package.
    Notebook,
    /// A file of a notebook: without digests.
    Section,
    /// A pointer to a folder of another drive; what changes there is not told here.
    Shortcut,
    /// A file whose content nobody gets.
    Malware,
}

fn nature(item: &Item) -> Nature {
    let ending = item.name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match (ending, item.is_folder()) {
        ("notebook", true) => Nature::Notebook,
        ("one" | "onetoc2", false) => Nature::Section,
        ("shortcut", false) => Nature::Shortcut,
        ("malware", false) => Nature::Malware,
        _ => Nature::Plain,
    }
}

/// Gives an entry the facets of what the item is.
pub(super) fn dress(item: &Item, entry: &mut Value) {
    let nature = nature(item);
    let Some(members) = entry.as_object_mut() else {
        return;
    };
    match nature {
        Nature::Plain => {}
        Nature::Notebook => {
            members.remove("folder");
            members.insert("package".to_owned(), json!({ "type": "oneNote" }));
        }
        Nature::Section => {
            let file = json!({ "mimeType": "application/msonenote" });
            members.insert("file".to_owned(), file);
        }
        Nature::Shortcut => {
            members.remove("file");
            members.insert("size".to_owned(), json!(0));
            members.insert("remoteItem".to_owned(), remote(item));
        }
        Nature::Malware => {
            let found = json!({ "description": "Win32/Simulated" });
            members.insert("malware".to_owned(), found);
        }
    }
}

/// Takes from a tombstone what says that the item was a file, where it was none.
pub(super) fn strip(item: &Item, tombstone: &mut Value) {
    let Some(members) = tombstone.as_object_mut() else {
        return;
    };
    match nature(item) {
        Nature::Shortcut => drop(members.remove("file")),
        Nature::Notebook => {
            members.remove("folder");
            members.insert("package".to_owned(), json!({ "type": "oneNote" }));
        }
        Nature::Plain | Nature::Section | Nature::Malware => {}
    }
}

/// Whether the item has versions.
pub(super) fn is_shortcut(item: &Item) -> bool {
    nature(item) == Nature::Shortcut
}

/// Refuses the bytes of a file with malware.
pub(super) fn withhold(item: &Item) -> Result<(), Problem> {
    if nature(item) == Nature::Malware {
        let message = "Malware detected.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "accessDenied", message).inner("malwareDetected"));
    }
    Ok(())
}

/// What a shortcut points to: a folder of a drive that is not ours.
fn remote(item: &Item) -> Value {
    let id = format!("01REMOTE{:026}", item.no.0);
    json!({
        "id": id,
        "name": item.name,
        "folder": { "childCount": 3 },
        "parentReference": { "driveId": onedrive_drive("somebody@partner.example"), "driveType": "business" },
    })
}
