//! Metadata of files, folders and deleted places, and `files/get_metadata`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::args::{Args, Takes, Target, target};
use super::ids::{NAMESPACE, account_id, item_id};
use super::index::{Revision, RevisionAt, above, key_of, name_of};
use super::problem::Problem;
use super::{Face, View};
use crate::content::Algorithm;
use crate::fault::{FaultKind, Oddity};
use crate::sim::{Call, Sharing};
use crate::world::{Item, ItemNo, Save, Standing};

/// Whole seconds, cut off, as every time in this API.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An object with this `.tag`.
fn tagged(tag: &str, mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(".tag".to_owned(), json!(tag));
    }
    value
}

/// `DeletedMetadata` of a place.
pub(super) fn deleted(display: &str) -> Value {
    tagged("deleted", place_fields(display).into())
}

fn place_fields(display: &str) -> Map<String, Value> {
    Map::from_iter([
        ("name".to_owned(), json!(name_of(display))),
        ("path_lower".to_owned(), json!(key_of(display))),
        ("path_display".to_owned(), json!(display)),
    ])
}

/// A document that has no bytes of its own, told by the name: `.paper`.
pub(super) fn is_cloud_document(path: &str) -> bool {
    path.to_lowercase().ends_with(".paper")
}

/// Takes the author from a file's metadata, as for an account that was deleted.
pub(super) fn without_actor(file: &mut Value) {
    if let Some(author) = file.pointer_mut("/sharing_info/modified_by") {
        *author = Value::Null;
    }
}

/// Leaves out what answers of old lacked.
pub(super) fn without_newer_members(view: &View<'_>, call: &Call, entries: &mut [Value]) {
    let is_file = |entry: &Value| entry.get("rev").is_some();
    if entries.iter().any(is_file) && view.sim.is_odd(call, Oddity::OldMembers) {
        for members in entries.iter_mut().filter_map(Value::as_object_mut) {
            members.remove("content_hash");
            members.remove("is_downloadable");
        }
    }
}

impl View<'_> {
    /// `FileMetadata` without `.tag` of a revision, under a display path.
    pub(super) fn file(&self, item: ItemNo, revision: &Revision, display: &str) -> Value {
        let mut fields = place_fields(display);
        let mut put = |name: &str, value: Value| {
            fields.insert(name.to_owned(), value);
        };
        put("id", json!(item_id(item)));
        put("rev", json!(revision.number.rev()));
        put("server_modified", json!(time(revision.at)));
        let in_cloud = is_cloud_document(&revision.path);
        put("is_downloadable", json!(!in_cloud));
        if let Some(save) = self.save(item, revision) {
            put("client_modified", json!(time(save.at)));
            if in_cloud {
                put("size", json!(0));
                let export = json!({ "export_as": "html", "export_options": ["html", "markdown"] });
                put("export_info", export);
            } else {
                put("size", json!(save.size));
                let hash = self.sim.digest(Algorithm::Dropbox, save);
                put("content_hash", json!(&*hash));
            }
        }
        if self.sim.options().sharing == Sharing::Shared {
            // Null once the account is deleted.
            let author =
                (revision.actor.standing() != Standing::Removed).then(|| account_id(&revision.actor.email));
            let sharing = json!({
                "read_only": false,
                "parent_shared_folder_id": NAMESPACE.to_string(),
                "modified_by": author,
            });
            put("sharing_info", sharing);
        }
        fields.into()
    }

    /// The content a revision holds.
    pub(super) fn save(&self, item: ItemNo, revision: &Revision) -> Option<&Save> {
        self.world.item(item)?.saves.get(revision.save)
    }

    fn folder(&self, item: ItemNo, display: &str) -> Value {
        let mut fields = place_fields(display);
        fields.insert("id".to_owned(), json!(item_id(item)));
        if self.sim.options().sharing == Sharing::Shared {
            let namespace = NAMESPACE.to_string();
            let mut sharing = json!({ "read_only": false, "traverse_only": false, "no_access": false });
            // Folders in the root are the mount points of what is shared.
            let field = if above(display).next().is_none() {
                fields.insert("shared_folder_id".to_owned(), json!(namespace));
                "shared_folder_id"
            } else {
                "parent_shared_folder_id"
            };
            sharing[field] = json!(namespace);
            fields.insert("sharing_info".to_owned(), sharing);
        }
        tagged("folder", fields.into())
    }

    /// Metadata with `.tag` of a live item as it was after operation `seq`.
    pub(super) fn live(&self, item: ItemNo, display: &str, seq: u64) -> Value {
        match self.index.head(item, seq) {
            Some(revision) => tagged("file", self.file(item, revision, display)),
            None => self.folder(item, display),
        }
    }

    pub(super) fn is_folder(&self, item: ItemNo) -> bool {
        self.world.item(item).is_some_and(Item::is_folder)
    }

    /// Key of the place where an item is, if it is visible.
    pub(super) fn key_of_item(&self, item: ItemNo) -> Option<String> {
        let visible = self.world.is_visible(item);
        visible.then(|| key_of(&format!("/{}", self.world.path_of(item))))
    }

    /// A revision by rev, whether its file is still there or not.
    pub(super) fn by_rev(&self, rev: &str) -> Option<(RevisionAt, &Revision)> {
        let at = self.index.by_rev(rev)?;
        Some((at, self.index.revision(at)?))
    }
}

pub(super) fn get_metadata(face: &Face, call: &Call, mut args: Args) -> Result<Value, Problem> {
    let target = target(&args.required_text("path")?, Takes::Rev)?;
    let include_deleted = args.flag("include_deleted")?.unwrap_or_default();
    args.flag("include_media_info")?;
    args.flag("include_has_explicit_shared_members")?;
    args.take("include_property_groups");
    args.finish()?;
    let view = face.view();
    let not_found = || Problem::path("not_found");
    let key = match target {
        Target::Rev(rev) => {
            let (at, revision) = view.by_rev(&rev).ok_or_else(not_found)?;
            return Ok(tagged("file", view.file(at.item, revision, &revision.path)));
        }
        Target::Place(key) => key,
        Target::Id(id) => {
            let item = view.index.by_id(&id).ok_or_else(not_found)?;
            let last_place = || {
                view.index
                    .head(item, view.world.seq())
                    .map(|head| key_of(&head.path))
            };
            view.key_of_item(item)
                .or_else(|| last_place().filter(|_| include_deleted))
                .ok_or_else(not_found)?
        }
    };
    let seq = view.world.seq();
    let place = view.index.place(&key).ok_or_else(not_found)?;
    let (item, display) = place.latest(seq).ok_or_else(not_found)?;
    if place.occupant(seq).is_none() {
        return if include_deleted {
            Ok(deleted(&display))
        } else {
            Err(not_found())
        };
    }
    let mut found = view.live(item, &display, seq);
    if !view.is_folder(item) && view.sim.fires(call, FaultKind::MissingActor).is_some() {
        without_actor(&mut found);
    }
    Ok(found)
}
