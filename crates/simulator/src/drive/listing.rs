//! The three listings: the change log, files by query, revisions of a file.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Ask;
use super::mask::{CHANGES, Mask, Picked, REVISIONS};
use super::place::Place;
use super::problem::Problem;
use super::unseen::is_unseen;
use super::wire::{self, Author};
use crate::fault::{FaultKind, Oddity};
use crate::sim::{GoogleRole, Sim};
use crate::world::{Item, Reach, Save, Slot, World};

mod files;

pub(super) use files::files;

/// What is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Corpus {
    /// Where the world is.
    World,
    /// A My Drive with nothing in it.
    Empty,
}

/// No listing gives more per page.
const LIMIT: usize = 1000;
/// What lists give when no mask asks for more.
const CHANGES_STUB: &str = "kind,nextPageToken,newStartPageToken,\
    changes(kind,type,changeType,time,removed,fileId,file(kind,id,name,mimeType))";
const REVISIONS_STUB: &str = "kind,nextPageToken,revisions(kind,id,mimeType,modifiedTime)";

/// Token of the present: the number the next operation will have.
pub(super) fn start_token(world: &World) -> String {
    (world.seq() + 1).to_string()
}

/// The operation a change token stands before. Leading zeros mean nothing: a page without entries adds one, so that its
/// token differs from the one sent.
fn position(token: &str, world: &World) -> Option<u64> {
    let digits = token.bytes().all(|letter| letter.is_ascii_digit());
    let position: u64 = token.parse().ok().filter(|_| digits)?;
    (1..=world.seq() + 1).contains(&position).then_some(position)
}

/// `changes.list`: one entry per item, oldest first, as the item is now.
pub(super) fn changes(ask: &Ask<'_>) -> Result<Value, Problem> {
    let mask = ask.mask(CHANGES_STUB, &CHANGES)?;
    let token = ask
        .get("pageToken")
        .ok_or_else(|| Problem::required("pageToken"))?;
    let corpus = ask.corpus()?;
    let size = ask.page_size(100, LIMIT)?;
    if ask.fires(FaultKind::LostCursor) {
        return Err(Problem::invalid("pageToken"));
    }
    if corpus == Corpus::Empty
        || ask.get("restrictToMyDrive") == Some("true") && wire::is_on_shared_drive(ask.sim)
    {
        return Ok(unchanged(&mask, token));
    }
    let world = ask.sim.world();
    let position = position(token, &world).ok_or_else(|| Problem::invalid("pageToken"))?;
    let mut slots: Vec<Slot> = world
        .changed_after(Reach::Own, Slot::end_of(position - 1))
        .take(size + 1)
        .collect();
    let mut next = None;
    if !slots.is_empty() && ask.fires(FaultKind::EmptyPage) {
        slots.clear();
        next = Some(format!("0{token}"));
    } else if slots.len() > size {
        slots.truncate(size);
        next = slots.last().map(|slot| (slot.seq + 1).to_string());
    }
    if !slots.is_empty()
        && let Some(fault) = ask.sim.fires(ask.call, FaultKind::OmittedChange)
    {
        slots.retain(|slot| world.item(slot.item).is_none_or(|item| !fault.omits(&item.name)));
    }
    ask.repeat(&mut slots);
    let forms = Forms::of(ask, &slots);
    let mut answer = Picked::new(&mask);
    answer.put("kind", || "drive#changeList");
    match next {
        Some(next) => answer.put("nextPageToken", || next),
        None => answer.put("newStartPageToken", || start_token(&world)),
    }
    answer.put_masked("changes", |mask| {
        let items = slots.iter().filter_map(|slot| world.item(slot.item));
        let items = items.filter(|item| !is_unseen(item));
        let mut entries: Vec<Value> = items
            .filter_map(|item| forms.entry(ask.sim, &world, item, mask))
            .collect();
        entries.extend(forms.untouched(ask.sim, &world, mask));
        entries.into()
    });
    Ok(answer.value())
}

/// How the entries of a page of changes look.
struct Forms {
    /// The items are no longer shown to the user.
    lost: bool,
    removals: Removals,
    /// Entries lack their file.
    bare: bool,
    /// An item is listed to which nothing happened that can be seen.
    untouched: bool,
}

/// What the client wants to know of removals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Removals {
    /// Nothing: `includeRemoved` is false.
    Hidden,
    /// That they are.
    Bare,
    /// The item as well, where it can still be read: `includeCorpusRemovals`.
    WithFile,
}

