//! Events in Dropbox's form.

use serde_json::{Value, json};

use crate::audit::{Applications, Hand, Record, draw};
use crate::dropbox::View;
use crate::dropbox::ids::{NAMESPACE, account_id, application_id, item_id, member_id};
use crate::dropbox::index::name_of;
use crate::dropbox::metadata::time;
use crate::sim::{Sharing, Sim};
use crate::truth::FactAction;
use crate::world::{Actor, Item, ItemKind, Op, What};

/// The types of events that happen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Add,
    AddFromAutomation,
    Edit,
    Rename,
    Move,
    Delete,
    Restore,
}

impl Kind {
    pub(super) fn of(op: &Op) -> Self {
        match &op.what {
            What::Created if Hand::of(op) == Hand::Provider => Self::AddFromAutomation,
            What::Created => Self::Add,
            What::Saved => Self::Edit,
            What::Moved { old_path, .. } if parent(old_path) == parent(&op.path) => Self::Rename,
            What::Moved { .. } => Self::Move,
            What::Deleted => Self::Delete,
            What::Restored => Self::Restore,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Add => "file_add",
            Self::AddFromAutomation => "file_add_from_automation",
            Self::Edit => "file_edit",
            Self::Rename => "file_rename",
            Self::Move => "file_move",
            Self::Delete => "file_delete",
            Self::Restore => "file_restore",
        }
    }

    /// As live events have it: without the category that the specification puts before it.
    fn description(self) -> &'static str {
        match self {
            Self::Add => "Added files and/or folders",
            Self::AddFromAutomation => "Added files and/or folders from automation",
            Self::Edit => "Edited files",
            Self::Rename => "Renamed files and/or folders",
            Self::Move => "Moved files and/or folders",
            Self::Delete => "Deleted files and/or folders",
            Self::Restore => "Restored deleted files and/or folders",
        }
    }

    pub(super) fn action(self) -> FactAction {
        match self {
            Self::Add | Self::AddFromAutomation => FactAction::Created,
            Self::Edit => FactAction::Modified,
            Self::Rename => FactAction::Renamed,
            Self::Move => FactAction::Moved,
            Self::Delete => FactAction::Deleted,
            Self::Restore => FactAction::Restored,
        }
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

impl View<'_> {
    /// `TeamEvent` of a record.
    pub(super) fn event(&self, record: &Record<'_>) -> Option<Value> {
        let op = record.first()?;
        let kind = Kind::of(op);
        let details = format!("{}_details", kind.word());
        let mut event = json!({
            "timestamp": time(op.at),
            "event_category": { ".tag": "file_operations" },
            "actor": actor(self.sim, op),
            "involve_non_team_member": is_of_person(op) && !is_member(self.sim, &op.actor),
            "context": context(self.sim, op),
            "participants": [],
            "assets": record.ops.iter().flat_map(|op| self.assets(op)).collect::<Vec<Value>>(),
            "event_type": { ".tag": kind.word(), "description": kind.description() },
            "details": { ".tag": details },
        });
        if let Some(origin) = origin(self.sim, op) {
            event["origin"] = origin;
        }
        if matches!(kind, Kind::Rename | Kind::Move) {
            let pairs = (0..record.ops.len())
                .map(|place| json!({ "src_asset_index": 2 * place, "dest_asset_index": 2 * place + 1 }));
            event["details"]["relocate_action_details"] = pairs.collect();
        }
        Some(event)
    }

    /// Where the item was, for one that went elsewhere, then where it is.
    fn assets(&self, op: &Op) -> Vec<Value> {
        let old = match &op.what {
            What::Moved { old_path, .. } => Some(&**old_path),
            _ => None,
        };
        let places = old.into_iter().chain([&*op.path]);
        places
            .filter_map(|path| Some(self.asset(op, self.world.item(op.item)?, path)))
            .collect()
    }

    fn asset(&self, op: &Op, item: &Item, path: &str) -> Value {
        // The leading slash is not promised, and not always there.
        let slash = if draw(self.sim.options().seed, op.seq, "slash").is_multiple_of(4) {
            ""
        } else {
            "/"
        };
        let mut asset = json!({
            ".tag": if item.is_folder() { "folder" } else { "file" },
            "path": {
                "contextual": format!("/{path}"),
                "namespace_relative": {
                    "ns_id": NAMESPACE.to_string(),
                    "relative_path": format!("{slash}{path}"),
                    "is_shared_namespace": self.sim.options().sharing == Sharing::Shared,
                },
            },
            "display_name": name_of(path),
            "file_id": item_id(op.item),
        });
        if item.kind == ItemKind::File {
            let save = item.saves.iter().rev().find(|save| save.seq <= op.seq);
            asset["file_size"] = json!(save.map_or(0, |save| save.size));
        } else {
            asset["file_count"] = json!(op.affected.len());
        }
        asset
    }
}

