//! JSON of drives, items and versions.

use serde_json::{Map, Value, json};

use super::personal::personalise;
use super::text::encoded;
use super::{Face, facets, ids};
use crate::content::Algorithm;
use crate::world::{Actor, Identity, Item, ItemNo, Save, Standing, World};

/// `quickXorHash` of no bytes, which deleted files carry.
const ZERO_HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=";
/// SharePoint's address of the drive.
pub(super) const SITE: &str = "https://handbook-my.sharepoint.com/personal/drive_owner/Documents";

/// Where an item is listed; the feed leaves some members out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// By id, path or parent: with `cTag` and the parent's path.
    Item,
    /// In the feed of changes: without both.
    Feed,
}

/// The members a client wants.
#[derive(Debug, Default)]
pub(super) struct Select(Option<Vec<String>>);

impl Select {
    pub(super) fn of(wish: Option<&str>) -> Self {
        let names = |wish: &str| wish.split(',').map(|name| name.trim().to_owned()).collect();
        Self(wish.filter(|wish| !wish.is_empty()).map(names))
    }

    fn wants(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|names| names.iter().any(|one| one == name))
    }

    fn names(&self, name: &str) -> bool {
        self.0.is_some() && self.wants(name)
    }

    /// Keeps id, annotations and what is wanted.
    pub(super) fn apply(&self, value: Value) -> Value {
        match value {
            Value::Object(members) => members
                .into_iter()
                .filter(|(name, _)| name == "id" || name.starts_with('@') || self.wants(name))
                .collect::<Map<_, _>>()
                .into(),
            other => other,
        }
    }
}

/// `user`, with all the service knows of people of its own directory; of somebody who left it, the name. A program that writes under
/// its own name is an `application` and nobody. Whoever is no account of the directory has the member of their kind.
pub(super) fn by(actor: &Actor) -> Value {
    let (id, name, email) = (ids::actor_id(&actor.email), &actor.name, &actor.email);
    match actor.identity() {
        Identity::Account => account(actor),
        Identity::Service => json!({ "user": { "displayName": SERVICE } }),
        Identity::AddressOnly => json!({ "user": { "email": email, "displayName": "" } }),
        Identity::SiteUser => json!({
            "siteUser": { "id": "12", "displayName": name, "email": email, "loginName": login_name(email) },
        }),
        Identity::Group => json!({ "group": { "id": id, "displayName": name } }),
        Identity::Device => json!({ "device": { "id": id, "displayName": name } }),
    }
}

/// How the service names itself where it wrote on its own account.
pub(crate) const SERVICE: &str = "SharePoint App";

/// Login name of a user of a site.
pub(crate) fn login_name(email: &str) -> String {
    format!("i:0#.f|membership|{email}")
}

fn account(actor: &Actor) -> Value {
    match actor.standing() {
        Standing::Person => {
            json!({ "user": { "id": ids::actor_id(&actor.email), "email": actor.email, "displayName": actor.name } })
        }
        Standing::Removed => json!({ "user": { "displayName": actor.name } }),
        Standing::Program => {
            json!({ "application": { "id": ids::application_id(&actor.name), "displayName": actor.name } })
        }
    }
}

/// Author of a save: the person, and the application that acted for the person.
fn saved_by(save: &Save) -> Value {
    let mut who = by(&save.actor);
    if let Some(name) = &save.application {
        who["application"] = json!({ "id": ids::application_id(name), "displayName": name });
    }
    who
}

/// One version; `place` counts saves from 0.
pub(super) fn version(place: usize, save: &Save) -> Value {
    json!({
        "id": ids::version_id(place),
        "lastModifiedDateTime": save.at.to_string(),
        "lastModifiedBy": saved_by(save),
        "size": save.size,
    })
}

impl Face {
    /// The drive itself.
    pub(super) fn drive_json(&self, world: &World) -> Value {
        let owner = &self.sim.options().owner;
        let created = world.item(ItemNo::ROOT).map(|root| root.created_at.to_string());
        json!({
            "id": self.drive,
            "driveType": if self.is_personal() { "personal" } else { "business" },
            "name": "OneDrive",
            "createdDateTime": created,
            "webUrl": SITE,
            "owner": by(owner),
            "quota": { "state": "normal" },
        })
    }

