//! Providers that prune and thin their revisions, over eight years of real edits, and misbehave besides: everything they could tell is
//! recorded, nothing else is, and what they could not tell lies in a gap or within bounds that the record tells.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use revtrail_e2e::{
    Bench, FOLDER, Place, assert_same, events_as_facts, harmless, part, round_end, rounds, spread_for_long,
    time, told_when,
};
use revtrail_simulator::{Edit, Keep, Options, Provider, Timestamp, WorldSource};
use rstest::rstest;
use serde_json::Value;

fn keep(provider: Provider) -> Keep {
    match provider {
        Provider::OneDrive => Keep::ONEDRIVE,
        Provider::GoogleDrive => Keep::GOOGLE_DRIVE,
        Provider::Dropbox => Keep::DROPBOX,
    }
}

/// The real history, if there is one here.
fn handbook() -> Option<WorldSource> {
    let data = std::env::var_os("REVTRAIL_TEST_DATA")?;
    let path = PathBuf::from(data).join("histories/handbook.jsonl.zst");
    Some(WorldSource::from_journal(&path, "Handbook").unwrap())
}

fn is_save(row: &Value) -> bool {
    row["revision_id"].is_string() && row["action"] != "revision_vanished"
}

/// A revision as any list tells it: what depends on which others were listed is left out.
fn plain(rows: impl Iterator<Item = Value>) -> Vec<Value> {
    let strip = |mut row: Value| {
        let members = row.as_object_mut().unwrap();
        if members.contains_key("revision_id") {
            for member in [
                "action",
                "basis",
                "derived_from",
                "previous_revision_id",
                "previous_path",
            ] {
                members.remove(member);
            }
        }
        row
    };
    rows.map(strip).collect()
}

/// A creation told by the item, whose revision is gone.
fn is_bare_creation(row: &Value) -> bool {
    row["action"] == "created" && row["item_kind"] == "file" && row["revision_id"].is_null()
}

/// What the record says of one item.
#[derive(Default)]
struct Told {
    saves: BTreeMap<String, Timestamp>,
    /// The creation, where its revision is gone.
    created: Option<Timestamp>,
    /// Bounds of revisions that vanished.
    vanished: Vec<(Timestamp, Timestamp)>,
    /// True when the oldest revision only stands for the creation.
    is_oldest_derived: bool,
}

fn by_item(rows: &[Value]) -> BTreeMap<String, Told> {
    let mut items: BTreeMap<String, Told> = BTreeMap::new();
    for row in rows {
        let told = items
            .entry(row["item_id"].as_str().unwrap().to_owned())
            .or_default();
        let bound = |name: &str| -> Timestamp { row[name].as_str().unwrap().parse().unwrap() };
        if row["action"] == "revision_vanished" {
            told.vanished.push((bound("not_before"), bound("not_after")));
        } else if is_bare_creation(row) {
            told.created = Some(time(row));
        } else if is_save(row) {
            told.is_oldest_derived |= row["derived_from"] == "oldest_listed_revision";
            told.saves
                .insert(row["revision_id"].as_str().unwrap().to_owned(), time(row));
        }
    }
    items
}

/// Gaps of the record: from when to when.
fn gaps(bench: &Bench) -> Vec<(Timestamp, Timestamp)> {
    let about = bench.call(&["log", "--output", "json"]).json();
    let lines = about["gaps"].as_array().unwrap().iter().filter_map(Value::as_str);
    let parse = |line: &str| {
        let (_, rest) = line.split_once("revisions_truncated from ")?;
        let (from, rest) = rest.split_once(" to ")?;
        Some((from.parse().ok()?, rest.split(',').next()?.parse().ok()?))
    };
    lines.filter_map(parse).collect()
}

/// A removed revision is accounted for: before the oldest listed one of its item, next to one that vanished, or in a gap.
fn is_accounted_for(fact: &Value, told: &Told, gaps: &[(Timestamp, Timestamp)]) -> bool {
    let at = time(fact);
    let before_the_oldest = told.saves.values().min().is_some_and(|oldest| {
        at <= *oldest && (told.is_oldest_derived || told.created.is_some_and(|created| created <= at))
    });
    let within = |bounds: &(Timestamp, Timestamp)| bounds.0 <= at && at <= bounds.1;
    before_the_oldest || told.vanished.iter().any(within) || gaps.iter().any(within)
}

fn bench(source: WorldSource, provider: Provider) -> Bench {
    let place = Place {
        name: "handbook",
        provider,
        path: FOLDER,
    };
    let options = Options {
        keep: keep(provider),
        page_size: Some(20),
        ..Options::default()
    };
    let bench = Bench::new(source, options, &[place]);
    bench.init();
    bench
}

