use proptest::prelude::*;

use super::*;
use crate::{
    Digest,
    disclosure::{Commitments, Seed},
    event::{
        Action, Actor, ActorDetails, ActorKind, ActorSource, Application, Basis, ClientDetails,
        ContentMissing, Event, EventKey, ItemKind, Occurred, PathDetails, Scope, TimeSource,
    },
    id::{ItemId, Provider},
    record::Count,
    sha256,
    time::parse,
};

fn scope() -> Scope {
    Scope {
        ledger: "finance".into(),
        folder: "month-end-close".into(),
        function: Some("finance".into()),
        provider: Provider::OneDrive,
        tenant: "contoso".into(),
        drive_id: "b!x".into(),
    }
}

fn event() -> Event {
    let scope = scope();
    let item_id = ItemId::from("01ABC");
    let id = EventKey {
        scope: &scope,
        item_id: &item_id,
        marker: "3.0",
        action: Action::Modified,
    }
    .id();
    Event {
        id,
        scope,
        item_id,
        item_kind: ItemKind::File,
        action: Action::Modified,
        revision_id: Some("3.0".into()),
        previous_revision_id: Some("2.0".into()),
        path: PathDetails {
            name: Some("X.xlsx".into()),
            path: Some("Q3/X.xlsx".into()),
            previous_path: None,
        },
        mime_type: None,
        size_bytes: Some(48_213),
        hashes: [("quickxor".to_owned(), "abc=".to_owned())].into(),
        content_missing: None,
        content_sha256: None,
        occurred: Occurred::At {
            at: parse("2026-11-20T23:14:05Z").unwrap(),
            source: TimeSource::Server,
        },
        claimed_at: None,
        observed_at: parse("2026-11-21T02:00:07.12Z").unwrap(),
        actor: Some(Actor {
            kind: ActorKind::User,
            details: ActorDetails {
                email: Some("y@acme.example".into()),
                name: Some("Y".into()),
                ..ActorDetails::default()
            },
            application: Some(Application {
                id: Some("app-1".into()),
                name: None,
            }),
        }),
        actor_source: ActorSource::Revision,
        basis: Basis::Reported,
        derived_from: None,
        baseline: false,
        reconciled: false,
        source_api: "onedrive.versions".into(),
        source_request_id: Some("6f2c".into()),
        raw_sha256: Some(sha256(b"raw")),
    }
}

