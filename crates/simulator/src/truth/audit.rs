//! What the audit logs could tell at the present moment, from the world and without their wire forms.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FactAction, FactActor, FactApplication};
use crate::sim::{Provider, Sim};
use crate::world::ItemKind;

/// Kind of an actor in the words of the event schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words are those of the event schema")]
pub enum FactActorKind {
    User,
    Application,
    Service,
    Anonymous,
    Unknown,
}

/// One thing an audit log tells of one item. A record that names several items is several facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFact {
    /// Provider's id of the item, in the spelling of the file API.
    pub item_id: String,
    /// File or folder.
    pub item_kind: ItemKind,
    /// What was done.
    pub action: FactAction,
    /// When, as precise as the log is.
    pub occurred_at: Timestamp,
    /// From when on the log had it.
    pub visible_at: Timestamp,
    /// What kind of actor the log names: a person, even if a program acted for them that is named as well; a program, where it is named alone.
    pub actor_kind: FactActorKind,
    /// The account the log names, whether it acted itself or an application acted for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<FactActor>,
    /// The application, where the log names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<FactApplication>,
    /// From the root, without a leading `/`; of something deleted, where it was.
    pub path: String,
    /// Where it was, of something renamed or moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<String>,
}

/// What the provider's log could tell now about what is (or then was) strictly below `folder`, in the order in which it became
/// visible. Paths are those of the time.
pub fn told(sim: &Sim, provider: Provider, folder: &str) -> Vec<AuditFact> {
    let folder = folder.trim_matches('/');
    let mut facts = match provider {
        Provider::OneDrive => crate::graph::audit::facts(sim, &sim.world()),
        Provider::GoogleDrive => crate::drive::audit::facts(sim, &sim.world()),
        Provider::Dropbox => crate::dropbox::audit::facts(sim, &sim.world()),
    };
    facts.retain(|fact| {
        std::iter::once(&fact.path)
            .chain(&fact.previous_path)
            .any(|path| is_below(path, folder))
    });
    facts
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}
