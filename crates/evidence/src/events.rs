//! Events, holds and annotations: scope, identity, commitments and raw records.

use revtrail_model::layout::Kind;

use crate::{
    annotations,
    finding::{Finding, Report},
    load::{EventFacts, Leaves, Objects, Opened, Record, Stored},
    log::Carried,
    snapshot::SnapshotCheck,
};

pub(crate) fn check_events(
    snapshot: &SnapshotCheck<'_>,
    (leaves, objects): (&Leaves, &Objects),
    carried: &mut Carried,
    report: &mut Report,
) {
    let opened = match objects.sidecar.as_ref().map(|sidecar| &sidecar.stored) {
        Some(Stored::Read(opened)) => Some(opened),
        _ => None,
    };
    carried.ids.open(leaves);
    let mut pending: Vec<&EventFacts> = Vec::new();
    for (index, record) in leaves.records.iter().enumerate() {
        let kind = if let Record::Hold(_) = record {
            "hold"
        } else {
            "event"
        };
        let mut fail = |what: &str| {
            let what = format!("{kind} at leaf {}: {what}", leaves.first + index as u64);
            report
                .findings
                .push(Finding::contradiction(leaves.key.clone(), what));
        };
        match record {
            Record::Event(event) => {
                if !event.own_ledger {
                    fail("is of another ledger");
                }
                if opened.is_some_and(|opened| opened.refused.contains(&index)) {
                    fail("the sidecar does not open its commitments");
                }
                report.events += 1;
                carried.ids.take(event);
                carried.contents.extend(event.content);
                pending.push(event);
            }
            // An event may have nothing to open; a hold always has.
            Record::Hold(_) if opened.is_none_or(|opened| opened.refused.contains(&index)) => {
                fail("the sidecar does not open its commitments");
            }
            Record::Window(window) => {
                if pending.iter().any(|event| event.folder != window.folder) {
                    fail("events before this window are of another folder");
                }
                pending.clear();
            }
            _ => {}
        }
    }
    annotations::check(leaves, opened, carried, report);
    let raw = objects.raw.as_ref().and_then(|object| {
        if let Stored::Read(digests) = &object.stored {
            let name = snapshot.log.name.object(Kind::Raw, snapshot.seq, &object.digest);
            return Some((name, digests.as_slice()));
        }
        carried.raws.forget();
        None
    });
    carried.raws.take(leaves, raw);
    if let Some(Opened { stray: Some(n), .. }) = opened {
        report.findings.push(Finding::contradiction(
            leaves.key.clone(),
            format!("the sidecar discloses place {n}, where nothing stands that commits to a value"),
        ));
    }
}
