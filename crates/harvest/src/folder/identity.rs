//! The designated folder itself: found at the first look, known by its id from then on.

use revtrail_connector::{Addressing, ConnectorError, DrivePlace, ErrorKind, FolderRoot, Place, Within};
use revtrail_model::{
    event::{Action, DESIGNATED_FOLDER, ItemKind, PathDetails},
    id::PlaceKey,
    leaf::{Gap, GapReason},
    time::Timestamp,
};

use super::FolderRun;
use crate::{
    error::HarvestError,
    facts::{Subject, state_marker},
    places::parent_place,
    spool::Source,
    state::Former,
};

/// Whether a look can read the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// It is there, or its drive's feed goes on without it.
    Readable,
    /// It is gone, and with it all that could be read.
    Gone,
}

impl FolderRun<'_> {
    /// Resolves the folder at its first look and pins it by id; later looks go on by id even when it was renamed or moved.
    pub(super) async fn find(&mut self) -> Result<(), ConnectorError> {
        if self.tenant.is_none() {
            self.tenant = Some(self.plan.connector.preflight().await?.tenant);
        }
        if self.root.is_none() {
            self.root = Some(self.plan.connector.resolve(&self.plan.place).await?);
        }
        Ok(())
    }

    /// Asks for the folder by its id. A feed by id belongs to a whole drive: it goes on in silence when the folder is deleted, in the bin
    /// or no longer shared with us. A feed by place belongs to the place: it ends when the folder is renamed, and goes on with whatever
    /// else comes to stand there.
    pub(super) async fn check_root(&mut self) -> Result<Reach, HarvestError> {
        let Some(root) = self.state.root() else {
            return Ok(Reach::Readable);
        };
        let place = Place {
            drive: DrivePlace::Id(root.drive.clone()),
            within: Within::Item(root.item.clone()),
        };
        match self.plan.connector.resolve(&place).await {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(self.lose_root(&root, &error).await),
            Err(error) => Err(error.into()),
            Ok(found) => {
                self.note_root(&root, &found)?;
                Ok(Reach::Readable)
            }
        }
    }

    /// The folder is gone. Another one at its configured place is not the one that was designated.
    async fn lose_root(&mut self, root: &FolderRoot, error: &ConnectorError) -> Reach {
        let there = self.plan.connector.resolve(&self.plan.place).await;
        let reason = match there {
            Ok(other) if other.item != root.item => GapReason::FolderReplaced,
            _ => GapReason::FolderUnavailable,
        };
        match self.capabilities.addressing {
            Addressing::Id => {
                self.miss(reason, error);
                Reach::Readable
            }
            Addressing::Place => {
                self.fail(reason, error);
                Reach::Gone
            }
        }
    }

    /// Compares the folder with what it was, tells when it was renamed or moved, and follows it.
    fn note_root(&mut self, root: &FolderRoot, found: &FolderRoot) -> Result<(), HarvestError> {
        let changed = changed(root, found);
        if let Some(name) = &found.name {
            self.state.name = Some(name.clone());
        }
        if let Some(parent) = &found.parent {
            self.state.parent = Some(parent.clone());
        }
        let seen_at = self.answered_at();
        if let Some(action) = changed {
            let marker = state_marker(self.state.changes);
            self.state.changes += 1;
            let subject = Subject {
                item: &root.item,
                kind: ItemKind::Folder,
                marker: &marker,
            };
            let source = Source {
                raw: None,
                operation: DESIGNATED_FOLDER.into(),
                request_id: None,
            };
            let frame = self.make_frame(seen_at)?;
            let mut event = frame.fact(subject, action, frame.bounds(seen_at), &source);
            // Paths are those within the folder; it has none itself.
            event.path = PathDetails {
                name: found.name.clone(),
                path: None,
                previous_path: None,
            };
            self.events.push(event);
            tracing::warn!(folder = %self.plan.name, item.id = %root.item, action = action.as_str(), "the designated folder itself was renamed or moved; it is followed by its id");
        }
        if let (Some(from), Some(to)) = (&root.place, &found.place)
            && from != to
        {
            self.follow((from, to), seen_at);
        }
        self.root = self.state.root();
        Ok(())
    }

    /// Goes on at another place: the feed of the old one has ended, so everything is listed and compared.
    fn follow(&mut self, (from, to): (&PlaceKey, &PlaceKey), seen_at: Timestamp) {
        self.inventory.rebase(from, to);
        for place in &mut self.state.pending_places {
            if let Some(there) = place.rebased(from, to) {
                *place = there;
            }
        }
        self.state.former.push(Former {
            place: from.clone(),
            until: seen_at,
        });
        self.state.place = Some(to.clone());
        self.state.cursor = None;
        self.gaps.push(Gap {
            detail: Some("designated folder renamed or moved".into()),
            from: self.covers_from,
            items: None,
            reason: GapReason::CursorLost,
            to: seen_at,
        });
    }

    /// The provider's clock at its last answer, ours while it has given none: what bounds of time are told by.
    pub(super) fn answered_at(&self) -> Timestamp {
        let answer = self.plan.connector.usage().last_answer;
        answer.map_or_else(|| self.clock.now(), |(theirs, _)| theirs)
    }
}

/// What happened to the folder itself, as far as both sides are told.
fn changed(before: &FolderRoot, now: &FolderRoot) -> Option<Action> {
    let differ = |(a, b): (Option<&str>, Option<&str>)| a.zip(b).is_some_and(|(a, b)| a != b);
    let parents = (before.parent.as_ref(), now.parent.as_ref());
    let above = |place: &Option<PlaceKey>| place.as_ref().and_then(parent_place);
    let (old_place, new_place) = (above(&before.place), above(&now.place));
    if parents.0.zip(parents.1).is_some_and(|(a, b)| a != b) || old_place != new_place {
        Some(Action::Moved)
    } else if differ((before.name.as_deref(), now.name.as_deref())) || before.place != now.place {
        Some(Action::Renamed)
    } else {
        None
    }
}
