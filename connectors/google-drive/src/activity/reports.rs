//! Records of the audit log onto the shared types. Pure.

use revtrail_connector::{Activity, ActivityId, Extent, FolderRoot, Target, change::Raw, time::Timestamp};
use revtrail_model::event::{Action, Actor, ActorDetails, ActorKind, Application, ClientDetails};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{error::operation, map::SERVICE_ACCOUNT_DOMAIN};

/// The account that stands for people the customer does not know.
const STRANGER: &str = "105250506097979753968";

/// `Activity`. Nearly everything may be missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    id: Key,
    actor: Option<Who>,
    ip_address: Option<String>,
    #[serde(default)]
    events: Vec<Event>,
}

/// `Activity.id`; the guide spells the qualifier otherwise.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    time: Timestamp,
    #[serde(rename = "uniqueQualifier", alias = "uniqQualifier")]
    qualifier: Option<String>,
    application_name: Option<String>,
    customer_id: Option<String>,
}

/// `Activity.actor`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Who {
    caller_type: Option<String>,
    email: Option<String>,
    profile_id: Option<String>,
    key: Option<String>,
    application_info: Option<Program>,
    agent_attribution_info: Option<Agent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Program {
    application_name: Option<String>,
    oauth_client_id: Option<String>,
    impersonation: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Agent {
    agent_id: Option<String>,
    agent_name: Option<String>,
}

/// One of a record's events.
#[derive(Deserialize)]
struct Event {
    name: Option<String>,
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameter {
    name: Option<String>,
    value: Option<String>,
    bool_value: Option<bool>,
}

impl Event {
    fn text(&self, name: &str) -> Option<&str> {
        self.find(name)?
            .value
            .as_deref()
            .filter(|value| !value.is_empty())
    }

    fn find(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name.as_deref() == Some(name))
    }

    /// One act may give several events; those that only follow from another are marked.
    fn is_primary(&self) -> bool {
        self.find("primary_event")
            .and_then(|parameter| parameter.bool_value)
            != Some(false)
    }
}

/// What a record tells: an entry per primary event that explains something.
pub(super) fn activities(
    record: &RawValue,
    roots: &[FolderRoot],
) -> Result<Vec<Activity>, serde_json::Error> {
    let read: Record = serde_json::from_str(record.get())?;
    let mut found = Vec::new();
    for (place, event) in read.events.iter().enumerate() {
        let explains = explains(event.name.as_deref().unwrap_or_default());
        if explains.is_empty() || !event.is_primary() {
            continue;
        }
        let Some(target) = target(event, roots) else {
            continue;
        };
        let client = ClientDetails {
            address: told(read.ip_address.as_deref()),
            ..ClientDetails::default()
        };
        found.push(Activity {
            id: id(&read.id, place, record),
            at: read.id.time,
            explains: explains.to_vec(),
            targets: vec![target],
            actor: read.actor.as_ref().and_then(|who| actor(who, event)),
            client: (!client.is_empty()).then_some(client),
            raw: Raw {
                body: record.get().to_owned(),
                operation: operation::REPORTS,
                request_id: None,
                unknown: 0,
            },
        });
    }
    Ok(found)
}

/// The four parts together are documented to tell records apart.
fn id(id: &Key, place: usize, record: &RawValue) -> ActivityId {
    let Some(qualifier) = &id.qualifier else {
        return ActivityId::of_bytes(format!("{place} {}", record.get()).as_bytes());
    };
    let application = id.application_name.as_deref().unwrap_or_default();
    let customer = id.customer_id.as_deref().unwrap_or_default();
    let at = id.time;
    ActivityId::of_id(&format!("{customer}/{application}/{at}/{qualifier}/{place}"))
}

/// What an event may look like from the folder.
fn explains(name: &str) -> &'static [Action] {
    match name {
        "create" => &[Action::Created],
        // Another revision of a file may be uploaded, too.
        "upload" => &[Action::Created, Action::Modified],
        "edit" => &[Action::Modified],
        "rename" => &[Action::Renamed, Action::Moved],
        // A move can also take an item out of sight.
        "move" | "add_to_folder" | "remove_from_folder" => &[
            Action::Moved,
            Action::Renamed,
            Action::MovedIn,
            Action::MovedOut,
            Action::AccessLost,
        ],
        "trash" => &[Action::Trashed, Action::Deleted, Action::AccessLost],
        "untrash" => &[Action::Restored],
        "delete" => &[Action::Deleted, Action::AccessLost],
        _ => &[],
    }
}

