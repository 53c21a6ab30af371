//! Versions of a file and their bytes. `ForeignNextLink`, `MissingActor` and `VanishedRevision` can happen to the list.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::items::{Select, version};
use super::personal::people;
use super::problem::{Answer, Problem};
use super::route::DOWNLOAD;
use super::text::Query;
use super::{Asked, Face, facets, ids};
use crate::content::content;
use crate::fault::FaultKind;
use crate::ids::{derive, hex};
use crate::world::{Item, ItemNo, Save, World};

/// Entries of a page when the client has no wish, and at most.
const PAGE: (usize, usize) = (200, 1000);
/// How long a download link works, in virtual time.
const LINK_LIFE: SignedDuration = SignedDuration::from_mins(5);

/// A place in a list of versions: how many are behind, and which save was left out.
struct Position {
    behind: usize,
    dropped: Option<usize>,
}

impl Position {
    fn read(text: &str) -> Option<Self> {
        let (behind, dropped) = text.strip_prefix('v')?.split_once('-')?;
        let dropped = if dropped.is_empty() {
            None
        } else {
            Some(dropped.parse().ok()?)
        };
        Some(Self {
            behind: behind.parse().ok()?,
            dropped,
        })
    }

    fn text(&self) -> String {
        let dropped = self.dropped.map(|place| place.to_string()).unwrap_or_default();
        format!("v{}-{dropped}", self.behind)
    }
}