/// Whether a person is named as having done it.
fn is_of_person(op: &Op) -> bool {
    !matches!(Hand::of(op), Hand::Program(_) | Hand::Anonymous | Hand::Provider)
}

/// Members of the team are the owner and those of the owner's domain.
fn is_member(sim: &Sim, actor: &Actor) -> bool {
    let domain = |email: &str| email.split_once('@').map(|(_, domain)| domain.to_owned());
    domain(&actor.email) == domain(&sim.options().owner.email)
}

/// `UserLogInfo`, which is also the form of a person in the context.
fn person(sim: &Sim, actor: &Actor) -> Value {
    let mut info = json!({
        ".tag": "non_team_member",
        "account_id": account_id(&actor.email),
        "display_name": actor.name,
        "email": actor.email,
    });
    if is_member(sim, actor) {
        let owner = (actor.email == sim.options().owner.email)
            .then(|| Some(sim.options().credentials.team.as_ref()?.member.clone()));
        let member = owner.flatten().unwrap_or_else(|| member_id(&actor.email));
        info[".tag"] = json!("team_member");
        info["team_member_id"] = json!(member);
    }
    info
}

/// On whose behalf.
fn context(sim: &Sim, op: &Op) -> Value {
    match Hand::of(op) {
        Hand::Person(actor) | Hand::Through(actor, _) => person(sim, actor),
        Hand::Program(_) => json!({ ".tag": "team" }),
        Hand::Removed(actor) => json!({ ".tag": "team_member", "account_id": account_id(&actor.email) }),
        // The log has the owner of the place then, not who did it.
        Hand::Admin(_) | Hand::Anonymous | Hand::Provider => person(sim, &sim.options().owner),
    }
}

/// `ActorLogInfo`.
fn actor(sim: &Sim, op: &Op) -> Value {
    let user = |actor: &Actor| json!({ ".tag": "user", "user": person(sim, actor) });
    match Hand::of(op) {
        Hand::Person(actor) => user(actor),
        Hand::Through(actor, application) => match sim.options().audit.applications {
            Applications::Named => app("user_linked_app", application),
            Applications::Hidden => user(actor),
        },
        Hand::Admin(actor) => json!({ ".tag": "admin", "admin": person(sim, actor) }),
        Hand::Program(actor) => app("team_linked_app", &actor.name),
        // All that is left of an account that was deleted.
        Hand::Removed(actor) => {
            let user = json!({ ".tag": "team_member", "account_id": account_id(&actor.email) });
            json!({ ".tag": "user", "user": user })
        }
        Hand::Anonymous => json!({ ".tag": "anonymous" }),
        Hand::Provider => json!({ ".tag": "dropbox" }),
    }
}

fn app(link: &str, name: &str) -> Value {
    let app = json!({ ".tag": link, "app_id": application_id(name), "display_name": name });
    json!({ ".tag": "app", "app": app })
}

/// `OriginLogInfo`; none for what came from no client.
fn origin(sim: &Sim, op: &Op) -> Option<Value> {
    let session = |kind: &str| format!("{kind}:{:039}", draw(1, 0, &op.actor.email));
    let method = match Hand::of(op) {
        Hand::Provider => return None,
        Hand::Through(..) | Hand::Program(_) => {
            let request = format!("dbarid:{:032x}", draw(sim.options().seed, op.seq, "request"));
            json!({ ".tag": "api", "request_id": request })
        }
        Hand::Admin(_) => json!({ ".tag": "sign_in_as", "session_id": session("dbwsid") }),
        Hand::Person(_) | Hand::Removed(_) | Hand::Anonymous => {
            // A person stays with one kind of client.
            let (client, kind) = match draw(sim.options().seed, 0, &op.actor.email) % 4 {
                0 => ("mobile", "dbdsid"),
                1 | 2 => ("desktop", "dbdsid"),
                _ => ("web", "dbwsid"),
            };
            json!({ ".tag": "end_user", "end_user": { ".tag": client, "session_id": session(kind) } })
        }
    };
    Some(json!({ "geo_location": place(op), "access_method": method }))
}

/// Programs act from where they are hosted, people from where they are.
fn place(op: &Op) -> Value {
    match Hand::of(op) {
        Hand::Through(..) | Hand::Program(_) => json!({
            "city": "Ashburn",
            "region": "Virginia",
            "country": "US",
            "ip_address": "203.0.113.80",
        }),
        _ => json!({
            "city": "Lisbon",
            "region": "Lisbon",
            "country": "PT",
            "ip_address": format!("198.51.100.{}", 1 + draw(2, 0, &op.actor.email) % 250),
        }),
    }
}
