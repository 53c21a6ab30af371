//! The feed of changes: `root/delta`.
//!
//! Without a token, everything that exists, by item number, each item after the folders above it (a folder younger than
//! what was moved into it is listed again with that). With one, the latest state of every item touched since: tombstones
//! first, then the root, then live items, each after the folders above it, though these may be unchanged.

use std::collections::HashSet;

use axum::http::{StatusCode, header};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::items::{Listing, Select};
use super::problem::{self, Answer, Problem};
use super::text::Query;
use super::token::{Cursor, Place};
use super::{Asked, Face};
use crate::fault::{FaultKind, Oddity};
use crate::world::{ItemNo, Reach, Slot, World};

/// Entries of a page when the client has no wish, and at most.
const PAGE: (usize, usize) = (200, 1000);

/// The time that stands for none.
const YEAR_ONE: &str = "0001-01-01T00:00:00Z";
/// An item of no drive that anybody asked about.
const ORPHAN: &str = "01ORPHANORPHANORPHANORPHANORPHANOR";

/// Entries of one page, in order, each item once.
#[derive(Default)]
struct Found {
    order: Vec<ItemNo>,
    known: HashSet<ItemNo>,
    /// Without the folders that only lead to an item.
    counted: usize,
}

impl Found {
    fn push(&mut self, no: ItemNo) {
        if self.known.insert(no) {
            self.order.push(no);
        }
    }

    /// The item after those of the folders above it that `needed` names.
    fn push_below(&mut self, world: &World, no: ItemNo, needed: impl Fn(ItemNo) -> bool) {
        let mut above: Vec<ItemNo> = world.ancestry(no).skip(1).map(|item| item.no).collect();
        above.retain(|folder| needed(*folder));
        for folder in above.into_iter().rev() {
            self.push(folder);
        }
        self.push(no);
        self.counted += 1;
    }
}

