//! Resources of the face, rendered from the world as it is.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::ids;
use super::mask::{Mask, Picked};
use super::unseen::{self, is_unseen};
use crate::content::Algorithm;
use crate::sim::{GoogleCorpus, GoogleRole, Sim};
use crate::world::{Actor, Item, ItemNo, ItemState, Save, Standing, World};

const EDITORS: &str = "application/vnd.google-apps.document";
const FOLDER: &str = "application/vnd.google-apps.folder";
const SHORTCUT: &str = "application/vnd.google-apps.shortcut";

/// Whether a resource names who made it; only a fault leaves that out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    Named,
    Missing,
}

/// RFC 3339 with milliseconds, cut off.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Id of the shared drive the world is on, if it is on one.
pub(super) fn shared_drive(sim: &Sim) -> Option<String> {
    let options = sim.options();
    (options.google_corpus == GoogleCorpus::SharedDrive).then(|| ids::shared_drive(&options.owner.email))
}

/// Whether the world is on a shared drive, so outside the user's own.
pub(super) fn is_on_shared_drive(sim: &Sim) -> bool {
    sim.options().google_corpus == GoogleCorpus::SharedDrive
}

/// Id of an item of this drive.
pub(super) fn id(sim: &Sim, no: ItemNo) -> String {
    if no == ItemNo::ROOT {
        shared_drive(sim).unwrap_or_else(|| ids::root(&sim.options().owner.email))
    } else {
        ids::file(no)
    }
}

/// The item an id names, `root` being the alias of the root folder.
pub(super) fn resolve<'w>(sim: &Sim, world: &'w World, id: &str) -> Option<&'w Item> {
    let is_root = match shared_drive(sim) {
        Some(drive) => id == drive,
        None => id == "root" || id == ids::root(&sim.options().owner.email),
    };
    let no = if is_root { ItemNo::ROOT } else { ids::file_no(id)? };
    // A folder the user cannot see is none.
    world.item(no).filter(|item| !is_unseen(item))
}

/// A person.
pub(super) fn user(sim: &Sim, actor: &Actor, mask: &Mask) -> Value {
    let mut user = Picked::new(mask);
    user.put("kind", || "drive#user");
    // Of a removed account Drive keeps no name.
    if actor.standing() != Standing::Removed {
        user.put("displayName", || actor.name.clone());
    }
    user.put("me", || actor.email == sim.options().owner.email);
    user.put("permissionId", || ids::permission(&actor.email));
    user.put("emailAddress", || actor.email.clone());
    user.value()
}

/// Name a file was uploaded by; it and the type made from it stay as they are when the file is renamed.
fn original_name<'w>(world: &'w World, item: &'w Item) -> &'w str {
    let op = item.ops.first().and_then(|seq| world.op(*seq));
    let path = op.map_or(&*item.name, |op| &*op.path);
    path.rsplit('/').next().unwrap_or(path)
}

/// Type of an item.
pub(super) fn mime_type(world: &World, item: &Item) -> &'static str {
    if item.is_folder() {
        return FOLDER;
    }
    let name = original_name(world, item);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("txt") => "text/plain",
        Some("md") => "text/markdown",
        Some("csv") => "text/csv",
        Some("html" | "htm") => "text/html",
        Some("json") => "application/json",
        Some("yml" | "yaml") => "application/x-yaml",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("svg") => "image/svg+xml",
        Some("gdoc") => EDITORS,
        Some("shortcut") => SHORTCUT,
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("pptx") => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => "application/octet-stream",
    }
}

/// A file of the editors: no digests, no head revision, and a list of revisions that leaves some out.
pub(crate) fn is_editors(world: &World, item: &Item) -> bool {
    mime_type(world, item) == EDITORS
}

/// A pointer to another file: it has neither content nor revisions.
pub(super) fn is_shortcut(world: &World, item: &Item) -> bool {
    mime_type(world, item) == SHORTCUT
}

/// When the content was last saved; folders keep the time they were made.
pub(super) fn modified_at(item: &Item) -> Timestamp {
    item.head().map_or(item.created_at, |save| save.at)
}

/// A file or folder.
pub(super) fn file(sim: &Sim, world: &World, item: &Item, author: Author, mask: &Mask) -> Value {
    let mut file = Picked::new(mask);
    file.put("kind", || "drive#file");
    file.put("id", || id(sim, item.no));
    file.put("name", || match item.no {
        ItemNo::ROOT => "My Drive".to_owned(),
        _ => item.name.to_string(),
    });
    file.put("mimeType", || mime_type(world, item));
    if let Some(parent) = unseen::parent(world, item) {
        file.put("parents", || json!([id(sim, parent)]));
    }
    file.put("trashed", || !world.is_visible(item.no));
    file.put("explicitlyTrashed", || item.state != ItemState::Live);
    file.put("createdTime", || time(item.created_at));
    file.put("modifiedTime", || time(modified_at(item)));
    // The newest operation on the item itself: grows with each, and not for what happens to a folder above.
    file.put("version", || item.last_seq.max(1).to_string());
    file.put("spaces", || json!(["drive"]));
    file.put("starred", || false);
    file.put("isAppAuthorized", || false);
    file.put("writersCanShare", || true);
    if let Some(drive) = shared_drive(sim) {
        of_shared_drive(sim, world, item, (drive, &mut file));
    } else {
        file.put("shared", || false);
        file.put("ownedByMe", || true);
        file.put_masked("owners", |mask| json!([user(sim, &sim.options().owner, mask)]));
    }
    let actor = item.head().map(|save| &save.actor).or(item.created_by.as_ref());
    if let (Some(actor), Author::Named) = (actor, author) {
        file.put_masked("lastModifyingUser", |mask| user(sim, actor, mask));
        file.put("modifiedByMe", || actor.email == sim.options().owner.email);
    }
    file.put_masked("capabilities", |mask| capabilities(sim, world, item, mask));
    file.put("quotaBytesUsed", || {
        item.saves.iter().map(|save| save.size).sum::<u64>().to_string()
    });
    match item.head() {
        Some(_) if is_shortcut(world, item) => file.put("shortcutDetails", || {
            json!({ "targetId": ids::file(ItemNo(u32::MAX - item.no.0)), "targetMimeType": "application/pdf" })
        }),
        Some(head) if is_editors(world, item) => file.put("size", || head.size.to_string()),
        Some(head) => blob(sim, original_name(world, item), head, &mut file),
        None => {}
    }
    file.value()
}

