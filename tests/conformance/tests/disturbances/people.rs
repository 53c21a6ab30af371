//! Who: not told, deleted since, or a program.

use super::*;

fn by(who: &str) -> Vec<Edit> {
    world().into_iter().map(|edit| edit.by(who)).collect()
}

/// What the provider still says of somebody whose account is gone, and of a program, is recorded, and no more.
#[rstest]
fn authors_are_named_as_far_as_the_provider_names_them(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values("gone@removed.invalid", "bot@project.iam.gserviceaccount.com")] who: &str,
) {
    let stage = Stage::of(provider, by(who), Options::default());
    for poll in polls() {
        stage.look_well(poll);
    }
    stage.assert_told(&polls());
    let is_program = who.starts_with("bot");
    let kind = match provider {
        // Dropbox does not tell programs from people, and forgets the removed.
        Provider::Dropbox if is_program => "user",
        Provider::Dropbox => "unknown",
        _ if is_program => "application",
        _ => "user",
    };
    for event in stage.actions("modified") {
        assert_eq!(event["actor_kind"], kind, "{event}");
        let source = if kind == "unknown" {
            "not_reported"
        } else {
            "revision"
        };
        assert_eq!(event["actor_source"], source, "{event}");
    }
}

/// OneDrive names more than accounts: what it says is recorded, and no more.
#[rstest]
#[case::service("x@service.invalid", "service")]
#[case::address_only("x@address-only.invalid", "user")]
#[case::site_user("x@site-user.invalid", "user")]
#[case::group("x@group.invalid", "unknown")]
#[case::device("x@device.invalid", "unknown")]
fn whoever_is_no_account_is_named_as_told(#[case] who: &str, #[case] kind: &str) {
    let stage = Stage::of(Provider::OneDrive, by(who), Options::default());
    for poll in polls() {
        stage.look_well(poll);
    }
    stage.assert_told(&polls());
    for event in stage.actions("modified") {
        assert_eq!(event["actor_kind"], kind, "{event}");
        assert_eq!(event["actor_source"], "revision", "{event}");
    }
}

/// Some revisions come without an author: they are recorded, and nobody is guessed.
#[rstest]
#[case::onedrive(Provider::OneDrive, "versions")]
#[case::google_drive(Provider::GoogleDrive, "revisions")]
#[case::dropbox(Provider::Dropbox, "list_revisions")]
fn an_author_that_is_missing_is_not_guessed(#[case] provider: Provider, #[case] operation: &str) {
    let stage = Stage::new(provider);
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::MissingActor).on(operation)
    });
    for poll in polls() {
        stage.look_well(poll);
    }
    assert_eq!(saves(&stage.facts()), saves(&stage.truth(&polls())));
    let nameless: Vec<Value> = stage
        .actions("modified")
        .into_iter()
        .filter(|event| event["actor_source"] == "not_reported")
        .collect();
    assert!(!nameless.is_empty());
    for event in nameless {
        assert_eq!(event["actor_kind"], "unknown", "{event}");
        assert_eq!(event["actor_id"].as_str().unwrap_or_default(), "", "{event}");
    }
    stage.bench.verify();
}

/// In a private Dropbox folder nobody is named at all.
#[test]
fn a_private_folder_names_nobody() {
    let options = Options {
        sharing: revtrail_simulator::Sharing::Private,
        ..Options::default()
    };
    let stage = Stage::of(Provider::Dropbox, world(), options);
    for poll in polls() {
        stage.look_well(poll);
    }
    assert_eq!(saves(&stage.facts()), saves(&stage.truth(&polls())));
    for event in stage.bench.events() {
        assert_eq!(event["actor_source"], "not_reported", "{event}");
    }
}
