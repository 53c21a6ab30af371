//! A run that has no folders to look at: opening the log, committing and publishing are all that is left of it.

use std::sync::Arc;

use revtrail_archive::Archive;
use revtrail_harvest::{HarvestError, RunPlan, WalkDue};
use revtrail_ledger::{Algorithm, Origin, Signer as _, VerifierKey};
use revtrail_logs::{ORIGIN, at, signer};
use revtrail_model::{leaf::Tool, sha256, time::FixedClock};

pub(crate) fn plan(archive: Arc<dyn Archive>) -> RunPlan {
    RunPlan {
        ledger: "finance".into(),
        origin: ORIGIN.into(),
        archive,
        signer: Arc::new(signer()),
        next: None,
        stamper: None,
        verifier: Arc::new(|origin| {
            let wrong = |error| HarvestError::Ledger(format!("{error}"));
            let name = origin.parse::<Origin>().and_then(|origin| origin.key_name());
            let key = signer().public_key();
            Ok(VerifierKey::new(name.map_err(wrong)?, Algorithm::Ed25519, key))
        }),
        retention: Arc::new(|_| None),
        next_due: Arc::new(|_| None),
        folders: Vec::new(),
        config_sha256: sha256(b"config"),
        tool: Tool {
            binary_sha256: None,
            version: "0".into(),
        },
        clock: Arc::new(FixedClock(at("2026-11-21T03:00:00Z"))),
        snapshot_events: 10_000,
        walk_due: Arc::new(|_, _| WalkDue::NotYet),
        progress: Arc::new(|_| {}),
    }
}
