//! Contents: kept byte for byte, once, as far as the policy asks and the provider gives, and told where they could not be.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{collections::BTreeSet, fs, sync::Arc};

use revtrail_archive::{Archive, Fault as StoreFault, FaultyArchive, MemoryArchive};
use revtrail_e2e::{
    Bench, FOLDER, Inside, Place, assert_same, at, events_as_facts, told,
    verifiers::{Case, auditor, differs, script, script_differs},
};
use revtrail_evidence::Verdict;
use revtrail_model::sha256;
use revtrail_simulator::{Edit, Fault, FaultKind, FaultPlan, Options, Provider, WorldSource, content};
use rstest::rstest;
use serde_json::{Value, json};

/// Instructions written twice, then looked at; then changed once more, joined by a skill, and by notes that become instructions.
fn instructions() -> WorldSource {
    WorldSource::from_edits(vec![
        Edit::created(at(1), "Handbook/CLAUDE.md", 300).with_content("first"),
        Edit::modified(at(2), "Handbook/CLAUDE.md", 310).with_content("second"),
        Edit::created(at(3), "Handbook/notes.md", 200).with_content("notes"),
        Edit::folder_created(at(4), "Handbook/.claude"),
        Edit::modified(at(1001), "Handbook/CLAUDE.md", 320).with_content("third"),
        Edit::created(at(1002), "Handbook/.claude/skill.md", 90).with_content("skill"),
        Edit::renamed(at(1003), "Handbook/notes.md", "Handbook/agents.md"),
        Edit::created(at(1004), "Handbook/sheet.xlsx", 5000).with_content("sheet"),
    ])
}

fn bench(source: WorldSource, provider: Provider, folder: &str) -> Bench {
    let place = Place {
        name: "handbook",
        provider,
        path: FOLDER,
    };
    let bench = Bench::new(source, Options::default(), &[place]);
    // The only folder is the last table of the file.
    bench.write("revtrail.toml", &format!("{}{folder}\n", bench.config()));
    bench.init();
    bench
}

fn look(bench: &Bench, second: i64, exit: i32) -> Vec<Value> {
    bench.advance(at(second));
    let _harvested = bench.call(&["harvest"]).exits(exit);
    bench.events()
}

fn digest(key: &str, size: u64) -> Value {
    json!(sha256(&content(key, size)))
}

/// What the events say of contents: path, action, digest, reason.
fn contents_of(events: &[Value], path: &str) -> Vec<(String, Value, Value)> {
    let of_path = events.iter().filter(|event| event["path"] == path);
    let mut rows: Vec<_> = of_path
        .map(|event| {
            (
                event["action"].as_str().unwrap().to_owned(),
                event["content_sha256"].clone(),
                event["content_missing"].clone(),
            )
        })
        .collect();
    rows.sort_by_key(|(action, digest, _)| (action.clone(), digest.to_string()));
    rows
}

fn kept(action: &str, digest: &Value) -> (String, Value, Value) {
    (action.to_owned(), digest.clone(), Value::Null)
}

fn missing(action: &str, why: &str) -> (String, Value, Value) {
    (action.to_owned(), Value::Null, json!(why))
}

fn bare(action: &str) -> (String, Value, Value) {
    (action.to_owned(), Value::Null, Value::Null)
}

fn sorted(mut rows: Vec<(String, Value, Value)>) -> Vec<(String, Value, Value)> {
    rows.sort_by_key(|(action, digest, _)| (action.clone(), digest.to_string()));
    rows
}

/// Names and bytes of the objects below `contents/`.
fn stored(bench: &Bench) -> Vec<(String, Vec<u8>)> {
    let ledger = bench.dir().join("archive/main");
    let mut found = Vec::new();
    for year in fs::read_dir(ledger).unwrap() {
        let Ok(files) = fs::read_dir(year.unwrap().path().join("contents")) else {
            continue;
        };
        for file in files.map(Result::unwrap) {
            let name = file.file_name().into_string().unwrap();
            found.push((name, fs::read(file.path()).unwrap()));
        }
    }
    found.sort();
    found
}

