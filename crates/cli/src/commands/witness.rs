//! `witness`: cosign a ledger's checkpoints, if they continue what was seen before.

mod state;

use std::sync::Arc;

use revtrail_evidence::witness::{Cosigned, Witness, WitnessError};
use revtrail_ledger::{Hash, KeyName, VerifierKey};
use revtrail_model::time::{Clock as _, Timestamp};
use revtrail_query::{QueryError, Reader, Tip};
use revtrail_settings::Config;
use serde_json::{Map, Value, json};

use self::state::State;
use crate::{
    args::{Global, Output, WitnessArgs},
    clock::SystemClock,
    exit::{Exit, Failure},
    keys::Keys,
    output::{Sheet, print, say},
    signers, wiring,
};

pub(crate) async fn run(global: &Global, args: &WitnessArgs) -> Result<Exit, Failure> {
    let config = Config::load(&global.config)?;
    let (name, ledger) = wiring::one_ledger(&config, &args.ledger)?;
    let signer = signers::load_key(&args.key)?;
    let state = State::open(&args.state)?;
    let keys = Keys::load(&config)?;
    let reader = Reader {
        archive: wiring::archive(&config).await?,
        ledger: name.clone(),
        origin: ledger.origin.clone(),
        key: Arc::new(move |origin| keys.verifier(origin)),
    };
    let witness = Witness {
        name: key_name(&args.name)?,
        signer: &signer,
        memory: &state,
        now: SystemClock.now(),
    };
    let at_archive =
        |error: QueryError| Failure::from(error).at_archive(&config.archive, config.endpoint_url.as_ref());
    let tips = reader.tips().await.map_err(at_archive)?;
    none_vanished(&state, &ledger.origin, &tips)?;
    let mut done = Vec::new();
    for tip in &tips {
        let origin = tip.checkpoint.origin.as_str();
        let key = (reader.key)(origin).ok_or_else(|| at_archive(QueryError::NoKey(origin.to_owned())))?;
        let proof = proof(&reader, &witness, (tip, &key)).await?.map_err(at_archive)?;
        let cosigned = witness
            .cosign(&tip.note, &key, proof.as_deref())
            .map_err(refused)?;
        if cosigned.is_first {
            say(&format!(
                "first checkpoint of {origin} seen by this witness: what was before it is taken on trust"
            ));
        }
        done.push((tip, cosigned));
    }
    deliver(global, args, &done)
}

pub(super) fn key_name(name: &str) -> Result<KeyName, Failure> {
    name.parse().map_err(|error| {
        Failure::usage(
            error,
            "give a name without spaces and '+', for example witness.example/w0",
        )
    })
}

/// The consistency proof from the checkpoint seen last, where one is needed and the archive can give it.
async fn proof(
    reader: &Reader,
    witness: &Witness<'_>,
    (tip, key): (&Tip, &VerifierKey),
) -> Result<Result<Option<Vec<Hash>>, QueryError>, Failure> {
    let shown = tip.checkpoint.size.leaves();
    let seen = witness.seen_size(key).map_err(refused)?;
    let Some(seen) = seen.filter(|seen| *seen < shown) else {
        return Ok(Ok(None));
    };
    Ok(
        match reader.prove_growth(Some(tip.log.year), (seen, shown)).await {
            Ok(found) => Ok(Some(found.hashes)),
            Err(QueryError::NoCheckpoint { .. }) => Ok(None),
            Err(error) => Err(error),
        },
    )
}

/// Every log that was seen before must still be there.
fn none_vanished(state: &State, ledger_origin: &str, tips: &[Tip]) -> Result<(), Failure> {
    let origins = state.origins().map_err(|error| refused(error.into()))?;
    let own = |origin: &&String| {
        let year = origin
            .strip_prefix(ledger_origin)
            .and_then(|rest| rest.strip_prefix('/'));
        year.is_some_and(|year| year.parse::<i16>().is_ok())
    };
    let stands = |origin: &&String| {
        tips.iter()
            .any(|tip| tip.checkpoint.origin.as_str() == origin.as_str())
    };
    match origins.iter().filter(own).find(|origin| !stands(origin)) {
        Some(origin) => Err(Failure::new(
            Exit::Contradiction,
            anyhow::anyhow!("rollback: the log {origin} was seen before and is not in the archive any more"),
            Some(HINT.into()),
        )),
        None => Ok(()),
    }
}

const HINT: &str =
    "nothing was cosigned; keep the state directory and a copy of the archive unchanged, and report both";

fn refused(error: WitnessError) -> Failure {
    let (exit, hint) = match &error {
        WitnessError::Conflict { .. } => (Exit::Contradiction, HINT),
        WitnessError::Ledger(_) => (Exit::Contradiction, "run `revtrail verify`"),
        WitnessError::Damaged { .. } => (
            Exit::CannotJudge,
            "restore the state directory; if the log's key was changed, see docs/operator-guide.md",
        ),
        _ => (
            Exit::Failed,
            "check the state directory and the disk, then run again",
        ),
    };
    Failure::new(exit, error, Some(hint.into()))
}

/// The newest log's note to a file or standard output; every log in the JSON document.
fn deliver(global: &Global, args: &WitnessArgs, done: &[(&Tip, Cosigned)]) -> Result<Exit, Failure> {
    let note = done
        .last()
        .map(|(_, cosigned)| cosigned.note.to_bytes())
        .unwrap_or_default();
    if let Some(path) = &args.out {
        super::prove::create(path, &note)?;
        if !global.quiet {
            say(&format!("written to {}", path.display()));
        }
    }
    match (global.output, &args.out) {
        (Output::Table, Some(_)) => {}
        (Output::Table, None) => print(&String::from_utf8_lossy(&note))?,
        _ => sheet(done).print(global.output)?,
    }
    Ok(Exit::Done)
}

fn sheet(done: &[(&Tip, Cosigned)]) -> Sheet {
    let row = |(tip, cosigned): &(&Tip, Cosigned)| -> Vec<Value> {
        let at = i64::try_from(cosigned.at.seconds())
            .ok()
            .and_then(|second| Timestamp::from_second(second).ok());
        vec![
            json!(tip.checkpoint.origin.as_str()),
            json!(tip.checkpoint.size.leaves().to_string()),
            json!(tip.checkpoint.root.to_string()),
            json!(at.map(|at| at.to_string())),
            json!(cosigned.is_first),
            json!(String::from_utf8_lossy(&cosigned.note.to_bytes())),
        ]
    };
    Sheet {
        columns: vec!["origin", "tree_size", "root", "cosigned_at", "first_seen", "note"],
        rows: done.iter().map(row).collect(),
        about: Map::new(),
        name: "checkpoints",
    }
}
