use revtrail_model::{
    id::Provider,
    leaf::{Counted, VERSION, WindowLeaf},
    record::Count,
    time::parse,
};
use rstest::rstest;

use super::*;

fn window(from: Option<&str>, to: &str, gaps: Vec<(GapReason, &str)>) -> WindowRow {
    let at = |text: &str| parse(text).unwrap();
    let gap = |(reason, start): (GapReason, &str)| Gap {
        detail: None,
        from: Some(at(start)),
        items: None,
        reason,
        to: at(to),
    };
    let state = if gaps.is_empty() {
        WindowState::Complete
    } else {
        WindowState::Partial
    };
    let window = WindowLeaf {
        account: "a".into(),
        count: Count(0),
        counted: Counted::default(),
        covers_from: from.map(at),
        covers_to: Some(at(to)),
        drive_id: None,
        first: Count(0),
        folder: "f".into(),
        from_cursor_sha256: None,
        gaps: gaps.into_iter().map(gap).collect(),
        kept: None,
        ledger: "l".into(),
        oldest_revision_at: None,
        pages: Count(0),
        previous_window: None,
        provider: Provider::Dropbox,
        reconciled: Count(0),
        retries: Count(0),
        revisions_changed: Count(0),
        revisions_vanished: Count(0),
        state,
        tenant: None,
        throttled_ms: Count(0),
        to_cursor_sha256: None,
        kind: "window".into(),
        v: VERSION,
        walk: None,
    };
    WindowRow {
        year: 2026,
        index: 0,
        window,
    }
}

/// Looks on the 2nd, 3rd and 6th; the one of the 6th joins the one of the 3rd, and a cursor was lost on the way to the 7th.
fn record() -> Record {
    Record {
        windows: vec![
            window(
                None,
                "2026-11-02T12:00:00Z",
                vec![(GapReason::RevisionsPending, "2026-11-02T11:00:00Z")],
            ),
            window(Some("2026-11-02T12:00:00Z"), "2026-11-03T12:00:00Z", vec![]),
            window(Some("2026-11-03T12:00:00Z"), "2026-11-06T12:00:00Z", vec![]),
            window(
                Some("2026-11-06T12:00:00Z"),
                "2026-11-07T12:00:00Z",
                vec![(GapReason::CursorLost, "2026-11-06T12:00:00Z")],
            ),
            window(Some("2026-11-09T12:00:00Z"), "2026-11-10T12:00:00Z", vec![]),
        ],
        ..Record::default()
    }
}

#[rstest]
#[case::before_the_first_look("2026-11-01", DayState::NotConfigured)]
#[case::pending_made_good_later("2026-11-02", DayState::Complete)]
#[case::covered_by_one_long_look("2026-11-04", DayState::Complete)]
#[case::a_lost_cursor_stays_a_gap("2026-11-06", DayState::Partial)]
#[case::looks_that_do_not_join("2026-11-08", DayState::Missed)]
#[case::the_end_is_overdue("2026-11-11", DayState::Missed)]
fn each_day_says_what_is_known(#[case] day: &str, #[case] state: DayState) {
    let day: Date = day.parse().unwrap();
    let days = coverage(&record(), (day, day), parse("2026-11-12T00:00:00Z").unwrap());
    assert_eq!(days.iter().map(|day| day.state).collect::<Vec<_>>(), [state]);
}

#[test]
fn only_the_gap_that_cannot_be_made_good_stays_open() {
    let open: Vec<_> = open_gaps(&record())
        .into_iter()
        .map(|gap| gap.gap.reason)
        .collect();
    assert_eq!(open, [GapReason::CursorLost]);
}

#[test]
fn a_future_day_is_not_called_complete() {
    let day: Date = "2026-12-01".parse().unwrap();
    let days = coverage(&record(), (day, day), parse("2026-11-12T00:00:00Z").unwrap());
    assert_eq!(days[0].state, DayState::Due);
}
