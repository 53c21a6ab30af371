//! Revision lists: which questions to put to `list_revisions`, and when a history is whole.

use std::collections::{HashSet, VecDeque};

use revtrail_connector::{
    ConnectorError, ErrorKind,
    change::{About, AskFailure, Completeness, Presence},
};

use crate::{
    api::{Api, PathRoot, REVISIONS, REVISIONS_LIMIT, Reply, Revisions},
    error::{NOT_A_FILE, malformed},
    map::{Listed, oldest_first, presence},
    wire::ListRevisions,
};

/// The answer to one question, authors not yet named.
#[derive(Debug)]
pub(crate) struct History {
    /// Oldest first.
    pub(crate) entries: Vec<Listed>,
    pub(crate) completeness: Completeness,
    pub(crate) now: Presence,
}

/// Puts one question, and sorts what concerns only this question from what concerns the whole call.
pub(crate) async fn ask(
    api: &Api,
    root: &PathRoot,
    about: &About,
) -> Result<Result<History, AskFailure>, ConnectorError> {
    let history = match about {
        About::Item(id) => of_item(api, root, id.as_str()).await,
        About::Place(place) => at_place(api, root, place.as_str()).await,
    };
    match history {
        Ok(history) => Ok(Ok(history)),
        Err(error) => match absence(&error) {
            Some(now) => Ok(Ok(nothing(now))),
            None => own_failure(error).map(Err),
        },
    }
}

/// A refusal about one file loses only that file. What would refuse the next question as well fails the call.
fn own_failure(error: ConnectorError) -> Result<AskFailure, ConnectorError> {
    let is_own = match error.kind {
        ErrorKind::PermissionDenied
        | ErrorKind::NotFound
        | ErrorKind::NotSupported
        | ErrorKind::Malformed => true,
        // Some files make the server fail each time; without any answer it is the network.
        ErrorKind::Unavailable { .. } => error.status.is_some(),
        ErrorKind::RateLimited { .. }
        | ErrorKind::TokenExpired
        | ErrorKind::Unauthorized
        | ErrorKind::CursorExpired
        | ErrorKind::ForeignHost
        | ErrorKind::Config
        | ErrorKind::Bug => false,
    };
    if is_own {
        Ok(AskFailure {
            kind: error.kind,
            status: error.status,
        })
    } else {
        Err(error)
    }
}

/// "There is nothing" and "that is a folder" come as errors, but are answers.
fn absence(error: &ConnectorError) -> Option<Presence> {
    match (&error.kind, error.code.as_deref()) {
        (ErrorKind::NotFound, Some(NOT_A_FILE)) => Some(Presence::NotAFile),
        (ErrorKind::NotFound, _) => Some(Presence::Gone),
        _ => None,
    }
}

fn nothing(now: Presence) -> History {
    History {
        entries: Vec::new(),
        completeness: Completeness::AsKept,
        now,
    }
}

async fn at_place(api: &Api, root: &PathRoot, place: &str) -> Result<History, ConnectorError> {
    let first = api.revisions(root, Revisions::AtPlace(place, None)).await?;
    // Later pages speak of older revisions, so only the first tells about the present.
    let now = presence(&first.value);
    let (entries, completeness) = pages(api, root, place, first).await?;
    Ok(History {
        entries: oldest_first(entries),
        completeness,
        now,
    })
}

/// All pages of a place, newest first, beginning with the one at hand.
async fn pages(
    api: &Api,
    root: &PathRoot,
    place: &str,
    first: Reply<ListRevisions>,
) -> Result<(Vec<Listed>, Completeness), ConnectorError> {
    let mut entries = Vec::new();
    let mut asked = HashSet::new();
    let mut page = first;
    loop {
        entries.extend(read(&page)?);
        if !page.value.has_more {
            return Ok((entries, Completeness::AsKept));
        }
        let Some(before) = entries.last().map(|entry| entry.file.rev.clone()) else {
            return Ok((entries, Completeness::Truncated));
        };
        // A page that ends where another ended would go on for ever.
        if !asked.insert(before.clone()) {
            return Ok((entries, Completeness::Truncated));
        }
        page = match api
            .revisions(root, Revisions::AtPlace(place, Some(&before)))
            .await
        {
            Ok(page) => page,
            // The revision to go on from was purged meanwhile.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::NotSupported) => {
                return Ok((entries, Completeness::Truncated));
            }
            Err(error) => return Err(error),
        };
    }
}

async fn of_item(api: &Api, root: &PathRoot, id: &str) -> Result<History, ConnectorError> {
    let first = api.revisions(root, Revisions::OfItem(id)).await?;
    let now = presence(&first.value);
    let entries = read(&first)?;
    if !first.value.has_more && entries.len() < REVISIONS_LIMIT {
        return Ok(History {
            entries: oldest_first(entries),
            completeness: Completeness::AsKept,
            now,
        });
    }
    let is_cut = first.value.has_more;
    let (entries, found) = complete(api, root, id, entries).await?;
    Ok(History {
        entries: oldest_first(entries),
        // Dropbox says that there are older ones: finding none at any place the file was seen at leaves a gap. (A place held only
        // before the 100 newest revisions and never named since stays unseen; nothing in the answers would show that.)
        completeness: if found.is_broken_off || (is_cut && !found.older) {
            Completeness::Truncated
        } else if is_cut {
            Completeness::Completed
        } else {
            Completeness::AsKept
        },
        now,
    })
}

/// What the places of an item added to its own list.
#[derive(Debug, Default)]
struct Found {
    /// Revisions that the item's own list leaves out.
    older: bool,
    /// The list of some place could not be read to its end.
    is_broken_off: bool,
}

/// Adds the item's revisions from every place it was seen at, including places that only these additions name.
async fn complete(
    api: &Api,
    root: &PathRoot,
    id: &str,
    mut entries: Vec<Listed>,
) -> Result<(Vec<Listed>, Found), ConnectorError> {
    let mut known: HashSet<String> = entries.iter().map(|entry| entry.file.rev.clone()).collect();
    let mut seen = HashSet::new();
    let mut places: VecDeque<String> = VecDeque::new();
    let own = entries.len();
    let mut from = 0;
    let mut outcome = Found::default();
    loop {
        let news = entries.iter().skip(from);
        places.extend(
            news.filter_map(|entry| entry.file.path_lower.clone())
                .filter(|place| seen.insert(place.clone())),
        );
        from = entries.len();
        let Some(place) = places.pop_front() else {
            outcome.older = from > own;
            return Ok((entries, outcome));
        };
        let first = match api.revisions(root, Revisions::AtPlace(&place, None)).await {
            Ok(first) => first,
            // Purged, or a folder by now.
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let (found, completeness) = pages(api, root, &place, first).await?;
        outcome.is_broken_off |= completeness == Completeness::Truncated;
        entries.extend(
            found
                .into_iter()
                .filter(|entry| entry.file.id == id && known.insert(entry.file.rev.clone())),
        );
    }
}

fn read(page: &Reply<ListRevisions>) -> Result<Vec<Listed>, ConnectorError> {
    let entries = page.value.entries.iter();
    entries
        .map(|entry| Listed::read(entry, &page.origin).map_err(|error| malformed(REVISIONS, error)))
        .collect()
}
