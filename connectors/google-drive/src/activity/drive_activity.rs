//! Activities of Drive Activity onto the shared types. Pure.

use revtrail_connector::{Activity, ActivityId, Extent, Target, change::Raw, time::Timestamp};
use revtrail_model::event::{Action, Actor, ActorDetails, ActorKind};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::error::operation;

/// `DriveActivity`. Its actions inherit actors and targets unless they have their own; targets of their own are added.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    primary_action_detail: Option<Detail>,
    #[serde(default)]
    actors: Vec<Who>,
    #[serde(default)]
    actions: Vec<Act>,
    #[serde(default)]
    targets: Vec<Named>,
    timestamp: Option<Timestamp>,
    time_range: Option<TimeRange>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimeRange {
    end_time: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Act {
    detail: Option<Detail>,
    target: Option<Named>,
}

/// `ActionDetail`: one of these is there; others explain nothing.
#[derive(Deserialize)]
struct Detail {
    create: Option<IgnoredAny>,
    edit: Option<IgnoredAny>,
    #[serde(rename = "move")]
    moved: Option<IgnoredAny>,
    rename: Option<IgnoredAny>,
    delete: Option<Delete>,
    restore: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Delete {
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// `Target`; others than items are left aside.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    drive_item: Option<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    name: Option<String>,
    drive_folder: Option<IgnoredAny>,
    folder: Option<IgnoredAny>,
}

/// `Actor`: one of these is there.
#[derive(Deserialize)]
struct Who {
    user: Option<User>,
    anonymous: Option<IgnoredAny>,
    impersonation: Option<Impersonation>,
    system: Option<IgnoredAny>,
    administrator: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    known_user: Option<KnownUser>,
    deleted_user: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownUser {
    person_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Impersonation {
    impersonated_user: Option<User>,
}

/// What one activity tells: nothing when it explains nothing, and of several people an entry for each, for it does not say who of them
/// did what.
pub(super) fn activities(record: &RawValue) -> Result<Vec<Activity>, serde_json::Error> {
    let read: Record = serde_json::from_str(record.get())?;
    let explains = explains(&read);
    let range = read.time_range.as_ref();
    let at = read.timestamp.or_else(|| range.and_then(|range| range.end_time));
    let own = read.actions.iter().filter_map(|act| act.target.as_ref());
    let mut targets: Vec<Target> = read.targets.iter().chain(own).filter_map(target).collect();
    targets.dedup();
    let Some(at) = at.filter(|_| !explains.is_empty() && !targets.is_empty()) else {
        return Ok(Vec::new());
    };
    // Activities have no id.
    let id = ActivityId::of_members(record)?;
    let one = Activity {
        id,
        at,
        explains,
        targets,
        actor: None,
        client: None,
        raw: Raw {
            body: record.get().to_owned(),
            operation: operation::ACTIVITY,
            request_id: None,
            unknown: 0,
        },
    };
    let people: Vec<&Who> = read.actors.iter().filter(|who| who.user.is_some()).collect();
    if people.len() < 2 {
        return Ok(vec![Activity {
            actor: actor(&read.actors),
            ..one
        }]);
    }
    let each = people.iter().enumerate().map(|(place, who)| Activity {
        id: ActivityId::of_bytes(format!("{place} {}", id.digest()).as_bytes()),
        actor: actor(std::slice::from_ref(*who)),
        ..one.clone()
    });
    Ok(each.collect())
}

/// What an activity may look like from the folder. That an item is put somewhere when it is created explains nothing of its own.
fn explains(record: &Record) -> Vec<Action> {
    let details = record.actions.iter().filter_map(|act| act.detail.as_ref());
    let details: Vec<&Detail> = record.primary_action_detail.iter().chain(details).collect();
    let is_new = details.iter().any(|detail| detail.create.is_some());
    let mut found = Vec::new();
    for detail in details.iter().filter(|detail| !is_new || detail.moved.is_none()) {
        found.extend_from_slice(of_detail(detail));
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn of_detail(detail: &Detail) -> &'static [Action] {
    if detail.create.is_some() {
        return &[Action::Created];
    }
    if detail.edit.is_some() {
        return &[Action::Modified];
    }
    if detail.moved.is_some() {
        return &[
            Action::Moved,
            Action::Renamed,
            Action::MovedIn,
            Action::MovedOut,
            Action::AccessLost,
        ];
    }
    if detail.rename.is_some() {
        return &[Action::Renamed, Action::Moved];
    }
    if detail.restore.is_some() {
        return &[Action::Restored];
    }
    match detail.delete.as_ref().map(|delete| delete.kind.as_deref()) {
        Some(Some("PERMANENT_DELETE")) => &[Action::Deleted, Action::AccessLost],
        Some(_) => &[Action::Trashed, Action::Deleted, Action::AccessLost],
        None => &[],
    }
}

fn target(named: &Named) -> Option<Target> {
    let item = named.drive_item.as_ref()?;
    let is_folder = item.drive_folder.is_some() || item.folder.is_some();
    Some(Target {
        drive: None,
        item: Some(item.name.as_deref()?.strip_prefix("items/")?.into()),
        place: None,
        revision: None,
        extent: if is_folder {
            Extent::WithContents
        } else {
            Extent::Itself
        },
    })
}

/// Who did it, where one is told.
fn actor(actors: &[Who]) -> Option<Actor> {
    // The administrator stands beside the one whose name was taken.
    let impersonated = actors.iter().find_map(|who| who.impersonation.as_ref());
    if let Some(impersonation) = impersonated {
        let user = impersonation.impersonated_user.as_ref();
        return Some(Actor {
            kind: ActorKind::Unknown,
            details: ActorDetails {
                on_behalf_of: user.and_then(number),
                ..ActorDetails::default()
            },
            application: None,
        });
    }
    let who = actors.first()?;
    let kind = if let Some(user) = &who.user {
        if user.known_user.is_some() || user.deleted_user.is_some() {
            ActorKind::User
        } else {
            ActorKind::Unknown
        }
    } else if who.anonymous.is_some() {
        ActorKind::Anonymous
    } else if who.system.is_some() {
        ActorKind::Service
    } else if who.administrator.is_some() {
        ActorKind::User
    } else {
        return None;
    };
    Some(Actor {
        kind,
        details: ActorDetails {
            id: who.user.as_ref().and_then(number),
            ..ActorDetails::default()
        },
        application: None,
    })
}

/// The account's number.
fn number(user: &User) -> Option<String> {
    let name = user.known_user.as_ref()?.person_name.as_deref()?;
    Some(name.strip_prefix("people/").unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn all(text: &str) -> Vec<Activity> {
        activities(&RawValue::from_string(text.to_owned()).unwrap()).unwrap()
    }

    fn read(record: &Value) -> Option<Activity> {
        let mut found = all(&record.to_string());
        assert!(found.len() < 2, "{found:?}");
        found.pop()
    }

    fn record(detail: &Value, actors: &Value) -> Value {
        json!({
            "primaryActionDetail": detail, "actors": actors, "actions": [{ "detail": detail }],
            "targets": [{ "driveItem": { "name": "items/1Doc", "title": "Offer", "driveFile": {}, "file": {} } }],
            "timestamp": "2026-11-05T17:41:00.120Z",
        })
    }

    fn ana() -> Value {
        json!([{ "user": { "knownUser": { "personName": "people/1029" } } }])
    }

    #[test]
    fn a_rename_names_item_and_person() {
        let rename = json!({ "rename": { "oldTitle": "Offer v3", "newTitle": "Offer" } });
        let found = read(&record(&rename, &ana())).unwrap();
        assert_eq!(found.explains, [Action::Renamed, Action::Moved]);
        assert_eq!(found.at.to_string(), "2026-11-05T17:41:00.12Z");
        assert_eq!(found.targets[0].item.as_ref().unwrap().as_str(), "1Doc");
        let actor = found.actor.unwrap();
        assert_eq!(
            (actor.kind, actor.details.id.as_deref()),
            (ActorKind::User, Some("1029"))
        );
        let text = record(&rename, &ana()).to_string();
        let spaced = text.replace("\":", "\" : ");
        assert_eq!(all(&spaced)[0].id, found.id, "the same activity");
    }

    #[test]
    fn bundled_actions_count_together_and_putting_something_new_somewhere_does_not() {
        let mut both = record(&json!({ "move": {} }), &ana());
        both["actions"] =
            json!([{ "detail": { "move": {} } }, { "detail": { "delete": { "type": "TRASH" } } }]);
        let explains = read(&both).unwrap().explains;
        assert!(explains.contains(&Action::MovedOut) && explains.contains(&Action::Trashed));
        let mut created = record(&json!({ "create": { "new": {} } }), &ana());
        created["actions"] = json!([{ "detail": { "create": { "new": {} } } }, { "detail": { "move": {} } }]);
        assert_eq!(read(&created).unwrap().explains, [Action::Created]);
        let edit = json!({ "edit": {} });
        assert_eq!(read(&record(&edit, &ana())).unwrap().explains, [Action::Modified]);
        assert_eq!(read(&record(&json!({ "comment": {} }), &ana())), None);
    }

    #[rstest]
    #[case::deleted(json!([{ "user": { "deletedUser": {} } }]), Some(ActorKind::User))]
    #[case::unknown(json!([{ "user": { "unknownUser": {} } }]), Some(ActorKind::Unknown))]
    #[case::anonymous(json!([{ "anonymous": {} }]), Some(ActorKind::Anonymous))]
    #[case::system(json!([{ "system": { "type": "TRASH_AUTO_PURGE" } }]), Some(ActorKind::Service))]
    #[case::administrator(json!([{ "administrator": {} }]), Some(ActorKind::User))]
    #[case::new_kind(json!([{ "agent": {} }]), None)]
    #[case::nobody(json!([]), None)]
    fn actors_are_told_by_kind(#[case] actors: Value, #[case] expected: Option<ActorKind>) {
        let found = read(&record(&json!({ "restore": { "type": "UNTRASH" } }), &actors)).unwrap();
        assert_eq!(found.actor.map(|actor| actor.kind), expected);
    }

    #[test]
    fn of_several_people_each_is_told_and_a_taken_name_is_told_as_such() {
        let two = json!([ana()[0], { "user": { "knownUser": { "personName": "people/2" } } }]);
        let each = all(&record(&json!({ "edit": {} }), &two).to_string());
        let ids: Vec<_> = each
            .iter()
            .map(|one| one.actor.as_ref().unwrap().details.id.as_deref())
            .collect();
        assert_eq!(ids, [Some("1029"), Some("2")]);
        assert_ne!(each[0].id, each[1].id);
        let taken = json!([
            { "impersonation": { "impersonatedUser": { "knownUser": { "personName": "people/1029" } } } },
            { "administrator": {} }
        ]);
        let actor = read(&record(&json!({ "move": {} }), &taken))
            .unwrap()
            .actor
            .unwrap();
        assert_eq!((actor.kind, actor.details.id), (ActorKind::Unknown, None));
        assert_eq!(actor.details.on_behalf_of.as_deref(), Some("1029"));
    }

    #[test]
    fn work_over_a_time_ends_when_it_ends_and_folders_hold_things() {
        let mut range = record(&json!({ "delete": { "type": "PERMANENT_DELETE" } }), &ana());
        range.as_object_mut().unwrap().remove("timestamp");
        range["timeRange"] =
            json!({ "startTime": "2026-11-05T17:41:00Z", "endTime": "2026-11-05T17:43:00Z" });
        range["targets"] =
            json!([{ "driveItem": { "name": "items/1F", "driveFolder": { "type": "STANDARD_FOLDER" } } }]);
        let found = read(&range).unwrap();
        assert_eq!(found.at.to_string(), "2026-11-05T17:43:00Z");
        assert_eq!(found.explains, [Action::Deleted, Action::AccessLost]);
        assert_eq!(found.targets[0].extent, Extent::WithContents);
    }
}
