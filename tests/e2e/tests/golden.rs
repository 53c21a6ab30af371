//! Records made by an earlier version, as they lie in `tests/fixtures/archives`: today's code must find in them what was found then. See
//! the README there before a file below it is changed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use revtrail_archive::{Archive, FsArchive, MemoryArchive};
use revtrail_e2e::{Bench, Inside, Place, round_end, rounds};
use revtrail_evidence::{Finding, Policy, RecordSource, Report, SourceError, verify};
use revtrail_harvest::log::open_log;
use revtrail_ledger::{Algorithm, Checkpoint, FileSigner, Origin, PublicKey, Signer as _, VerifierKey};
use revtrail_model::{
    id::LedgerName,
    layout::{Kind, LogName},
    time::Timestamp,
};
use revtrail_query::Reader;
use revtrail_simulator::{Options, Provider, WorldSource};
use rstest::rstest;

const ORIGIN: &str = "evidence.example/main";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/archives")
}

fn public_key() -> PublicKey {
    PublicKey::from_pem(&fs::read_to_string(fixtures().join("public-key.pem")).unwrap()).unwrap()
}

fn key_of(origin: &str) -> Option<VerifierKey> {
    let name = origin.parse::<Origin>().ok()?.key_name().ok()?;
    Some(VerifierKey::new(name, Algorithm::Ed25519, public_key()))
}

/// The moment as of which a record is judged: before the next snapshot was due, unless the damage is that it never came.
fn as_of(name: &str) -> Timestamp {
    let text = if name == "end-missing" {
        "2027-01-03T12:00:00Z"
    } else {
        "2027-01-01T02:00:00Z"
    };
    text.parse().unwrap()
}

/// Files below a directory, by their relative path.
struct Directory(PathBuf);

