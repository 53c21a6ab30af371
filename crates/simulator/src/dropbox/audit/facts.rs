//! What the team log tells, for tests.

use jiff::Timestamp;

use super::event::Kind;
use super::records;
use crate::audit::{Applications, AuditAccess, Hand};
use crate::dropbox::ids::{account_id, application_id, item_id};
use crate::sim::Sim;
use crate::truth::audit::{AuditFact, FactActorKind};
use crate::truth::{FactActor, FactApplication};
use crate::world::{Actor, Op, What, World};

/// One fact per item of each record visible now.
pub(crate) fn facts(sim: &Sim, world: &World) -> Vec<AuditFact> {
    if sim.options().audit.access != AuditAccess::Granted {
        return Vec::new();
    }
    let mut facts = Vec::new();
    for record in records(sim, world) {
        for op in &record.ops {
            let Some(item) = world.item(op.item) else {
                continue;
            };
            let (actor_kind, actor, application) = who(sim, op);
            facts.push(AuditFact {
                item_id: item_id(op.item),
                item_kind: item.kind,
                action: Kind::of(op).action(),
                occurred_at: Timestamp::from_second(op.at.as_second()).unwrap_or(op.at),
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
            id: Some(account_id(&actor.email)),
            email: Some(actor.email.clone()),
            name: Some(actor.name.clone()),
        })
    };
    let application = |name: &str| {
        Some(FactApplication {
            id: Some(application_id(name)),
            name: Some(name.to_owned()),
        })
    };
    match Hand::of(op) {
        Hand::Person(actor) | Hand::Admin(actor) => (FactActorKind::User, named(actor), None),
        Hand::Through(actor, name) => match sim.options().audit.applications {
            Applications::Named => (FactActorKind::Application, named(actor), application(name)),
            Applications::Hidden => (FactActorKind::User, named(actor), None),
        },
        Hand::Program(actor) => (FactActorKind::Application, None, application(&actor.name)),
        Hand::Removed(actor) => {
            let id = FactActor {
                id: Some(account_id(&actor.email)),
                ..FactActor::default()
            };
            (FactActorKind::User, Some(id), None)
        }
        Hand::Anonymous => (FactActorKind::Anonymous, None, None),
        Hand::Provider => (FactActorKind::Service, None, None),
    }
}
