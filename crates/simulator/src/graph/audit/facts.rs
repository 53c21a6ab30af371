//! What the blobs tell, for tests.

use jiff::Timestamp;

use super::blob::records_of;
use super::record::acts;
use crate::audit::{Applications, AuditAccess, Hand};
use crate::graph::ids;
use crate::sim::Sim;
use crate::truth::audit::{AuditFact, FactActorKind};
use crate::truth::{FactActor, FactApplication};
use crate::world::{Actor, Op, What, World};

/// One fact per record in the blobs there are by now, whether they expired or not.
pub(crate) fn facts(sim: &Sim, world: &World) -> Vec<AuditFact> {
    if sim.options().audit.access != AuditAccess::Granted {
        return Vec::new();
    }
    let mut facts = Vec::new();
    for record in records_of(sim, world) {
        let Some((op, item)) = record.first().and_then(|op| Some((op, world.item(op.item)?))) else {
            continue;
        };
        for (kind, at) in acts(world, op) {
            let (actor_kind, actor, application) = who(sim, op);
            facts.push(AuditFact {
                item_id: ids::item_id(op.item),
                item_kind: item.kind,
                action: kind.action(),
                occurred_at: Timestamp::from_second(at.as_second()).unwrap_or(at),
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
    }
    facts
}

fn who(sim: &Sim, op: &Op) -> (FactActorKind, Option<FactActor>, Option<FactApplication>) {
    let named = |actor: &Actor| {
        Some(FactActor {
            email: Some(actor.email.clone()),
            ..FactActor::default()
        })
    };
    let application = |name: &str| {
        Some(FactApplication {
            id: Some(ids::application_id(name)),
            name: Some(name.to_owned()),
        })
    };
    match Hand::of(op) {
        Hand::Person(actor) | Hand::Admin(actor) | Hand::Removed(actor) => {
            (FactActorKind::User, named(actor), None)
        }
        Hand::Through(actor, name) => match sim.options().audit.applications {
            // It acted for the person, who is named as well.
            Applications::Named => (FactActorKind::User, named(actor), application(name)),
            Applications::Hidden => (FactActorKind::User, named(actor), None),
        },
        Hand::Program(actor) => (FactActorKind::Application, None, application(&actor.name)),
        Hand::Anonymous => (FactActorKind::Anonymous, None, None),
        Hand::Provider => (FactActorKind::Service, None, None),
    }
}