impl Face {
    /// One page of versions, newest first.
    pub(super) fn versions(&self, asked: &Asked<'_>, no: ItemNo) -> Result<Answer, Problem> {
        let query = Query::of(asked.query);
        let world = self.sim.world();
        let item = file(world.item(no), "Versions are kept of files only.")?;
        let saves = self.sim.merged(&item.saves);
        let fires = |kind| self.sim.fires(asked.call, kind).is_some();
        if fires(FaultKind::RevisionsRefused) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "accessDenied",
                "Access denied",
            ));
        }
        if fires(FaultKind::LaggingRevisions) {
            return Ok(Answer::ok(json!({ "value": [] })));
        }
        let mut position = match query.get("skiptoken") {
            Some(text) => Position::read(text).ok_or_else(|| Problem::bad("Invalid $skiptoken."))?,
            None => Position {
                behind: 0,
                dropped: Some(saves.len() / 2)
                    .filter(|_| saves.len() > 2 && fires(FaultKind::VanishedRevision)),
            },
        };
        let present = self.sim.kept(world.now(), &saves);
        let kept = saves.iter().enumerate().rev().filter(|(place, _)| {
            Some(*place) != position.dropped && present.get(*place).copied().unwrap_or_default()
        });
        let size = self.sim.page_size(query.top(), PAGE.0, PAGE.1);
        let select = Select::of(query.get("select"));
        let mut left = kept.skip(position.behind);
        let mut value: Vec<Value> = left
            .by_ref()
            .take(size)
            .map(|(place, save)| select.apply(self.version_entry(place, save)))
            .collect();
        if !value.is_empty()
            && fires(FaultKind::MissingActor)
            && let Some(members) = value.first_mut().and_then(Value::as_object_mut)
        {
            members.remove("lastModifiedBy");
        }
        let mut body = json!({ "value": value });
        if left.next().is_some() {
            position.behind += size;
            let path = format!("/items/{}/versions", self.item_id(no));
            let link = self.skip_link(&path, &query, &position.text());
            body["@odata.nextLink"] = self.next_link(asked, link).into();
        }
        Ok(Answer::ok(body))
    }

    /// Metadata of one version; `current` names the newest.
    pub(super) fn version(&self, asked: &Asked<'_>, no: ItemNo, id: &str) -> Result<Answer, Problem> {
        let world = self.sim.world();
        let item = file(world.item(no), "Versions are kept of files only.")?;
        let saves = self.sim.merged(&item.saves);
        let (place, save) = self.find(&world, &saves, id)?;
        let select = Select::of(Query::of(asked.query).get("select"));
        Ok(Answer::ok(select.apply(self.version_entry(place, save))))
    }

    /// A version that is still there.
    fn find<'a>(&self, world: &World, saves: &'a [Save], id: &str) -> Result<(usize, &'a Save), Problem> {
        let present = self.sim.kept(world.now(), saves);
        let mut numbered = saves.iter().enumerate().rev();
        numbered
            .find(|(place, _)| id == "current" || ids::version_id(*place) == id)
            .filter(|(place, _)| present.get(*place).copied().unwrap_or_default())
            .ok_or_else(Problem::not_found)
    }

    fn version_entry(&self, place: usize, save: &Save) -> Value {
        let mut entry = version(place, save);
        if self.is_personal() {
            people(&mut entry);
        }
        entry
    }

    /// Redirects to the bytes of an older version; those of the newest are the item's own content.
    pub(super) fn version_content(&self, no: ItemNo, id: &str) -> Result<Answer, Problem> {
        let world = self.sim.world();
        let item = file(world.item(no), "Versions are kept of files only.")?;
        let saves = self.sim.merged(&item.saves);
        let (place, _) = self.find(&world, &saves, id)?;
        facets::withhold(item)?;
        if place + 1 == saves.len() {
            return Err(Problem::bad("You cannot get the content of the current version."));
        }
        let until = world.now() + LINK_LIFE;
        Ok(Answer::redirect(self.download_link(no, place, until.as_second())))
    }

    /// Redirects to the bytes of a file as it is.
    pub(super) fn content(&self, no: ItemNo) -> Result<Answer, Problem> {
        let world = self.sim.world();
        let item = file(world.item(no), "Only files have content.")?;
        facets::withhold(item)?;
        let until = world.now() + LINK_LIFE;
        let place = self.sim.merged(&item.saves).len().saturating_sub(1);
        Ok(Answer::redirect(self.download_link(no, place, until.as_second())))
    }

    fn download_link(&self, no: ItemNo, place: usize, until: i64) -> String {
        let seal = seal(no, place, until);
        format!(
            "{}{DOWNLOAD}?UniqueId={}-{place}&until={until}&tempauth={seal}",
            self.base(),
            no.0
        )
    }

    /// The bytes behind a download link: for its seal, until it lapses, and to nobody who shows a token.
    pub(super) fn download(&self, query: Option<&str>, headers: &HeaderMap) -> Response {
        let query = Query::of(query);
        let save = self.sealed(&query);
        if headers.contains_key(AUTHORIZATION) || save.is_none() {
            return (StatusCode::UNAUTHORIZED, "401 UNAUTHORIZED").into_response();
        }
        let bytes = save.map(|save| content(&save.content_key, save.size));
        let mut answer = Response::new(Body::from(bytes.unwrap_or_default()));
        let kind = HeaderValue::from_static("application/octet-stream");
        answer.headers_mut().insert(CONTENT_TYPE, kind);
        answer
    }

    fn sealed(&self, query: &Query) -> Option<Save> {
        let (no, place) = query.get("UniqueId")?.split_once('-')?;
        let (no, place) = (ItemNo(no.parse().ok()?), place.parse().ok()?);
        let until: i64 = query.get("until")?.parse().ok()?;
        let world = self.sim.world();
        let good =
            query.get("tempauth") == Some(&*seal(no, place, until)) && world.now().as_second() <= until;
        let item = world.item(no).filter(|_| good)?;
        self.sim.merged(&item.saves).get(place).cloned()
    }
}

/// What makes a download link hard to invent.
fn seal(no: ItemNo, place: usize, until: i64) -> String {
    hex(&derive("onedrive-tempauth", &format!("{} {place} {until}", no.0)))
}

fn file<'a>(item: Option<&'a Item>, otherwise: &str) -> Result<&'a Item, Problem> {
    let item = item.ok_or_else(Problem::not_found)?;
    if item.is_folder() || facets::is_shortcut(item) {
        Err(Problem::bad(otherwise))
    } else {
        Ok(item)
    }
}
