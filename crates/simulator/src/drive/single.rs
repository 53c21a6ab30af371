//! Routes that give one resource, or its bytes.

use axum::http::StatusCode;
use serde_json::Value;

use super::Ask;
use super::ids;
use super::listing::{Corpus, blob, editors_only, start_token};
use super::mask::{ABOUT, FILE, Mask, Picked, REVISION, START};
use super::problem::{Answer, Problem};
use super::wire::{self, Author};
use crate::content::content;
use crate::fault::FaultKind;
use crate::sim::Sim;
use crate::world::{Item, Save, World};

/// `about.get`; the provider insists on a mask.
pub(super) fn about(ask: &Ask<'_>) -> Result<Value, Problem> {
    if ask.get("fields").is_none() {
        return Err(Problem::required("fields"));
    }
    let mask = ask.mask("*", &ABOUT)?;
    let mut about = Picked::new(&mask);
    about.put("kind", || "drive#about");
    about.put_masked("user", |mask| wire::user(ask.sim, &ask.sim.options().owner, mask));
    Ok(about.value())
}

/// `changes.getStartPageToken`.
pub(super) fn start_page_token(ask: &Ask<'_>) -> Result<Value, Problem> {
    let mask = ask.mask("*", &START)?;
    let corpus = ask.corpus()?;
    let world = ask.sim.world();
    let mut answer = Picked::new(&mask);
    answer.put("kind", || "drive#startPageToken");
    answer.put("startPageToken", || match corpus {
        Corpus::World => start_token(&world),
        Corpus::Empty => "1".to_owned(),
    });
    Ok(answer.value())
}

/// `files.get`: metadata, or with `alt=media` the newest content.
pub(super) fn file(ask: &Ask<'_>, id: &str) -> Result<Answer, Problem> {
    let mask = ask.mask("kind,id,name,mimeType", &FILE)?;
    if wire::shared_drive(ask.sim).is_some() {
        let own = ids::root(&ask.sim.options().owner.email);
        if id == "root" || id == own {
            return Ok(empty_root(&own, &mask));
        }
        if ask.get("supportsAllDrives") != Some("true") {
            // A client that does not say that it knows of shared drives does not find what is on them.
            return Err(Problem::no_file(id));
        }
    }
    let world = ask.sim.world();
    let item = wire::resolve(ask.sim, &world, id).ok_or_else(|| Problem::no_file(id))?;
    if ask.wants_media() {
        given_out(&world, item)?;
        let head = item.head().ok_or_else(Problem::no_content)?.clone();
        let kind = wire::mime_type(&world, item);
        drop(world);
        return Ok(media(&head, kind));
    }
    let author = if !item.is_folder() && ask.fires(FaultKind::MissingActor) {
        Author::Missing
    } else {
        Author::Named
    };
    let file = wire::file(ask.sim, &world, item, author, &mask);
    Ok(Answer::json(StatusCode::OK, &file))
}

/// The root of a My Drive with nothing in it.
fn empty_root(id: &str, mask: &Mask) -> Answer {
    let mut file = Picked::new(mask);
    file.put("kind", || "drive#file");
    file.put("id", || id);
    file.put("name", || "My Drive");
    file.put("mimeType", || "application/vnd.google-apps.folder");
    file.put("trashed", || false);
    Answer::json(StatusCode::OK, &file.value())
}

/// `revisions.get`: metadata, or with `alt=media` the content, which only the newest revision and pinned ones give.
pub(super) fn revision(ask: &Ask<'_>, id: &str, revision: &str) -> Result<Answer, Problem> {
    let mask = ask.mask("kind,id,mimeType,modifiedTime", &REVISION)?;
    let world = ask.sim.world();
    let item = blob(ask.sim, &world, id)?;
    editors_only(ask.sim)?;
    let save = find(ask.sim, item, revision).ok_or_else(|| Problem::no_revision(revision))?;
    if ask.wants_media() {
        given_out(&world, item)?;
        if item.head().is_none_or(|head| head.seq != save.seq) && !ask.sim.is_pinned(item.no, save.seq) {
            return Err(Problem::restricted());
        }
        let (head, kind) = (save.clone(), wire::mime_type(&world, item));
        drop(world);
        return Ok(media(&head, kind));
    }
    let author = if ask.fires(FaultKind::MissingActor) {
        Author::Missing
    } else {
        Author::Named
    };
    let revision = wire::revision(ask.sim, &world, (item, save), author, &mask);
    Ok(Answer::json(StatusCode::OK, &revision))
}

/// The save a revision id names; `head` is not an alias in this version of the API.
fn find<'i>(sim: &Sim, item: &'i Item, revision: &str) -> Option<&'i Save> {
    let seq = ids::revision_seq(revision).filter(|seq| !sim.is_purged(*seq))?;
    let place = item.saves.binary_search_by_key(&seq, |save| save.seq).ok()?;
    item.saves.get(place)
}

/// Shortcuts have no content, and that of a file `.malware` is withheld.
fn given_out(world: &World, item: &Item) -> Result<(), Problem> {
    if wire::is_shortcut(world, item) {
        Err(Problem::no_content())
    } else if item.name.ends_with(".malware") {
        Err(Problem::abusive())
    } else {
        Ok(())
    }
}

fn media(save: &Save, kind: &str) -> Answer {
    Answer {
        status: StatusCode::OK,
        kind: kind.to_owned(),
        body: content(&save.content_key, save.size),
    }
}
