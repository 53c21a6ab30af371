//! What was done to the items, from two sides: the audit log of the customer (Admin SDK Reports, application `drive`) and Drive Activity,
//! which knows no applications. Both come from one journal and lag behind it alike.

use jiff::Timestamp;

use super::ids;
use crate::audit::{Hand, Record, visible};
use crate::sim::{Call, Provider, Sim};
use crate::world::{Op, What, World};

mod activity;
mod facts;
mod filter;
mod reports;

pub(super) use activity::query;
pub(crate) use facts::facts;
pub(super) use reports::list;

/// Path of Drive Activity.
pub(super) const QUERY: &str = "/v2/activity:query";
/// Number of the account that stands for people the customer does not know.
const STRANGER: &str = "105250506097979753968";

/// Whether this is the path of a list of the log; whose and of what application.
pub(super) fn reports_path(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/admin/reports/v1/activity/users/")?;
    rest.split_once("/applications/")
}

/// What is visible now, newest act first.
fn records<'a>(sim: &Sim, world: &'a World, call: &Call) -> Vec<Record<'a>> {
    let about_items = |op: &Op| world.item(op.item).is_some();
    let mut records = visible(
        sim,
        world,
        (Provider::GoogleDrive, Some(call.operation)),
        (about_items, |_, _| false),
    );
    records.sort_by_key(|record| std::cmp::Reverse(place(record)));
    records
}

/// Where a record stands in a listing.
fn place(record: &Record<'_>) -> (Timestamp, u64) {
    record.first().map_or((Timestamp::MIN, 0), |op| (op.at, op.seq))
}

/// The position in a page token; `None` for any other text.
fn read_token(text: &str) -> Option<(Timestamp, u64)> {
    let mut parts = text.strip_prefix("A:")?.split(':');
    let micros = parts.next()?.parse().ok()?;
    let seq = parts.next()?.parse().ok()?;
    (parts.next() == Some("sim")).then_some(())?;
    Some((Timestamp::from_microsecond(micros).ok()?, seq))
}

fn token((at, seq): (Timestamp, u64)) -> String {
    format!("A:{}:{seq}:sim", at.as_microsecond())
}

/// The part of a page's records after a position, and the token of what follows.
fn page<'a>(
    records: Vec<Record<'a>>,
    after: Option<(Timestamp, u64)>,
    size: usize,
) -> (Vec<Record<'a>>, Option<String>) {
    let mut rest: Vec<Record<'a>> = records
        .into_iter()
        .filter(|record| after.is_none_or(|after| place(record) < after))
        .collect();
    let more = rest.len() > size;
    rest.truncate(size);
    let next = rest.last().filter(|_| more).map(|last| token(place(last)));
    (rest, next)
}

/// Whether the owner's customer knows this address.
fn is_inside(sim: &Sim, email: &str) -> bool {
    let domain = |email: &str| email.split_once('@').map(|(_, domain)| domain.to_owned());
    domain(email) == domain(&sim.options().owner.email)
}

/// The account's number, as both sides have it.
fn profile(sim: &Sim, email: &str) -> String {
    if is_inside(sim, email) {
        format!("1{}", ids::permission(email))
    } else {
        STRANGER.to_owned()
    }
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above)
}

/// The old name, of what was given another.
fn old_name(op: &Op) -> Option<&str> {
    match &op.what {
        What::Moved { old_name, .. } if **old_name != *name_of(&op.path) => Some(old_name),
        _ => None,
    }
}

/// Whether it went into another folder.
fn is_moved(op: &Op) -> bool {
    match &op.what {
        What::Moved { old_path, .. } => parent_of(old_path) != parent_of(&op.path),
        _ => false,
    }
}

/// Applications that act on their own, told by their names.
fn is_agent(name: &str) -> bool {
    name.contains("Cowork") || name.contains("Agent")
}

fn application(op: &Op) -> Option<&str> {
    match Hand::of(op) {
        Hand::Through(_, name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