impl Forms {
    fn of(ask: &Ask<'_>, slots: &[Slot]) -> Self {
        let says = |name: &str, word: &str| ask.get(name) == Some(word);
        let is_odd = |which| ask.sim.is_odd(ask.call, which);
        Self {
            lost: !slots.is_empty() && ask.fires(FaultKind::AccessLost),
            removals: if says("includeRemoved", "false") {
                Removals::Hidden
            } else if says("includeCorpusRemovals", "true") {
                Removals::WithFile
            } else {
                Removals::Bare
            },
            bare: !slots.is_empty() && is_odd(Oddity::FileAbsent),
            untouched: is_odd(Oddity::UnchangedEntries),
        }
    }

    fn entry(&self, sim: &Sim, world: &World, item: &Item, mask: &Mask) -> Option<Value> {
        match self.removals {
            Removals::Hidden if self.lost => None,
            removals if self.lost => {
                let mut entry = wire::removal(sim, world, item, mask);
                if removals == Removals::WithFile {
                    entry["file"] = wire::change(sim, world, item, mask)["file"].take();
                }
                Some(entry)
            }
            _ => {
                let mut entry = wire::change(sim, world, item, mask);
                if self.bare
                    && let Some(members) = entry.as_object_mut()
                {
                    members.remove("file");
                }
                Some(entry)
            }
        }
    }

    /// The first file, with a version that grew though nothing else did.
    fn untouched(&self, sim: &Sim, world: &World, mask: &Mask) -> Option<Value> {
        let mut items = world.items().iter().filter(|_| self.untouched);
        let item = items.find(|item| !item.is_folder() && world.is_visible(item.no))?;
        let mut entry = wire::change(sim, world, item, mask);
        if let Some(version) = entry.pointer_mut("/file/version") {
            *version = format!("9{}", item.last_seq).into();
        }
        Some(entry)
    }
}

/// The log of a user to whom nothing happened: the token sent is the token given.
fn unchanged(mask: &Mask, token: &str) -> Value {
    let mut answer = Picked::new(mask);
    answer.put("kind", || "drive#changeList");
    answer.put("newStartPageToken", || token);
    answer.put("changes", || json!([]));
    answer.value()
}

/// `revisions.list`, oldest first.
pub(super) fn revisions(ask: &Ask<'_>, id: &str) -> Result<Value, Problem> {
    let mask = ask.mask(REVISIONS_STUB, &REVISIONS)?;
    let size = ask.page_size(200, LIMIT)?;
    let world = ask.sim.world();
    let item = blob(ask.sim, &world, id)?;
    editors_only(ask.sim)?;
    if ask.fires(FaultKind::RevisionsRefused) {
        return Err(Problem::viewer());
    }
    let place = ask.place("revisions", id)?;
    // Only the editors merge what is saved; an upload is a revision.
    let saves = if wire::is_editors(&world, item) {
        ask.sim.merged(&item.saves)
    } else {
        Cow::Borrowed(&*item.saves)
    };
    let present = ask.sim.kept(world.now(), &saves);
    let pinned = |save: &Save| ask.sim.is_pinned(item.no, save.seq);
    let kept = saves.iter().zip(&present);
    let kept = kept.filter(|(save, kept)| **kept || pinned(save));
    let mut kept: Vec<&Save> = kept.map(|(save, _)| save).collect();
    if kept.len() > 1 && ask.fires(FaultKind::LaggingRevisions) {
        kept.pop();
    }
    let from = kept.partition_point(|save| save.seq <= place.after);
    let mut rest = kept.get(from..).unwrap_or_default();
    // The provider drops the oldest first.
    if from == 0 && kept.len() > 1 && ask.fires(FaultKind::VanishedRevision) {
        rest = rest.get(1..).unwrap_or_default();
    }
    let mut saves: Vec<&Save> = rest.iter().take(size + 1).copied().collect();
    let next = ask.cut(&mut saves, (place, size), |save| save.seq);
    let nameless = saves
        .last()
        .filter(|_| ask.fires(FaultKind::MissingActor))
        .map(|save| save.seq);
    ask.repeat(&mut saves);
    let mut answer = Picked::new(&mask);
    answer.put("kind", || "drive#revisionList");
    if let Some(next) = next {
        answer.put("nextPageToken", || next);
    }
    answer.put_masked("revisions", |mask| {
        let render = |save: &&Save| revision(ask.sim, &world, (item, save), (nameless, mask));
        saves.iter().map(render).collect()
    });
    Ok(answer.value())
}