impl RecordSource for Directory {
    fn keys(&self, prefix: &str) -> Result<Vec<String>, SourceError> {
        let mut keys = Vec::new();
        let mut waiting = vec![self.0.clone()];
        while let Some(directory) = waiting.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    waiting.push(path);
                } else {
                    keys.push(path.strip_prefix(&self.0).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        keys.retain(|key| key.starts_with(prefix));
        keys.sort();
        Ok(keys)
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(fs::read(self.0.join(key)).ok())
    }
}

fn judge(name: &str) -> Report {
    let source = Directory(fixtures().join(name).join("record"));
    let policy = Policy {
        ledger: LedgerName::from("main"),
        origin: ORIGIN.to_owned(),
        key: &key_of,
        now: as_of(name),
    };
    verify(&source, &policy).unwrap()
}

/// A report as it is stored: the verdict, then a line for each finding.
fn text_of(report: &Report) -> String {
    let line = |finding: &Finding| {
        let values = match (&finding.expected, &finding.actual) {
            (None, None) => String::new(),
            (expected, actual) => format!("\n    expected {expected:?}\n    actual   {actual:?}"),
        };
        format!(
            "{:?} {}\n    {}{values}\n",
            finding.severity, finding.key, finding.what
        )
    };
    let counts = format!(
        "{:?}: {} logs, {} snapshots, {} leaves, {} events, {} windows\n",
        report.verdict(),
        report.logs,
        report.snapshots,
        report.leaves,
        report.events,
        report.windows
    );
    report
        .findings
        .iter()
        .map(line)
        .fold(counts, |text, line| text + &line)
}

#[rstest]
#[case::sound("sound")]
#[case::event_edited("event-edited")]
#[case::checkpoint_by_another_key("checkpoint-by-another-key")]
#[case::checkpoint_size_edited("checkpoint-size-edited")]
#[case::segment_missing("segment-missing")]
#[case::sidecar_missing("sidecar-missing")]
#[case::sidecar_disclosure_edited("sidecar-disclosure-edited")]
#[case::raw_cut_off("raw-cut-off")]
#[case::state_edited("state-edited")]
#[case::end_missing("end-missing")]
#[case::year_not_closed("year-not-closed")]
#[case::attempt_left_over("attempt-left-over")]
fn verify_finds_what_it_found_when_the_record_was_made(#[case] name: &str) {
    let expected = fs::read_to_string(fixtures().join(name).join("findings.txt")).unwrap();
    assert_eq!(text_of(&judge(name)), expected, "{name}");
}

#[test]
fn every_stored_record_is_checked() {
    let mut stored: Vec<String> = fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    stored.sort();
    let mut made: Vec<&str> = DAMAGES.iter().map(|(name, _)| *name).collect();
    made.push("sound");
    made.sort_unstable();
    assert_eq!(stored, made);
}

fn golden() -> Arc<dyn Archive> {
    Arc::new(FsArchive::open(fixtures().join("sound/record")).unwrap())
}

/// What the stored record says, one event a line.
async fn events() -> String {
    let reader = Reader {
        archive: golden(),
        ledger: LedgerName::from("main"),
        origin: ORIGIN.to_owned(),
        key: Arc::new(key_of),
    };
    let record = reader.read(&|_| true).await.unwrap();
    let line = |row: &revtrail_query::Row| {
        let flat = revtrail_export::flat(&row.year.to_string(), row.index, &row.event);
        format!("{}\n", serde_json::Value::Object(flat))
    };
    record.rows.iter().map(line).collect()
}

/// Where the next run goes on: the header of the newest state, and how many items each folder has.
async fn resume_point() -> String {
    let name = LogName {
        ledger: "main".into(),
        year: 2027,
    };
    let key = key_of(&name.origin(ORIGIN)).unwrap();
    let log = open_log(&golden(), name, &key).await.unwrap();
    let items = log.inventories.iter().map(|(folder, inventory)| {
        let gone = inventory
            .items()
            .filter(|(_, item)| item.status != revtrail_harvest::inventory::Status::Inside)
            .count();
        format!("{folder}: {} items, {gone} not inside\n", inventory.len())
    });
    let header = serde_json::to_string_pretty(&log.state).unwrap();
    items.fold(format!("{header}\n"), |text, line| text + &line)
}

#[tokio::test]
async fn the_stored_record_says_what_it_said() {
    let expected = fs::read_to_string(fixtures().join("sound/events.jsonl")).unwrap();
    assert_eq!(events().await, expected);
}

#[tokio::test]
async fn a_run_can_go_on_from_the_stored_record() {
    let expected = fs::read_to_string(fixtures().join("sound/resume-point.txt")).unwrap();
    assert_eq!(resume_point().await, expected);
}

/// Makes all of `tests/fixtures/archives` anew. Only for a new version of the format: salts and run ids are random, so that every byte
/// changes.
#[test]
#[ignore = "writes the golden files; see tests/fixtures/README.md"]
fn make_the_stored_records() {
    let signer = FileSigner::generate([7; 32]).unwrap();
    fs::write(
        fixtures().join("public-key.pem"),
        signer.public_key().to_pem().unwrap(),
    )
    .unwrap();
    let record = make_record(&signer);
    write_record("sound", &record);
    for (name, damage) in DAMAGES {
        let mut damaged = record.clone();
        damage(&mut damaged);
        assert_ne!(damaged, record, "{name}");
        write_record(name, &damaged);
    }
    write_findings();
}

/// Writes the texts beside the records anew, and leaves the records alone. For a finding that is worded otherwise, or a new column.
#[test]
#[ignore = "writes the golden files; see tests/fixtures/README.md"]
fn write_what_is_found_in_the_stored_records() {
    write_findings();
}

fn write_findings() {
    for name in DAMAGES.iter().map(|(name, _)| *name).chain(["sound"]) {
        fs::write(fixtures().join(name).join("findings.txt"), text_of(&judge(name))).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let sound = fixtures().join("sound");
    fs::write(sound.join("events.jsonl"), runtime.block_on(events())).unwrap();
    fs::write(sound.join("resume-point.txt"), runtime.block_on(resume_point())).unwrap();
}

type Record = Vec<(String, Vec<u8>)>;

fn write_record(name: &str, record: &Record) {
    let directory = fixtures().join(name);
    let _absent = fs::remove_dir_all(&directory);
    for (key, bytes) in record {
        let path = directory.join("record").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// One folder of each provider, three looks, the last of them in the next year.
fn make_record(signer: &FileSigner) -> Record {
    let source = WorldSource::merged(vec![
        rounds("Files", 3, 3),
        rounds("Contracts", 3, 2),
        rounds("Launch", 3, 4),
    ]);
    let place = |name, provider, path| Place { name, provider, path };
    let places = [
        place("files", Provider::OneDrive, "/Files"),
        place("contracts", Provider::GoogleDrive, "/Contracts"),
        place("launch", Provider::Dropbox, "/Launch"),
    ];
    let bench = Bench::new(source, Options::default(), &places);
    bench.write("key.pem", &signer.to_pkcs8_pem().unwrap());
    let inside = Inside::new(&bench);
    let archive = Arc::new(MemoryArchive::new());
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    inside.init(archive.clone(), at("2026-12-30T22:00:00Z")).unwrap();
    let looks = [
        "2026-12-30T23:00:00Z",
        "2026-12-31T23:00:00Z",
        "2027-01-01T01:00:00Z",
    ];
    for (round, now) in (0..).zip(looks) {
        bench.advance(round_end(round));
        let summary = inside.harvest(archive.clone(), at(now)).unwrap();
        assert!(!summary.is_partial(), "{summary:?}");
    }
    let object = |key: revtrail_archive::ObjectKey| {
        let bytes = bench.block_on(archive.read(&key)).unwrap();
        (key.to_string(), bytes.to_vec())
    };
    archive.keys().into_iter().map(object).collect()
}

type Damage = fn(&mut Record);

/// Each stored damage by its name.
const DAMAGES: [(&str, Damage); 11] = [
    ("event-edited", |record| {
        let object = find(record, Kind::Segment, 2);
        let text = unpack(&record[object].1);
        record[object].1 = pack(&text.replacen("\"action\":\"modified\"", "\"action\":\"created\"", 1));
    }),
    ("checkpoint-by-another-key", |record| {
        let object = find(record, Kind::Checkpoint, 1);
        let own = key_of("evidence.example/main/2026").unwrap();
        let mut checkpoint = Checkpoint::open(&record[object].1, &own).unwrap();
        checkpoint.extensions.truncate(1);
        record[object].1 = checkpoint.sign(&FileSigner::generate([8; 32]).unwrap()).unwrap();
    }),
    ("checkpoint-size-edited", |record| {
        let object = find(record, Kind::Checkpoint, 2);
        let text = String::from_utf8(record[object].1.clone()).unwrap();
        let size = text.lines().nth(1).unwrap();
        let more = (size.parse::<u64>().unwrap() + 1).to_string();
        record[object].1 = text.replacen(size, &more, 1).into_bytes();
    }),
    ("segment-missing", |record| {
        let _gone = record.remove(find(record, Kind::Segment, 1));
    }),
    ("sidecar-missing", |record| {
        let _gone = record.remove(find(record, Kind::Sidecar, 1));
    }),
    ("sidecar-disclosure-edited", |record| {
        let object = find(record, Kind::Sidecar, 1);
        let text = String::from_utf8(record[object].1.clone()).unwrap();
        record[object].1 = text
            .replacen("ada@acme.example", "eve@acme.example", 1)
            .into_bytes();
    }),
    ("raw-cut-off", |record| {
        let object = find(record, Kind::Raw, 2);
        let half = record[object].1.len() / 2;
        record[object].1.truncate(half);
    }),
    ("state-edited", |record| {
        let object = find(record, Kind::State, 2);
        let text = unpack(&record[object].1);
        record[object].1 = pack(&text.replacen("note-", "nota-", 1));
    }),
    ("end-missing", |record| {
        record.retain(|(key, _)| !(key.contains("/2027/") && key.contains(&format!("{:020}", 1))));
    }),
    ("year-not-closed", |record| {
        let close = format!("{:020}", 3);
        record.retain(|(key, _)| !(key.contains("/2026/") && key.contains(&close)));
    }),
    ("attempt-left-over", |record| {
        let object = find(record, Kind::State, 1);
        let edited = pack(&(unpack(&record[object].1) + "\n"));
        let digest = revtrail_model::sha256(&edited);
        let key = format!("main/2026/state/{:020}-{digest}.jsonl.zst", 1);
        record.push((key, edited));
    }),
];

/// The object of a snapshot of the first year.
fn find(record: &Record, kind: Kind, seq: u64) -> usize {
    let prefix = format!("main/2026/{}/{seq:020}", kind.directory());
    record
        .iter()
        .position(|(key, _)| key.starts_with(&prefix))
        .unwrap()
}

fn unpack(bytes: &[u8]) -> String {
    String::from_utf8(zstd::decode_all(bytes).unwrap()).unwrap()
}

fn pack(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 3).unwrap()
}
