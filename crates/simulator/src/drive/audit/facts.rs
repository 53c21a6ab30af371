//! What the customer's audit log tells, for tests.

use jiff::Timestamp;

use super::reports::client_id;
use super::{application, is_moved, profile};
use crate::audit::{Applications, AuditAccess, Hand, visible};
use crate::drive::ids;
use crate::sim::{Provider, Sim};
use crate::truth::audit::{AuditFact, FactActorKind};
use crate::truth::{FactAction, FactActor, FactApplication};
use crate::world::{Op, What, World};

/// One fact per record: that of its primary event.
pub(crate) fn facts(sim: &Sim, world: &World) -> Vec<AuditFact> {
    if sim.options().audit.access != AuditAccess::Granted {
        return Vec::new();
    }
    let mut facts = Vec::new();
    for record in visible(
        sim,
        world,
        (Provider::GoogleDrive, None),
        (|_| true, |_, _| false),
    ) {
        let Some((op, item)) = record.first().and_then(|op| Some((op, world.item(op.item)?))) else {
            continue;
        };
        let (actor_kind, actor, application) = who(sim, op);
        facts.push(AuditFact {
            item_id: ids::file(op.item),
            item_kind: item.kind,
            action: match op.what {
                What::Created => FactAction::Created,
                What::Saved => FactAction::Modified,
                What::Moved { .. } if is_moved(op) => FactAction::Moved,
                What::Moved { .. } => FactAction::Renamed,
                What::Deleted => FactAction::Trashed,
                What::Restored => FactAction::Restored,
            },
            occurred_at: Timestamp::from_millisecond(op.at.as_millisecond()).unwrap_or(op.at),
            visible_at: record.visible_at,
            actor_kind,
            actor,
            application,
            path: op.path.to_string(),
            previous_path: match &op.what {
                What::Moved { old_path, .. } => Some(old_path.to_string()),
                _ => None,
            },
        });
    }
    facts
}

fn who(sim: &Sim, op: &Op) -> (FactActorKind, Option<FactActor>, Option<FactApplication>) {
    let named = || {
        Some(FactActor {
            id: Some(profile(sim, &op.actor.email)),
            email: Some(op.actor.email.clone()),
            name: None,
        })
    };
    match Hand::of(op) {
        Hand::Anonymous => (FactActorKind::Anonymous, None, None),
        Hand::Provider => (FactActorKind::Service, None, None),
        Hand::Program(_) => (FactActorKind::Application, named(), None),
        _ => match application(op).filter(|_| sim.options().audit.applications == Applications::Named) {
            Some(name) => {
                let application = FactApplication {
                    id: Some(client_id(name)),
                    name: Some(name.to_owned()),
                };
                // It acted for the person, who is named as well.
                (FactActorKind::User, named(), Some(application))
            }
            None => (FactActorKind::User, named(), None),
        },
    }
}
