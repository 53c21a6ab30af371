//! Records of the audit log onto the shared types. Pure.

use revtrail_connector::{Activity, ActivityId, Extent, Target, change::Raw, time};
use revtrail_model::event::{Action, Actor, ActorDetails, ActorKind, Application, ClientDetails};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{anatomy::Drives, error::operation};

/// How SharePoint names somebody who came through a link without signing in.
const ANONYMOUS_MARK: &str = "urn:spo:anon";
/// Accounts under which the service itself acts.
const SERVICES: [&str; 2] = ["sharepoint\\system", "nt authority\\system"];
/// The account of programs with rights to the whole tenant.
const PROGRAM: &str = "app@sharepoint";

/// The part of a record that decides whether it is read at all.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Head {
    operation: Option<String>,
}

/// A record of SharePoint's file operations. Nearly everything may be missing.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    id: String,
    creation_time: String,
    item_type: Option<String>,
    list_id: Option<String>,
    list_item_unique_id: Option<String>,
    user_id: Option<String>,
    user_type: Option<i64>,
    #[serde(rename = "ClientIP")]
    client_ip: Option<String>,
    user_agent: Option<String>,
    application_id: Option<String>,
    application_display_name: Option<String>,
    app_access_context: Option<AppAccess>,
}

/// `AppAccessContext`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AppAccess {
    client_app_id: Option<String>,
    client_app_name: Option<String>,
}

/// A record that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    /// It is no object, or one of its members has another type.
    #[error("audit record has an unknown form")]
    Form(#[source] serde_json::Error),
    /// Its moment cannot be read.
    #[error("audit record {0} has no readable time")]
    NoTime(String),
}

/// One record; `None` when it explains nothing, or names nothing that could be in the folders.
pub(super) fn activity(
    record: &RawValue,
    drives: &Drives,
    request_id: Option<&str>,
) -> Result<Option<Activity>, RecordError> {
    let head: Head = serde_json::from_str(record.get()).map_err(RecordError::Form)?;
    let explains = explains(head.operation.as_deref().unwrap_or_default());
    if explains.is_empty() {
        return Ok(None);
    }
    let read: Record = serde_json::from_str(record.get()).map_err(RecordError::Form)?;
    let targets = targets(&read, drives);
    if targets.is_empty() {
        return Ok(None);
    }
    // UTC, though it does not say so.
    let zone = if read.creation_time.ends_with('Z') {
        ""
    } else {
        "Z"
    };
    let at = time::parse(&format!("{}{zone}", read.creation_time))
        .map_err(|_| RecordError::NoTime(read.id.clone()))?;
    let client = ClientDetails {
        address: told(read.client_ip.as_deref()),
        method: None,
        user_agent: told(read.user_agent.as_deref()),
    };
    Ok(Some(Activity {
        id: ActivityId::of_id(&read.id),
        at,
        explains: explains.to_vec(),
        targets,
        actor: actor(&read),
        client: (!client.is_empty()).then_some(client),
        raw: Raw {
            body: record.get().to_owned(),
            operation: operation::BLOB,
            request_id: request_id.map(str::to_owned),
            unknown: 0,
        },
    }))
}

/// What an operation may look like from the folder.
fn explains(operation: &str) -> &'static [Action] {
    let verb = operation
        .strip_prefix("File")
        .or_else(|| operation.strip_prefix("Folder"))
        .unwrap_or_default();
    match verb {
        // What was there before is replaced by an upload, too; and a new file is saved once more by the service.
        "Uploaded" | "SyncUploadedFull" | "Modified" | "ModifiedExtended" => {
            &[Action::Created, Action::Modified]
        }
        "Created" => &[Action::Created],
        // The bin's stages are told as deletions of their own; older logs call the first deletion so.
        "Recycled" | "Deleted" | "DeletedFirstStageRecycleBin" | "DeletedSecondStageRecycleBin" => {
            &[Action::Deleted, Action::AccessLost]
        }
        "Renamed" => &[Action::Renamed, Action::Moved],
        // Moved to another drive, an item is deleted here.
        "Moved" => &[
            Action::Moved,
            Action::Renamed,
            Action::MovedIn,
            Action::MovedOut,
            Action::Deleted,
        ],
        "Restored" => &[Action::Restored],
        _ => &[],
    }
}

