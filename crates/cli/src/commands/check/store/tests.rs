use revtrail_archive::{Head, LegalHold, VersionId};
use revtrail_evidence::Severity;
use revtrail_model::{layout::LogName, sha256, time};

use super::*;

const END: &str = "2034-01-01T00:00:00Z";

fn lock(mode: RetentionMode, until: &str) -> Retention {
    Retention {
        mode,
        until: time::parse(until).unwrap(),
    }
}

fn version(id: &str, retention: Option<Retention>) -> Stored {
    Stored {
        id: Some(VersionId::new(id)),
        kind: VersionKind::Object,
        is_latest: false,
        stored_at: None,
        head: Some(Head {
            size_bytes: 1,
            sha256: Some(sha256(b"x")),
            retention,
            legal_hold: LegalHold::Off,
        }),
    }
}

fn marker(id: &str) -> Stored {
    Stored {
        kind: VersionKind::DeleteMarker,
        head: None,
        ..version(id, None)
    }
}

fn findings(versions: Vec<Stored>, promised: Option<&str>, asked: Option<Retention>) -> Vec<Finding> {
    let log = LogName {
        ledger: "finance".into(),
        year: 2026,
    };
    let object = RecordObject {
        key: log.checkpoint(0).parse().unwrap(),
        log,
        versions,
    };
    let promised = promised.map(|at| time::parse(at).unwrap());
    let mut found = Vec::new();
    judge_object(&object, Expected { promised, asked }, &mut found);
    found
}

fn severities(found: &[Finding]) -> Vec<Severity> {
    found.iter().map(|finding| finding.severity).collect()
}

#[test]
fn an_object_locked_as_promised_is_no_finding() {
    let lock = Some(lock(RetentionMode::Compliance, END));
    assert_eq!(
        findings(vec![version("a", lock)], Some(END), lock),
        Vec::<Finding>::new()
    );
    let longer = Some(self::lock(RetentionMode::Compliance, "2050-01-01T00:00:00Z"));
    assert_eq!(
        findings(vec![version("a", longer)], Some(END), lock),
        Vec::<Finding>::new()
    );
}

#[test]
fn a_second_version_is_a_contradiction_and_the_oldest_is_judged() {
    let held = Some(lock(RetentionMode::Compliance, END));
    let mut on_top = version("b", None);
    on_top.is_latest = true;
    let found = findings(vec![on_top, version("a", held)], Some(END), held);
    assert_eq!(severities(&found), [Severity::Contradiction]);
    let actual = found[0].actual.as_ref().unwrap();
    assert!(
        actual.starts_with("version b, shown under the key, sha256 "),
        "{actual}"
    );
    assert!(actual.contains("; version a, sha256 "), "{actual}");
}

#[test]
fn a_delete_marker_is_a_contradiction_wherever_it_stands() {
    let held = Some(lock(RetentionMode::Compliance, END));
    for versions in [
        vec![marker("m"), version("a", held)],
        vec![version("a", held), marker("m")],
    ] {
        let found = findings(versions, Some(END), held);
        assert_eq!(severities(&found), [Severity::Contradiction]);
        assert_eq!(found[0].actual.as_deref(), Some("version m"));
    }
    let gone = findings(vec![marker("m")], Some(END), held);
    assert_eq!(
        severities(&gone),
        [Severity::Contradiction, Severity::Contradiction]
    );
}

#[test]
fn a_lock_is_compared_with_the_record_first_and_with_the_configuration_then() {
    use RetentionMode::{Compliance, Governance};
    let late = "2040-01-01T00:00:00Z";
    let table = [
        (
            None,
            Some(END),
            Some(lock(Compliance, END)),
            Severity::Contradiction,
        ),
        (
            Some(lock(Compliance, "2033-12-31T23:59:59Z")),
            Some(END),
            Some(lock(Compliance, END)),
            Severity::Contradiction,
        ),
        (None, None, Some(lock(Compliance, END)), Severity::Incomplete),
        (
            Some(lock(Compliance, END)),
            Some(END),
            Some(lock(Compliance, late)),
            Severity::Incomplete,
        ),
        (
            Some(lock(Governance, END)),
            Some(END),
            Some(lock(Compliance, END)),
            Severity::Incomplete,
        ),
        (
            Some(lock(Compliance, END)),
            Some(END),
            Some(lock(Governance, END)),
            Severity::Note,
        ),
    ];
    for (stored, promised, asked, severity) in table {
        let found = findings(vec![version("a", stored)], promised, asked);
        assert_eq!(
            severities(&found),
            [severity],
            "{stored:?} {promised:?} {asked:?}"
        );
    }
    // Nothing was promised and nothing is asked for: a bucket that is used without locks.
    assert_eq!(
        findings(vec![version("a", None)], None, None),
        Vec::<Finding>::new()
    );
}

#[test]
fn a_missing_checksum_is_excused_by_parts_only() {
    let held = Some(lock(RetentionMode::Compliance, END));
    for (size, severity) in [
        (1, Severity::Incomplete),
        (PART_BYTES as u64, Severity::Incomplete),
        (PART_BYTES as u64 + 1, Severity::Note),
    ] {
        let mut stored = version("a", held);
        if let Some(head) = &mut stored.head {
            (head.sha256, head.size_bytes) = (None, size);
        }
        assert_eq!(
            severities(&findings(vec![stored], Some(END), held)),
            [severity],
            "{size}"
        );
    }
}

#[test]
fn holds_are_compared_with_the_open_cases() {
    let log = LogName {
        ledger: "finance".into(),
        year: 2026,
    };
    let held = |hold| {
        let mut stored = version("a", None);
        if let Some(head) = &mut stored.head {
            head.legal_hold = hold;
        }
        stored
    };
    let table = [
        (vec![LegalHold::On], LegalHold::On, None),
        (vec![LegalHold::Off], LegalHold::Off, None),
        (vec![LegalHold::Off], LegalHold::On, Some(Severity::Incomplete)),
        (
            vec![LegalHold::On, LegalHold::Off],
            LegalHold::On,
            Some(Severity::Incomplete),
        ),
        (vec![LegalHold::On], LegalHold::Off, Some(Severity::Note)),
    ];
    for (holds, wanted, severity) in table {
        let object = RecordObject {
            key: log.checkpoint(0).parse().unwrap(),
            log: log.clone(),
            versions: holds.iter().map(|hold| held(*hold)).collect(),
        };
        let mut found = Vec::new();
        judge_hold(&object, wanted, &mut found);
        assert_eq!(
            severities(&found),
            severity.into_iter().collect::<Vec<_>>(),
            "{holds:?}"
        );
    }
}
