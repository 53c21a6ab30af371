//! Legal holds: each is placed once and released at most once, and the state objects know which are open.

use std::collections::BTreeMap;

use revtrail_model::{id::HoldId, leaf::HoldAction, record::Count};

use crate::{
    finding::{Finding, Report},
    load::{HoldFacts, Leaves, Record},
    objects::StateHeader,
};

/// Open holds and the log year each is about; `None` for all years. Carried from log to log: a hold outlasts the year.
pub(crate) type OpenHolds = BTreeMap<HoldId, Option<Count>>;

/// What is known of the holds from snapshot to snapshot.
#[derive(Default)]
pub(crate) struct Holds {
    pub(crate) open: OpenHolds,
    /// Some may have been placed or released in snapshots that could not be judged.
    forgetful: bool,
}

impl Holds {
    /// Holds may have been placed and released since.
    pub(crate) fn forget(&mut self) {
        self.forgetful = true;
    }

    /// Follows the hold leaves of a snapshot.
    pub(crate) fn follow(&mut self, leaves: &Leaves, report: &mut Report) {
        for (place, record) in (leaves.first..).zip(&leaves.records) {
            let Record::Hold(hold) = record else { continue };
            report.holds += 1;
            if !hold.own_ledger {
                fail(leaves, place, "is of another ledger", report);
            }
            let wrong = step(hold, &mut self.open);
            if let Some(what) = wrong.filter(|_| !self.forgetful) {
                fail(leaves, place, what, report);
            }
        }
    }

    /// The state object must know the same open holds: the next run reads them there. After a difference, or where they are not known,
    /// the check goes on with what the state says, so that it is told once.
    pub(crate) fn check_state(&mut self, header: &StateHeader, leaves: &Leaves, report: &mut Report) {
        let stored: OpenHolds = header
            .holds
            .iter()
            .map(|(id, hold)| (id.clone(), hold.year))
            .collect();
        if stored != self.open && !self.forgetful {
            let show = |holds: &OpenHolds| {
                let ids: Vec<&str> = holds.keys().map(HoldId::as_str).collect();
                if ids.is_empty() {
                    "none".to_owned()
                } else {
                    ids.join(", ")
                }
            };
            let finding = Finding::contradiction(
                leaves.key.clone(),
                "state object does not know the legal holds that the leaves leave open",
            );
            let finding = finding.values(show(&self.open), show(&stored));
            report.findings.push(finding);
        }
        self.open = stored;
        self.forgetful = false;
    }
}

fn step(hold: &HoldFacts, open: &mut OpenHolds) -> Option<&'static str> {
    match hold.action {
        HoldAction::Placed => open
            .insert(hold.id.clone(), hold.year)
            .map(|_| "was placed before"),
        HoldAction::Released => match open.remove(&hold.id) {
            Some(year) if year == hold.year => None,
            Some(_) => Some("is released for another year than it was placed for"),
            None => Some("is released, but was not open"),
        },
    }
}

fn fail(leaves: &Leaves, place: u64, what: &str, report: &mut Report) {
    report.findings.push(Finding::contradiction(
        leaves.key.clone(),
        format!("hold at leaf {place}: {what}"),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::state_header;

    fn hold(action: HoldAction, id: &str, year: Option<u64>) -> HoldFacts {
        HoldFacts {
            action,
            id: id.into(),
            own_ledger: true,
            year: year.map(Count),
        }
    }

    #[test]
    fn a_hold_is_placed_once_and_released_once_as_it_was_placed() {
        use HoldAction::{Placed, Released};
        let mut open = OpenHolds::new();
        let table = [
            (hold(Released, "a", None), Some("is released, but was not open")),
            (hold(Placed, "a", None), None),
            (hold(Placed, "a", None), Some("was placed before")),
            (hold(Placed, "b", Some(2026)), None),
            (hold(Released, "a", None), None),
            (
                hold(Released, "b", None),
                Some("is released for another year than it was placed for"),
            ),
            (
                hold(Released, "b", Some(2026)),
                Some("is released, but was not open"),
            ),
        ];
        for (leaf, expected) in table {
            assert_eq!(step(&leaf, &mut open), expected, "{} {:?}", leaf.id, leaf.action);
        }
        assert_eq!(open, OpenHolds::new());
    }

    #[test]
    fn a_state_object_that_forgot_a_hold_is_told_once() {
        let leaves = Leaves {
            key: "finance/2026/segments/1".into(),
            text: Vec::new(),
            hashes: Vec::new(),
            records: Vec::new(),
            unreadable: Vec::new(),
            first: 0,
            objects: None,
        };
        let state = |holds: &str| {
            let text = format!("{{\"frontier_before\":[]{holds},\"size_before\":\"0\"}}\n");
            state_header(&zstd::bulk::compress(text.as_bytes(), 1).unwrap()).unwrap()
        };
        let mut report = Report::default();
        let mut holds = Holds {
            open: [("a".into(), None)].into(),
            forgetful: false,
        };
        let knows = state(",\"holds\":{\"a\":{\"case\":\"x\"}}");
        holds.check_state(&knows, &leaves, &mut report);
        assert_eq!(report.findings, []);
        let forgot = state("");
        for _ in 0..2 {
            holds.check_state(&forgot, &leaves, &mut report);
        }
        assert_eq!(report.findings.len(), 1);
        assert_eq!(
            (
                report.findings[0].expected.as_deref(),
                report.findings[0].actual.as_deref()
            ),
            (Some("a"), Some("none"))
        );
        // What may have been placed in between is taken from the state.
        holds.forget();
        holds.check_state(&knows, &leaves, &mut report);
        assert_eq!(report.findings.len(), 1);
        assert_eq!(holds.open, [("a".into(), None)].into());
    }
}
