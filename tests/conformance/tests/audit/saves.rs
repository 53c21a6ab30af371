//! Saves and creations whose author the provider does not name: who the log names, and that of several people none is chosen.

use std::{collections::BTreeSet, time::Duration};

use revtrail_simulator::truth::FactAction;

use super::*;

/// Saves so close together are one version at OneDrive.
const SITTING: Duration = Duration::from_mins(10);

/// On the 3rd files are made and edited, one by two people at once.
fn edits() -> Vec<Edit> {
    let mut edits = world();
    edits.retain(|edit| edit.at < at(2, 0, 0));
    edits.extend([
        Edit::modified(at(3, 8, 1), "Handbook/f5.txt", 51).by(ALICE),
        Edit::created(at(3, 9, 1), "Handbook/a/new.txt", 52).by(BOB),
        Edit::folder_created(at(3, 10, 1), "Handbook/d").by(CAROL),
        Edit::modified(at(3, 11, 1), "Handbook/f6.txt", 53).by(ALICE),
        Edit::modified(at(3, 11, 3), "Handbook/f6.txt", 54).by(BOB),
    ]);
    edits
}

/// The operation that lists revisions.
const fn listing(provider: Provider) -> &'static str {
    match provider {
        Provider::OneDrive => "versions",
        Provider::GoogleDrive => "revisions",
        Provider::Dropbox => "list_revisions",
    }
}

/// Outcome and person of each annotation of an event.
type Said = BTreeSet<(String, String)>;

fn said(all: &[(&str, &str)]) -> Said {
    all.iter()
        .map(|(outcome, who)| ((*outcome).to_owned(), (*who).to_owned()))
        .collect()
}

/// What is to be told of each event without author.
fn expected(log: Log) -> BTreeMap<(String, String), Said> {
    // Two people within one version, or within one look at times that they could have chosen: nobody can tell whose the last save is. Each
    // save is a revision with Dropbox's own time.
    let together = match log {
        Log::DropboxTeam => said(&[("attributed", BOB)]),
        _ => said(&[("ambiguous", ALICE), ("ambiguous", BOB)]),
    };
    let mut told = vec![
        ("modified", "f5.txt", said(&[("attributed", ALICE)])),
        ("created", "a/new.txt", said(&[("attributed", BOB)])),
        ("modified", "f6.txt", together),
    ];
    match log {
        // Folders have no author here.
        Log::GoogleReports | Log::DriveActivity | Log::GoogleBoth => {
            told.push(("created", "d", said(&[("attributed", CAROL)])));
        }
        // The log leaves new folders out.
        Log::DropboxTeam => told.push(("created", "d", Said::new())),
        // The folder names who created it.
        Log::Microsoft => {}
    }
    told.into_iter()
        .map(|(action, path, said)| ((action.to_owned(), path.to_owned()), said))
        .collect()
}

impl Stage {
    /// What the log told of saves and creations without author; each annotation is as the log had it.
    fn told_of_saves(&self, log: Log) -> BTreeMap<(String, String), Said> {
        let facts = told(self.0.sim(), log.provider(), FOLDER);
        let mut found = BTreeMap::new();
        let events = self
            .0
            .events()
            .into_iter()
            .filter(|event| event["baseline"] != true);
        for event in events.filter(|event| event["actor_kind"] == "unknown") {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let mut of_event = Said::new();
            for annotation in event["annotations"].as_array().into_iter().flatten() {
                let who = match annotation["actor_email"].as_str() {
                    Some(email) => email.to_owned(),
                    None => self.address_of(annotation["actor_id"].as_str().unwrap()),
                };
                let moment: Timestamp = annotation["occurred_at"].as_str().unwrap().parse().unwrap();
                let is_logged = facts.iter().any(|fact| {
                    matches!(fact.action, FactAction::Created | FactAction::Modified)
                        && fact.item_id == event["item_id"]
                        && fact.occurred_at == moment
                        && fact.actor.as_ref().and_then(|actor| actor.email.as_ref()) == Some(&who)
                });
                assert!(is_logged, "{annotation}");
                assert_eq!(annotation["basis"], "reported");
                of_event.insert((text(&annotation["outcome"]), who));
            }
            found.insert((text(&event["action"]), text(&event["path"])), of_event);
        }
        found
    }
}

fn stage(log: Log, audit: Audit) -> Stage {
    let options = Options {
        merging: Some(SITTING.try_into().unwrap()),
        ..options(audit, None)
    };
    let stage = Stage::with(log, edits(), options);
    stage.look(at(2, 8, 0));
    stage.plan(FaultPlan {
        times: u64::MAX,
        ..FaultPlan::once(Fault::MissingActor).on(listing(log.provider()))
    });
    stage
}

#[rstest]
#[case::dropbox_team(Log::DropboxTeam)]
#[case::microsoft(Log::Microsoft)]
#[case::google_reports(Log::GoogleReports)]
#[case::drive_activity(Log::DriveActivity)]
fn every_log_names_who_saved_what_names_nobody(#[case] log: Log) {
    let audit = Audit {
        lag: Lag::NONE,
        ..Audit::default()
    };
    let stage = stage(log, audit);
    stage.look(at(4, 8, 0));
    assert_eq!(stage.told_of_saves(log), expected(log));
    stage.verify();
}

/// Records that come hours after the events say the same.
#[rstest]
#[case::dropbox_team(Log::DropboxTeam)]
#[case::microsoft(Log::Microsoft)]
#[case::google_reports(Log::GoogleReports)]
#[case::drive_activity(Log::DriveActivity)]
fn a_late_log_names_the_same(#[case] log: Log) {
    let stage = stage(log, Audit::default());
    // The saves of f6.txt come in one look.
    for (day, hour) in [(3, 9), (3, 11), (3, 12), (3, 14), (3, 20), (4, 12), (4, 20)] {
        stage.look(at(day, hour, 0));
    }
    let found = stage.told_of_saves(log);
    let names = |told: &BTreeMap<(String, String), Said>| -> BTreeMap<(String, String), BTreeSet<String>> {
        let people = |said: &Said| said.iter().map(|(_, who)| who.clone()).collect();
        told.iter()
            .map(|(event, said)| (event.clone(), people(said)))
            .collect()
    };
    assert_eq!(names(&found), names(&expected(log)));
    let together = &found[&("modified".to_owned(), "f6.txt".to_owned())];
    let is_settled = log == Log::DropboxTeam;
    assert_eq!(
        together.iter().any(|(outcome, _)| outcome == "ambiguous"),
        !is_settled
    );
    stage.verify();
}