/// Sound, for all verifiers, and complete: every object is named by an event and holds what its name says.
fn assert_stored(bench: &Bench, events: &[Value]) {
    bench.verify();
    let named: BTreeSet<&str> = events
        .iter()
        .filter_map(|event| event["content_sha256"].as_str())
        .collect();
    let objects = stored(bench);
    let stored: BTreeSet<&str> = objects.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(stored, named);
    for (name, bytes) in &objects {
        assert_eq!(*name, sha256(bytes).to_string());
    }
    let case = Case {
        copy: &bench.dir().join("archive/main"),
        key: &bench.dir().join("key.pub.pem"),
        origin: "evidence.example/main",
        as_of: "2026-01-01T00:00:00Z",
    };
    let main = bench.call(&["verify", "--as-of", case.as_of, "--output", "json"]);
    assert_eq!(differs(&main, &auditor(case)), None);
    if let Some(script) = script(case) {
        assert_eq!(script_differs(&main, &script), None);
    }
}

#[rstest]
fn instructions_are_kept_byte_for_byte(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let bench = bench(instructions(), provider, "");
    let _first = look(&bench, 500, 0);
    let events = look(&bench, 1500, 0);
    let facts = told(provider, bench.sim().source(), FOLDER, &[at(500), at(1500)]);
    assert_same(&events_as_facts(&events), &facts);
    let (second, third) = (digest("second", 310), digest("third", 320));
    // The first look keeps the newest, though it tells of both.
    let expected = sorted(vec![
        bare("created"),
        bare("instructions_changed"),
        kept("modified", &second),
        kept("instructions_changed", &second),
        kept("modified", &third),
        kept("instructions_changed", &third),
    ]);
    assert_eq!(contents_of(&events, "CLAUDE.md"), expected);
    let skill = digest("skill", 90);
    let expected = [kept("created", &skill), kept("instructions_changed", &skill)];
    assert_eq!(contents_of(&events, ".claude/skill.md"), expected);
    // A new name is no revision, but at Dropbox.
    let notes = digest("notes", 200);
    let renamed = match provider {
        Provider::Dropbox => kept("renamed", &notes),
        Provider::OneDrive | Provider::GoogleDrive => bare("renamed"),
    };
    assert_eq!(
        contents_of(&events, "agents.md"),
        [kept("instructions_changed", &notes), renamed]
    );
    assert_eq!(contents_of(&events, "sheet.xlsx"), [bare("created")]);
    assert_eq!(stored(&bench).len(), 4);
    assert_stored(&bench, &events);
    // Another run finds nothing to do.
    let again = look(&bench, 1500, 0);
    assert_eq!(again.len(), events.len());
}

#[rstest]
fn metadata_keeps_nothing_and_asks_for_nothing(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let bench = bench(instructions(), provider, "capture = \"metadata\"");
    let _first = look(&bench, 500, 0);
    let events = look(&bench, 1500, 0);
    let changes = events
        .iter()
        .filter(|event| event["action"] == "instructions_changed");
    assert_eq!(changes.count(), 5);
    assert!(
        events
            .iter()
            .all(|event| event["content_sha256"].is_null() && event["content_missing"].is_null())
    );
    assert_eq!(stored(&bench), []);
    bench.verify();
}

#[rstest]
fn everything_is_kept_once_up_to_a_size(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
) {
    let source = WorldSource::from_edits(vec![
        Edit::created(at(1), "Handbook/a.txt", 100).with_content("old"),
        Edit::modified(at(2), "Handbook/a.txt", 120).with_content("same"),
        Edit::created(at(3), "Handbook/b.txt", 120).with_content("same"),
        Edit::created(at(4), "Handbook/empty.txt", 0).with_content("empty"),
        Edit::created(at(5), "Handbook/large.bin", 1001).with_content("large"),
        Edit::created(at(6), "Handbook/fits.bin", 1000).with_content("fits"),
    ]);
    let bench = bench(source, provider, "capture = \"all\"\ncapture_max_bytes = 1000");
    let events = look(&bench, 500, 0);
    let same = digest("same", 120);
    // Google gives out only what is newest.
    let old = match provider {
        Provider::GoogleDrive => missing("created", "not_kept"),
        Provider::OneDrive | Provider::Dropbox => kept("created", &digest("old", 100)),
    };
    assert_eq!(contents_of(&events, "a.txt"), [old, kept("modified", &same)]);
    assert_eq!(contents_of(&events, "b.txt"), [kept("created", &same)]);
    assert_eq!(
        contents_of(&events, "empty.txt"),
        [kept("created", &json!(sha256(b"")))]
    );
    assert_eq!(
        contents_of(&events, "large.bin"),
        [missing("created", "too_large")]
    );
    assert_eq!(
        contents_of(&events, "fits.bin"),
        [kept("created", &digest("fits", 1000))]
    );
    let objects = if provider == Provider::GoogleDrive { 3 } else { 4 };
    assert_eq!(stored(&bench).len(), objects);
    assert_stored(&bench, &events);
}