/// Looks at each moment; a hole in a list of versions makes a look partial, nothing else does.
fn replay(bench: &Bench, polls: &[Timestamp]) {
    for poll in polls {
        bench.advance(*poll);
        let run = bench.call(&["harvest", "--output", "json"]);
        let row = run.json()["folders"][0].clone();
        let holes = row["gaps"].as_array().unwrap();
        assert!(holes.iter().all(|gap| gap == "revisions_truncated"), "{row}");
        assert_eq!(run.code, Some(if holes.is_empty() { 0 } else { 4 }), "{row}");
    }
}

/// Recall, precision, and an account of the rest; gives how many revisions were told, removed unseen, and vanished after.
fn judge(bench: &Bench, provider: Provider, polls: &[Timestamp]) -> (usize, usize, usize) {
    let facts = told_when(provider, bench.sim().source(), FOLDER, polls);
    let parted = part(facts, keep(provider));
    let events = events_as_facts(&bench.events());
    let (extra, rest): (Vec<Value>, Vec<Value>) = events
        .iter()
        .cloned()
        .partition(|row| row["action"] == "revision_vanished" || is_bare_creation(row));
    assert_same(&plain(rest.into_iter()), &plain(parted.told.iter().cloned()));
    let items = by_item(&events);
    // What was added is true: only what was recorded can vanish, and a bare creation is that of a removed first revision.
    let creations: BTreeSet<(String, Timestamp)> = parted
        .removed
        .iter()
        .map(|fact| (fact["item_id"].as_str().unwrap().to_owned(), time(fact)))
        .collect();
    for row in &extra {
        let item = row["item_id"].as_str().unwrap();
        if is_bare_creation(row) {
            assert!(creations.contains(&(item.to_owned(), time(row))), "{row}");
        } else {
            assert!(
                items[item]
                    .saves
                    .contains_key(row["revision_id"].as_str().unwrap()),
                "{row}"
            );
        }
    }
    let gaps = gaps(bench);
    let nothing = Told::default();
    let lost: Vec<&Value> = parted
        .removed
        .iter()
        .filter(|fact| {
            let told = items.get(fact["item_id"].as_str().unwrap()).unwrap_or(&nothing);
            !is_accounted_for(fact, told, &gaps)
        })
        .collect();
    assert!(
        lost.is_empty(),
        "{} of {}: {:?}",
        lost.len(),
        parted.removed.len(),
        lost.first()
    );
    bench.verify();
    let vanished = extra
        .iter()
        .filter(|row| row["action"] == "revision_vanished")
        .count();
    (
        parted.told.iter().filter(|row| is_save(row)).count(),
        parted.removed.len(),
        vanished,
    )
}

#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn eight_years_of_a_provider_that_forgets_and_misbehaves(#[case] provider: Provider) {
    let Some(source) = handbook() else {
        println!("skipped: REVTRAIL_TEST_DATA is not set");
        return;
    };
    let edits = source.edits();
    let third = edits.len() / 3;
    let polls: Vec<Timestamp> = (0..=20)
        .map(|step| edits[third + (edits.len() - 1 - third) * step / 20].at)
        .collect();
    let bench = bench(source, provider);
    bench
        .sim()
        .plan_faults(spread_for_long(harmless(provider), provider));
    replay(&bench, &polls);
    let (told, removed, vanished) = judge(&bench, provider, &polls);
    println!("{provider:?}: {told} revisions told, {removed} removed unseen, {vanished} vanished");
    assert!(removed > 100 && vanished > 100, "{removed} {vanished}");
}

/// The same on a history that every machine has.
#[rstest]
#[case::onedrive(Provider::OneDrive)]
#[case::google_drive(Provider::GoogleDrive)]
#[case::dropbox(Provider::Dropbox)]
fn a_provider_that_forgets(#[case] provider: Provider) {
    // One file that is saved every hour for ten days, then left alone, then saved again.
    let day =
        |day: i64, hour: i64| Timestamp::from_second(1_767_600_000 + day * 86_400 + hour * 3600).unwrap();
    let mut edits: Vec<Edit> = rounds("Handbook", 1, 3).edits().to_vec();
    edits.push(Edit::created(day(1, 0), "Handbook/busy.txt", 1));
    let hours =
        (1..240).map(|hour| Edit::modified(day(1, hour), "Handbook/busy.txt", 1 + hour.unsigned_abs()));
    edits.extend(hours);
    edits.push(Edit::modified(day(80, 0), "Handbook/busy.txt", 900));
    edits.push(Edit::modified(day(150, 0), "Handbook/busy.txt", 901));
    let bench = bench(WorldSource::from_edits(edits), provider);
    let polls = [round_end(0), day(4, 0), day(100, 0), day(160, 0)];
    replay(&bench, &polls);
    let (told, removed, vanished) = judge(&bench, provider, &polls);
    assert!(
        told > 70 && removed > 50 && vanished > 50,
        "{told} {removed} {vanished}"
    );
}