fn targets(record: &Record, drives: &Drives) -> Vec<Target> {
    let extent = match record.item_type.as_deref() {
        Some("Folder") => Extent::WithContents,
        _ => Extent::Itself,
    };
    let item = record.list_item_unique_id.as_deref();
    item.map_or_else(Vec::new, |item| {
        drives.targets(item, record.list_id.as_deref(), extent)
    })
}

/// Who did it. A program beside a person acted with the person's rights.
fn actor(record: &Record) -> Option<Actor> {
    let application = application(record);
    let user = told(record.user_id.as_deref());
    let lower = user.as_deref().unwrap_or_default().to_lowercase();
    let kind = match record.user_type {
        Some(5 | 6) => ActorKind::Application,
        _ if lower == PROGRAM => ActorKind::Application,
        // Policies act for the service, too.
        Some(4 | 7 | 8) => ActorKind::Service,
        _ if SERVICES.contains(&lower.as_str()) => ActorKind::Service,
        _ if lower.contains(ANONYMOUS_MARK) || lower == "anonymous" => ActorKind::Anonymous,
        // People: users, administrators of several kinds, partners, guests.
        None | Some(0 | 2 | 3 | 9 | 10) if user.is_some() => ActorKind::User,
        _ if user.is_some() || application.is_some() => ActorKind::Unknown,
        _ => return None,
    };
    let is_address = lower.contains('@') && kind == ActorKind::User;
    Some(Actor {
        kind,
        details: ActorDetails {
            email: user.clone().filter(|_| is_address),
            id: user.filter(|_| !is_address),
            ..ActorDetails::default()
        },
        application,
    })
}

fn application(record: &Record) -> Option<Application> {
    let context = record.app_access_context.as_ref();
    let application = Application {
        id: told(record.application_id.as_deref())
            .or_else(|| told(context.and_then(|context| context.client_app_id.as_deref()))),
        name: told(record.application_display_name.as_deref())
            .or_else(|| told(context.and_then(|context| context.client_app_name.as_deref()))),
    };
    (application != Application::default()).then_some(application)
}