/// Once is made good by asking again; always is told, and leaves nothing behind.
#[rstest]
fn bytes_that_are_not_what_was_told_are_not_kept(
    #[values(Provider::OneDrive, Provider::GoogleDrive, Provider::Dropbox)] provider: Provider,
    #[values(1, 2)] times: u64,
) {
    let source = WorldSource::from_edits(vec![
        Edit::created(at(1), "Handbook/CLAUDE.md", 300).with_content("first"),
    ]);
    let bench = bench(source, provider, "");
    let plan = FaultPlan {
        times,
        ..FaultPlan::once(Fault::WrongBytes).on("content")
    };
    bench.sim().plan_faults(vec![plan]);
    let events = look(&bench, 500, if times == 1 { 0 } else { 4 });
    assert_eq!(
        bench.sim().faults_fired().get(&FaultKind::WrongBytes),
        Some(&times)
    );
    if times == 1 {
        let first = digest("first", 300);
        let expected = [kept("created", &first), kept("instructions_changed", &first)];
        assert_eq!(contents_of(&events, "CLAUDE.md"), expected);
        return assert_stored(&bench, &events);
    }
    let expected = [
        missing("created", "differs"),
        missing("instructions_changed", "differs"),
    ];
    assert_eq!(contents_of(&events, "CLAUDE.md"), expected);
    assert_eq!(stored(&bench), []);
    let about = bench.call(&["log", "--output", "json"]).json();
    let gap = about["gaps"][0].as_str().unwrap();
    assert!(
        gap.contains("contents_unavailable") && gap.ends_with("1 item(s)"),
        "{gap}"
    );
    bench.verify();
}

/// Whatever write fails between the contents and the commit, the run after it leaves a sound record with the same contents.
#[rstest]
fn a_crash_between_contents_and_commit_leaves_nothing_wrong(
    #[values("contents/", "segments/", "checkpoints/")] directory: &str,
    #[values("refused", "lost", "answer lost")] how: &str,
) {
    let bench = bench(instructions(), Provider::Dropbox, "");
    let inside = Inside::new(&bench);
    let (made, now) = ("2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z");
    let (made, now) = (made.parse().unwrap(), now.parse().unwrap());
    let faulty = Arc::new(FaultyArchive::new(MemoryArchive::new()));
    let store: Arc<dyn Archive> = faulty.clone();
    inside.init(Arc::clone(&store), made).unwrap();
    bench.advance(at(1500));
    let (prefix, nth) = (format!("main/2026/{directory}"), 1);
    let fault = match how {
        "refused" => StoreFault::Refuse { prefix, nth },
        "lost" => StoreFault::RequestLost { prefix, nth },
        _ => StoreFault::AckLost { prefix, nth },
    };
    faulty.faults().arm(fault);
    let _failed_or_not = inside.harvest(Arc::clone(&store), now);
    let _again = inside.harvest(Arc::clone(&store), now).unwrap();
    let report = inside.verify(Arc::clone(&store), now);
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.findings);
    let events = inside.events(Arc::clone(&store));
    let named: BTreeSet<String> = events
        .iter()
        .filter_map(|event| {
            Some(format!(
                "main/2026/contents/{}",
                event["content_sha256"].as_str()?
            ))
        })
        .collect();
    let objects: BTreeSet<String> = faulty
        .inner()
        .keys()
        .iter()
        .map(ToString::to_string)
        .filter(|key| key.contains("/contents/"))
        .collect();
    assert_eq!(objects, named);
    assert_eq!(named.len(), 3);
}