#[test]
fn an_event_leaf_has_exactly_this_form() {
    let (bytes, disclosure) = seal(event(), 17, &Seed::from_bytes([1; 32])).unwrap();
    let c = disclosure.commitments(&Seed::from_bytes([1; 32])).unwrap();
    let expected = format!(
        concat!(
            r#"{{"action":"modified","actor_kind":"user","actor_source":"revision","basis":"reported","#,
            r#""c":{{"actor":"{}","application":"{}","path":"{}"}},"drive_id":"b!x","folder":"month-end-close","function":"finance","#,
            r#""hashes":{{"quickxor":"abc="}},"id":"{}","item_id":"01ABC","item_kind":"file","ledger":"finance","#,
            r#""observed_at":"2026-11-21T02:00:07.12Z","occurred_at":"2026-11-20T23:14:05Z","occurred_source":"server","#,
            r#""previous_revision_id":"2.0","provider":"onedrive","raw_sha256":"{}","revision_id":"3.0","size_bytes":"48213","#,
            r#""source_api":"onedrive.versions","source_request_id":"6f2c","tenant":"contoso","type":"event","v":1}}"#
        ),
        c.actor.unwrap(),
        c.application.unwrap(),
        c.path.unwrap(),
        event().id,
        sha256(b"raw"),
    );
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn no_personal_value_is_in_the_leaf() {
    let (bytes, _) = seal(event(), 0, &Seed::from_bytes([1; 32])).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for personal in ["acme.example", "X.xlsx", "Q3", "\"Y\"", "app-1"] {
        assert!(!text.contains(personal), "{personal} stands in {text}");
    }
}

#[test]
fn a_sealed_event_opens_to_the_same_event() {
    let (bytes, disclosure) = seal(event(), 17, &Seed::from_bytes([1; 32])).unwrap();
    let Leaf::Event(leaf) = Leaf::parse(&bytes).unwrap() else {
        panic!("not an event")
    };
    assert_eq!(leaf.open(disclosure), event());
}

#[test]
fn an_actor_who_was_not_told_stays_not_told() {
    let unknown = Event {
        actor: None,
        actor_source: ActorSource::NotReported,
        ..event()
    };
    let (bytes, disclosure) = seal(unknown.clone(), 0, &Seed::from_bytes([1; 32])).unwrap();
    let Leaf::Event(leaf) = Leaf::parse(&bytes).unwrap() else {
        panic!("not an event")
    };
    assert_eq!(
        (leaf.actor_kind, leaf.c.actor.clone()),
        (ActorKind::Unknown, None)
    );
    assert_eq!(leaf.open(disclosure), unknown);
}

#[test]
fn bounds_take_the_place_of_a_moment() {
    let not_after = parse("2026-11-21T02:00:08Z").unwrap();
    let bounded = Event {
        occurred: Occurred::Between {
            not_before: None,
            not_after,
        },
        ..event()
    };
    let (bytes, disclosure) = seal(bounded.clone(), 0, &Seed::from_bytes([1; 32])).unwrap();
    let Leaf::Event(leaf) = Leaf::parse(&bytes).unwrap() else {
        panic!("not an event")
    };
    assert_eq!(
        (leaf.occurred_at, leaf.occurred_not_after, leaf.occurred_source),
        (None, Some(not_after), TimeSource::Inferred)
    );
    assert_eq!(leaf.open(disclosure), bounded);
}

#[test]
fn leaves_of_unknown_type_or_version_are_kept_apart() {
    assert_eq!(
        Leaf::parse(br#"{"type":"remark","v":1}"#).unwrap(),
        Leaf::Unknown("remark".into())
    );
    assert_eq!(
        Leaf::parse(br#"{"type":"event","v":2}"#).unwrap(),
        Leaf::Unknown("event version 2".into())
    );
}

#[test]
fn leaves_that_are_not_records_are_refused() {
    assert!(matches!(Leaf::parse(b"{}"), Err(ModelError::Leaf(_))));
    assert!(matches!(
        Leaf::parse(br#"{"type":"event","v":1}"#),
        Err(ModelError::Leaf(_))
    ));
    let huge = vec![b' '; MAX_LEAF_BYTES + 1];
    assert!(matches!(
        Leaf::parse(&huge),
        Err(ModelError::LeafTooLarge {
            bytes: 65_536,
            limit: 65_535
        })
    ));
    assert!(matches!(
        encode(&"x".repeat(MAX_LEAF_BYTES)),
        Err(ModelError::LeafTooLarge { .. })
    ));
}

fn window() -> WindowLeaf {
    let at = parse("2026-11-21T02:00:00Z").unwrap();
    WindowLeaf {
        account: "contoso".into(),
        count: Count(3),
        counted: Counted {
            changes: Count(4),
            revisions: Count(9),
            unknown: Count(0),
        },
        covers_from: Some(at),
        covers_to: Some(at),
        drive_id: Some("b!x".into()),
        first: Count(10),
        folder: "close".into(),
        from_cursor_sha256: Some(sha256(b"a")),
        gaps: vec![Gap {
            detail: None,
            from: None,
            items: Some(Count(2)),
            reason: GapReason::RevisionsUnavailable,
            to: at,
        }],
        kept: None,
        ledger: "finance".into(),
        oldest_revision_at: Some(at),
        pages: Count(1),
        previous_window: Some(LeafRef {
            index: Count(7),
            leaf_hash: sha256(b"w"),
        }),
        provider: Provider::Dropbox,
        reconciled: Count(0),
        retries: Count(0),
        revisions_changed: Count(1),
        revisions_vanished: Count(1),
        state: WindowState::Partial,
        tenant: Some("t".into()),
        throttled_ms: Count(0),
        to_cursor_sha256: Some(sha256(b"b")),
        kind: "window".into(),
        v: VERSION,
        walk: None,
    }
}

fn run() -> RunLeaf {
    let at = parse("2026-11-21T02:00:00Z").unwrap();
    RunLeaf {
        audit: [(
            "contoso".into(),
            AuditRead {
                covers_from: Some(at),
                covers_to: Some(at),
                detail: Some("unavailable (HTTP 503)".into()),
                lost_before: Some(at),
                records: Count(3),
                state: WindowState::Partial,
            },
        )]
        .into(),
        clock_offset_ms: [("contoso".to_owned(), "-12".to_owned())].into(),
        config_sha256: sha256(b"c"),
        finished_at: at,
        ledger: "finance".into(),
        next_expected_by: Some(at),
        objects: Objects {
            raw: Some(sha256(b"r")),
            sidecar: Some(sha256(b"s")),
            state: Some(sha256(b"t")),
        },
        previous_checkpoint: Some(CheckpointRef {
            note_sha256: sha256(b"n"),
            root: sha256(b"p"),
            size: Count(5),
        }),
        requests: [("contoso".to_owned(), [("delta".to_owned(), Count(2))].into())].into(),
        run_id: "r".into(),
        seq: Count(4),
        started_at: at,
        timestamps: [("k".to_owned(), sha256(b"k"))].into(),
        tool: Tool {
            binary_sha256: Some(sha256(b"b")),
            version: "0.1.0".into(),
        },
        kind: "run".into(),
        units: [].into(),
        v: VERSION,
        windows: vec![Count(13)],
    }
}

fn is_canonical<T: Serialize>(record: &T) {
    assert_eq!(
        encode(record).unwrap(),
        serde_json_canonicalizer::to_vec(record).unwrap()
    );
}

#[test]
fn every_record_is_declared_in_canonical_order() {
    is_canonical(&window());
    is_canonical(&run());
    let at = parse("2026-01-01T00:00:00Z").unwrap();
    is_canonical(&GenesisLeaf {
        created_at: at,
        ledger: "l".into(),
        origin: "o/2026".into(),
        previous_log: Some(PreviousLog {
            note_sha256: sha256(b"n"),
            origin: "o/2025".into(),
            root: sha256(b"p"),
            size: Count(5),
        }),
        public_key: "k".into(),
        retain_until: Some(at),
        kind: "genesis".into(),
        v: 1,
    });
    is_canonical(&CloseLeaf {
        closed_at: at,
        ledger: "l".into(),
        next_origin: "o/2027".into(),
        next_public_key: "k".into(),
        kind: "close".into(),
        v: 1,
    });
}

#[test]
fn windows_and_runs_read_back_as_written() {
    assert_eq!(
        Leaf::parse(&encode(&window()).unwrap()).unwrap(),
        Leaf::Window(Box::new(window()))
    );
    assert_eq!(
        Leaf::parse(&encode(&run()).unwrap()).unwrap(),
        Leaf::Run(Box::new(run()))
    );
}

#[test]
fn a_glance_takes_what_is_written_here() {
    let (bytes, _) = seal(event(), 17, &Seed::from_bytes([1; 32])).unwrap();
    let glance = EventGlance::of(&bytes).unwrap();
    assert_eq!(
        (glance.folder, glance.ledger, glance.id, glance.raw_sha256),
        ("month-end-close", "finance", event().id, Some(sha256(b"raw")))
    );
    let place = glance.c;
    assert!(bytes[..place.start].ends_with(b"\"c\":") && bytes[place.end..].starts_with(b",\"drive_id\""));
}

proptest! {
    #[test]
    fn event_leaves_are_canonical_whatever_the_texts(text in "\\PC*", hash in "[a-z0-9]{0,8}", claimed: bool) {
        let event = Event {
            item_id: text.as_str().into(),
            hashes: [(hash, text.clone()), ("md5".to_owned(), text.clone())].into(),
            mime_type: Some(text.clone()),
            derived_from: Some(text.clone()),
            content_sha256: Some(Digest::from_bytes([9; 32])),
            claimed_at: claimed.then(|| parse("1970-01-01T00:00:00Z").unwrap()),
            baseline: claimed,
            path: PathDetails { name: Some(text.clone()), path: None, previous_path: Some(text) },
            ..event()
        };
        let (bytes, disclosure) = seal(event.clone(), 3, &Seed::from_bytes([2; 32])).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&bytes, &serde_json_canonicalizer::to_vec(&value).unwrap());
        prop_assert_eq!(serde_json::to_vec(&disclosure).unwrap(), serde_json_canonicalizer::to_vec(&disclosure).unwrap());
        let Leaf::Event(leaf) = Leaf::parse(&bytes).unwrap() else { panic!("not an event") };
        prop_assert_eq!(crate::record::canonical(&leaf).unwrap(), bytes);
        prop_assert_eq!(leaf.open(disclosure), event);
    }

    /// Whatever a glance takes, the reader of all leaves takes, and both read the same.
    #[test]
    fn a_glance_agrees_with_the_whole_leaf(
        at in any::<prop::sample::Index>(),
        change in prop_oneof![Just(None), (0_u8..4, " -~").prop_map(Some)],
        baseline: bool,
        personal: bool,
    ) {
        let event = Event { baseline, reconciled: baseline, content_sha256: baseline.then(|| sha256(b"x")), content_missing: (!baseline).then_some(ContentMissing::NotKept), claimed_at: Some(parse("2024-02-29T00:00:00.5Z").unwrap()), ..event() };
        let event = if personal { event } else { Event { actor: None, path: PathDetails::default(), claimed_at: None, ..event } };
        let (mut bytes, _) = seal(event, 3, &Seed::from_bytes([2; 32])).unwrap();
        let at = at.index(bytes.len());
        match &change {
            Some((0, with)) => bytes[at] = with.as_bytes()[0],
            Some((1, with)) => bytes.insert(at, with.as_bytes()[0]),
            Some((2, _)) => drop(bytes.remove(at)),
            Some(_) => { let again = bytes[at / 2..at].to_vec(); drop(bytes.splice(at..at, again)); }
            None => {}
        }
        let Some(glance) = EventGlance::of(&bytes) else {
            // Of what is written here, only leap days are left to the other.
            prop_assert!(change.is_some() || personal);
            return Ok(());
        };
        let Leaf::Event(leaf) = Leaf::parse(&bytes).unwrap() else { panic!("not an event") };
        let c = match &bytes[glance.c.clone()] {
            b"" => Commitments::default(),
            c => serde_json::from_slice(c).unwrap(),
        };
        prop_assert_eq!(
            (glance.folder, glance.ledger, glance.id, (glance.raw_sha256, glance.content_sha256), c),
            (leaf.folder.as_str(), leaf.ledger.as_str(), leaf.id, (leaf.raw_sha256, leaf.content_sha256), leaf.c)
        );
    }

    #[test]
    fn a_plain_time_is_a_time(
        text in "(0000|1970|2024|9998|9999)-(00|0[1-9]|1[0-3])-(0[0-9]|2[7-9]|3[0-2])T(00|23|24):(00|59|60):(00|59|60)(\\.[0-9]{0,10})?Z"
    ) {
        if crate::time::is_plain(&text) {
            prop_assert!(serde_json::from_str::<crate::time::Timestamp>(&format!("\"{text}\"")).is_ok(), "{}", text);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _outcome = Leaf::parse(&bytes);
    }
}

/// The form of a hold leaf and of the line that opens it; a change is a change of the format.
#[test]
fn a_hold_leaf_shows_no_name_and_its_sidecar_line_opens_it() {
    let seed = Seed::from_bytes([7; 32]);
    let hold = Hold {
        action: HoldAction::Placed,
        at: parse("2026-11-21T10:00:00Z").unwrap(),
        id: "0123456789abcdef0123456789abcdef".into(),
        ledger: "finance".into(),
        year: Some(Count(2026)),
        case: "Smith v. Acme".into(),
        by: "R. Ruiz".into(),
        reason: "claim of 2026-11-20".into(),
    };
    let (bytes, disclosure) = seal_hold(hold, 0, &seed).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let c = disclosure.commitments(&seed).unwrap();
    assert_eq!(
        text,
        format!(
            r#"{{"action":"placed","at":"2026-11-21T10:00:00Z","c":{{"actor":"{}","case":"{}","reason":"{}"}},"hold_id":"0123456789abcdef0123456789abcdef","ledger":"finance","type":"hold","v":1,"year":"2026"}}"#,
            c.actor.as_deref().unwrap(),
            c.case.as_deref().unwrap(),
            c.reason.as_deref().unwrap()
        )
    );
    assert_eq!(
        String::from_utf8(crate::record::canonical(&disclosure).unwrap()).unwrap(),
        r#"{"actor":{"name":"R. Ruiz"},"case":{"name":"Smith v. Acme"},"n":0,"reason":{"text":"claim of 2026-11-20"}}"#
    );
    let Leaf::Hold(read) = Leaf::parse(&bytes).unwrap() else {
        panic!("{text}");
    };
    assert_eq!(encode(&*read).unwrap(), bytes);
    assert_eq!((read.c, read.action), (c, HoldAction::Placed));
    assert!(!disclosure.is_empty());
}

fn annotation() -> Annotation {
    let record = RecordFinding {
        contested: false,
        basis: Basis::Derived,
        occurred_at: parse("2026-11-20T23:14:05Z").unwrap(),
        actor: event().actor,
        client: Some(ClientDetails {
            address: Some("198.51.100.23".into()),
            method: Some("web".into()),
            user_agent: None,
        }),
        source_api: "team_log.get_events".into(),
        source_request_id: Some("4e1e".into()),
        raw_sha256: Some(sha256(b"raw")),
    };
    Annotation {
        event_id: event().id,
        folder: "month-end-close".into(),
        ledger: "finance".into(),
        provider: Provider::Dropbox,
        source: ActorSource::AuditLog,
        observed_at: parse("2026-11-21T02:00:07.12Z").unwrap(),
        finding: Finding::Record(Box::new(record)),
    }
}

#[test]
fn an_annotation_leaf_has_exactly_this_form() {
    let seed = Seed::from_bytes([1; 32]);
    let (bytes, disclosure) = seal_annotation(annotation(), 19, &seed).unwrap();
    let c = disclosure.commitments(&seed).unwrap();
    assert_eq!(
        std::str::from_utf8(&bytes).unwrap(),
        format!(
            concat!(
                r#"{{"actor_kind":"user","actor_source":"audit_log","basis":"derived","#,
                r#""c":{{"actor":"{}","application":"{}","client":"{}"}},"event_id":"{}","folder":"month-end-close","#,
                r#""ledger":"finance","observed_at":"2026-11-21T02:00:07.12Z","occurred_at":"2026-11-20T23:14:05Z","#,
                r#""outcome":"attributed","provider":"dropbox","raw_sha256":"{}","source_api":"team_log.get_events","#,
                r#""source_request_id":"4e1e","type":"annotation","v":1}}"#
            ),
            c.actor.as_deref().unwrap(),
            c.application.as_deref().unwrap(),
            c.client.as_deref().unwrap(),
            event().id,
            sha256(b"raw"),
        )
    );
    assert_eq!(
        serde_json_canonicalizer::to_vec(&serde_json::from_slice::<serde_json::Value>(&bytes).unwrap())
            .unwrap(),
        bytes
    );
    let Leaf::Annotation(read) = Leaf::parse(&bytes).unwrap() else {
        panic!("not an annotation");
    };
    assert_eq!(read.actor(&disclosure), event().actor);
    assert_eq!(Leaf::Annotation(read).commitments(), Some(&c));
}

#[test]
fn an_annotation_shows_nothing_personal() {
    let (bytes, disclosure) = seal_annotation(annotation(), 19, &Seed::from_bytes([1; 32])).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    for personal in ["acme.example", "\"Y\"", "app-1", "198.51.100.23", "web"] {
        assert!(!text.contains(personal), "{personal} stands in {text}");
    }
    assert_eq!(
        String::from_utf8(crate::record::canonical(&disclosure).unwrap()).unwrap(),
        r#"{"actor":{"email":"y@acme.example","name":"Y"},"application":{"id":"app-1"},"client":{"address":"198.51.100.23","method":"web"},"n":19}"#
    );
}

#[test]
fn an_unattributed_event_says_why() {
    let nothing = Annotation {
        finding: Finding::Nothing(Unexplained::LogUnavailable),
        ..annotation()
    };
    let (bytes, disclosure) = seal_annotation(nothing, 0, &Seed::from_bytes([1; 32])).unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        format!(
            concat!(
                r#"{{"actor_kind":"unknown","actor_source":"audit_log","basis":"reported","event_id":"{}","#,
                r#""folder":"month-end-close","ledger":"finance","observed_at":"2026-11-21T02:00:07.12Z","#,
                r#""outcome":"unattributed","provider":"dropbox","reason":"log_unavailable","type":"annotation","v":1}}"#
            ),
            event().id
        )
    );
    assert!(disclosure.is_empty());
}