    /// An item as it is; below a deleted folder, or deleted itself, as a tombstone.
    pub(super) fn entry(&self, world: &World, item: &Item, how: (Listing, &Select)) -> Value {
        let mut value = if world.is_visible(item.no) {
            self.live(world, item, how)
        } else {
            self.tombstone(item)
        };
        if self.is_personal() {
            personalise(&self.drive, item, &mut value);
        }
        how.1.apply(value)
    }

    /// What is left of a deleted item: neither name nor times, no size, and the hash of nothing.
    fn tombstone(&self, item: &Item) -> Value {
        let mut value = json!({
            "@odata.type": "#microsoft.graph.driveItem",
            "id": ids::item_id(item.no),
            "size": 0,
            "deleted": { "state": "deleted" },
            "parentReference": self.parent(item),
        });
        if item.is_folder() {
            value["folder"] = json!({});
        } else {
            value["file"] = json!({ "hashes": { "quickXorHash": ZERO_HASH } });
        }
        facets::strip(item, &mut value);
        value
    }

    fn parent(&self, item: &Item) -> Value {
        let mut parent = json!({ "driveId": self.drive, "driveType": "business" });
        if let Some(no) = item.parent {
            parent["id"] = ids::item_id(no).into();
        }
        parent
    }

    fn live(&self, world: &World, item: &Item, (listing, select): (Listing, &Select)) -> Value {
        let head = item.head();
        let changed = head.map_or(item.created_at, |save| save.at).to_string();
        let created = item.created_at.to_string();
        let system = || json!({ "user": { "displayName": "System Account" } });
        let created_by = item.created_by.as_deref().map_or_else(system, by);
        let guid = ids::item_guid(item.no);
        let mut value = json!({
            "@odata.type": "#microsoft.graph.driveItem",
            "id": ids::item_id(item.no),
            "name": item.name,
            "eTag": format!("\"{{{guid}}},{}\"", item.last_seq + 1),
            "size": head.map_or(0, |save| save.size),
            "createdDateTime": created,
            "lastModifiedDateTime": changed,
            "lastModifiedBy": head.map_or_else(|| created_by.clone(), saved_by),
            "createdBy": created_by,
            "parentReference": self.parent(item),
            "fileSystemInfo": { "createdDateTime": created, "lastModifiedDateTime": changed },
        });
        if select.wants("webUrl") {
            value["webUrl"] = format!("{SITE}/{}", encoded(&world.path_of(item.no))).into();
        }
        if item.no == ItemNo::ROOT {
            value["name"] = "root".into();
            value["root"] = json!({});
        }
        if item.is_folder() {
            if select.wants("folder") {
                value["folder"] = json!({ "childCount": world.children(item.no).count() });
            }
        } else if select.wants("file") {
            value["file"] = self.file(item);
        }
        facets::dress(item, &mut value);
        if listing == Listing::Item {
            self.add_places(world, item, &mut value);
        }
        if select.names("sharepointIds") {
            value["sharepointIds"] = json!({ "listId": self.list, "listItemUniqueId": guid.to_lowercase() });
        }
        value
    }

    fn file(&self, item: &Item) -> Value {
        let ending = item.name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let kind = match ending {
            "md" => "text/markdown",
            "txt" => "text/plain",
            "pdf" => "application/pdf",
            "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            _ => "application/octet-stream",
        };
        let hash = item.head().map(|save| self.sim.digest(Algorithm::QuickXor, save));
        json!({ "mimeType": kind, "hashes": { "quickXorHash": hash } })
    }

    /// What only answers about items themselves tell.
    fn add_places(&self, world: &World, item: &Item, value: &mut Value) {
        if !item.is_folder() {
            let guid = ids::item_guid(item.no);
            value["cTag"] = format!("\"c:{{{guid}}},{}\"", item.saves.len()).into();
        }
        if let Some(parent) = item.parent {
            let path = world.path_of(parent);
            let slash = if path.is_empty() { "" } else { "/" };
            let path = format!("/drives/{}/root:{slash}{}", self.drive, encoded(&path));
            value["parentReference"]["path"] = path.into();
        }
    }
}
