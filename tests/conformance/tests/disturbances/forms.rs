//! Good answers in odd forms: documented or reported, and misread by others.

use revtrail_simulator::{Oddity, OneDriveAccount};

use super::*;

/// The form changes, and nothing that is recorded does.
#[rstest]
#[case::year_one(Provider::OneDrive, Oddity::YearOneTimes)]
#[case::no_facet(Provider::OneDrive, Oddity::TombstoneWithoutFacet)]
#[case::unchanged(Provider::OneDrive, Oddity::UnchangedEntries)]
#[case::orphans(Provider::OneDrive, Oddity::Orphans)]
#[case::noise(Provider::GoogleDrive, Oddity::UnchangedEntries)]
#[case::lower_case_tombstones(Provider::Dropbox, Oddity::LowerCaseTombstones)]
fn odd_forms_change_nothing(#[case] provider: Provider, #[case] which: Oddity) {
    let stage = Stage::new(provider);
    stage.plan(FaultPlan::always(which));
    for poll in polls() {
        stage.look_well(poll);
    }
    assert!(stage.bench.sim().faults_fired()[&FaultKind::Oddity(which)] >= 1);
    stage.assert_told(&polls());
}

/// An entry that is no removal and shows no file cannot be told: the look fails and the next one reads it again.
#[test]
fn an_entry_without_its_file_is_not_passed_over() {
    let stage = Stage::new(Provider::GoogleDrive);
    stage.look_well(polls()[0]);
    stage.plan(FaultPlan::always(Oddity::FileAbsent));
    stage.bench.advance(polls()[1]);
    let run = stage.bench.call(&["harvest", "--output", "json"]);
    assert_ne!(run.code, Some(0));
    let row = run.json()["folders"][0].clone();
    assert_ne!(row["state"], "complete", "{row}");
    assert_ne!(row["gaps"], json!([]), "{row}");
    stage.bench.sim().clear_faults();
    stage.look_well(polls()[2]);
    stage.assert_told(&[polls()[0], polls()[2]]);
}

/// Without ids and people, which a personal drive names otherwise.
fn nameless(rows: Vec<Value>) -> Vec<String> {
    let mut texts: Vec<String> = rows
        .into_iter()
        .map(|mut row| {
            let members = row.as_object_mut().unwrap();
            members.retain(|name, _| name != "item_id" && !name.starts_with("actor_"));
            if let Some(from) = members.get_mut("derived_from") {
                *from = json!("an item");
            }
            row.to_string()
        })
        .collect();
    texts.sort();
    texts
}

/// On a person's drive ids come in several spellings; each item stays one item.
#[test]
fn ids_in_two_spellings_are_one_item() {
    let options = Options {
        onedrive_account: OneDriveAccount::Personal,
        page_size: Some(3),
        ..Options::default()
    };
    let stage = Stage::of(Provider::OneDrive, world(), options);
    stage.plan(FaultPlan {
        every: 2,
        ..FaultPlan::always(Oddity::MixedCaseIds)
    });
    for poll in polls() {
        stage.look_well(poll);
    }
    assert!(stage.bench.sim().faults_fired()[&FaultKind::Oddity(Oddity::MixedCaseIds)] >= 3);
    assert_eq!(nameless(stage.facts()), nameless(stage.truth(&polls())));
    stage.bench.verify();
}

/// A deletion whose time is not told is told with the bounds of the looks.
#[test]
fn a_deletion_without_a_time_has_bounds() {
    let stage = Stage::new(Provider::Dropbox);
    stage.plan(FaultPlan::always(Oddity::NoServerDeleted));
    for poll in polls() {
        stage.look_well(poll);
    }
    let deleted = stage.actions("deleted");
    let truth = stage.truth(&polls());
    let expected = truth.iter().filter(|fact| fact["action"] == "deleted").count();
    assert_eq!((deleted.len(), expected), (2, 2));
    for (event, look) in deleted.iter().zip(polls()) {
        assert_eq!(event["occurred_source"], "inferred", "{event}");
        assert_eq!(event["occurred_not_before"], json!(look), "{event}");
    }
    stage.bench.verify();
}

/// Files without digests: no revision is lost, and no digest is made up.
#[test]
fn missing_digests_cost_no_revision() {
    let stage = Stage::new(Provider::Dropbox);
    stage.plan(FaultPlan::always(Oddity::OldMembers));
    for poll in polls() {
        stage.look_well(poll);
    }
    assert_eq!(saves(&stage.facts()), saves(&stage.truth(&polls())));
    assert!(stage.facts().iter().all(|fact| fact.get("hashes").is_none()));
    stage.bench.verify();
}

/// Revisions of one second are told apart, in their order.
#[rstest]
fn saves_of_one_second_are_all_told(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let mut edits = vec![Edit::created(at(1, 1), "Handbook/a.txt", 1).by("ada@acme.example")];
    edits.extend((2..6).map(|size| Edit::modified(at(3, 1), "Handbook/a.txt", size).by("bo@acme.example")));
    let stage = Stage::of(provider, edits, Options::default());
    for poll in polls() {
        stage.look_well(poll);
    }
    stage.assert_told(&polls());
    assert_eq!(stage.actions("modified").len(), 4);
}
