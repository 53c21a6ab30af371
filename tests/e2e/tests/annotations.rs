//! Annotations that the log's own key signed, right and wrong: `revtrail verify` and the other verifiers judge them alike.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::fs;

use revtrail_e2e::{
    Outcome, revtrail,
    verifiers::{Case, auditor, differs, script, script_differs},
};
use revtrail_ledger::Signer as _;
use revtrail_logs::{Log, ORIGIN, at, event, seed, signer};
use revtrail_model::{
    Digest,
    disclosure::Disclosure,
    event::{Actor, ActorDetails, ActorKind, ActorSource, Basis},
    id::Provider,
    layout::Kind,
    leaf::{Annotation, Finding, RecordFinding, seal, seal_annotation},
    sha256,
};
use rstest::rstest;
use serde_json::Value;

const AS_OF: &str = "2026-11-21T03:00:00Z";

/// Events of the first snapshot; the second has one more and the annotation.
const EVENTS: u64 = 3;

/// Place of the annotation: after the event and its window.
const PLACE: u64 = 2;

/// What is different from a right annotation of the first event.
type Change = fn(&mut Annotation);

fn right() -> Annotation {
    let record = RecordFinding {
        contested: false,
        basis: Basis::Reported,
        occurred_at: at("2026-11-20T23:14:00Z"),
        actor: Some(Actor {
            kind: ActorKind::User,
            details: ActorDetails {
                email: Some("y@acme.example".into()),
                ..ActorDetails::default()
            },
            application: None,
        }),
        client: None,
        source_api: "audit_blob".into(),
        source_request_id: None,
        raw_sha256: None,
    };
    Annotation {
        // The first leaves are the genesis leaf and its run leaf.
        event_id: event(2).id,
        folder: "month-end-close".into(),
        ledger: "finance".into(),
        provider: Provider::OneDrive,
        source: ActorSource::AuditLog,
        observed_at: at("2026-11-21T02:00:08Z"),
        finding: Finding::Record(Box::new(record)),
    }
}

/// Where a leaf stands that should stand before the window.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Right,
    AnnotationFirst,
}

/// A ledger below a directory: genesis, events, an event with the annotation, another event.
struct Written {
    dir: tempfile::TempDir,
    log: Log,
}

