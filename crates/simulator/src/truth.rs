//! Ground truth: what a perfect reader of each provider could tell, by replaying the world, without any connector code.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::SimulatorError;
use crate::source::WorldSource;
use crate::world::{ItemKind, ItemNo, World};

pub mod audit;
pub mod dropbox;
pub mod google_drive;
mod instructions;
pub mod onedrive;

/// Kind of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of the event schema")]
pub enum FactAction {
    Created,
    Modified,
    Renamed,
    Moved,
    MovedIn,
    MovedOut,
    Deleted,
    Trashed,
    Restored,
    AccessLost,
    RevisionVanished,
    InstructionsChanged,
}

/// How the reader knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The provider said it.
    Reported,
    /// It follows from two states.
    Derived,
}

/// Somebody as the provider names them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FactActor {
    /// Provider-assigned id, where reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Address, where reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Display name, where reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An application as the provider names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FactApplication {
    /// Provider-assigned id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One thing a perfect reader could tell after a poll. Either `occurred_at` is set, or `not_after` (and `not_before`, except
/// at the first poll).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Index of the poll that told it, from 0.
    pub poll: usize,
    /// What happened.
    pub action: FactAction,
    /// To a file or a folder.
    pub item_kind: ItemKind,
    /// Provider's id of the item.
    pub item_id: String,
    /// Provider's id of the revision, if the fact is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision_id: Option<String>,
    /// The revision before it in the provider's list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_revision_id: Option<String>,
    /// Exact moment, as far as the provider tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// Moment of the poll before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Moment of the poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// By whom; absent: not reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<FactActor>,
    /// With what; absent: not reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<FactApplication>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Algorithm to value, as the provider gives it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<String, String>,
    /// Relative to the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Relative to the folder, of something renamed or moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<String>,
    /// How the reader knows.
    pub basis: Basis,
    /// Item id (or rule) it follows from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derived_from: Option<String>,
    /// Told by the first poll.
    pub baseline: bool,
}

impl Fact {
    /// A reported fact of an exact moment, without details.
    pub(crate) fn reported(poll: Poll, action: FactAction, item: (ItemKind, String), at: Timestamp) -> Self {
        Self {
            occurred_at: Some(at),
            not_before: None,
            not_after: None,
            basis: Basis::Reported,
            ..Self::derived(poll, action, item)
        }
    }

    /// A derived fact known by the bounds of its poll, without details.
    pub(crate) fn derived(poll: Poll, action: FactAction, (item_kind, item_id): (ItemKind, String)) -> Self {
        Self {
            poll: poll.index,
            action,
            item_kind,
            item_id,
            revision_id: None,
            previous_revision_id: None,
            occurred_at: None,
            not_before: poll.previous,
            not_after: Some(poll.at),
            actor: None,
            application: None,
            size: None,
            hashes: BTreeMap::new(),
            path: None,
            previous_path: None,
            basis: Basis::Derived,
            derived_from: None,
            baseline: poll.index == 0,
        }
    }
}

/// One poll of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Poll {
    pub(crate) index: usize,
    pub(crate) at: Timestamp,
    pub(crate) previous: Option<Timestamp>,
}

/// An item in scope, as a listing at one moment shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) kind: ItemKind,
    pub(crate) parent: ItemNo,
    pub(crate) name: Arc<str>,
    /// Relative to the folder.
    pub(crate) path: String,
}

/// All visible strict descendants of the designated folder at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// The folder; `None` when nothing (or a file) is at its path.
    pub(crate) folder: Option<ItemNo>,
    pub(crate) items: BTreeMap<ItemNo, Seen>,
}

impl Scope {
    /// What is in scope in `world` as it is.
    pub(crate) fn of(world: &World, folder: &str) -> Self {
        let Some(root) = world.find(folder).filter(|item| item.is_folder()) else {
            return Self::default();
        };
        let mut items: BTreeMap<ItemNo, Seen> = BTreeMap::new();
        for no in world.descendants(root.no) {
            let Some((item, parent)) = world.item(no).and_then(|item| Some((item, item.parent?))) else {
                continue;
            };
            let path = match items.get(&parent) {
                Some(above) => format!("{}/{}", above.path, item.name),
                None => item.name.to_string(),
            };
            items.insert(
                no,
                Seen {
                    kind: item.kind,
                    parent,
                    name: Arc::clone(&item.name),
                    path,
                },
            );
        }
        Self {
            folder: Some(root.no),
            items,
        }
    }
}

/// Replays a fresh world to each poll and hands it over.
pub(crate) fn replay(
    source: &WorldSource,
    polls: &[Timestamp],
    mut visit: impl FnMut(&World, Poll),
) -> Result<(), SimulatorError> {
    let mut world = source.world();
    let mut previous = None;
    for (index, at) in polls.iter().copied().enumerate() {
        world.advance(at)?;
        visit(&world, Poll { index, at, previous });
        previous = Some(at);
    }
    Ok(())
}
