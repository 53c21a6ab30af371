//! Events: scope, identity, commitments and raw records.

use std::collections::BTreeMap;

use revtrail_model::{
    disclosure::{Disclosure, Sidecar},
    leaf::{EventLeaf, Leaf},
};

use crate::{
    finding::{Finding, Report},
    log::{Carried, LogCheck},
    snapshot::Leaves,
};

pub(crate) fn check_events(
    leaves: &Leaves,
    log: &LogCheck<'_>,
    sidecar: Option<&Sidecar>,
    carried: &mut Carried,
    report: &mut Report,
) {
    let mut disclosures: BTreeMap<u64, &Disclosure> = sidecar
        .iter()
        .flat_map(|sidecar| &sidecar.disclosures)
        .map(|disclosure| (disclosure.n, disclosure))
        .collect();
    let mut pending: Vec<&EventLeaf> = Vec::new();
    for (index, record) in leaves.records.iter().enumerate() {
        let mut fail = |what: &str| {
            let what = format!("event at leaf {}: {what}", leaves.first + index as u64);
            report
                .findings
                .push(Finding::contradiction(leaves.key.clone(), what));
        };
        match record {
            Leaf::Event(event) => {
                report.events += 1;
                if event.ledger != log.name.ledger {
                    fail("is of another ledger");
                }
                if !carried
                    .event_ids
                    .entry(event.folder.clone())
                    .or_default()
                    .insert(event.id)
                {
                    fail("was recorded before");
                }
                if event.raw_sha256.is_some_and(|raw| !carried.raw.contains(&raw)) {
                    fail("its raw record is in no raw object up to here");
                }
                let disclosure = disclosures.remove(&(index as u64));
                if let Some(sidecar) = sidecar
                    && !opens(event, disclosure, sidecar)
                {
                    fail("the sidecar does not open its commitments");
                }
                pending.push(event);
            }
            Leaf::Window(window) => {
                if pending.iter().any(|event| event.folder != window.folder) {
                    fail("events before this window are of another folder");
                }
                pending.clear();
            }
            _ => {}
        }
    }
    if let Some(n) = disclosures.keys().next() {
        report.findings.push(Finding::contradiction(
            leaves.key.clone(),
            format!("the sidecar discloses place {n}, where no event stands"),
        ));
    }
}

fn opens(event: &EventLeaf, disclosure: Option<&Disclosure>, sidecar: &Sidecar) -> bool {
    match disclosure {
        Some(disclosure) => disclosure
            .commitments(&sidecar.seed)
            .is_ok_and(|made| made == event.c),
        None => event.c == revtrail_model::disclosure::Commitments::default(),
    }
}