/// What only files with content have.
fn blob(sim: &Sim, original_name: &str, head: &Save, file: &mut Picked<'_>) {
    file.put("size", || head.size.to_string());
    file.put("headRevisionId", || ids::revision(head.seq));
    file.put("originalFilename", || original_name);
    for (name, algorithm) in [
        ("md5Checksum", Algorithm::Md5),
        ("sha1Checksum", Algorithm::Sha1),
        ("sha256Checksum", Algorithm::Sha256),
    ] {
        file.put(name, || sim.digest(algorithm, head).to_string());
    }
}

/// What only items of shared drives have: the drive, and who put them into the bin. They have no owner.
fn of_shared_drive(sim: &Sim, world: &World, item: &Item, (drive, file): (String, &mut Picked<'_>)) {
    file.put("driveId", || drive);
    let deletion = world.op(item.last_seq).filter(|_| item.state != ItemState::Live);
    if let Some(op) = deletion {
        file.put("trashedTime", || time(op.at));
        file.put_masked("trashingUser", |mask| user(sim, &op.actor, mask));
    }
}

fn capabilities(sim: &Sim, world: &World, item: &Item, mask: &Mask) -> Value {
    let mut able = Picked::new(mask);
    let folder = item.is_folder();
    let is_editor = sim.options().google_role == GoogleRole::Editor;
    able.put("canReadRevisions", || {
        !folder && is_editor && !is_shortcut(world, item)
    });
    able.put("canDownload", || true);
    able.put("canListChildren", || folder);
    able.put("canAddChildren", || folder);
    able.put("canEdit", || is_editor);
    able.put("canModifyContent", || is_editor);
    able.put("canRename", || is_editor);
    able.put("canTrash", || item.no != ItemNo::ROOT);
    able.put("canUntrash", || item.no != ItemNo::ROOT);
    able.put("canDelete", || item.no != ItemNo::ROOT);
    able.value()
}

/// One revision of a file.
pub(super) fn revision(
    sim: &Sim,
    world: &World,
    (item, save): (&Item, &Save),
    author: Author,
    mask: &Mask,
) -> Value {
    let mut revision = Picked::new(mask);
    revision.put("kind", || "drive#revision");
    let is_editors = is_editors(world, item);
    revision.put("id", || {
        if is_editors {
            ids::editors_revision(save.seq)
        } else {
            ids::revision(save.seq)
        }
    });
    revision.put("mimeType", || mime_type(world, item));
    revision.put("modifiedTime", || time(save.at));
    revision.put("published", || false);
    if !is_editors {
        revision.put("keepForever", || sim.is_pinned(item.no, save.seq));
        revision.put("size", || save.size.to_string());
        revision.put("md5Checksum", || sim.digest(Algorithm::Md5, save).to_string());
        revision.put("originalFilename", || original_name(world, item));
    }
    if author == Author::Named {
        revision.put_masked("lastModifyingUser", |mask| user(sim, &save.actor, mask));
    }
    revision.value()
}

/// What every entry of the change log has.
fn entry(sim: &Sim, world: &World, item: &Item, change: &mut Picked<'_>) {
    change.put("kind", || "drive#change");
    change.put("type", || "file");
    change.put("changeType", || "file");
    change.put("time", || {
        time(world.op(item.last_seq).map_or(item.created_at, |op| op.at))
    });
    change.put("fileId", || id(sim, item.no));
}

/// The entry of an item that is gone for good or no longer shared.
pub(super) fn removal(sim: &Sim, world: &World, item: &Item, mask: &Mask) -> Value {
    let mut change = Picked::new(mask);
    entry(sim, world, item, &mut change);
    change.put("removed", || true);
    change.value()
}

/// The entry of an item in the change log.
pub(super) fn change(sim: &Sim, world: &World, item: &Item, mask: &Mask) -> Value {
    let mut change = Picked::new(mask);
    entry(sim, world, item, &mut change);
    change.put("removed", || false);
    if let Some(drive) = shared_drive(sim) {
        change.put("driveId", || drive);
    }
    change.put_masked("file", |mask| file(sim, world, item, Author::Named, mask));
    change.value()
}
