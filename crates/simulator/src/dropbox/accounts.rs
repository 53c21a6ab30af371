//! The `users` routes.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Face;
use super::args::Args;
use super::ids::account_id;
use super::problem::{Problem, root_info};
use crate::sim::Sim;
use crate::world::Actor;

/// Accounts in one batch at most.
const BATCH: usize = 300;
/// Characters of an account id.
const ID_LENGTH: usize = 40;

/// `FullAccount` of the owner.
pub(super) fn current(sim: &Sim) -> Value {
    let owner = &sim.options().owner;
    let mut account = json!({
        "account_id": account_id(&owner.email),
        "name": name(&owner.name),
        "email": owner.email,
        "email_verified": true,
        "disabled": false,
        "country": "DE",
        "locale": "en",
        "referral_link": "https://www.dropbox.com/referrals/simulated",
        "is_paired": false,
        "account_type": { ".tag": "basic" },
        "root_info": root_info(),
    });
    if let Some(team) = &sim.options().credentials.team {
        account["team"] = json!({ "id": team.id, "name": "Simulated team" });
        account["team_member_id"] = team.member.clone().into();
    }
    account
}

pub(super) fn account(face: &Face, mut args: Args) -> Result<Value, Problem> {
    let id = args.required_text("account_id")?;
    args.finish()?;
    check_id("account_id", &id)?;
    find(face, &id).ok_or_else(|| Problem::tag("no_account"))
}

pub(super) fn batch(face: &Face, mut args: Args) -> Result<Value, Problem> {
    let field = "account_ids";
    let asked = args.take(field);
    args.finish()?;
    let Some(Value::Array(asked)) = asked else {
        return Err(Problem::field(field, "expected list"));
    };
    if asked.is_empty() {
        return Err(Problem::field(field, "list must have at least 1 items"));
    }
    if asked.len() > BATCH {
        return Err(Problem::field(
            field,
            format!("list must have at most {BATCH} items"),
        ));
    }
    let mut ids = Vec::with_capacity(asked.len());
    for id in &asked {
        let id = id
            .as_str()
            .ok_or_else(|| Problem::field(field, "expected string"))?;
        check_id(field, id)?;
        ids.push(id);
    }
    if ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
        return Err(Problem::field(field, "list must not have duplicates"));
    }
    let unknown = |id: &str| Problem::Route(json!({ ".tag": "no_account", "no_account": id }));
    ids.into_iter()
        .map(|id| find(face, id).ok_or_else(|| unknown(id)))
        .collect()
}

fn check_id(field: &str, id: &str) -> Result<(), Problem> {
    if id.chars().count() == ID_LENGTH {
        Ok(())
    } else {
        Err(Problem::field(
            field,
            format!("'{id}' must be {ID_LENGTH} characters"),
        ))
    }
}

/// `BasicAccount` of the owner or of anybody who did something so far.
fn find(face: &Face, id: &str) -> Option<Value> {
    let owner = &face.sim.options().owner;
    if account_id(&owner.email) == id {
        return Some(basic(id, owner, &json!(true)));
    }
    let view = face.view();
    let actor = Arc::clone(view.index.account(id)?);
    Some(basic(id, &actor, &json!(false)))
}

fn basic(id: &str, actor: &Actor, is_teammate: &Value) -> Value {
    json!({
        "account_id": id,
        "name": name(&actor.name),
        "email": actor.email,
        "email_verified": true,
        "disabled": false,
        "is_teammate": is_teammate,
    })
}

fn name(display: &str) -> Value {
    let (given, surname) = display.split_once(' ').unwrap_or((display, ""));
    let initials: String = display
        .split(' ')
        .filter_map(|part| part.chars().next())
        .collect();
    json!({
        "given_name": given,
        "surname": surname,
        "familiar_name": given,
        "display_name": display,
        "abbreviated_name": initials.to_uppercase(),
    })
}
