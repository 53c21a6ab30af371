//! The team's log: what it sends, and what that says in provider-neutral words. No I/O, no clock.
//!
//! Names are those of `team_log.stone`. Nearly everything may be left out, and tags this version does not know are tolerated: a record
//! of such an event explains nothing and is left out; an actor of such a kind is not told.

use revtrail_connector::{Activity, ActivityId, Extent, FolderRoot, Target, change::Raw, time::Timestamp};
use revtrail_model::{
    event::{Action, Actor, ActorDetails, ActorKind, Application, ClientDetails},
    id::PlaceKey,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::map::Origin;

/// `team_log/get_events` (`GetTeamEventsResult`).
#[derive(Debug, Deserialize)]
pub(crate) struct TeamEvents {
    /// One `TeamEvent` each, verbatim, in no order.
    pub(crate) events: Vec<Box<RawValue>>,
    /// Where to go on, now or in a later run. Changes with every answer.
    pub(crate) cursor: String,
    /// Whether to go on now. Says nothing about whether this page had events.
    #[serde(default)]
    pub(crate) has_more: bool,
}

/// `team/features/get_values` (`FeaturesGetValuesBatchResult`).
#[derive(Debug, Deserialize)]
pub(crate) struct Features {
    values: Vec<Feature>,
}

#[derive(Debug, Deserialize)]
struct Feature {
    has_team_file_events: Option<Enabled>,
}

#[derive(Debug, Deserialize)]
struct Enabled {
    enabled: Option<bool>,
}

impl Features {
    /// Whether Dropbox says that the team's plan does not record what happens to files.
    pub(crate) fn lack_file_events(&self) -> bool {
        let told = self
            .values
            .iter()
            .filter_map(|value| value.has_team_file_events.as_ref());
        told.filter_map(|value| value.enabled).any(|enabled| !enabled)
    }
}

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = ".tag")]
    tag: Option<String>,
}

/// `TeamEvent`, as far as it is read.
#[derive(Deserialize)]
struct TeamEvent {
    timestamp: Timestamp,
    actor: Option<ActorLog>,
    origin: Option<OriginLog>,
    context: Option<Person>,
    #[serde(default)]
    assets: Option<Vec<Asset>>,
    event_type: Tag,
}

/// `ActorLogInfo`.
#[derive(Deserialize)]
struct ActorLog {
    #[serde(rename = ".tag")]
    tag: Option<String>,
    user: Option<Person>,
    admin: Option<Person>,
    app: Option<App>,
    reseller: Option<Reseller>,
}

/// `UserLogInfo`; also a `ContextLogInfo`, whose other kinds have none of these members.
#[derive(Deserialize)]
struct Person {
    account_id: Option<String>,
    display_name: Option<String>,
    email: Option<String>,
}

/// `AppLogInfo`.
#[derive(Deserialize)]
struct App {
    app_id: Option<String>,
    display_name: Option<String>,
}

/// `ResellerLogInfo`.
#[derive(Deserialize)]
struct Reseller {
    reseller_name: Option<String>,
    reseller_email: Option<String>,
}

/// `OriginLogInfo`.
#[derive(Deserialize)]
struct OriginLog {
    geo_location: Option<GeoLocation>,
    access_method: Option<AccessMethod>,
}

/// `GeoLocationLogInfo`.
#[derive(Deserialize)]
struct GeoLocation {
    ip_address: Option<String>,
}

/// `AccessMethodLogInfo`.
#[derive(Deserialize)]
struct AccessMethod {
    #[serde(rename = ".tag")]
    tag: Option<String>,
    end_user: Option<Tag>,
}

/// `AssetLogInfo`: files and folders; others have no path.
#[derive(Deserialize)]
struct Asset {
    #[serde(rename = ".tag")]
    tag: Option<String>,
    path: Option<PathLog>,
    file_id: Option<String>,
}

/// `PathLogInfo`.
#[derive(Deserialize)]
struct PathLog {
    namespace_relative: Option<NamespacePath>,
}

/// `NamespaceRelativePathLogInfo`.
#[derive(Deserialize)]
struct NamespacePath {
    ns_id: Option<String>,
    relative_path: Option<String>,
}

/// One event of the log; `None` when it explains nothing.
pub(crate) fn activity(
    roots: &[FolderRoot],
    event: &RawValue,
    origin: &Origin,
) -> Result<Option<Activity>, serde_json::Error> {
    let read: TeamEvent = serde_json::from_str(event.get())?;
    let explains = explains(read.event_type.tag.as_deref().unwrap_or_default());
    let assets = read.assets.unwrap_or_default();
    let targets: Vec<Target> = assets.iter().filter_map(|asset| target(roots, asset)).collect();
    if explains.is_empty() || targets.is_empty() {
        return Ok(None);
    }
    Ok(Some(Activity {
        // Events have no id. The same one told again may have its members in another order.
        id: ActivityId::of_members(event)?,
        at: read.timestamp,
        explains: explains.to_vec(),
        targets,
        actor: read.actor.and_then(|actor| who(actor, read.context)),
        client: read.origin.map(client).filter(|client| !client.is_empty()),
        raw: Raw {
            body: event.get().to_owned(),
            operation: origin.operation,
            request_id: origin.request_id.clone(),
            unknown: 0,
        },
    }))
}