fn told(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use revtrail_connector::FolderRoot;
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn drives() -> Drives {
        Drives::of(&[FolderRoot {
            drive: "b!x".into(),
            item: "01ABCDEFF6Y2GOVW7725BZO354PWSELRRZ".into(),
            place: None,
            name: None,
            parent: None,
            former: Vec::new(),
        }])
    }

    fn record(more: &Value) -> Value {
        let mut record = json!({
            "Id": "103", "RecordType": 6, "CreationTime": "2026-03-02T10:01:02", "Operation": "FileRecycled",
            "UserId": "alex@contoso.example", "UserType": 0, "ClientIP": "203.0.113.7", "UserAgent": "Mozilla/5.0",
            "ItemType": "File", "ListItemUniqueId": "ea8cc6be-ffdb-43d7-976f-bc7da445c639",
        });
        let members = record.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        record
    }

    fn read(more: &Value) -> Option<Activity> {
        let raw = RawValue::from_string(record(more).to_string()).unwrap();
        activity(&raw, &drives(), Some("req")).unwrap()
    }

    #[test]
    fn a_deletion_names_item_person_and_client() {
        let found = read(&json!({})).unwrap();
        assert_eq!(found.id, ActivityId::of_id("103"));
        assert_eq!(found.at.to_string(), "2026-03-02T10:01:02Z");
        assert_eq!(found.explains, [Action::Deleted, Action::AccessLost]);
        let item = found.targets[0].item.as_ref().unwrap();
        assert_eq!(item.as_str(), "01ABCDEFF6Y2GOVW7725BZO354PWSELRRZ");
        let actor = found.actor.unwrap();
        assert_eq!((actor.kind, actor.application), (ActorKind::User, None));
        assert_eq!(actor.details.email.as_deref(), Some("alex@contoso.example"));
        let client = found.client.unwrap();
        assert_eq!(
            (client.address.as_deref(), client.user_agent.as_deref()),
            (Some("203.0.113.7"), Some("Mozilla/5.0"))
        );
        assert_eq!(
            (found.raw.operation, found.raw.request_id.as_deref()),
            ("audit.blob", Some("req"))
        );
    }

    #[rstest]
    #[case("FileDeleted", &[Action::Deleted, Action::AccessLost])]
    #[case("FolderRecycled", &[Action::Deleted, Action::AccessLost])]
    #[case("FileRenamed", &[Action::Renamed, Action::Moved])]
    #[case("FolderRestored", &[Action::Restored])]
    #[case("FileModified", &[Action::Created, Action::Modified])]
    #[case("FileModifiedExtended", &[Action::Created, Action::Modified])]
    #[case("FileUploaded", &[Action::Created, Action::Modified])]
    #[case("FolderCreated", &[Action::Created])]
    #[case("FileCopied", &[])]
    #[case("FileAccessedExtended", &[])]
    #[case("SiteDeleted", &[])]
    fn operations_explain_what_they_can_look_like(#[case] operation: &str, #[case] expected: &[Action]) {
        let found = read(&json!({ "Operation": operation })).map(|found| found.explains);
        assert_eq!(found.unwrap_or_default(), expected);
    }

    #[rstest]
    #[case::guest(json!({ "UserType": 10, "UserId": "a_b.c#EXT#@contoso.example" }), ActorKind::User)]
    #[case::administrator(json!({ "UserType": 2 }), ActorKind::User)]
    #[case::program(json!({ "UserType": 0, "UserId": "app@sharepoint" }), ActorKind::Application)]
    #[case::principal(json!({ "UserType": 6, "UserId": "ServicePrincipal_1" }), ActorKind::Application)]
    #[case::system(json!({ "UserId": "SHAREPOINT\\system" }), ActorKind::Service)]
    #[case::policy(json!({ "UserType": 7 }), ActorKind::Service)]
    #[case::visitor(json!({ "UserId": "urn:spo:anon#9f3c" }), ActorKind::Anonymous)]
    #[case::new_kind(json!({ "UserType": 99 }), ActorKind::Unknown)]
    fn actors_are_told_by_type_and_account(#[case] more: Value, #[case] expected: ActorKind) {
        assert_eq!(read(&more).unwrap().actor.unwrap().kind, expected);
    }

    #[test]
    fn a_program_that_acted_for_a_person_is_named_beside_the_person() {
        let context = json!({ "AppAccessContext": { "ClientAppId": "app-1", "ClientAppName": "Sorter" } });
        let actor = read(&context).unwrap().actor.unwrap();
        let application = Application {
            id: Some("app-1".into()),
            name: Some("Sorter".into()),
        };
        assert_eq!(
            (actor.kind, actor.application),
            (ActorKind::User, Some(application))
        );
    }

    #[test]
    fn what_is_not_told_is_not_made_up() {
        let nobody =
            read(&json!({ "UserId": null, "UserType": null, "ClientIP": "", "UserAgent": null })).unwrap();
        assert_eq!((nobody.actor, nobody.client), (None, None));
        assert_eq!(read(&json!({ "ListItemUniqueId": null })), None);
        let raw = RawValue::from_string(record(&json!({ "CreationTime": "soon" })).to_string()).unwrap();
        assert!(matches!(activity(&raw, &drives(), None), Err(RecordError::NoTime(id)) if id == "103"));
    }

    #[test]
    fn a_folder_stands_for_what_it_holds() {
        let folder = read(&json!({ "ItemType": "Folder", "Operation": "FolderMoved" })).unwrap();
        assert_eq!(folder.targets[0].extent, Extent::WithContents);
        assert!(folder.explains.contains(&Action::MovedOut));
    }
}
