//! `files.list`: files by query.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Corpus;
use crate::drive::Ask;
use crate::drive::mask::{FILES, Picked};
use crate::drive::problem::Problem;
use crate::drive::query::Query;
use crate::drive::unseen::is_unseen;
use crate::drive::wire::{self, Author};
use crate::fault::FaultKind;
use crate::sim::Sim;
use crate::world::{Item, ItemNo, World};

/// What is given when no mask asks for more.
const STUB: &str = "kind,nextPageToken,incompleteSearch,files(kind,id,name,mimeType)";

/// `files.list`: what is in named folders in the order of creation, anything else in none.
pub(in crate::drive) fn files(ask: &Ask<'_>) -> Result<Value, Problem> {
    let mask = ask.mask(STUB, &FILES)?;
    let corpus = ask.corpus()?;
    if ask.get("orderBy").is_some() {
        return Err(Problem::bad("Sorting is not simulated."));
    }
    let text = ask.get("q").unwrap_or_default();
    let query = if text.trim().is_empty() {
        None
    } else {
        Some(Query::parse(text)?)
    };
    let place = ask.place("files", text)?;
    let size = ask.page_size(100, super::LIMIT)?;
    let world = ask.sim.world();
    let mut items = matching(ask.sim, &world, query.as_ref(), (place.after, size + 1))?;
    if corpus == Corpus::Empty {
        items.clear();
    }
    let next = ask.cut(&mut items, (place, size), |(number, _)| *number);
    ask.repeat(&mut items);
    let incomplete = ask.fires(FaultKind::IncompleteSearch);
    if incomplete {
        items.truncate(items.len() / 2);
    }
    let mut answer = Picked::new(&mask);
    answer.put("kind", || "drive#fileList");
    answer.put("incompleteSearch", || incomplete);
    if let Some(next) = next {
        answer.put("nextPageToken", || next);
    }
    answer.put_masked("files", |mask| {
        let files = items.iter();
        let mut listed: Value = files
            .map(|(_, item)| wire::file(ask.sim, &world, item, Author::Named, mask))
            .collect();
        estrange(ask, &mut listed);
        listed
    });
    Ok(answer.value())
}

/// Takes its type from the first file of a page.
fn estrange(ask: &Ask<'_>, listed: &mut Value) {
    let files = listed.as_array_mut().into_iter().flatten();
    let mut files = files.filter_map(Value::as_object_mut);
    if let Some(file) = files.find(|file| file.contains_key("md5Checksum"))
        && ask.fires(FaultKind::UnknownKind)
    {
        file.remove("mimeType");
    }
}

/// Up to `most` items that meet the query, with the numbers they are listed by, which are above `after`. With a condition on parents only
/// those folders are read.
fn matching<'w>(
    sim: &Sim,
    world: &'w World,
    query: Option<&Query>,
    (after, most): (u64, usize),
) -> Result<Vec<(u64, &'w Item)>, Problem> {
    let Some(query) = query else {
        return Ok(shuffled(world, (after, most), |_| true));
    };
    let mut parents = Vec::new();
    query.parents(&mut parents);
    if let Some(unknown) = parents.iter().find(|id| wire::resolve(sim, world, id).is_none()) {
        return Err(Problem::no_file(unknown));
    }
    let holds = |item: &Item| query.holds(sim, world, item);
    let Some(folders) = query.folders(sim, world) else {
        return Ok(shuffled(world, (after, most), holds));
    };
    let children = folders.iter().flat_map(|folder| {
        let live = world.children(*folder);
        live.chain(world.deleted_children(*folder))
    });
    let numbers: BTreeSet<ItemNo> = children
        .filter(|item| !is_unseen(item))
        .map(|item| item.no)
        .filter(|no| u64::from(no.0) > after)
        .collect();
    let items = numbers.iter().filter_map(|no| world.item(*no));
    let items = items.filter(|item| holds(item)).take(most);
    Ok(items.map(|item| (u64::from(item.no.0), item)).collect())
}

/// An odd number of 64 bits: multiples of it, cut to 64 bits, are all different and in no order.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Items but the root that meet a condition, in no order that means anything: a file may come before the folder it is in. What is made
/// while pages are read comes anywhere, so it may be on none of those that follow.
fn shuffled(world: &World, (after, most): (u64, usize), holds: impl Fn(&Item) -> bool) -> Vec<(u64, &Item)> {
    let items = world.items().iter().filter(|item| item.no != ItemNo::ROOT);
    let numbered = items.map(|item| (u64::from(item.no.0).wrapping_mul(STRIDE), item));
    let mut rest: Vec<(u64, &Item)> = numbered
        .filter(|(number, item)| *number > after && !is_unseen(item) && holds(item))
        .collect();
    rest.sort_unstable_by_key(|(number, _)| *number);
    rest.truncate(most);
    rest
}
