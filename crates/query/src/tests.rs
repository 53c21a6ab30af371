use std::collections::BTreeMap;

use revtrail_model::{
    disclosure::{Commitments, Disclosure},
    event::{
        Action, Actor, ActorDetails, ActorKind, ActorSource, Basis, Event, EventKey, ItemKind, Occurred,
        PathDetails, Scope, TimeSource,
    },
    id::{ItemId, Provider},
    leaf::{AnnotationLeaf, Outcome, Unexplained},
    time::{Timestamp, parse},
};

use crate::{AnnotationRow, Attribution, Certainty, Filter, Row, actors, at, history, select};

fn time(day: &str) -> Timestamp {
    parse(&format!("2026-11-{day}T00:00:00Z")).unwrap()
}

fn on(day: &str) -> Occurred {
    Occurred::At {
        at: time(day),
        source: TimeSource::Server,
    }
}

fn between(from: &str, until: &str) -> Occurred {
    Occurred::Between {
        not_before: Some(time(from)),
        not_after: time(until),
    }
}

struct Told<'a> {
    index: u64,
    item: &'a str,
    kind: ItemKind,
    action: Action,
    occurred: Occurred,
    path: &'a str,
    previous: Option<&'a str>,
}

fn scope() -> Scope {
    Scope {
        ledger: "l".into(),
        folder: "f".into(),
        function: None,
        provider: Provider::OneDrive,
        tenant: "t".into(),
        drive_id: "d".into(),
    }
}

fn row(told: &Told<'_>) -> Row {
    let scope = scope();
    let item_id = ItemId::from(told.item);
    let marker = told.index.to_string();
    let id = EventKey {
        scope: &scope,
        item_id: &item_id,
        marker: &marker,
        action: told.action,
    }
    .id();
    let is_revision = matches!(told.action, Action::Created | Action::Modified);
    let details = ActorDetails {
        email: Some("Y@acme.example".into()),
        ..ActorDetails::default()
    };
    let event = Event {
        id,
        scope,
        item_id,
        item_kind: told.kind,
        action: told.action,
        revision_id: is_revision.then(|| marker.as_str().into()),
        previous_revision_id: None,
        path: PathDetails {
            name: None,
            path: Some(told.path.into()),
            previous_path: told.previous.map(Into::into),
        },
        mime_type: None,
        size_bytes: None,
        hashes: BTreeMap::new(),
        content_missing: None,
        content_sha256: None,
        occurred: told.occurred,
        claimed_at: None,
        observed_at: time("30"),
        actor: is_revision.then_some(Actor {
            kind: ActorKind::User,
            details,
            application: None,
        }),
        actor_source: ActorSource::NotReported,
        basis: Basis::Reported,
        derived_from: None,
        baseline: false,
        reconciled: false,
        source_api: "test".into(),
        source_request_id: None,
        raw_sha256: None,
    };
    Row {
        year: 2026,
        index: told.index,
        event,
        annotations: Vec::new(),
    }
}

fn annotation(of: &Row, (index, outcome, basis): (u64, Outcome, Basis), who: Option<&str>) -> AnnotationRow {
    AnnotationRow {
        year: 2027,
        index,
        annotation: AnnotationLeaf {
            actor_kind: who.map_or(ActorKind::Unknown, |_| ActorKind::User),
            actor_source: ActorSource::AuditLog,
            basis,
            c: Commitments::default(),
            event_id: of.event.id,
            folder: of.event.scope.folder.clone(),
            ledger: of.event.scope.ledger.clone(),
            observed_at: time("20"),
            occurred_at: who.map(|_| time("11")),
            outcome,
            provider: Provider::OneDrive,
            raw_sha256: None,
            reason: (outcome == Outcome::Unattributed).then_some(Unexplained::NoRecord),
            source_api: None,
            source_request_id: None,
            kind: "annotation".into(),
            v: 1,
        },
        opened: Disclosure {
            actor: who.map(|who| ActorDetails {
                email: Some(who.into()),
                ..ActorDetails::default()
            }),
            ..Disclosure::default()
        },
    }
}

fn named(attribution: &Attribution) -> Option<String> {
    match attribution {
        Attribution::By(actor) => actor.as_ref()?.details.email.clone(),
        _ => None,
    }
}