fn revision(
    sim: &Sim,
    world: &World,
    (item, save): (&Item, &Save),
    (nameless, mask): (Option<u64>, &Mask),
) -> Value {
    let author = if nameless == Some(save.seq) {
        Author::Missing
    } else {
        Author::Named
    };
    wire::revision(sim, world, (item, save), author, mask)
}

/// Revisions are shown to those who may edit.
pub(super) fn editors_only(sim: &Sim) -> Result<(), Problem> {
    match sim.options().google_role {
        GoogleRole::Editor => Ok(()),
        GoogleRole::Viewer => Err(Problem::viewer()),
    }
}

/// The file an id names; folders and shortcuts have no revisions.
pub(super) fn blob<'w>(sim: &Sim, world: &'w World, id: &str) -> Result<&'w Item, Problem> {
    let item = wire::resolve(sim, world, id).ok_or_else(|| Problem::no_file(id))?;
    if item.is_folder() || wire::is_shortcut(world, item) {
        return Err(Problem::no_revisions());
    }
    Ok(item)
}

impl Ask<'_> {
    /// Where in the listing the request goes on. Tokens of pages do not live for ever.
    fn place(&self, kind: &str, of: &str) -> Result<Place, Problem> {
        let token = self.get("pageToken");
        if token.is_some() && self.fires(FaultKind::ExpiredPageToken) {
            return Err(Problem::invalid("pageToken"));
        }
        Place::start(kind, of).go_on(token)
    }

    /// Cuts a page that was read one entry too long; the token of the next page, if there is one.
    fn cut<T>(
        &self,
        entries: &mut Vec<T>,
        (place, size): (Place, usize),
        number: impl Fn(&T) -> u64,
    ) -> Option<String> {
        if !entries.is_empty() && self.fires(FaultKind::EmptyPage) {
            entries.clear();
            return Some(place.again().token());
        }
        if entries.len() <= size {
            return None;
        }
        entries.truncate(size);
        entries.last().map(|entry| place.after(number(entry)).token())
    }

    /// Lists a page's entries a second time, if that is to go wrong.
    fn repeat<T: Clone>(&self, entries: &mut Vec<T>) {
        if !entries.is_empty() && self.fires(FaultKind::DuplicateItems) {
            entries.extend_from_within(..);
        }
    }

    /// Whose log or listing is asked for. A shared drive's wants both words that say that the client knows of them.
    pub(super) fn corpus(&self) -> Result<Corpus, Problem> {
        let shared = wire::shared_drive(self.sim);
        let says = |name: &str| self.get(name) == Some("true");
        match (self.get("driveId"), shared) {
            (None, None) => Ok(Corpus::World),
            (None, Some(_)) => Ok(Corpus::Empty),
            (Some(asked), Some(shared)) if asked == shared => {
                if self.fires(FaultKind::MembershipLost) {
                    Err(Problem::no_member())
                } else if !says("supportsAllDrives") {
                    Err(Problem::no_drive(asked))
                } else if self.call.operation == "files" && self.get("corpora") != Some("drive") {
                    Err(Problem::bad(
                        "The driveId parameter must be specified if and only if corpora is set to drive.",
                    ))
                } else if self.call.operation != "start_page_token" && !says("includeItemsFromAllDrives") {
                    Err(Problem::bad(
                        "The includeItemsFromAllDrives parameter must be set to true.",
                    ))
                } else {
                    Ok(Corpus::World)
                }
            }
            (Some(asked), _) => Err(Problem::no_drive(asked)),
        }
    }

    fn page_size(&self, default: usize, limit: usize) -> Result<usize, Problem> {
        let asked = match self.get("pageSize") {
            None => None,
            Some(text) => Some(
                text.parse()
                    .ok()
                    .filter(|size: &usize| *size > 0)
                    .ok_or_else(|| Problem::invalid("pageSize"))?,
            ),
        };
        Ok(self.sim.page_size(asked, default, limit))
    }
}

/// `drives.list`: the one the world is on, if it is on one.
pub(super) fn drives(ask: &Ask<'_>) -> Result<Value, Problem> {
    let mask = ask.mask("*", &super::mask::DRIVES)?;
    let drives: Vec<Value> = wire::shared_drive(ask.sim)
        .map(|id| json!({ "kind": "drive#drive", "id": id, "name": "Simulated drive" }))
        .into_iter()
        .collect();
    let mut answer = Picked::new(&mask);
    answer.put("kind", || "drive#driveList");
    answer.put("drives", || json!(drives));
    Ok(answer.value())
}