impl Written {
    fn new(change: Change, order: Order, open: fn(&mut Disclosure)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::new();
        let mut keep = |key: &str, bytes: Vec<u8>| {
            let path = dir.path().join("archive").join(key);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        log.genesis(&mut keep);
        log.snapshot(EVENTS, &mut keep);
        let (at_event, at_annotation) = match order {
            Order::Right => (0, PLACE),
            Order::AnnotationFirst => (1, 0),
        };
        let (line, opens_event) = seal(event(log.leaves()), at_event, &seed()).unwrap();
        let mut annotation = right();
        change(&mut annotation);
        let (told, mut opens) = seal_annotation(annotation, at_annotation, &seed()).unwrap();
        open(&mut opens);
        let (lines, after, disclosures) = match order {
            Order::Right => (vec![line], vec![told], vec![opens_event, opens]),
            Order::AnnotationFirst => (vec![told, line], Vec::new(), vec![opens, opens_event]),
        };
        log.sealed_with((lines, after), disclosures, &mut keep);
        log.snapshot(1, &mut keep);
        log.finish(&mut keep);
        fs::write(
            dir.path().join("key.pem"),
            signer().public_key().to_pem().unwrap(),
        )
        .unwrap();
        let config = format!(
            "[archive]\nurl = \"file://{}/archive\"\n[signing]\npublic_key_file = \"key.pem\"\n\
             [ledgers.finance]\norigin = \"{ORIGIN}\"\nschedule = \"0 0 * * *\"\nretention = \"7y\"\n\
             [accounts.none]\nprovider = \"dropbox\"\nclient_id = \"none\"\nrefresh_token_file = \"none\"\n\
             [[ledgers.finance.folders]]\nname = \"none\"\naccount = \"none\"\npath = \"/\"\n",
            dir.path().display()
        );
        fs::write(dir.path().join("revtrail.toml"), config).unwrap();
        Self { dir, log }
    }

    fn path(&self, key: &str) -> std::path::PathBuf {
        self.dir.path().join("archive").join(key)
    }

    /// Key of the segment of a snapshot.
    fn segment(&self, seq: u64) -> String {
        let directory = self.log.name.directory(Kind::Segment);
        let names = fs::read_dir(self.path(&directory)).unwrap();
        let name = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .find(|name| name.starts_with(&format!("{seq:020}")));
        format!("{}/{}", directory.trim_end_matches('/'), name.unwrap())
    }

    /// What `revtrail verify` says; the others must say the same.
    fn judged(&self, code: i32) -> Value {
        let mut command = revtrail(self.dir.path());
        command.args(["verify", "--output", "json", "--as-of", AS_OF]);
        let main: Outcome = command.output().unwrap().into();
        let main = main.exits(code);
        let case = Case {
            copy: &self.path("finance"),
            key: &self.dir.path().join("key.pem"),
            origin: ORIGIN,
            as_of: AS_OF,
        };
        assert_eq!(differs(&main, &auditor(case)), None);
        match script(case) {
            Some(outcome) => assert_eq!(script_differs(&main, &outcome), None),
            None => println!("docs/verify.py: skipped (no Python with zstd)"),
        }
        main.json()
    }
}

fn leave(_: &mut Annotation) {}

fn opened(_: &mut Disclosure) {}

#[rstest]
#[case::of_an_earlier_snapshot(leave)]
#[case::of_its_own_snapshot(|annotation: &mut Annotation| annotation.event_id = event(7).id)]
fn a_right_annotation_is_sound(#[case] change: Change) {
    let report = Written::new(change, Order::Right, opened).judged(0);
    assert_eq!(report["findings"], Value::Array(Vec::new()));
    assert_eq!(report["events"], 5, "{report:#}");
}

#[rstest]
#[case::no_such_event(|annotation: &mut Annotation| annotation.event_id = sha256(b"no event"), "names an event that is recorded nowhere before it")]
#[case::of_an_id_that_only_begins_alike(|annotation: &mut Annotation| {
    let mut bytes = *event(2).id.as_bytes();
    bytes[31] ^= 1;
    annotation.event_id = Digest::from_bytes(bytes);
}, "names an event that is recorded nowhere before it")]
#[case::of_a_later_event(|annotation: &mut Annotation| annotation.event_id = event(11).id, "names an event that is recorded nowhere before it")]
#[case::of_another_folder(|annotation: &mut Annotation| annotation.folder = "payroll".into(), "names an event that is recorded nowhere before it")]
#[case::of_another_ledger(|annotation: &mut Annotation| annotation.ledger = "sales".into(), "is of another ledger")]
#[case::without_its_record(|annotation: &mut Annotation| {
    let Finding::Record(record) = &mut annotation.finding else { return };
    record.raw_sha256 = Some(sha256(b"no record"));
}, "its raw record is in no raw object up to here")]
fn a_wrong_annotation_contradicts(#[case] change: Change, #[case] what: &str) {
    let written = Written::new(change, Order::Right, opened);
    assert_blamed(&written, &format!("annotation at leaf 9: {what}"));
}

#[test]
fn what_an_annotation_commits_to_is_opened() {
    let other = |opens: &mut Disclosure| {
        let details = ActorDetails {
            email: Some("z@acme.example".into()),
            ..ActorDetails::default()
        };
        opens.actor = Some(details);
    };
    let written = Written::new(leave, Order::Right, other);
    assert_blamed(
        &written,
        "annotation at leaf 9: the sidecar does not open its commitments",
    );
}

#[test]
fn annotations_stand_at_the_end() {
    let written = Written::new(leave, Order::AnnotationFirst, opened);
    let report = written.judged(3);
    let whats: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["what"].as_str().unwrap())
        .collect();
    assert!(whats.contains(&"leaf 8 stands after an annotation"), "{whats:?}");
}

/// One finding: of the segment with the annotation.
fn assert_blamed(written: &Written, what: &str) {
    let report = written.judged(3);
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report:#}");
    assert_eq!(findings[0]["key"], Value::from(written.segment(2)));
    assert_eq!(findings[0]["what"], what);
}

/// The snapshot of the event is lost: the annotation is not blamed for what nobody can read.
#[test]
fn an_annotation_is_not_blamed_for_a_lost_event() {
    let written = Written::new(leave, Order::Right, opened);
    let lost = written.segment(1);
    fs::remove_file(written.path(&lost)).unwrap();
    let report = written.judged(3);
    let annotated = written.segment(2);
    let findings = report["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["key"] == lost.as_str()));
    assert!(
        findings
            .iter()
            .all(|finding| finding["key"] != annotated.as_str()),
        "{report:#}"
    );
}