fn target(event: &Event, roots: &[FolderRoot]) -> Option<Target> {
    let shared = event.text("shared_drive_id");
    let drive = roots
        .iter()
        .map(|root| &root.drive)
        .find(|drive| Some(drive.as_str()) == shared);
    Some(Target {
        // The drive it is on now; where that is none of ours, it may have been on one of ours.
        drive: drive.cloned(),
        item: Some(event.text("doc_id")?.into()),
        place: None,
        revision: None,
        extent: match event.text("doc_type") {
            Some("folder") => Extent::WithContents,
            _ => Extent::Itself,
        },
    })
}

/// The key that Google's own acts were seen with; the reference does not name it.
const SYSTEM: &str = "SYSTEM";

/// Who did it. A program that used somebody's grant is named beside the person; one that took a person's name by delegation acted itself.
fn actor(who: &Who, event: &Event) -> Option<Actor> {
    let application = application(who, event);
    let email = told(who.email.as_deref());
    let profile = told(who.profile_id.as_deref()).filter(|id| id != STRANGER);
    let impersonates = who
        .application_info
        .as_ref()
        .is_some_and(|program| program.impersonation == Some(true));
    if impersonates {
        let details = ActorDetails {
            on_behalf_of: email.or(profile),
            ..ActorDetails::default()
        };
        return Some(Actor {
            kind: ActorKind::Application,
            details,
            application,
        });
    }
    let is_program = email
        .as_deref()
        .is_some_and(|email| email.to_ascii_lowercase().ends_with(SERVICE_ACCOUNT_DOMAIN));
    let kind = match (&email, &profile, who.caller_type.as_deref()) {
        (None, None, Some("KEY")) if who.key.as_deref() == Some(SYSTEM) => ActorKind::Service,
        (.., Some("KEY")) => ActorKind::Application,
        _ if is_program => ActorKind::Application,
        (Some(_), ..) | (None, Some(_), _) => ActorKind::User,
        // People from elsewhere whom nobody shared with by name.
        (None, None, Some("EXTERNAL_USER")) => ActorKind::Anonymous,
        (None, None, _) if who.profile_id.is_some() => ActorKind::Anonymous,
        (None, None, _) if application.is_some() => ActorKind::Unknown,
        (None, None, _) => return None,
    };
    Some(Actor {
        kind,
        details: ActorDetails {
            email,
            id: profile,
            ..ActorDetails::default()
        },
        application,
    })
}

fn application(who: &Who, event: &Event) -> Option<Application> {
    let program = who.application_info.as_ref();
    let agent = who.agent_attribution_info.as_ref();
    let application = Application {
        id: told(program.and_then(|program| program.oauth_client_id.as_deref()))
            .or_else(|| told(event.text("originating_app_id")))
            .or_else(|| told(agent.and_then(|agent| agent.agent_id.as_deref())))
            .or_else(|| told(who.key.as_deref()).filter(|key| key != SYSTEM)),
        name: told(program.and_then(|program| program.application_name.as_deref()))
            .or_else(|| told(agent.and_then(|agent| agent.agent_name.as_deref()))),
    };
    (application != Application::default()).then_some(application)
}