#[test]
fn what_the_audit_log_says_stands_beside_the_event() {
    use Basis::{Derived, Reported};
    use Outcome::{Ambiguous, Attributed, Unattributed};
    let mut rows = story();
    let last = rows.len() - 1;
    let mut row = rows[last].clone();
    assert_eq!(row.attribution(), Attribution::Open);
    row.annotations
        .push(annotation(&row, (90, Unattributed, Reported), None));
    assert_eq!(
        row.attribution(),
        Attribution::Unattributed(Some(Unexplained::NoRecord))
    );
    row.annotations.push(annotation(
        &row,
        (91, Attributed, Derived),
        Some("bob@acme.example"),
    ));
    assert_eq!(named(&row.attribution()).as_deref(), Some("bob@acme.example"));
    row.annotations.push(annotation(
        &row,
        (92, Attributed, Reported),
        Some("alice@acme.example"),
    ));
    assert_eq!(named(&row.attribution()).as_deref(), Some("alice@acme.example"));

    rows[last] = row.clone();
    let filter = Filter {
        actor: Some("ALICE@acme.example".into()),
        ..Filter::default()
    };
    let found = select(&rows, &filter);
    assert_eq!(found.iter().map(|row| row.index).collect::<Vec<_>>(), [row.index]);
    let counted = actors(&rows);
    assert!(
        counted.contains(&(Some("alice@acme.example".into()), 1)),
        "{counted:?}"
    );

    row.annotations.push(annotation(
        &row,
        (93, Ambiguous, Reported),
        Some("carol@acme.example"),
    ));
    let Attribution::Disputed(actors) = row.attribution() else {
        panic!("{:?}", row.attribution());
    };
    assert_eq!(actors.len(), 2);
}

/// `x` is made on the 1st in `a/`, edited on the 5th; `a/` is renamed to `b/` between the 6th and the 8th; `x` is deleted between the
/// 10th and the 12th.
fn story() -> Vec<Row> {
    use ItemKind::{File, Folder};
    let told = |index, item, kind, action, occurred, path, previous| {
        row(&Told {
            index,
            item,
            kind,
            action,
            occurred,
            path,
            previous,
        })
    };
    vec![
        told(1, "a", Folder, Action::Created, on("01"), "a", None),
        told(2, "x", File, Action::Created, on("01"), "a/x", None),
        told(3, "x", File, Action::Modified, on("05"), "a/x", None),
        told(
            4,
            "a",
            Folder,
            Action::Renamed,
            between("06", "08"),
            "b",
            Some("a"),
        ),
        told(5, "x", File, Action::Modified, on("09"), "b/x", None),
        told(6, "x", File, Action::Deleted, between("10", "12"), "b/x", None),
    ]
}

fn indices(rows: &[Row]) -> Vec<u64> {
    rows.iter().map(|row| row.index).collect()
}

fn standing(day: &str) -> Vec<(String, Certainty)> {
    at(&story(), time(day))
        .into_iter()
        .map(|item| (item.path.unwrap_or_default(), item.certainty))
        .collect()
}

#[test]
fn bounded_events_are_selected_when_they_may_have_happened() {
    let on_the_7th = Filter {
        from: Some(time("07")),
        until: Some(time("08")),
        ..Filter::default()
    };
    assert_eq!(indices(&select(&story(), &on_the_7th)), [4]);
    let on_the_11th = Filter {
        from: Some(time("11")),
        until: Some(time("12")),
        ..Filter::default()
    };
    assert_eq!(indices(&select(&story(), &on_the_11th)), [6]);
}

#[test]
fn an_actor_is_found_whatever_the_case() {
    let by = Filter {
        actor: Some("y@ACME.example".into()),
        ..Filter::default()
    };
    assert_eq!(indices(&select(&story(), &by)), [1, 2, 3, 5]);
    assert_eq!(
        actors(&story()),
        [(Some("Y@acme.example".to_owned()), 4), (None, 2)]
    );
}

#[test]
fn a_history_follows_the_item_through_the_rename_of_its_folder() {
    assert_eq!(indices(&history(&story(), None, "b/x")), [2, 3, 5, 6]);
    assert_eq!(indices(&history(&story(), None, "/a/x")), [2, 3, 5, 6]);
    assert_eq!(indices(&history(&story(), None, "c")), Vec::<u64>::new());
}

#[test]
fn a_path_is_that_of_the_time_asked_for() {
    let certain = |path: &str| (path.to_owned(), Certainty::Certain);
    assert_eq!(standing("05"), [certain("a"), certain("a/x")]);
    assert_eq!(standing("08"), [certain("b"), certain("b/x")]);
    assert_eq!(standing("09"), [certain("b"), certain("b/x")]);
}

#[test]
fn what_may_have_happened_is_said_to_be_uncertain() {
    assert!(
        standing("07")
            .iter()
            .all(|(_, certainty)| *certainty == Certainty::Uncertain),
        "{:?}",
        standing("07")
    );
    assert_eq!(
        standing("11"),
        [
            ("b".to_owned(), Certainty::Certain),
            ("b/x".to_owned(), Certainty::Uncertain)
        ]
    );
    assert_eq!(standing("13"), [("b".to_owned(), Certainty::Certain)]);
}
