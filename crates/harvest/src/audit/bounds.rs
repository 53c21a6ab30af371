//! Between which moments a record must lie that is to explain an event. Pure.

use revtrail_model::{
    event::{Action, Event, Occurred, TimeSource},
    time::{Timestamp, plus_seconds},
};

use crate::inventory::{Inventory, Item};

/// How far a record of a save may lie from the time of its revision, seconds.
pub(super) const PLAY: i64 = 10;

/// How far before the look before this one a revision can have been begun that it did not list yet, seconds.
const MARGIN: i64 = 3_600;

/// How long people can have worked on a revision that was saved before the look before this one, seconds.
const DAY: i64 = 86_400;

/// The look that found an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// What was there at this moment, an earlier look told; the provider's clock.
    pub after: Option<Timestamp>,
    /// Revisions of the item that this look recorded.
    pub revisions: usize,
}

/// Between which moments a record must lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) not_before: Option<Timestamp>,
    pub(super) not_after: Timestamp,
    /// Other revisions of the item lie within them: a record may be of any of these.
    pub(super) shared: bool,
}

/// Whether a fact is about what an item holds.
pub(super) const fn is_content(action: Action) -> bool {
    matches!(action, Action::Created | Action::Modified)
}

/// Bounds of an event.
pub(super) fn bounds(event: &Event, inventory: &Inventory, found: Found) -> Bounds {
    let alone = |not_before, not_after| Bounds {
        not_before,
        not_after,
        shared: false,
    };
    match event.occurred {
        Occurred::Between {
            not_before,
            not_after,
        } => alone(not_before, not_after),
        Occurred::At { at, source } if is_content(event.action) => {
            let neighbours = Neighbours::of(event, inventory.item(&event.item_id), at);
            match source {
                TimeSource::Client => neighbours.of_claim(event, found),
                _ => neighbours.of_moment(event, found),
            }
        }
        // Whoever uploads may have chosen the time; only the look bounds it.
        Occurred::At {
            source: TimeSource::Client,
            ..
        } => alone(None, event.observed_at),
        Occurred::At { at, .. } => alone(Some(at), plus_seconds(at, 1)),
    }
}

/// The other revisions of an item, by their times beside that of an event.
struct Neighbours {
    at: Timestamp,
    others: Vec<Timestamp>,
    /// Each save is a revision of its own.
    apart: bool,
}

impl Neighbours {
    fn of(event: &Event, item: Option<&Item>, at: Timestamp) -> Self {
        let known = item.map_or(&[][..], |item| item.revisions.as_slice());
        let others = known
            .iter()
            .filter(|known| Some(&known.id) != event.revision_id.as_ref());
        Self {
            at,
            others: others.map(|known| known.at).collect(),
            // So it is where items are addressed by place; elsewhere a revision may hold the saves of a while.
            apart: item.is_some_and(|item| item.place.is_some()),
        }
    }

    /// Of a time that the uploading program may have chosen, nothing is believed but that the look before did not show it. With other
    /// revisions that it did not show, nobody can tell whose a record is.
    fn of_claim(&self, event: &Event, found: Found) -> Bounds {
        let late = |other: &Timestamp| found.after.is_none_or(|after| *other >= after);
        Bounds {
            not_before: found.after,
            not_after: event.observed_at,
            shared: event.revision_id.is_some() && (found.revisions > 1 || self.others.iter().any(late)),
        }
    }

    /// A save is recorded at its time, give or take a few seconds, and nearer to it than to another revision's. A revision that may
    /// hold several saves took all since the one before: people who worked on it together are all named.
    fn of_moment(&self, event: &Event, found: Found) -> Bounds {
        let before = self.others.iter().filter(|other| **other < self.at).max();
        let after = self.others.iter().filter(|other| **other > self.at).min();
        let play = plus_seconds(self.at, -PLAY);
        let not_before = if self.apart || event.action == Action::Created {
            before.map_or(play, |before| play.max(middle(*before, self.at)))
        } else {
            let last = before.map(|before| plus_seconds(*before, PLAY).min(middle(*before, self.at)));
            let floor = self.floor(found);
            last.map_or(floor, |last| last.max(floor))
        };
        let play = plus_seconds(self.at, PLAY);
        Bounds {
            not_before: Some(not_before),
            not_after: after.map_or(play, |after| play.min(middle(self.at, *after))),
            shared: self.others.contains(&self.at),
        }
    }

    /// What was saved before, another look has recorded.
    fn floor(&self, found: Found) -> Timestamp {
        let shown = found.after.map(|after| plus_seconds(after, -MARGIN));
        let shown = shown.filter(|shown| *shown < self.at);
        shown.unwrap_or_else(|| plus_seconds(self.at, -DAY))
    }
}

fn middle(from: Timestamp, to: Timestamp) -> Timestamp {
    from.saturating_add(to.duration_since(from) / 2).unwrap_or(to)
}

#[cfg(test)]
mod tests;