impl Face {
    /// One page; `argument` is the token of the function form.
    pub(super) fn delta(
        &self,
        asked: &Asked<'_>,
        no: ItemNo,
        argument: Option<&str>,
    ) -> Result<Answer, Problem> {
        let query = Query::of(asked.query);
        if no != ItemNo::ROOT && !self.is_personal() {
            return Err(Problem::new(
                StatusCode::NOT_IMPLEMENTED,
                "notSupported",
                "view.delta can only be called on the root.",
            ));
        }
        let world = self.sim.world();
        let token = argument.or_else(|| query.get("token"));
        if token == Some("latest") {
            let link = self.delta_link(&Cursor::since(world.seq()), &query, world.now());
            let link = self.below(no, link);
            return Ok(Answer::ok(json!({ "@odata.deltaLink": link, "value": [] })));
        }
        if self.sim.fires(asked.call, FaultKind::AccessLost).is_some() {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "accessDenied",
                "Access denied",
            ));
        }
        self.take_too_long(asked, token, query.top().unwrap_or(PAGE.0))?;
        let mut cursor = self.cursor(&world, token)?;
        let fresh = cursor == Cursor::everything();
        if !fresh && self.sim.fires(asked.call, FaultKind::LostCursor).is_some() {
            let again = self.delta_link(&Cursor::everything(), &query, world.now());
            return Err(resync().with(header::LOCATION, again));
        }
        if !fresh && let Some(lost) = self.lost(asked) {
            return Err(lost);
        }
        let upto = *cursor.upto.get_or_insert(world.seq());
        let empty = self.sim.fires(asked.call, FaultKind::EmptyPage).is_some();
        let size = self.sim.page_size(query.top(), PAGE.0, PAGE.1);
        let (mut order, next) = if empty {
            (Vec::new(), Some(cursor.place))
        } else {
            page(&world, &cursor, (upto, size))
        };
        self.disturb(asked, &world, &cursor, &mut order);
        order.retain(|one| world.item(*one).is_some_and(|item| self.is_listed(asked, item)));
        order.retain(|one| no == ItemNo::ROOT || *one == no || world.is_below(*one, no));
        let select = Select::of(query.get("select"));
        let entry = |no: &ItemNo| Some(self.entry(&world, world.item(*no)?, (Listing::Feed, &select)));
        let mut value: Vec<Value> = order.iter().filter_map(entry).collect();
        self.estrange(asked, &mut value);
        self.oddities(asked, &world, &select, &mut value);
        let context = format!("{}/v1.0/$metadata#Collection(driveItem)", self.base());
        let mut body = json!({ "@odata.context": context, "value": value });
        let now = world.now();
        if let Some(place) = next {
            let link = self.delta_link(&self.following(asked, cursor, place), &query, now);
            body["@odata.nextLink"] = self.next_link(asked, self.below(no, link)).into();
        } else {
            let link = self.delta_link(&Cursor::since(upto), &query, now);
            body["@odata.deltaLink"] = self.below(no, link).into();
        }
        Ok(Answer::ok(body))
    }

    /// What the service cannot answer in time.
    fn take_too_long(&self, asked: &Asked<'_>, token: Option<&str>, size: usize) -> Result<(), Problem> {
        let fires = |kind| self.sim.fires(asked.call, kind).is_some();
        let goes_on = token.is_some_and(|token| token.parse::<Timestamp>().is_err());
        if goes_on && fires(FaultKind::StaleLink504) || size > PAGE.0 && fires(FaultKind::LargePage504) {
            let (status, code, about) = problem::failure(FaultKind::Timeout504);
            return Err(Problem::new(status, code, about));
        }
        Ok(())
    }

    /// Items that come twice, or never.
    fn disturb(&self, asked: &Asked<'_>, world: &World, cursor: &Cursor, order: &mut Vec<ItemNo>) {
        if !order.is_empty() && self.sim.fires(asked.call, FaultKind::DuplicateItems).is_some() {
            repeat(world, order, cursor);
        }
        if !order.is_empty()
            && !matches!(cursor.place, Place::All { .. })
            && let Some(fault) = self.sim.fires(asked.call, FaultKind::OmittedChange)
        {
            order.retain(|no| world.item(*no).is_none_or(|item| !fault.omits(&item.name)));
        }
        if order.iter().any(|no| is_replaced(world, *no))
            && self.sim.is_odd(asked.call, Oddity::RecreatedWithoutTombstone)
        {
            order.retain(|no| !is_replaced(world, *no));
        }
    }

    /// Where the next page begins.
    fn following(&self, asked: &Asked<'_>, cursor: Cursor, place: Place) -> Cursor {
        if self.sim.fires(asked.call, FaultKind::CircularNextLink).is_some() {
            return cursor;
        }
        Cursor {
            page: cursor.page + 1,
            place,
            ..cursor
        }
    }

    /// Gives the first file of a page a facet nobody knows instead of its own.
    fn estrange(&self, asked: &Asked<'_>, entries: &mut [Value]) {
        let file = entries.iter_mut().filter_map(Value::as_object_mut);
        if let Some(file) = file.into_iter().find(|entry| entry.contains_key("file"))
            && self.sim.fires(asked.call, FaultKind::UnknownKind).is_some()
        {
            file.remove("file");
            file.insert("hologram".to_owned(), json!({ "depth": 3 }));
        }
    }

    /// What is reported of entries.
    fn oddities(&self, asked: &Asked<'_>, world: &World, select: &Select, entries: &mut Vec<Value>) {
        let is_odd = |which| self.sim.is_odd(asked.call, which);
        if entries.iter().any(is_tombstone) {
            let (year_one, plain) = (
                is_odd(Oddity::YearOneTimes),
                is_odd(Oddity::TombstoneWithoutFacet),
            );
            let tombstones = entries.iter_mut().filter(|entry| is_tombstone(entry));
            for members in tombstones.filter_map(Value::as_object_mut) {
                if year_one {
                    members.insert("createdDateTime".to_owned(), YEAR_ONE.into());
                    members.insert("lastModifiedDateTime".to_owned(), YEAR_ONE.into());
                }
                if plain {
                    members.remove("file");
                    members.remove("folder");
                }
            }
        }
        if is_odd(Oddity::UnchangedEntries) {
            let file = world
                .items()
                .iter()
                .find(|item| !item.is_folder() && world.is_visible(item.no));
            entries.extend(file.map(|item| touched(self.entry(world, item, (Listing::Feed, select)))));
        }
        if is_odd(Oddity::Orphans) {
            entries.push(json!({ "id": ORPHAN, "size": 7 }));
        }
        self.respell(asked, entries);
    }

    /// A lost cursor in one of its rarer forms.
    fn lost(&self, asked: &Asked<'_>) -> Option<Problem> {
        let fires = |kind| self.sim.fires(asked.call, kind).is_some();
        if fires(FaultKind::LostCursorForeign) {
            let message = "Resync required.";
            let problem = Problem::new(StatusCode::GONE, "resyncChangesApplyDifferences", message);
            return Some(problem.with(
                header::LOCATION,
                format!(
                    "{}/v1.0/drives/x/root/delta?token=1",
                    self.sim.options().foreign_origin
                ),
            ));
        }
        if fires(FaultKind::LostCursorBroken) {
            let problem = resync().inner("resyncChangesUploadDifferences");
            return Some(problem.with(header::LOCATION, "https://:broken".to_owned()));
        }
        None
    }

    /// Where a token stands; a moment (RFC 3339) stands after everything that happened up to it.
    fn cursor(&self, world: &World, token: Option<&str>) -> Result<Cursor, Problem> {
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Ok(Cursor::everything());
        };
        if let Ok(moment) = token.parse::<Timestamp>()
            && !self.is_personal()
        {
            return Ok(Cursor::since(world.seq_at(moment)));
        }
        let cursor = Cursor::read(token, &self.list)
            .ok_or_else(|| Problem::bad("The provided token is malformed or not valid for this drive."))?;
        if cursor.since > world.seq() || cursor.upto.is_some_and(|seq| seq > world.seq()) {
            let again = self.delta_link(&Cursor::everything(), &Query::of(None), world.now());
            return Err(resync().with(header::LOCATION, again));
        }
        Ok(cursor)
    }

    /// The same link within the feed of a folder, which only personal drives have.
    fn below(&self, no: ItemNo, link: String) -> String {
        if no == ItemNo::ROOT {
            return link;
        }
        link.replacen("/root/", &format!("/items/{}/", self.item_id(no)), 1)
    }

    /// A link carries the options of the request that led to it.
    fn delta_link(&self, cursor: &Cursor, query: &Query, now: Timestamp) -> String {
        let token = cursor.token(&self.list, now);
        let path = format!("/root/delta(token='{token}')");
        self.link(&path, query, &["select", "top"])
    }
}