fn told(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn event(name: &str, primary: impl Into<Value>) -> Value {
        let primary: Value = primary.into();
        json!({ "type": "access", "name": name, "parameters": [
            { "name": "primary_event", "boolValue": primary },
            { "name": "doc_id", "value": "1Doc" }, { "name": "doc_type", "value": "document" },
            { "name": "shared_drive_id", "value": "0AShared" }, { "name": "originating_app_id", "value": "" },
        ]})
    }

    fn read(actor: &Value, events: &[Value]) -> Vec<Activity> {
        let record = json!({
            "id": { "time": "2026-11-05T17:41:00.120Z", "uniqueQualifier": "-73", "applicationName": "drive", "customerId": "C1" },
            "actor": actor, "ipAddress": "198.51.100.7", "events": events,
        });
        let raw = RawValue::from_string(record.to_string()).unwrap();
        let root = FolderRoot {
            drive: "0AShared".into(),
            item: "F".into(),
            place: None,
            name: None,
            parent: None,
            former: Vec::new(),
        };
        activities(&raw, &[root]).unwrap()
    }

    fn ana() -> Value {
        json!({ "callerType": "USER", "email": "ana@example.com", "profileId": "102938475610293847561" })
    }

    #[test]
    fn a_deletion_names_item_person_and_address() {
        let found = read(&ana(), &[event("trash", true)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].at.to_string(), "2026-11-05T17:41:00.12Z");
        assert_eq!(
            found[0].explains,
            [Action::Trashed, Action::Deleted, Action::AccessLost]
        );
        let target = Target {
            drive: Some("0AShared".into()),
            item: Some("1Doc".into()),
            place: None,
            revision: None,
            extent: Extent::Itself,
        };
        assert_eq!(found[0].targets, [target]);
        let actor = found[0].actor.clone().unwrap();
        assert_eq!((actor.kind, actor.application), (ActorKind::User, None));
        assert_eq!(
            (actor.details.email.as_deref(), actor.details.id.as_deref()),
            (Some("ana@example.com"), Some("102938475610293847561"))
        );
        assert_eq!(
            found[0].client.as_ref().unwrap().address.as_deref(),
            Some("198.51.100.7")
        );
        assert_eq!(found[0].raw.operation, "reports.activities.list");
    }

    #[test]
    fn only_primary_events_that_explain_something_count() {
        let found = read(
            &ana(),
            &[event("move", true), event("rename", false), event("view", true)],
        );
        assert_eq!(found.len(), 1);
        assert!(found[0].explains.contains(&Action::Moved));
        let two = read(&ana(), &[event("rename", true), event("move", true)]);
        assert_ne!(two[0].id, two[1].id);
        assert_eq!(
            two[0].id,
            read(&ana(), &[event("rename", true)])[0].id,
            "the same again"
        );
    }

    #[rstest]
    #[case::program(json!({ "email": "bot@p.iam.gserviceaccount.com" }), ActorKind::Application)]
    #[case::key(json!({ "callerType": "KEY", "key": "robot-17" }), ActorKind::Application)]
    #[case::google(json!({ "callerType": "KEY", "key": "SYSTEM" }), ActorKind::Service)]
    #[case::stranger(json!({ "callerType": "EXTERNAL_USER", "profileId": STRANGER }), ActorKind::Anonymous)]
    #[case::outsider(json!({ "callerType": "EXTERNAL_USER", "email": "b@elsewhere.example", "profileId": STRANGER }), ActorKind::User)]
    #[case::number_only(json!({ "profileId": "1029" }), ActorKind::User)]
    fn actors_are_told_by_account(#[case] actor: Value, #[case] expected: ActorKind) {
        let found = read(&actor, &[event("trash", true)]);
        assert_eq!(found[0].actor.as_ref().unwrap().kind, expected);
    }

    #[test]
    fn nobody_is_not_made_up() {
        assert_eq!(read(&json!({}), &[event("trash", true)])[0].actor, None);
    }

    #[test]
    fn applications_are_named_beside_the_person_and_impersonators_themselves() {
        let with = |impersonation: bool| {
            let mut actor = ana();
            actor["applicationInfo"] = json!({ "applicationName": "Sorter", "oauthClientId": "12-x", "impersonation": impersonation });
            read(&actor, &[event("trash", true)])[0].actor.clone().unwrap()
        };
        let application = Some(Application {
            id: Some("12-x".into()),
            name: Some("Sorter".into()),
        });
        let beside = with(false);
        assert_eq!(
            (beside.kind, &beside.application),
            (ActorKind::User, &application)
        );
        let alone = with(true);
        assert_eq!(
            (alone.kind, &alone.application),
            (ActorKind::Application, &application)
        );
        assert_eq!(alone.details.email, None);
        assert_eq!(alone.details.on_behalf_of.as_deref(), Some("ana@example.com"));
    }
}
