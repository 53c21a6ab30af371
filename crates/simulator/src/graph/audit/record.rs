//! Records of the kind `SharePointFileOperation`.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::audit::{Applications, Hand, draw};
use crate::graph::ids;
use crate::graph::items::SITE;
use crate::ids::{derive, guid};
use crate::sim::Sim;
use crate::truth::FactAction;
use crate::world::{Item, Op, What, World};

/// Number of the kind.
const RECORD_TYPE: u32 = 6;
/// A new file is saved once more by the service, so much later.
const SAVED_AGAIN: SignedDuration = SignedDuration::from_secs(2);
/// The library below the site.
const LIBRARY: &str = "Documents";

/// What an operation is called, without the word for files or folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Uploaded,
    FolderCreated,
    Modified,
    Renamed,
    Moved,
    Recycled,
    Restored,
}

impl Kind {
    /// `None` for what is about nothing there is.
    pub(super) fn of(world: &World, op: &Op) -> Option<Self> {
        let item = world.item(op.item)?;
        Some(match &op.what {
            What::Created if item.is_folder() => Self::FolderCreated,
            What::Created => Self::Uploaded,
            What::Saved => Self::Modified,
            What::Moved { old_path, .. } if parent(old_path) == parent(&op.path) => Self::Renamed,
            What::Moved { .. } => Self::Moved,
            What::Deleted => Self::Recycled,
            What::Restored => Self::Restored,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Uploaded => "Uploaded",
            Self::FolderCreated => "Created",
            Self::Modified => "Modified",
            Self::Renamed => "Renamed",
            Self::Moved => "Moved",
            Self::Recycled => "Recycled",
            Self::Restored => "Restored",
        }
    }

    pub(super) fn action(self) -> FactAction {
        match self {
            Self::Uploaded | Self::FolderCreated => FactAction::Created,
            Self::Modified => FactAction::Modified,
            Self::Renamed => FactAction::Renamed,
            Self::Moved => FactAction::Moved,
            Self::Recycled => FactAction::Deleted,
            Self::Restored => FactAction::Restored,
        }
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

/// What an operation leaves in the log and when: a new file is there twice.
pub(super) fn acts(world: &World, op: &Op) -> Vec<(Kind, Timestamp)> {
    let Some(kind) = Kind::of(world, op) else {
        return Vec::new();
    };
    let mut acts = vec![(kind, op.at)];
    if kind == Kind::Uploaded {
        acts.push((Kind::Modified, op.at + SAVED_AGAIN));
    }
    acts
}

pub(super) fn records(sim: &Sim, world: &World, op: &Op) -> Vec<Value> {
    let Some(item) = world.item(op.item) else {
        return Vec::new();
    };
    acts(world, op)
        .into_iter()
        .map(|(kind, at)| record(sim, op, item, (kind, at)))
        .collect()
}

fn record(sim: &Sim, op: &Op, item: &Item, (kind, at): (Kind, Timestamp)) -> Value {
    let seed = sim.options().seed;
    let noun = if item.is_folder() { "Folder" } else { "File" };
    let operation = format!("{noun}{}", kind.word());
    let (site, web) = site_and_web(sim);
    let save = item.saves.iter().rev().find(|save| save.seq <= op.seq);
    let mut record = json!({
        "CreationTime": at.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        "Id": guid("onedrive-audit", &format!("{seed}-{}-{operation}", op.seq)),
        "Operation": operation,
        "OrganizationId": guid("onedrive-tenant", &sim.options().owner.email),
        "RecordType": RECORD_TYPE,
        "Version": 1,
        "Workload": "OneDrive",
        "CorrelationId": guid("onedrive-correlation", &format!("{seed}-{}", op.seq)),
        "EventSource": "SharePoint",
        "ItemType": noun,
        "ListId": ids::list_guid(sim.options()),
        "ListItemUniqueId": ids::item_guid(op.item).to_lowercase(),
        "Site": site,
        "WebId": web,
        "SiteUrl": format!("{}/", SITE.trim_end_matches("/Documents")),
        "HighPriorityMediaProcessing": false,
    });
    if let Some(save) = save {
        record["FileSizeBytes"] = json!(save.size);
    }
    add_places(&mut record, op, kind, seed);
    add_who(&mut record, sim, op);
    record
}

/// Where it is said to be. What renames say is not documented: one in two says both names, the others the new one only.
fn add_places(record: &mut Value, op: &Op, kind: Kind, seed: u64) {
    let (source, destination) = match &op.what {
        What::Moved { old_path, .. } => {
            let both = kind == Kind::Moved || draw(seed, op.seq, "both").is_multiple_of(2);
            if both {
                (&**old_path, Some(&*op.path))
            } else {
                (&*op.path, None)
            }
        }
        _ => (&*op.path, None),
    };
    let folder = |path: &str| {
        let above = parent(path);
        let slash = if above.is_empty() { "" } else { "/" };
        format!("{LIBRARY}{slash}{above}")
    };
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let ending = |path: &str| {
        let name = name(path);
        name.rsplit_once('.')
            .map_or(String::new(), |(_, ending)| ending.to_owned())
    };
    record["ObjectId"] = json!(format!("{SITE}/{source}"));
    record["SourceRelativeUrl"] = json!(folder(source));
    record["SourceFileName"] = json!(name(source));
    record["SourceFileExtension"] = json!(ending(source));
    if let Some(path) = destination {
        record["DestinationRelativeUrl"] = json!(folder(path));
        record["DestinationFileName"] = json!(name(path));
        record["DestinationFileExtension"] = json!(ending(path));
    }
}

/// The first two parts of the drive's id.
fn site_and_web(sim: &Sim) -> (String, String) {
    let bytes = derive("onedrive-drive", &sim.options().owner.email);
    let (site, web) = bytes.split_at(16);
    (ids::stored_guid(site), ids::stored_guid(web))
}

/// Who, from where, and with what.
fn add_who(record: &mut Value, sim: &Sim, op: &Op) {
    let seed = sim.options().seed;
    let browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
    let membership = |email: &str| {
        let number = draw(3, 0, email) & 0xffff_ffff_ffff;
        format!("i:0h.f|membership|1003{number:012x}@live.com")
    };
    let (user, key, kind, ip, agent) = match Hand::of(op) {
        Hand::Person(actor) | Hand::Removed(actor) | Hand::Through(actor, _) => {
            // Saves of Office on the web come from the service's own hosts.
            let web = op.what == What::Saved && draw(seed, op.seq, "wac").is_multiple_of(5);
            let (ip, agent) = match Hand::of(op) {
                Hand::Through(..) => ("203.0.113.80".to_owned(), "NONISV|Program|1.0"),
                _ if web => ("52.108.80.42".to_owned(), "MSWAC"),
                _ => (address(&actor.email), browser),
            };
            (actor.email.clone(), membership(&actor.email), 0, ip, agent)
        }
        Hand::Admin(actor) => {
            let ip = address(&actor.email);
            (actor.email.clone(), membership(&actor.email), 2, ip, browser)
        }
        Hand::Program(actor) => {
            let key = format!("i:0i.t|00000003-0000-0ff1-ce00-000000000000|{}", actor.email);
            let ip = "203.0.113.80".to_owned();
            ("app@sharepoint".to_owned(), key, 5, ip, "NONISV|Program|1.0")
        }
        Hand::Anonymous => {
            let user = format!("urn:spo:anon#{:016x}", draw(4, 0, &op.actor.email));
            (user.clone(), user, 0, "198.51.100.77".to_owned(), browser)
        }
        Hand::Provider => {
            let ip = "52.108.80.1".to_owned();
            ("SHAREPOINT\\system".to_owned(), "S-1-0-0".to_owned(), 0, ip, "")
        }
    };
    record["UserId"] = json!(user);
    record["UserKey"] = json!(key);
    record["UserType"] = json!(kind);
    record["ClientIP"] = json!(ip);
    if !agent.is_empty() {
        record["UserAgent"] = json!(agent);
    }
    add_application(record, sim, op);
}

fn address(email: &str) -> String {
    format!("198.51.100.{}", 1 + draw(2, 0, email) % 250)
}

fn add_application(record: &mut Value, sim: &Sim, op: &Op) {
    let named = sim.options().audit.applications == Applications::Named;
    let mut context = json!({
        "AADSessionId": guid("onedrive-session", &op.actor.email),
        "CorrelationId": record["CorrelationId"],
        "UniqueTokenId": format!("sim{:016x}", draw(5, op.seq, &op.actor.email)),
    });
    let name = match Hand::of(op) {
        Hand::Through(_, name) if named => name,
        Hand::Program(actor) => &actor.name,
        Hand::Provider => return,
        _ => {
            record["AppAccessContext"] = context;
            return;
        }
    };
    let id = ids::application_id(name);
    context["ClientAppId"] = json!(id);
    context["ClientAppName"] = json!(name);
    record["AppAccessContext"] = context;
    record["ApplicationId"] = json!(id);
    record["ApplicationDisplayName"] = json!(name);
}