/// What an event of this type may look like from the folder.
fn explains(kind: &str) -> &'static [Action] {
    match kind {
        // What a place held before may be replaced by what is added, and the oldest revision that is left stands for the creation.
        "file_add" | "file_add_from_automation" | "file_edit" => &[Action::Created, Action::Modified],
        "file_copy" | "file_save_copy_reference" => &[Action::Created],
        "file_revert" => &[Action::Modified],
        "file_delete" | "file_permanently_delete" => &[Action::Deleted, Action::AccessLost],
        // Moved to where we do not look, an item is deleted for us.
        "file_move" => &[
            Action::Moved,
            Action::Renamed,
            Action::MovedIn,
            Action::MovedOut,
            Action::Deleted,
        ],
        "file_rename"
        | "organize_folder_with_tidy"
        | "undo_organize_folder_with_tidy"
        | "apply_naming_convention"
        | "undo_naming_convention" => &[Action::Renamed, Action::Moved],
        "file_restore" => &[Action::Restored],
        "file_rollback_changes" | "rewind_folder" => &[
            Action::Modified,
            Action::Restored,
            Action::Deleted,
            Action::Renamed,
            Action::Moved,
            Action::MovedIn,
            Action::MovedOut,
        ],
        _ => &[],
    }
}

/// An asset as the feed would name it. Its namespace is only ours to compare where a designated folder lies in it: a folder that is
/// mounted inside another has a namespace of its own, and its items are then known by their id alone.
fn target(roots: &[FolderRoot], asset: &Asset) -> Option<Target> {
    let namespace = asset
        .path
        .as_ref()
        .and_then(|path| path.namespace_relative.as_ref());
    let drive = namespace
        .and_then(|path| path.ns_id.as_deref())
        .and_then(|id| roots.iter().find(|root| root.drive.as_str() == id))
        .map(|root| root.drive.clone());
    let place = namespace
        .filter(|_| drive.is_some())
        .and_then(|path| path.relative_path.as_deref())
        .map(place);
    let item = asset.file_id.as_deref().map(Into::into);
    let extent = match asset.tag.as_deref() {
        Some("folder") => Extent::WithContents,
        Some("file") => Extent::Itself,
        _ => return None,
    };
    (item.is_some() || place.is_some()).then_some(Target {
        drive,
        item,
        place,
        revision: None,
        extent,
    })
}

/// A path of the log as the feed's `path_lower`; the log does not promise the slash at its start.
fn place(path: &str) -> PlaceKey {
    let inner = path.trim_matches('/').to_lowercase();
    if inner.is_empty() {
        PlaceKey::from("")
    } else {
        PlaceKey::from(format!("/{inner}"))
    }
}

fn who(actor: ActorLog, context: Option<Person>) -> Option<Actor> {
    let mut details = ActorDetails::default();
    let mut application = None;
    let kind = match (actor.tag.as_deref(), actor.user.or(actor.admin), actor.app) {
        (Some("user" | "admin"), Some(person), _) => {
            details.id = person.account_id;
            details.email = person.email;
            details.name = person.display_name;
            ActorKind::User
        }
        (Some("app"), _, Some(app)) => {
            application = Some(Application {
                id: app.app_id,
                name: app.display_name,
            });
            ActorKind::Application
        }
        (Some("reseller"), ..) => {
            let reseller = actor.reseller?;
            details.email = reseller.reseller_email;
            details.name = reseller.reseller_name;
            ActorKind::User
        }
        (Some("dropbox"), ..) => ActorKind::Service,
        (Some("anonymous"), ..) => ActorKind::Anonymous,
        _ => return None,
    };
    details.on_behalf_of = context.and_then(|context| on_behalf_of(&details, context));
    Some(Actor {
        kind,
        details,
        application,
    })
}

/// In whose name it was done, where that is somebody else: the member whose link an app used, or whose space an administrator entered.
fn on_behalf_of(actor: &ActorDetails, context: Person) -> Option<String> {
    let is_same = context.account_id.is_some() && context.account_id == actor.id;
    context
        .email
        .or(context.account_id)
        .or(context.display_name)
        .filter(|name| !is_same && actor.email.as_ref() != Some(name))
}

fn client(origin: OriginLog) -> ClientDetails {
    let method = origin.access_method;
    ClientDetails {
        address: origin.geo_location.and_then(|place| place.ip_address),
        // `end_user` says less than which of its three kinds it was.
        method: method.and_then(|method| method.end_user.and_then(|kind| kind.tag).or(method.tag)),
        user_agent: None,
    }
}

#[cfg(test)]
mod tests;
