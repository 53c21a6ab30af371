//! Who, from Graph's identity sets. People are never joined by display name, and nothing is guessed from an empty member.

use revtrail_model::event::{Actor, ActorDetails, ActorKind, Application};

use crate::wire::{Identity, IdentitySet};

/// Names under which the service itself writes; it then has no id.
const SERVICE_NAMES: &[&str] = &["system account", "sharepoint app"];
/// How SharePoint names somebody who came through a link without signing in.
const ANONYMOUS_MARK: &str = "urn:spo:anon";

/// The actor of an identity set; `None` when it names nobody.
///
/// A person beside an application: the application acted for the person.
pub(crate) fn actor(set: &IdentitySet) -> Option<Actor> {
    let application = set.application.as_ref().and_then(application);
    let person = named(set.user.as_ref()).or_else(|| named(set.site_user.as_ref()));
    if let Some(person) = person {
        return Some(Actor {
            kind: person_kind(person),
            details: details(person),
            application,
        });
    }
    if application.is_some() {
        return Some(Actor {
            kind: ActorKind::Application,
            details: ActorDetails::default(),
            application,
        });
    }
    let other = named(set.group.as_ref())
        .or_else(|| named(set.site_group.as_ref()))
        .or_else(|| named(set.device.as_ref()))?;
    Some(Actor {
        kind: ActorKind::Unknown,
        details: details(other),
        application: None,
    })
}

fn person_kind(person: &Identity) -> ActorKind {
    let is_anonymous =
        |text: Option<&str>| text.is_some_and(|text| text.to_ascii_lowercase().contains(ANONYMOUS_MARK));
    let is_service = |name: &str| SERVICE_NAMES.contains(&name.to_ascii_lowercase().as_str());
    if is_anonymous(person.email.as_deref()) || is_anonymous(person.login_name.as_deref()) {
        ActorKind::Anonymous
    } else if told(person.id.as_deref()).is_none()
        && told(person.email.as_deref()).is_none()
        && person.display_name.as_deref().is_some_and(is_service)
    {
        ActorKind::Service
    } else {
        ActorKind::User
    }
}

fn details(identity: &Identity) -> ActorDetails {
    ActorDetails {
        email: told(identity.email.as_deref()),
        // A site user's own id counts within one site only; its login name is the one that means somebody.
        id: told(identity.login_name.as_deref()).or_else(|| told(identity.id.as_deref())),
        name: told(identity.display_name.as_deref()),
        on_behalf_of: None,
    }
}

fn application(identity: &Identity) -> Option<Application> {
    let application = Application {
        id: told(identity.id.as_deref()),
        name: told(identity.display_name.as_deref()),
    };
    (application != Application::default()).then_some(application)
}

fn named(identity: Option<&Identity>) -> Option<&Identity> {
    identity.filter(|identity| !details(identity).is_empty())
}

fn told(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn read(json: &str) -> Option<Actor> {
        actor(&serde_json::from_str(json).unwrap())
    }

    #[rstest]
    #[case::empty("{}")]
    #[case::empty_user(r#"{"user":{}}"#)]
    #[case::empty_name(r#"{"user":{"displayName":""}}"#)]
    #[case::null(r#"{"user":null,"application":null}"#)]
    #[case::blank_application(r#"{"application":{"displayName":" "}}"#)]
    fn nobody_is_not_told(#[case] json: &str) {
        assert_eq!(read(json), None);
    }

    #[rstest]
    #[case::person(
        r#"{"user":{"id":"u1","email":"a@example.com","displayName":"A"}}"#,
        ActorKind::User
    )]
    #[case::address_only(r#"{"user":{"email":"a@example.com"}}"#, ActorKind::User)]
    #[case::system_account(r#"{"user":{"displayName":"System Account"}}"#, ActorKind::Service)]
    #[case::sharepoint_app(r#"{"user":{"displayName":"SharePoint App","id":""}}"#, ActorKind::Service)]
    #[case::person_of_that_name(r#"{"user":{"id":"u1","displayName":"System Account"}}"#, ActorKind::User)]
    #[case::through_a_link(
        r#"{"user":{"email":"urn:spo:anon#9f3c","displayName":"Guest Contributor"}}"#,
        ActorKind::Anonymous
    )]
    #[case::application(
        r#"{"application":{"id":"app","displayName":"Mover"}}"#,
        ActorKind::Application
    )]
    #[case::empty_user_and_application(r#"{"user":{},"application":{"id":"app"}}"#, ActorKind::Application)]
    #[case::device(r#"{"device":{"id":"d"}}"#, ActorKind::Unknown)]
    #[case::group(r#"{"group":{"displayName":"Finance"}}"#, ActorKind::Unknown)]
    fn kinds(#[case] json: &str, #[case] expected: ActorKind) {
        assert_eq!(read(json).unwrap().kind, expected);
    }

    #[test]
    fn an_application_acting_for_a_person_is_named_beside_the_person() {
        let actor = read(r#"{"user":{"id":"u1"},"application":{"id":"a1","displayName":"Word"}}"#).unwrap();
        assert_eq!(
            actor,
            Actor {
                kind: ActorKind::User,
                details: ActorDetails {
                    id: Some("u1".into()),
                    ..ActorDetails::default()
                },
                application: Some(Application {
                    id: Some("a1".into()),
                    name: Some("Word".into()),
                }),
            }
        );
    }

    #[test]
    fn a_site_user_counts_when_there_is_no_user() {
        let json = r#"{"siteUser":{"id":"12","displayName":"B","email":"b@example.com","loginName":"i:0#.f|membership|b@example.com"}}"#;
        let details = read(json).unwrap().details;
        assert_eq!(details.id.as_deref(), Some("i:0#.f|membership|b@example.com"));
        assert_eq!(details.email.as_deref(), Some("b@example.com"));
    }
}
