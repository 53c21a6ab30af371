//! Which record explains which event. Pure: no log, no clock.

use std::collections::{BTreeMap, HashMap};

use revtrail_model::{
    id::{ItemId, PlaceKey},
    time::{Timestamp, plus_seconds},
};

use super::{
    bounds::{PLAY, is_content},
    state::{Named, Record, Waiting},
};

/// How far the clocks of log and feed may differ, seconds.
const SKEW: i64 = 300;

/// A record that fits an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Match {
    /// Place of the event in the list.
    pub(super) event: usize,
    /// Place of the record in the list.
    pub(super) record: usize,
    /// The record names a folder above the item.
    pub(super) derived: bool,
}

/// Events by what records name.
pub(super) struct Index<'a> {
    events: &'a [Waiting],
    by_item: HashMap<&'a ItemId, Vec<usize>>,
    by_place: HashMap<&'a PlaceKey, Vec<usize>>,
}

impl<'a> Index<'a> {
    pub(super) fn new(events: &'a [Waiting]) -> Self {
        let (mut by_item, mut by_place) = (HashMap::new(), HashMap::new());
        for (place, event) in events.iter().enumerate() {
            by_item.entry(&event.item).or_insert_with(Vec::new).push(place);
            if let Some(key) = &event.place {
                by_place.entry(key).or_insert_with(Vec::new).push(place);
            }
        }
        Self {
            events,
            by_item,
            by_place,
        }
    }

    /// Everything that fits, by event.
    pub(super) fn matches(&self, records: &[Record]) -> Vec<Match> {
        let mut found: Vec<Match> = records
            .iter()
            .enumerate()
            .flat_map(|(place, record)| self.of_record(place, record))
            .collect();
        found.sort_unstable();
        found
    }

    /// What one record explains. Of several events about one item, those whose own bounds hold the record's time go before those that
    /// only clocks apart would let it explain.
    fn of_record(&self, place: usize, record: &Record) -> Vec<Match> {
        // Event to whether the record names a folder above it.
        let mut named: BTreeMap<usize, bool> = BTreeMap::new();
        for target in &record.targets {
            for event in self.named_itself(target) {
                named.insert(event, false);
            }
            for event in self.below(target) {
                named.entry(event).or_insert(true);
            }
        }
        named.retain(|event, _| self.is_about(*event, record));
        let exact: Vec<usize> = named
            .keys()
            .copied()
            .filter(|event| holds(&self.events[*event], record.at, 0))
            .collect();
        let settled = |event: usize| {
            exact.contains(&event)
                || !exact
                    .iter()
                    .any(|other| self.events[*other].item == self.events[event].item)
        };
        named
            .into_iter()
            .filter(|(event, _)| settled(*event))
            .map(|(event, derived)| Match {
                event,
                record: place,
                derived,
            })
            .collect()
    }

    /// Action and time fit, clocks apart.
    fn is_about(&self, event: usize, record: &Record) -> bool {
        let event = &self.events[event];
        record.explains.contains(&event.action) && holds(event, record.at, SKEW)
    }

    fn named_itself(&self, target: &Named) -> Vec<usize> {
        // Another item may have had the same place: what a record says of the item goes first.
        let found = match (&target.item, &target.place) {
            (Some(item), _) => self.by_item.get(item),
            (None, Some(place)) => self.by_place.get(place),
            (None, None) => None,
        };
        let fits = |event: &Waiting| {
            let revision = target.revision.as_ref().zip(event.revision.as_ref());
            in_drive(target, event) && revision.is_none_or(|(told, known)| told == known)
        };
        let found = found.into_iter().flatten().copied();
        found.filter(|event| fits(&self.events[*event])).collect()
    }

    fn below(&self, target: &Named) -> Vec<usize> {
        if !target.contents {
            return Vec::new();
        }
        let is_below = |event: &Waiting| {
            let by_item = target
                .item
                .as_ref()
                .is_some_and(|item| event.above.contains(item));
            let places = target.place.as_ref().zip(event.place.as_ref());
            by_item || places.is_some_and(|(above, place)| place.is_below(above))
        };
        let events = self.events.iter().enumerate();
        // That something was done to a folder tells nothing about who wrote what is in it.
        events
            .filter(|(_, event)| !is_content(event.action) && in_drive(target, event) && is_below(event))
            .map(|(place, _)| place)
            .collect()
    }
}

fn in_drive(target: &Named, event: &Waiting) -> bool {
    target.drive.as_ref().is_none_or(|drive| *drive == event.drive)
}

/// Whether the event can have happened at a moment, with so many seconds of doubt.
fn holds(event: &Waiting, at: Timestamp, doubt: i64) -> bool {
    let doubt = match (is_content(event.action), &event.revision) {
        // Bounds of a save have all the play there is: beyond them lie other saves of the item, of which most have an author and do not
        // wait here.
        (true, _) => 0,
        (false, Some(_)) => doubt.max(PLAY),
        (false, None) => doubt,
    };
    event
        .not_before
        .is_none_or(|from| plus_seconds(from, -doubt) <= at)
        && at <= plus_seconds(event.not_after, doubt)
}