/// Whether another item stands where this one was deleted.
fn is_replaced(world: &World, no: ItemNo) -> bool {
    let place = world.item(no).and_then(|item| Some((item.parent?, &item.name)));
    !world.is_visible(no) && place.is_some_and(|(parent, name)| world.child(parent, name).is_some())
}

fn is_tombstone(entry: &Value) -> bool {
    entry.get("deleted").is_some()
}

/// The entry of an item to which something happened that no member shows.
fn touched(mut entry: Value) -> Value {
    if let Some(Value::String(tag)) = entry.get_mut("eTag") {
        *tag = format!("{},9001\"", tag.split(',').next().unwrap_or_default());
    }
    entry
}

fn resync() -> Problem {
    let message = "Resync required. Replace any local items with the server's version (including deletes) if you're \
                   sure that the service was up to date with your local changes when you last sync'd.";
    Problem::new(StatusCode::GONE, "resyncRequired", message)
}

/// Lists an item twice: the last of the page before, or the last of this page when it is the first.
fn repeat(world: &World, order: &mut Vec<ItemNo>, cursor: &Cursor) {
    let before = match cursor.place {
        Place::All { from } => (0..from.0).rev().map(ItemNo).find(|no| world.is_visible(*no)),
        Place::Gone { after } | Place::Live { after } => Some(after.item),
    };
    match before.filter(|no| cursor.page > 0 && *no != ItemNo(u32::MAX)) {
        Some(no) => order.insert(0, no),
        None => order.extend(order.last().copied()),
    }
}

/// Up to `size` entries (folders above them not counted) of operations up to `upto`, and where the next page begins.
fn page(world: &World, cursor: &Cursor, (upto, size): (u64, usize)) -> (Vec<ItemNo>, Option<Place>) {
    let mut found = Found::default();
    let next = match cursor.place {
        Place::All { from } => all(world, from, size, &mut found),
        Place::Gone { after } => {
            let next = gone(world, (after, upto), size, &mut found);
            next.or_else(|| live(world, (Slot::end_of(cursor.since), upto), size, &mut found))
        }
        Place::Live { after } => live(world, (after, upto), size, &mut found),
    };
    (found.order, next)
}

fn all(world: &World, from: ItemNo, size: usize, found: &mut Found) -> Option<Place> {
    let items = world.items().get(from.0 as usize..).unwrap_or_default();
    for item in items.iter().filter(|item| world.is_visible(item.no)) {
        if found.counted == size {
            return Some(Place::All { from: item.no });
        }
        found.push_below(world, item.no, |folder| folder > item.no);
    }
    None
}

/// Slots after one, up to an operation.
fn slots(world: &World, (after, upto): (Slot, u64)) -> impl Iterator<Item = Slot> {
    world
        .changed_after(Reach::Tree, after)
        .take_while(move |slot| slot.seq <= upto)
}

fn gone(world: &World, (mut after, upto): (Slot, u64), size: usize, found: &mut Found) -> Option<Place> {
    for slot in slots(world, (after, upto)).filter(|slot| !world.is_visible(slot.item)) {
        if found.counted == size {
            return Some(Place::Gone { after });
        }
        found.push(slot.item);
        found.counted += 1;
        after = slot;
    }
    if !found.order.is_empty() {
        found.push(ItemNo::ROOT);
    }
    None
}

fn live(world: &World, (mut after, upto): (Slot, u64), size: usize, found: &mut Found) -> Option<Place> {
    for slot in slots(world, (after, upto)).filter(|slot| world.is_visible(slot.item)) {
        if found.counted == size {
            return Some(Place::Live { after });
        }
        found.push_below(world, slot.item, |_| true);
        after = slot;
    }
    None
}
