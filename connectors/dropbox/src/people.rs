//! Names of the accounts that revisions name by id.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use revtrail_connector::{ConnectorError, ErrorKind};
use revtrail_model::{event::Actor, id::Provider};

use crate::{
    api::{Api, PEOPLE},
    map::actor,
    wire::{AccountBatch, BasicAccount},
};

/// Most accounts in one question.
const BATCH: usize = 300;

/// Accounts looked up so far; each is asked once per connector.
#[derive(Debug, Default)]
pub(crate) struct People {
    state: Mutex<State>,
    /// Held by whoever asks, so that nobody asks for the same accounts meanwhile.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// `None`: Dropbox does not tell about this account.
    known: HashMap<String, Option<Person>>,
    lookup: Lookup,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Person {
    email: Option<String>,
    name: Option<String>,
}

/// Whether asking is worth while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Lookup {
    #[default]
    Open,
    /// This link may not look accounts up at all.
    Refused,
}

impl People {
    /// Looks up the accounts among `ids` that are not known yet. When this is refused for good, actors have an id only.
    pub(crate) async fn learn(&self, api: &Api, ids: BTreeSet<String>) -> Result<(), ConnectorError> {
        if self.missing(ids.clone()).is_empty() {
            return Ok(());
        }
        let _asking = self.asking.lock().await;
        let missing = self.missing(ids);
        for batch in missing.chunks(BATCH) {
            match ask(api, batch.to_vec()).await {
                Ok(found) => self.keep(batch, found),
                Err(error) if is_refusal(&error.kind) => {
                    tracing::warn!(
                        provider = Provider::Dropbox.as_str(),
                        http.status = error.status,
                        code = error.code,
                        "looking up accounts is refused; actors will have an id but no name (needs the scope sharing.read)"
                    );
                    self.state().lookup = Lookup::Refused;
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The account as an actor, with name and address when they are known.
    pub(crate) fn actor(&self, id: &str) -> Actor {
        let person = self.state().known.get(id).cloned().flatten();
        let (email, name) = person.map_or((None, None), |person| (person.email, person.name));
        actor(id, email, name)
    }

    fn missing(&self, ids: BTreeSet<String>) -> Vec<String> {
        let state = self.state();
        match state.lookup {
            Lookup::Open => ids
                .into_iter()
                .filter(|id| !state.known.contains_key(id))
                .collect(),
            Lookup::Refused => Vec::new(),
        }
    }

    /// Asked for and not answered means unknown.
    fn keep(&self, asked: &[String], found: Vec<BasicAccount>) {
        let mut state = self.state();
        state.known.extend(asked.iter().map(|id| (id.clone(), None)));
        state.known.extend(found.into_iter().map(|account| {
            let person = Person {
                email: account.email,
                name: account.name.and_then(|name| name.display_name),
            };
            (account.account_id, Some(person))
        }));
    }

    /// The map is whole between any two operations on it, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One batch. An id that Dropbox refuses fails all, so it is left out and the rest asked again.
async fn ask(api: &Api, mut ids: Vec<String>) -> Result<Vec<BasicAccount>, ConnectorError> {
    while !ids.is_empty() {
        match api.accounts(&ids).await? {
            AccountBatch::Accounts(found) => return Ok(found),
            AccountBatch::Refused(refusal) => {
                let refused = refusal.error.refused_accounts();
                let before = ids.len();
                ids.retain(|id| !refused.contains(&id.as_str()));
                if ids.len() == before {
                    return Err(
                        ConnectorError::new(ErrorKind::Malformed, Provider::Dropbox, PEOPLE)
                            .with_code("refusal names accounts that were not asked for"),
                    );
                }
            }
        }
    }
    Ok(Vec::new())
}

/// Refusals that a later call would meet again. Names are not worth a failed run, but a network that is down is no refusal.
fn is_refusal(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::PermissionDenied
            | ErrorKind::NotSupported
            | ErrorKind::NotFound
            | ErrorKind::Config
            | ErrorKind::Malformed
    )
}
