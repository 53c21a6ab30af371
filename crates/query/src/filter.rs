//! Selecting events.

use std::collections::{BTreeMap, BTreeSet};

use revtrail_model::{
    event::{Action, Actor, Event, Occurred},
    id::{FolderName, ItemId},
    time::Timestamp,
};

use crate::{
    annotations::{AnnotationRow, Attribution},
    paths::PathChanges,
    reader::Row,
};

/// Which events are wanted. Absent members do not restrict.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// May have happened at or after this moment.
    pub from: Option<Timestamp>,
    /// May have happened before this moment.
    pub until: Option<Timestamp>,
    /// In these folders.
    pub folders: Vec<FolderName>,
    /// Of these kinds.
    pub actions: Vec<Action>,
    /// By this actor: address, id or display name, compared without case.
    pub actor: Option<String>,
    /// At this path or below it.
    pub path: Option<String>,
}

impl Filter {
    /// True when the row is wanted: by what its event says, or, as to the actor, by what the audit log says.
    pub fn wants_row(&self, row: &Row) -> bool {
        let named = |who: &String| {
            row.annotations
                .iter()
                .filter_map(AnnotationRow::actor)
                .any(|actor| is_named(&actor, who))
        };
        self.wants(&row.event)
            || (self.actor.as_ref().is_some_and(named) && self.but_actor().wants(&row.event))
    }

    /// The same whoever did it.
    #[must_use]
    pub fn but_actor(&self) -> Self {
        Self {
            actor: None,
            ..self.clone()
        }
    }

    /// True when the event is wanted. An event known by bounds is wanted when it may have happened in the time asked for.
    pub fn wants(&self, event: &Event) -> bool {
        let (earliest, latest) = bounds(&event.occurred);
        let in_time = self.from.is_none_or(|from| latest >= from)
            && self
                .until
                .is_none_or(|until| earliest.is_none_or(|at| at < until));
        in_time
            && (self.folders.is_empty() || self.folders.contains(&event.scope.folder))
            && (self.actions.is_empty() || self.actions.contains(&event.action))
            && self.actor.as_ref().is_none_or(|actor| is_by(event, actor))
            && self.path.as_ref().is_none_or(|path| touches(event, path))
    }
}

/// Earliest and latest moment at which the event can have happened.
pub(crate) fn bounds(occurred: &Occurred) -> (Option<Timestamp>, Timestamp) {
    match occurred {
        Occurred::At { at, .. } => (Some(*at), *at),
        Occurred::Between {
            not_before,
            not_after,
        } => (*not_before, *not_after),
    }
}

fn is_by(event: &Event, who: &str) -> bool {
    event.actor.as_ref().is_some_and(|actor| is_named(actor, who))
}

fn is_named(actor: &Actor, who: &str) -> bool {
    let named = [
        &actor.details.email,
        &actor.details.id,
        &actor.details.name,
        &actor.details.on_behalf_of,
    ];
    let application = actor.application.iter().flat_map(|app| [&app.id, &app.name]);
    named
        .into_iter()
        .chain(application)
        .flatten()
        .any(|name| name.to_lowercase() == who.to_lowercase())
}

fn touches(event: &Event, path: &str) -> bool {
    let path = path.trim_matches('/');
    let at_or_below =
        |found: &String| found == path || found.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    event
        .path
        .path
        .iter()
        .chain(&event.path.previous_path)
        .any(at_or_below)
}

/// The wanted rows in order of time (of the latest possible moment, for events known by bounds).
pub fn select(rows: &[Row], filter: &Filter) -> Vec<Row> {
    let mut found: Vec<Row> = rows.iter().filter(|row| filter.wants_row(row)).cloned().collect();
    found.sort_by_key(|row| (row.event.occurred.sort_key(), row.year, row.index));
    found
}

/// Everything that happened to the items that ever were at `path`, under whatever name. Folders that were renamed take their contents
/// along, so an item can have been at a path that none of its own events names.
pub fn history(rows: &[Row], folder: Option<&FolderName>, path: &str) -> Vec<Row> {
    let path = path.trim_matches('/');
    let changes = PathChanges::of(rows);
    let mut items: BTreeSet<(FolderName, ItemId)> = BTreeSet::new();
    for row in rows
        .iter()
        .filter(|row| folder.is_none_or(|folder| *folder == row.event.scope.folder))
    {
        if changes.ever_at(row, path) {
            items.insert((row.event.scope.folder.clone(), row.event.item_id.clone()));
        }
    }
    let mut found: Vec<Row> = rows
        .iter()
        .filter(|row| items.contains(&(row.event.scope.folder.clone(), row.event.item_id.clone())))
        .cloned()
        .collect();
    found.sort_by_key(|row| (row.event.occurred.sort_key(), row.year, row.index));
    found
}

/// Every actor named in the record, by the event or by the audit log where the event names none, with the number of events, most first.
/// Events without a named actor are under `None`.
pub fn actors(rows: &[Row]) -> Vec<(Option<String>, u64)> {
    let mut counted: BTreeMap<Option<String>, u64> = BTreeMap::new();
    for row in rows {
        let actor = row.event.actor.clone().or_else(|| match row.attribution() {
            Attribution::By(actor) => actor,
            _ => None,
        });
        let name = actor.and_then(|actor| {
            let details = actor.details;
            details.email.or(details.name).or(details.id)
        });
        *counted.entry(name).or_default() += 1;
    }
    let mut found: Vec<_> = counted.into_iter().collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found
}
