use std::sync::Arc;

use revtrail_connector::change::Raw;
use revtrail_model::{
    event::{ItemKind, TimeSource},
    time::parse,
};
use rstest::rstest;

use super::*;
use crate::inventory::{Created, Details, Digests, HeadState};

fn at(minute: u32) -> Timestamp {
    parse(&format!("2026-11-01T00:{minute:02}:00Z")).unwrap()
}

fn revision(minute: u32) -> Revision {
    Revision {
        item: "x".into(),
        id: format!("r{minute}").into(),
        at: at(minute),
        time_source: TimeSource::Server,
        claimed_at: None,
        size_bytes: None,
        hashes: [].into(),
        actor: None,
        place: None,
        mime_type: None,
        skipped: 0,
        raw: Raw {
            body: "{}".into(),
            operation: "test",
            request_id: None,
            unknown: 0,
        },
    }
}

fn list(minutes: &[u32]) -> RevisionList {
    RevisionList {
        revisions: minutes.iter().map(|minute| revision(*minute)).collect(),
        completeness: Completeness::AsKept,
        now: Presence::NotTold,
    }
}

fn known(minutes: &[u32]) -> Item {
    let revisions = minutes.iter().map(|minute| KnownRevision {
        id: format!("r{minute}").into(),
        at: at(*minute),
    });
    Item {
        revisions: revisions.collect(),
        ..Item::new(ItemKind::File)
    }
}

fn pending(head: Option<u32>, created: Option<u32>) -> Pending {
    let details = Details {
        created: created.map(|minute| Created {
            at: at(minute),
            source: TimeSource::Server,
            by: None,
        }),
        head: Some(HeadState {
            marker: "m".into(),
            revision: head.map(|minute| format!("r{minute}").into()),
            modified_at: None,
            size_bytes: None,
            hashes: Digests::default(),
        }),
        mime_type: None,
    };
    Pending {
        details: Arc::new(details),
        ..Pending::default()
    }
}

#[rstest]
#[case::listed(Some(3), &[1, 2, 3], &[], false)]
#[case::not_yet_listed(Some(4), &[1, 2, 3], &[1, 2, 3], true)]
#[case::not_named(None, &[1, 2], &[1], false)]
#[case::nothing_listed_any_more(None, &[], &[1], true)]
#[case::nothing_there_yet(None, &[], &[], false)]
fn a_list_without_the_head_is_behind(
    #[case] head: Option<u32>,
    #[case] listed: &[u32],
    #[case] recorded: &[u32],
    #[case] behind: bool,
) {
    assert_eq!(
        is_headless(&known(recorded), &pending(head, None), &list(listed)),
        behind
    );
}

#[rstest]
#[case::whole(Some(1), &[1, 5, 9], &[], None)]
#[case::begins_after_the_creation(Some(1), &[5, 9], &[], Some((5, 2)))]
#[case::begins_after_a_recorded_one(None, &[5, 9, 12], &[1, 5], Some((5, 3)))]
#[case::creation_not_told(None, &[5, 9], &[], None)]
#[case::nothing_listed(Some(1), &[], &[1], None)]
fn retention_is_measured_where_a_list_is_cut(
    #[case] created: Option<u32>,
    #[case] listed: &[u32],
    #[case] recorded: &[u32],
    #[case] expected: Option<(u32, u64)>,
) {
    let expected = expected.map(|(from, most)| Kept {
        files: Count(1),
        from: at(from),
        most: Count(most),
    });
    assert_eq!(
        kept(&known(recorded), &pending(None, created), &list(listed)),
        expected
    );
}

#[test]
fn the_shortest_of_several_measures_counts() {
    let kept = |from, most| Kept {
        files: Count(1),
        from: at(from),
        most: Count(most),
    };
    let both = kept(5, 2).and(kept(7, 9)).and(kept(6, 1));
    assert_eq!(
        both,
        Kept {
            files: Count(3),
            from: at(7),
            most: Count(9),
        }
    );
}
